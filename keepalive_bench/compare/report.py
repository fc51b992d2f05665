"""What changed, for people and for CI systems: a terminal, Markdown, a page, and test cases.

Each sets the words of `table.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.text import Text

from keepalive_bench.compare import table
from keepalive_bench.report import github, junit, markdown, webpage
from keepalive_bench.report.grids import fits, grid_of, grid_within, in_characters
from keepalive_bench.report.page import summary
from keepalive_bench.report.page.markup import element, set_table
from keepalive_bench.report.terminal import marked, requirement_parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from xml.etree.ElementTree import Element

    from rich.console import RenderableType
    from rich.table import Table as Grid

    from keepalive_bench.compare.change import Change
    from keepalive_bench.report import TextTable

_LAYOUTS = (
    ((0, 1, 2, 3),),
    ((0, 1, 2), (2, 3)),
    ((0, 1), (2,), (3,)),
    ((0,), (1,), (2,), (3,)),
)
"""The columns of each grid, from the widest terminal to the narrowest."""
_MARKS = {"better": "✅", "worse": "❌", "no-difference": "⚖️"}
_OPEN = "⚠️"
_PAGE_STYLES = {"better": "faster", "worse": "slower"}


def terminal_parts(change: Change, width: int, *, plain_ascii: bool) -> Iterator[RenderableType]:
    """The whole comparison with one new run, for a terminal of a width."""
    yield Text(f"{change.verdict.code}: {change.verdict.text}", style="bold")
    yield Text()
    for role, which, asked in table.sources(change):
        yield Text(f"{role:<4}  {which}", style="bold", overflow="fold")
        yield Padding(Text(asked, overflow="fold"), (0, 0, 0, 6))
    for grid in _grids(change, width, plain_ascii=plain_ascii):
        yield from (Text(), grid)
    yield Text()
    lines = table.difference_lines(change)
    if lines:
        yield Text("Other differences", style="bold")
    for line in lines:
        yield marked("!" if ", matters:" in line else " ", line)
    yield Text(table.small_print(change))
    yield from requirement_parts(
        change.requirements, plain_ascii=plain_ascii, strict=change.strict, explaining=True
    )


def _grids(change: Change, width: int, *, plain_ascii: bool) -> list[Grid]:
    """All columns side by side; where that is too wide, first the change below, then its ends.

    There is none where the runs have nothing in common.
    """
    tables = [in_characters(it, plain_ascii=plain_ascii) for it in table.tables(change)]
    parts: list[list[TextTable]] = []
    for layout in _LAYOUTS if tables else ():
        parts = [
            [it.with_columns(it.columns[number] for number in numbers) for it in tables]
            for numbers in layout
        ]
        if all(fits(grid_of(part, titled=True), width) for part in parts):
            break
    grids = (grid_within(part, width, titled=True) for part in parts)
    return [grid for grid in grids if grid.row_count]


def markdown_lines(changes: Sequence[Change]) -> Iterator[str]:
    """GitHub's Markdown: a part for each new run, the verdict first."""
    code, text = markdown.code, markdown.text
    for change in changes:
        found, checked, strict = change.verdict, change.requirements, change.strict
        mark = _MARKS.get(found.code, _OPEN)
        yield markdown.headline(f"kab compare: {found.code}", mark, checked, strict=strict)
        yield f"**{text(found.text)}**\n\n"
        for role, which, asked in table.sources(change):
            yield f"- {role}: {code(which)}, {text(asked)}\n"
        yield "\n"
        yield from markdown.requirements(checked, strict=strict)
        for it in table.tables(change):
            yield f"### {text(it.title)}\n\n"
            yield from markdown.set_table(it)
        lines = table.difference_lines(change)
        if lines:
            yield "### Other differences\n\n"
            yield from (f"- {text(line)}\n" for line in lines)
            yield "\n"
        yield f"{text(table.small_print(change))}\n\n"


def page_lines(changes: Sequence[Change]) -> Iterator[str]:
    """An HTML page of tables, which loads nothing and has no script."""
    content = [part for change in changes for part in _section(change)]
    title = f"{changes[0].base_title} compared"
    yield from webpage.document(title, content)


def _section(change: Change) -> Iterator[Element]:
    found, checked, strict = change.verdict, change.requirements, change.strict
    style = _PAGE_STYLES.get(found.code, found.code)
    said = f"{found.code}: {found.text}"
    sources = table.sources(change)
    yield element(
        "header",
        summary.origin(change.new.run),
        element("h1", change.title),
        *summary.answer(said, style, checked, strict=strict),
        *(element("p", f"{role}: {which}, {asked}") for role, which, asked in sources),
    )
    for it in table.tables(change):
        # Two runs' parts may be called alike, and an id is used once.
        content = set_table(it, caption=f"{it.title}: counts and times")
        yield element("section", element("h2", it.title), content)
    lines = table.difference_lines(change)
    if lines:
        listed = element("ul", *(element("li", line) for line in lines))
        yield element("section", element("h2", "Other differences"), listed)
    yield element("p", table.small_print(change), class_="remark")


def annotation_lines(changes: Sequence[Change]) -> Iterator[str]:
    """Annotations of a job on GitHub: what was missed, and what can't be compared."""
    for change in changes:
        if change.incomparable is not None:
            title = f"kab compare: {change.verdict.code}"
            yield github.annotation("warning", title, change.verdict.text)
        yield from github.missed(change.requirements, strict=change.strict)


def junit_lines(changes: Sequence[Change]) -> Iterator[str]:
    """Requirements on what changed as test cases, in a suite for each new run."""
    return junit.suites_lines(_suite(change, number) for number, change in enumerate(changes))


def _suite(change: Change, number: int) -> Element:
    name = change.title
    # Whatever the verdict is, it is requirements that fail a build.
    skipped = "" if change.incomparable is None else change.verdict.text
    run_info = change.new.run.run_info
    cases = [junit.measurement_case(name, run_info.wall_s, skipped=skipped)]
    cases += [junit.requirement_case(it, strict=change.strict) for it in change.requirements]
    properties = {
        "base": change.base_files,
        "base_files": f"{len(change.bases)}",
        "new": change.new.name,
        "verdict": change.verdict.code,
    }
    notes = [change.verdict.text, *table.difference_lines(change), table.small_print(change)]
    return junit.suite(name, cases, run_info, properties, notes, number=number)
