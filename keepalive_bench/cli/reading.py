"""What the command line only names: files, standard input, stored runs.

All but stored runs are read whole, and bounded: some files have no end (`/dev/zero`), and some are
too large.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from contextlib import contextmanager
from errno import EACCES, EISDIR
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn

from keepalive_bench.errors import OtherDocumentError, ResultsFileError, UsageError
from keepalive_bench.plan.options import File
from keepalive_bench.plan.values import LARGEST_BODY
from keepalive_bench.units import filename, size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from keepalive_bench.plan.options import Option
    from keepalive_bench.probe.record import ProbeRecord
    from keepalive_bench.results.run import Run

LARGEST_FILE = 2**26
"""Bytes of a file that is no body: a bundle of all certificates there are has a hundredth of it."""
_PIECE = 2**20
STDIN = "-"
_STDIN_NUMBER = 0
_HEAD = 4096
_PROBE = r'\s*\{[^{\[]*"kind"\s*:\s*"probe"'


def value_of(option: Option[Any], said: Any) -> object:  # noqa: ANN401  # what Click has of it
    """An option's value, parsed, with what is in the file that it names.

    Raises:
        UsageError: it makes no sense, or a file can't be read.
    """
    several = said if isinstance(said, tuple) else (said,)
    flag = option.flags[0]
    if option.source == "body":
        several = tuple(_body(several, flag))
    elif option.source == "content":
        several = tuple(read_file(path, flag) for path in several)
    elif option.source in {"checked", "readable"}:
        for path in several:
            check_file(path, flag, bounded=option.source == "checked")
    if option.form != "repeatable":
        return option.parse(*several)
    return tuple(map(option.parse, several))


def read_file(path: Path, option: str, most: int = LARGEST_FILE) -> File:
    """A file, as an option asks for it.

    Raises:
        UsageError: it can't be read, or is too large.
    """
    shown = filename(path)
    try:
        with path.open("rb") as file:
            return File(str(path), _whole(file, shown, option, most))
    except OSError as error:
        raise _unreadable(shown, option, error) from None


def check_file(path: Path | None, option: str, *, bounded: bool = True) -> None:
    """Look at a file that OpenSSL or Python will read by itself, to the end if that is `bounded`.

    Raises:
        UsageError: it can't be read, is too large, or a device, which may have no end.
    """
    if path is None:
        return
    shown = filename(path)
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(EISDIR, os.strerror(EISDIR))
        if not os.access(path, os.R_OK):
            raise PermissionError(EACCES, os.strerror(EACCES))
    except OSError as error:
        raise _unreadable(shown, option, error) from None
    if not bounded:
        return
    if stat.S_ISCHR(found.st_mode) or stat.S_ISBLK(found.st_mode):
        raise UsageError(f"{shown} is a device ({option}): name a file.")
    if found.st_size > LARGEST_FILE:
        _refuse_size(shown, option, LARGEST_FILE)


def load_run(path: str) -> Run:
    """The run that a file or standard input holds, compressed or not.

    Raises:
        UsageError: it can't be read, or is no results file.
    """
    from keepalive_bench.results.run import Run  # noqa: PLC0415  # few commands read one

    if path != STDIN:
        return Run.load(path)
    with _opened(path) as raw:
        return Run.read(raw, run_name(path))


def load_stored(path: str) -> Run | ProbeRecord:
    """The run or the probe that a file or standard input holds, compressed or not.

    A probe's file says so in front of all that has parts.

    Raises:
        UsageError: it can't be read, or is no results file.
    """
    from keepalive_bench.results.bounded import refusing  # noqa: PLC0415  # few read one
    from keepalive_bench.results.run import Run, text_pieces  # noqa: PLC0415  # the same

    name = run_name(path)
    with _opened(path) as raw:
        pieces, head = text_pieces(raw, name), ""
        with refusing(name):
            for piece in pieces:
                head += piece
                if len(head) > _HEAD:
                    break
        lines = chain((head,), pieces)
        try:
            if re.match(_PROBE, head):
                return _probe(lines, name)
            return Run.of_lines(lines, name)
        except OtherDocumentError as error:  # its members may stand in another order
            if path == STDIN or error.kind != "probe":
                raise
        except MemoryError:
            raise UsageError(f"{name} needs more memory than there is.") from None
    with _opened(path) as raw:
        return _probe(text_pieces(raw, name), name)


def _probe(lines: Iterable[str], name: str) -> ProbeRecord:
    from keepalive_bench.probe.document import read_probe  # noqa: PLC0415  # few read one

    return read_probe(lines, name)


@contextmanager
def _opened(path: str) -> Iterator[IO[bytes]]:
    """A file, or standard input, as bytes.

    Raises:
        UsageError: it can't be read.
    """
    try:
        with open(_STDIN_NUMBER if path == STDIN else path, "rb", closefd=path != STDIN) as raw:
            yield raw
    except OSError as error:
        raise UsageError(f"{run_name(path)} can't be read: {error.strerror}.") from None


def runs_in_lines() -> Iterator[tuple[int, Run | ResultsFileError | None]]:
    """The runs on standard input as JSON Lines, each by the number of its line; or what is wrong.

    So are runs one after the other, as `kab run --json -` writes them. `None`: the line isn't JSON.

    Raises:
        UsageError: it can't be read.
    """
    from keepalive_bench.results.run import Run, text_pieces  # noqa: PLC0415  # few read one

    number = 0
    try:
        with open(_STDIN_NUMBER, "rb", closefd=False) as raw:
            pieces = text_pieces(raw, run_name(STDIN), "replace")
            for number, document in _documents(pieces):
                if document is None:
                    yield number, None
                    continue
                try:
                    yield number, Run.of_lines(document, f"Line {number:,} of standard input")
                except ResultsFileError as error:
                    yield number, error
                for _ in document:  # what is left of a bad one
                    pass
    except ResultsFileError as error:  # compressed, and damaged
        yield number + 1, error
    except OSError as error:
        raise UsageError(f"Standard input can't be read: {error.strerror}.") from None


def _documents(pieces: Iterator[str]) -> Iterator[tuple[int, Iterator[str] | None]]:
    """Each document, in pieces, by the number of its first line; `None`: that line is none."""
    number = 0
    left: list[str] = []
    """What was read, and belongs to the next one."""

    def document(piece: str) -> Iterator[str]:
        nonlocal number
        is_spread, is_first = piece.rstrip() == "{", True
        while piece:
            if piece.rstrip() == "{" and not is_first:  # this one was cut off
                left.append(piece)
                return
            yield piece
            is_first = False
            ends_line = piece.endswith("\n")
            number += ends_line
            if ends_line and (not is_spread or piece.rstrip() == "}"):
                return
            piece = next(pieces, "")

    while piece := left.pop() if left else next(pieces, ""):
        if piece.lstrip().startswith("{"):
            yield number + 1, document(piece)
            continue
        if not piece.isspace():
            yield number + 1, None
        while piece and not piece.endswith("\n"):  # the rest of a long line
            piece = next(pieces, "")
        number += 1


def run_name(path: str) -> str:
    """What a sentence calls a stored run's file."""
    return "Standard input" if path == STDIN else filename(path)


def _body(texts: Iterable[str], option: str) -> Iterator[bytes]:
    """The parts of a body: text as it is, `@FILE` byte for byte, `-` from standard input."""
    length = 0
    for text in texts:
        if text in {STDIN, f"@{STDIN}"}:
            part = standard_input(option)
        elif text.startswith("@"):
            part = read_file(Path(text[1:]), option, LARGEST_BODY).content
        else:
            part = text.encode(errors="surrogateescape")
        length += len(part)
        if length > LARGEST_BODY:
            _refuse_size("The body", option, LARGEST_BODY)
        yield part


def standard_input(option: str) -> bytes:
    """All that is on standard input, as an option asks for it.

    Raises:
        UsageError: it can't be read, or is too large.
    """
    if sys.stdin is None:  # whoever started kab has closed it
        raise UsageError(f"Standard input can't be read ({option}): it is closed.")
    try:
        return _whole(sys.stdin.buffer, "Standard input", option, LARGEST_BODY)
    except OSError as error:
        raise _unreadable("Standard input", option, error) from None


def _whole(file: IO[bytes], shown: str, option: str, most: int) -> bytes:
    parts, length = [], 0
    while part := file.read(_PIECE):
        parts.append(part)
        length += len(part)
        if length > most:
            _refuse_size(shown, option, most)
    return b"".join(parts)


def _unreadable(shown: str, option: str, error: OSError) -> UsageError:
    return UsageError(f"{shown} can't be read ({option}): {error.strerror}.")


def _refuse_size(shown: str, option: str, most: int) -> NoReturn:
    raise UsageError(f"{shown} is too large ({option}): {size(most)} are the most.")
