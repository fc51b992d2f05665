"""What changed, in GitHub's Markdown: the words of `table.py`, set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.compare import table
from keepalive_bench.report.markdown import code, headline, requirements, rows_table, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.compare.change import Change

_MARKS = {"better": "✅", "worse": "❌", "no-difference": "⚖️"}
_OPEN = "⚠️"


def markdown_lines(changes: Sequence[Change], *, strict: bool = False) -> Iterator[str]:
    """A part for each new run, the verdict first. `strict`: what is undecided counts as missed."""
    for change in changes:
        verdict = change.verdict
        mark = _MARKS.get(verdict.code, _OPEN)
        yield headline(f"kab compare: {verdict.code}", mark, change.requirements, strict=strict)
        yield f"**{text(verdict.text)}**\n\n"
        for role, which, asked in table.sources(change):
            yield f"- {role}: {code(which)}, {text(asked)}\n"
        yield "\n"
        yield from requirements(change.requirements, strict=strict)
        for block in table.blocks(change):
            yield f"### {text(block.heading)}\n\n"
            rows = (_cells(line) for line in block.lines)
            yield from rows_table([text(head) for head in table.heads(change)], rows)
        lines = table.difference_lines(change)
        if lines:
            yield "### What differs besides\n\n"
            yield from (f"- {text(line)}\n" for line in lines)
            yield "\n"
        yield f"{text(table.small_print(change))}\n\n"


def _cells(line: table.Line) -> list[str]:
    name, *cells = line.cells
    indent = "&nbsp;" * (len(name) - len(name.lstrip()))
    return [indent + text(name.lstrip()), *map(text, cells)]
