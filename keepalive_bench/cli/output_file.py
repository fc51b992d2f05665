"""A file to write results to: opened before anything is measured, complete or not there at all.

Until then it is a draft beside its place, which whatever ends kab takes with it, if kab is told.
"""

from __future__ import annotations

import errno
import io
import os
import signal
import stat
import sys
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from threading import current_thread, main_thread
from typing import IO, TYPE_CHECKING, TextIO

from keepalive_bench.cli.screen import STDOUT
from keepalive_bench.errors import UsageError
from keepalive_bench.units import filename

if TYPE_CHECKING:
    from collections.abc import Iterator

COMPRESSED = ".gz"
_ALSO_STDOUT = {"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}
_UNENCODABLE = "backslashreplace"
"""Half a surrogate pair, as hostile text can have it, becomes what JSON writes for it."""
_NAMES = ("QUIT", "USR1", "USR2", "ALRM", "VTALRM", "PROF", "XCPU", "IO", "PWR", "STKFLT", "TRAP")
_DEADLY = tuple(getattr(signal, f"SIG{name}") for name in _NAMES if hasattr(signal, f"SIG{name}"))
"""Signals that end a process at once, unless it says otherwise. SIGKILL can't be heard."""
_NAME_SHOWN = 40

_unfinished: set[Path] = set()
_temporary: set[Path] = set()


@contextmanager
def open_output(path: str) -> Iterator[TextIO]:
    """A text stream that becomes the file when the block ends well; a `.gz` is compressed.

    A regular file is replaced whole, at the end. What isn't a regular file (a device, a FIFO) is
    written to: renaming something over it would destroy it.

    Raises:
        UsageError: it can't be written.
    """
    # Where whoever started kab has closed it, `sys.__stdout__` is None, and what has its number
    # since then leads to nowhere.
    if sys.__stdout__ is None and path in {STDOUT, *_ALSO_STDOUT}:
        raise UsageError(
            f"Standard output is closed, so {filename(path)} can't be written: name a file."
        )
    if path == STDOUT:
        if isinstance(sys.stdout, io.TextIOWrapper):  # a file is UTF-8, whatever a terminal is
            sys.stdout.reconfigure(encoding="utf-8", errors=_UNENCODABLE, newline="")
        yield sys.stdout
        sys.stdout.flush()
        return
    with ExitStack() as stack:
        try:
            raw = stack.enter_context(_opened(target_of(path)))
        except OSError as error:
            raise UsageError(f"{filename(path)} can't be written: {error.strerror}.") from None
        with _text(raw, compressed=path.endswith(COMPRESSED)) as stream:
            yield stream


def target_of(path: str) -> Path:
    """What is written: a link stays a link, though one to a pipe (/dev/stdout) leads to no path."""
    given = Path(path)
    is_special = given.exists() and not given.is_file()
    return given if is_special else Path(os.path.realpath(given))


def one_of_several(path: str, word: str) -> str:
    """The name of one file of several: of `run.json.gz` and `steady`, `run-steady.json.gz`.

    Raises:
        UsageError: it is no file's.
    """
    if path == STDOUT or (Path(path).exists() and not Path(path).is_file()):
        shown = "standard output" if path == STDOUT else filename(path)
        raise UsageError(f"There are several files to write, and {shown} can't be all of them.")
    given = Path(path)
    plain = Path(given.name.removesuffix(COMPRESSED) or given.name)
    compressed = given.name.removeprefix(plain.name)
    return str(given.with_name(f"{plain.stem}-{word}{plain.suffix}{compressed}"))


@contextmanager
def _text(raw: IO[bytes], *, compressed: bool) -> Iterator[TextIO]:
    """A stream for text; the same text is compressed to the same bytes."""
    if compressed:
        from gzip import GzipFile  # noqa: PLC0415  # a start without it is quicker

        packed: IO[bytes] | GzipFile = GzipFile(filename="", mode="wb", fileobj=raw, mtime=0)
    else:
        packed = raw
    stream = io.TextIOWrapper(packed, encoding="utf-8", errors=_UNENCODABLE, newline="")
    try:
        yield stream
    except BaseException:
        with suppress(OSError):  # what can't be written any more isn't wanted either
            stream.close()
        raise
    stream.close()


def _opened(target: Path) -> AbstractContextManager[IO[bytes]]:
    """A stream to where the text goes for now."""
    if not target.exists():
        if target.is_symlink():  # where one leads somewhere, none is left by now
            raise OSError(errno.ELOOP, "it is a link in a loop")
        return _drafted(target, 0o666 & ~_umask())
    mode = target.stat().st_mode
    if not stat.S_ISREG(mode):
        return target.open("wb")
    with target.open("ab"):  # whether it may be written at all
        return _drafted(target, stat.S_IMODE(mode))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextmanager
def _drafted(target: Path, mode: int) -> Iterator[IO[bytes]]:
    """A binary stream to a file beside the target, which it replaces when the block ends well.

    Raises:
        OSError: it can't be written, or can't take the target's place.
    """
    # Its name is known before it exists, so that no Ctrl-C falls in between.
    draft = target.with_name(f".{target.name[:_NAME_SHOWN]}.{os.urandom(4).hex()}.tmp")
    try:
        with _mortal(draft):
            with draft.open("xb") as raw:
                draft.chmod(mode)
                yield raw
            draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _mortal(draft: Path) -> Iterator[None]:
    """Signals that end kab remove the draft first; where they are ignored or caught, they don't."""
    _unfinished.add(draft)
    heard = [] if current_thread() is not main_thread() else list(_DEADLY)
    heard = [number for number in heard if signal.getsignal(number) is signal.SIG_DFL]
    try:
        for number in heard:
            signal.signal(number, _die)
        yield
    finally:
        _unfinished.discard(draft)
        if not _unfinished:
            for number in _DEADLY:
                if signal.getsignal(number) is _die:
                    signal.signal(number, signal.SIG_DFL)


def discard_with_drafts(folder: Path) -> None:
    """Have a folder removed, too, where kab ends without leaving any block."""
    _temporary.add(folder)


def discard_drafts() -> None:
    """Remove all drafts: the process is about to end, without leaving any block."""
    for draft in _unfinished:
        with suppress(OSError):
            draft.unlink()
    for folder in _temporary:
        from shutil import rmtree  # noqa: PLC0415  # few commands have any

        rmtree(folder, ignore_errors=True)


def _die(number: int, _frame: object) -> None:
    discard_drafts()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
