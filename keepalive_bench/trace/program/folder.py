"""The folder that a program's records go into: nobody else's, and gone afterwards unless named."""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from keepalive_bench.errors import UsageError
from keepalive_bench.units import filename

if TYPE_CHECKING:
    from collections.abc import Iterator

_RECORDS = r"\d+-\d+-\d+(\.\d+)?\.kab|allotted"
_OWN = 0o700
_OTHERS = 0o077


class Folder:
    """A folder for the records of a program that is about to be started.

    Raises:
        UsageError: there is none to be had, or it is used for something else.
    """

    def __init__(self, named: str | None) -> None:
        self.is_kept = named is not None
        if named is not None:
            self.path = str(Path(named).absolute())  # the program may change its working folder
            _prepare(Path(self.path))
            return
        try:
            self.path = tempfile.mkdtemp(prefix="kab-trace-")
        except OSError as error:
            raise UsageError(
                f"There is no place for records: {error.strerror}. Name one (--records)."
            ) from None

    def discard(self) -> None:
        """Remove it, if kab chose its place."""
        if not self.is_kept:
            shutil.rmtree(self.path, ignore_errors=True)


def holds_records(path: Path) -> bool:
    """Whether a folder may be one of records: it holds some, or nothing yet.

    Raises:
        UsageError: it can't be read.
    """
    try:
        names = [it.name for it in path.iterdir()]
    except OSError as error:
        raise UsageError(f"{filename(path)} can't be read: {error.strerror}.") from None
    return not names or any(re.fullmatch(_RECORDS, it) for it in names)


def running(folder: str) -> int:
    """How many processes still record into a folder, as far as the system tells."""
    place = os.fsencode(os.path.realpath(folder)) + b"/"
    return sum(place in maps for maps in _all_maps())


def _all_maps() -> Iterator[bytes]:
    """What each other process has mapped into memory."""
    for path in Path("/proc").glob("[0-9]*/maps"):
        if path.parent.name == f"{os.getpid()}":
            continue
        with suppress(OSError):  # it has ended, or is another user's
            yield path.read_bytes()


def _prepare(path: Path) -> None:
    """Make a folder, or take one that is there: empty, or with the records of an earlier program.

    Raises:
        UsageError: it isn't, or others may write there.
    """
    shown = filename(path)
    try:
        path.mkdir(mode=_OWN, parents=True, exist_ok=True)
        earlier = list(path.iterdir())
        other = next((it.name for it in earlier if not re.fullmatch(_RECORDS, it.name)), None)
        if other is not None:
            raise UsageError(
                f"{shown} holds {filename(other)}: name an empty folder for records (--records)."
            )
        found = path.stat()
        if found.st_uid != os.geteuid():
            raise UsageError(f"{shown} is another user's: name a folder of yours (--records).")
        if stat.S_IMODE(found.st_mode) & _OTHERS:
            path.chmod(_OWN)
        if running(str(path)):
            raise UsageError(f"A program still records into {shown}: name another folder.")
        for it in earlier:
            it.unlink()
    except OSError as error:
        raise UsageError(
            f"{shown} can't be a folder for records (--records): {error.strerror}."
        ) from None
