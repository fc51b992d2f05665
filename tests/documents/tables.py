"""Tables that pages have from the code: `make docs` writes what stands between a table's marks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DOCS = Path(__file__).parents[2] / "docs"
_END = "\n<!-- -->\n"


class PageTable(NamedTuple):
    """One table of a page."""

    page: str
    """Its file, in `docs`."""
    mark: str
    """What the comment before it calls it."""
    head: tuple[str, ...]
    rows: Iterable[tuple[str, ...]]
    """Cells of Markdown."""

    @property
    def path(self) -> Path:
        """The page's file."""
        return DOCS / self.page

    def within(self, text: str) -> str:
        """The page's text with the table as it should be: all else is kept."""
        start = f"<!-- {self.mark}: make docs -->\n\n"
        before, found, rest = text.partition(start)
        assert found, f"{self.page} has no mark of {self.mark}"
        lines = [self.head, ("---",) * len(self.head), *self.rows]
        table = "".join(f"| {' | '.join(row)} |\n" for row in lines)
        while "|  |" in table:
            table = table.replace("|  |", "| |")
        return f"{before}{start}{table}{_END}{rest.partition(_END)[2]}"


def names_cell(spellings: Iterable[Sequence[str]]) -> str:
    """A cell of names; those of one sequence differ in one part, if they can be put together."""
    return ", ".join(f"`{name}`" for names in spellings for name in _together(names))


def _together(names: Sequence[str]) -> Sequence[str]:
    """Names that differ in one part as one name, with a choice there."""
    parts = [name.split(".") for name in names]
    if len(names) == 1 or len({len(each) for each in parts}) > 1:
        return names
    columns = [list(dict.fromkeys(column)) for column in zip(*parts, strict=True)]
    if sum(len(column) > 1 for column in columns) != 1:
        return names
    return [".".join(it[0] if len(it) == 1 else f"{{{','.join(it)}}}" for it in columns)]
