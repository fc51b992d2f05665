"""A stored run, from a file or standard input, compressed or not."""

from __future__ import annotations

import gzip
import io
import zlib
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from keepalive_bench.errors import ResultsFileError, UsageError
from keepalive_bench.requirements import requirements_of
from keepalive_bench.results.reader import read_run
from keepalive_bench.units import filename

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.results.run import Run

STDIN = "-"
_STDIN_NUMBER = 0
_GZIP = b"\x1f\x8b"
_PIECE = 2**20
"""The longest piece of a line that is read at once: a packed string is shorter."""


def load(path: str) -> Run:
    """The run that a file holds.

    Raises:
        UsageError: it can't be read, or is no results file.
    """
    name = _named(path)
    try:
        with _opened(path) as lines:
            return read_run(lines, name)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise ResultsFileError(f"{name} is compressed, and damaged.") from None
    except OSError as error:
        raise UsageError(f"{name} can't be read: {error.strerror}.") from None
    except MemoryError:
        raise UsageError(f"{name} needs more memory than there is.") from None


def check_requirements(run: Run, path: str) -> None:
    """Hold what a stored run was required to be against what there are names for.

    Raises:
        ResultsFileError: a requirement in the file is none.
    """
    try:
        requirements_of(run.plan)
    except UsageError as error:
        raise ResultsFileError(f"{_named(path)} has a bad requirement. {error}") from None


def _named(path: str) -> str:
    return "Standard input" if path == STDIN else filename(path)


@contextmanager
def _opened(path: str) -> Iterator[Iterator[str]]:
    """Its lines, in pieces where they are long; compression shows in the first bytes."""
    source, is_own = (_STDIN_NUMBER, False) if path == STDIN else (path, True)
    with open(source, "rb", closefd=is_own) as raw:
        is_packed = raw.peek(len(_GZIP)).startswith(_GZIP)
        plain = gzip.GzipFile(fileobj=raw, mode="rb") if is_packed else raw
        with io.TextIOWrapper(plain, encoding="utf-8-sig", newline="\n") as text:
            yield iter(partial(text.readline, _PIECE), "")
