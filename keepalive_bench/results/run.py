"""A run that can be kept in a file, and read back from one."""

from __future__ import annotations

import io
import os
import stat
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from keepalive_bench.errors import ResultsFileError, UsageError
from keepalive_bench.results.measured import Measured
from keepalive_bench.units import filename

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from typing_extensions import Self

_PIECE = 2**20
"""What is read at once: also of a line, as a stored run's packed strings are shorter."""
_GZIP = b"\x1f\x8b"
_COMPRESSED = ".gz"
_NAME_SHOWN = 40


def text_pieces(raw: IO[bytes], name: str, errors: str = "strict") -> Iterator[str]:
    """The lines of a stream, compressed or not, in pieces where they are long; it is closed then.

    Raises:
        OSError: it can't be read.
        ResultsFileError: it is compressed, and damaged.
    """
    import gzip  # noqa: PLC0415  # most runs are neither read nor written
    import zlib  # noqa: PLC0415  # the same

    if isinstance(raw, io.BufferedReader):
        buffered = raw
    else:
        buffered = io.BufferedReader(cast("io.RawIOBase", raw))
    is_packed = buffered.peek(len(_GZIP)).startswith(_GZIP)
    plain = gzip.GzipFile(fileobj=buffered, mode="rb") if is_packed else buffered
    try:
        with io.TextIOWrapper(plain, encoding="utf-8-sig", errors=errors, newline="\n") as text:
            yield from iter(partial(text.readline, _PIECE), "")
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise ResultsFileError(f"{name} is compressed, and damaged.") from None


class Run(Measured):
    """A finished (or interrupted) run. Its columns are not appended to any more."""

    __slots__ = ()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file, which is replaced whole; one that ends in `.gz` is compressed.

        It has what was measured; `kab report FILE --json FILE` adds what that comes to. Secrets
        aren't written, so a plan that has any can't be carried out again once it was read back.

        Raises:
            UsageError: it can't be written.
        """
        given = Path(path)
        try:
            if given.exists() and not given.is_file():  # a device would be replaced, too
                with given.open("wb") as raw:
                    self._write(raw, given.name)
            else:
                self._replace_file(Path(os.path.realpath(given)), given.name)
        except OSError as error:
            raise UsageError(f"{filename(path)} can't be written: {error.strerror}.") from None

    def _replace_file(self, target: Path, name: str) -> None:
        draft = target.with_name(f".{target.name[:_NAME_SHOWN]}.{os.urandom(4).hex()}.tmp")
        try:
            with draft.open("xb") as raw:
                if target.exists():
                    with target.open("ab"):  # whether it may be written at all
                        draft.chmod(stat.S_IMODE(target.stat().st_mode))
                self._write(raw, name)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """The run that a results file holds, compressed or not.

        Raises:
            UsageError: it can't be read.
            ResultsFileError: it is no results file, is damaged, or a newer kab wrote it.
        """
        name = filename(path)
        try:
            with Path(path).open("rb") as raw:
                return cls.read(raw, name)
        except OSError as error:
            raise UsageError(f"{name} can't be read: {error.strerror}.") from None

    @classmethod
    def read(cls, raw: IO[bytes], name: str = "The file") -> Self:
        """The same, of a stream that is called `name` where something is wrong with it.

        Raises:
            OSError: it can't be read.
            ResultsFileError: as above.
        """
        try:
            return cls.of_lines(text_pieces(raw, name), name)
        except MemoryError:
            raise UsageError(f"{name} needs more memory than there is.") from None

    @classmethod
    def of_lines(cls, lines: Iterable[str], name: str = "The file") -> Self:
        """The same, of text that comes in lines, or in pieces.

        Raises:
            ResultsFileError: as above.
        """
        from keepalive_bench.results.reader import read_run  # noqa: PLC0415  # few runs are read

        return cls(*read_run(lines, name))

    def packed(self) -> bytes:
        """As it is in a compressed file."""
        raw = io.BytesIO()
        self._write(raw, _COMPRESSED)
        return raw.getvalue()

    @classmethod
    def unpacked(cls, packed: bytes, name: str = "The result") -> Self:
        """What was packed.

        Raises:
            ResultsFileError: it is damaged, or a newer kab packed it.
        """
        return cls.read(io.BytesIO(packed), name)

    def __reduce__(self) -> tuple[Callable[[bytes], Run], tuple[bytes]]:
        """Pickled as it is saved: compressed, and without secrets."""
        return _unpacked, (self.packed(),)

    def _write(self, raw: IO[bytes], name: str) -> None:
        """Compressed, if the name says so: the same run to the same bytes."""
        import gzip  # noqa: PLC0415  # most runs are neither read nor written

        from keepalive_bench.results.file import document_lines  # noqa: PLC0415  # the same

        is_packed = name.endswith(_COMPRESSED)
        packed = gzip.GzipFile("", "wb", fileobj=raw, mtime=0) if is_packed else None
        for line in document_lines(self):
            (packed or raw).write(line.encode("utf-8", "backslashreplace"))
        if packed is not None:
            packed.close()


def _unpacked(packed: bytes) -> Run:
    """A function, as some libraries change how methods are pickled (twisted does)."""
    return Run.unpacked(packed)
