"""A probe, for a terminal: the answer first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table as Grid
from rich.text import Text

from keepalive_bench.probe.report import words
from keepalive_bench.probe.report.drawing import drawn_lines
from keepalive_bench.probe.report.timeline import timeline
from keepalive_bench.report.grids import grids
from keepalive_bench.report.terminal import marked, requirement_parts
from keepalive_bench.units import for_terminal, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from keepalive_bench.probe.report import ProbeReport

_INDENT = "    "


def terminal_parts(
    report: ProbeReport, width: int, *, plain_ascii: bool, verbose: bool = False
) -> Iterator[RenderableType]:
    """The whole report, for a terminal of a width; `verbose`: with each connection."""
    probed = report.probed

    def shown(said: str) -> str:
        return for_terminal(printable(said), plain_ascii=plain_ascii)

    def text(said: str, style: str = "") -> Text:
        return Text(shown(said), style=style, overflow="fold")

    yield text(probed.sentence, "bold")
    if said := words.consistent(probed):
        yield text(said)
    for remark in words.remarks(probed):
        yield marked("!" if remark.severity == "warning" else "i", shown(remark.text))
    yield from _found(report, plain_ascii=plain_ascii)
    yield from _picture(report, width, plain_ascii=plain_ascii)
    yield from _settings(report, plain_ascii=plain_ascii)
    yield from _behaviours(report, plain_ascii=plain_ascii)
    yield Text()
    yield text(f"{words.requested(probed)} · {words.sent(probed)}")
    if verbose and probed.record.connections:
        yield Text()
        yield Text(words.SENT, style="bold")
        table = words.connection_table(probed)
        yield from grids(table, width, plain_ascii=plain_ascii)
    yield from requirement_parts(report.requirements, plain_ascii=plain_ascii, strict=report.strict)


def _found(report: ProbeReport, *, plain_ascii: bool) -> Iterator[RenderableType]:
    """What was looked for, and found: only what is said of that may be broken into lines."""
    rows = [*words.found_rows(report.probed)]
    if not rows:
        return
    grid = Grid.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_column(overflow="fold")
    for row in rows:
        grid.add_row(*(Text(for_terminal(it, plain_ascii=plain_ascii)) for it in row))
    yield from (Text(), grid)


def _picture(report: ProbeReport, width: int, *, plain_ascii: bool) -> Iterator[RenderableType]:
    """The time line, where there is one, and room for it."""
    picture = timeline(report.probed)
    lines = [*drawn_lines(picture, width, plain_ascii=plain_ascii)] if picture else []
    if lines:
        yield from (Text(), *(Text(it, no_wrap=True) for it in lines))


def _settings(report: ProbeReport, *, plain_ascii: bool) -> Iterator[RenderableType]:
    """What to do, and the code that does it."""
    if not report.probed.advice:
        return
    yield from (Text(), Text(words.SET, style="bold"))
    for advice in report.probed.advice:
        yield marked("-", for_terminal(printable(advice), plain_ascii=plain_ascii))
    if report.probed.code:
        yield from (Text(), *_code(report.probed.code))


def _code(code: str) -> Iterator[RenderableType]:
    """To be copied: a terminal breaks what is too long for it, and kab doesn't."""
    for line in code.splitlines():
        yield Text(f"{_INDENT}{line}".rstrip(), no_wrap=True, overflow="ignore")


def _behaviours(report: ProbeReport, *, plain_ascii: bool) -> Iterator[RenderableType]:
    """What was tried, and came of it, by group."""
    if not report.probed.behaviours:
        return
    yield from (Text(), Text(words.KEEPS, style="bold"))
    grid = Grid.grid(padding=(0, 2))
    for is_code in (True, False, True, False):
        grid.add_column(no_wrap=is_code, overflow="fold")
    for group, found in words.groups_of(report.probed.behaviours):
        for number, it in enumerate(found):
            cells = ("" if number else group, it.name, words.kept(it), it.text)
            shown = (for_terminal(printable(cell), plain_ascii=plain_ascii) for cell in cells)
            grid.add_row(*map(Text, shown))
    yield grid
