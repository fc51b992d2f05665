"""The folder that keeps the run of each place, as they come."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from keepalive_bench.errors import UsageError
from keepalive_bench.units import filename

if TYPE_CHECKING:
    from keepalive_bench.cli.gathering import Found

_UNSAFE = r"[^A-Za-z0-9._@+-]+"
_LONGEST = 100


class KeptPlaces:
    """Writes each run to a file of its own, at once: what comes later can't lose it."""

    def __init__(self, folder: str | None) -> None:
        """Make the folder, if one is asked for.

        Raises:
            UsageError: it can't be one, or has files already.
        """
        self._folder = None if folder is None else Path(folder)
        self._names: set[str] = set()
        if self._folder is None:
            return
        shown = filename(folder)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            is_empty = not any(self._folder.iterdir())
        except OSError as error:
            raise UsageError(
                f"{shown} can't be a folder for runs (--keep-places): {error.strerror}."
            ) from None
        if not is_empty:
            raise UsageError(f"{shown} isn't empty (--keep-places): name a folder of its own.")

    def add(self, found: Found) -> None:
        """Keep one more run, if any are kept.

        Raises:
            UsageError: it can't be written.
        """
        if self._folder is not None:
            found.run.save(self._folder / f"{self._name(found.name)}.json.gz")

    def _name(self, place: str) -> str:
        stem = re.sub(_UNSAFE, "-", place).strip(".-")[:_LONGEST] or "place"
        name, number = stem, 1
        while name.lower() in self._names:
            number += 1
            name = f"{stem}-{number}"
        self._names.add(name.lower())
        return name
