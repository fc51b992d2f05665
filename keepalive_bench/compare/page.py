"""What changed, as one HTML page of tables: it loads nothing, and has no script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.compare import table as words
from keepalive_bench.report.page import sections
from keepalive_bench.report.page.markup import as_html, element, table
from keepalive_bench.report.webpage import head

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from xml.etree.ElementTree import Element

    from keepalive_bench.compare.change import Change

_STYLES = {"better": "faster", "worse": "slower"}


def page_lines(changes: Sequence[Change], *, strict: bool = False) -> Iterator[str]:
    """The page: a part for each new run, the verdict first. `strict`: undecided is missed."""
    numbered = enumerate(changes)
    content = [part for it, change in numbered for part in _content(change, it, strict=strict)]
    title = f"{changes[0].base.name} compared"
    page = element("html", head(title), element("body", element("main", *content)), lang="en")
    yield "<!DOCTYPE html>\n"
    yield as_html(page)
    yield "\n"


def _content(change: Change, number: int, *, strict: bool) -> Iterator[Element]:
    verdict = change.verdict
    style = _STYLES.get(verdict.code, verdict.code)
    told = [
        element("p", f"{role}: {which}, {asked}") for role, which, asked in words.sources(change)
    ]
    yield element(
        "header",
        element("h1", f"{change.base.name} → {change.new.name}"),
        *sections.answer(
            f"{verdict.code}: {verdict.text}", style, change.requirements, strict=strict
        ),
        *told,
    )
    name = f"requirements-{number}"
    yield from sections.requirements(change.requirements, strict=strict, name=name)
    for block in words.blocks(change):
        cells = [line.cells for line in block.lines]
        # Two runs' parts may be called alike, and an id is used once.
        content = table(f"{block.heading}: counts and times", words.heads(change), cells)
        yield element("section", element("h2", block.heading), content)
    lines = words.difference_lines(change)
    if lines:
        listed = element("ul", *(element("li", line) for line in lines))
        yield element("section", element("h2", "What differs besides"), listed)
    yield element("p", words.small_print(change), class_="remark")
