"""A file to write results to: opened before anything is measured, complete or not there at all."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from keepalive_bench.errors import UsageError
from keepalive_bench.units import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

STDOUT = "-"


@contextmanager
def open_output(path: str) -> Iterator[TextIO]:
    """A text stream that becomes the file when the block ends well.

    A regular file is replaced whole, at the end. What is no regular file (a device, a FIFO) is
    written to: renaming something over it would destroy it.

    Raises:
        UsageError: it can't be written.
    """
    if path == STDOUT:
        yield sys.stdout
        return
    try:
        target = _target(Path(path))
        draft, stream = _opened(target)
    except OSError as error:
        raise UsageError(f"{printable(path)} can't be written: {error.strerror}.") from None
    try:
        with stream:
            yield stream
        if draft != target:
            draft.replace(target)
    finally:
        if draft != target:
            draft.unlink(missing_ok=True)


def _target(path: Path) -> Path:
    """What is written: a link stays a link, though one to a pipe (/dev/stdout) leads to no path."""
    is_special = path.exists() and not path.is_file()
    return path if is_special else Path(os.path.realpath(path))


def _opened(target: Path) -> tuple[Path, TextIO]:
    """Where the text goes for now, and a stream to there."""
    if not target.exists():
        return _draft(target, 0o666 & ~_umask())
    mode = target.stat().st_mode
    if not stat.S_ISREG(mode):
        return target, target.open("w", encoding="utf-8")
    with target.open("a"):  # whether it may be written at all
        return _draft(target, stat.S_IMODE(mode))


def _draft(target: Path, mode: int) -> tuple[Path, TextIO]:
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    draft = Path(name)
    draft.chmod(mode)
    return draft, os.fdopen(handle, "w", encoding="utf-8")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
