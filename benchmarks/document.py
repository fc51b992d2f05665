"""Tables that a benchmark measured, as Markdown, and the place in the documentation for them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_DOCS = Path(__file__).parents[1] / "docs"
EVIDENCE, PERFORMANCE = _DOCS / "evidence.md", _DOCS / "performance.md"
PLACES = _DOCS / "places.md"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose first column is text, and whose others are numbers."""
    ruler = ["---", *("---:" for _ in head[1:])]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, ruler, *rows))


def write_between_marks(name: str, text: str, document: Path = EVIDENCE) -> None:
    """Put a text where the document has two comments for it, in place of what was there.

    Raises:
        ValueError: the document lacks one of them.
    """
    page = document.read_text(encoding="utf-8")
    begin, end = f"<!-- {name}: written by benchmarks/{name}.py -->\n", f"<!-- {name}: end -->\n"
    before, _, rest = page.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"{document} has no place for {name}: {begin}{end}")
    document.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")
