"""The folder that a program's records go into: nobody else's, and gone afterwards unless named."""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from pathlib import Path

from keepalive_bench.errors import UsageError
from keepalive_bench.units import filename

_RECORDS = r"\d+-\d+-\d+\.kab"
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
            self.path = os.path.abspath(named)
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
        names = os.listdir(path)
    except OSError as error:
        raise UsageError(f"{filename(path)} can't be read: {error.strerror}.") from None
    return not names or any(re.fullmatch(_RECORDS, it) for it in names)


def _prepare(path: Path) -> None:
    """Make a folder, or take one that is there: empty, or with the records of an earlier program.

    Raises:
        UsageError: it isn't, or others may write there.
    """
    shown = filename(path)
    try:
        path.mkdir(mode=_OWN, parents=True, exist_ok=True)
        others = [it for it in os.listdir(path) if not re.fullmatch(_RECORDS, it)]
        if others:
            raise UsageError(
                f"{shown} holds {filename(others[0])}: name an empty folder for records (--records)."
            )
        found = path.stat()
        if found.st_uid != os.geteuid():
            raise UsageError(f"{shown} is another user's: name a folder of yours (--records).")
        if stat.S_IMODE(found.st_mode) & _OTHERS:
            path.chmod(_OWN)
        for name in os.listdir(path):
            (path / name).unlink()
    except OSError as error:
        raise UsageError(
            f"{shown} can't be a folder for records (--records): {error.strerror}."
        ) from None
