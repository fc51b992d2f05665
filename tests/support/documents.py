"""What docs/findings.md says, so that tests can hold it against the program."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import NamedTuple

_PAGE = Path(__file__).parents[2] / "docs" / "findings.md"
_SERVE = re.compile(r"`kab serve ?([^`]*)`")
_RUN = re.compile(r"`kab run ([^`]*)`")


class Entry(NamedTuple):
    """One row of a table."""

    code: str
    cells: tuple[str, ...]

    @property
    def serve(self) -> list[str] | None:
        """What to start the server with."""
        found = _SERVE.search(" | ".join(self.cells))
        return shlex.split(found[1]) if found else None

    @property
    def run(self) -> list[str] | None:
        """What to start the client with; the server's address is URL."""
        found = _RUN.search(" | ".join(self.cells))
        return shlex.split(found[1]) if found else None


def entries(heading: str) -> list[Entry]:
    """The rows of the table under a heading."""
    section = _PAGE.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line[:3] == "| `"]
    return [Entry(first.strip("`"), tuple(cells)) for first, *cells in rows]


def failure_kinds() -> set[str]:
    return {entry.code for entry in entries("Kinds of failures")}
