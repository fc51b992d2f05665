"""Parts of pages that are derived from the code: `make docs` writes what is between their marks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.requirements.listing import together

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Row = tuple[str, ...]
MEMBERS_HEAD = ("member", "meaning", "`null` when")
DOCS = Path(__file__).parents[2] / "docs"
_END = "\n\n<!-- -->\n"


class PagePart(NamedTuple):
    """A part of a page that is derived: what isn't between its marks is kept."""

    page: str
    """Its file, in `docs`."""
    mark: str
    """What the comment before it calls it."""
    text: str
    target: str = "docs"
    """What `make` is to be told to write it."""

    @property
    def path(self) -> Path:
        """The page's file."""
        return DOCS / self.page

    def within(self, page: str) -> str:
        """The page's text with the part as it should be."""
        start = f"<!-- {self.mark}: make {self.target} -->\n\n"
        before, found, rest = page.partition(start)
        assert found, f"{self.page} has no mark of {self.mark}"
        return f"{before}{start}{self.text}{_END}{rest.partition(_END)[2]}"


def table(page: str, mark: str, head: Row, rows: Iterable[Row]) -> PagePart:
    """A part that is a table; cells are Markdown."""
    lines = (f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows))
    text = "\n".join(lines)
    while "|  |" in text:
        text = text.replace("|  |", "| |")
    return PagePart(page, mark, text)


def names_cell(spellings: Iterable[Sequence[str]]) -> str:
    """A cell of names; those of one sequence differ in one part, if they can be put together."""
    return ", ".join(f"`{name}`" for names in spellings for name in together(names))
