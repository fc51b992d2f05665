"""A report for a terminal: Rich sets its words. Nothing from outside is markup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table as Grid
from rich.text import Text

from keepalive_bench.report import TextColumn, TextTable, preamble, run_tables
from keepalive_bench.report.counted import counted_tables
from keepalive_bench.report.grids import fits, grid_of, grids
from keepalive_bench.report.histogram import histogram_lines
from keepalive_bench.report.requirements import (
    STYLES,
    counted,
    demand,
    explained,
    in_order,
    status,
    undecided_note,
)
from keepalive_bench.units import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from keepalive_bench.analysis import Analysis, Checked
    from keepalive_bench.report import Report
    from keepalive_bench.results.run import Run

_BAR_WIDTH = 10
_BLOCKS = " ▏▎▍▌▋▊▉█"
_MOST_FINDINGS = 3


def report_parts(
    report: Report,
    width: int,
    *,
    plotted: bool,
    plain_ascii: bool = False,
    detailed: bool = False,
) -> Iterator[RenderableType]:
    """The whole report, for a terminal of a width; bars only where there is room for them.

    `plotted`: with the distributions of latencies. `detailed`: with all that was noticed, and what
    a reader would hardly miss.
    """
    analysis, swept = report.analysis, report.swept
    yield Text(analysis.verdict.text, style="bold")
    yield from _findings(analysis, detailed=detailed)
    yield Text()
    yield Text(preamble.asked(analysis), overflow="fold")
    if said := preamble.traffic(analysis):
        yield Text(said)
    yield Text()
    if swept is not None:
        side_by_side = swept.tables[0].beside(*swept.tables[1:])
        yield from grids(side_by_side, width, plain_ascii=plain_ascii)
    else:
        table = run_tables.comparison_table(analysis, detailed=detailed)
        yield from grids(table, width, plain_ascii=plain_ascii, breakable=True)
        if plotted and analysis.verdict.code != "not-reused":  # two of the same
            yield from _distributions(report.run, width, plain_ascii=plain_ascii)
        if analysis.has_answers:
            yield Text()
            yield from _phases(analysis, width, plain_ascii=plain_ascii)
    for table in counted_tables(analysis):
        yield Text()
        yield from grids(table, width, plain_ascii=plain_ascii, breakable=True)
    yield Text()
    yield from map(Text, preamble.answers(analysis))
    yield from map(Text, _details(report) if detailed else _disagreements(report))
    yield from requirement_parts(
        analysis.requirements, plain_ascii=plain_ascii, strict=report.strict
    )


def _findings(analysis: Analysis, *, detailed: bool) -> Iterator[RenderableType]:
    """What says why: the first few, or all; and how many more there are.

    Those that say why a requirement was missed come first, and of several arms' that say the same,
    one does: each may be one of few.
    """
    missed = [it for it in analysis.requirements if it.status == "missed"]
    because = [finding for it in missed for finding in it.because]
    firsts = {it.code: it for it in reversed(analysis.findings)}
    findings = sorted(
        analysis.findings,
        key=lambda it: (it not in because, it.severity != "warning", it is not firsts[it.code]),
    )
    said = [it for it in preamble.told(findings) if detailed or not it[0].is_detail]
    shown = said if detailed else said[:_MOST_FINDINGS]
    for finding, words in shown:
        mark = "!" if finding.severity == "warning" else "i"
        yield marked(mark, f"{words} [{finding.code}]")
    if len(said) > len(shown):
        yield marked(" ", f"{plural(len(said) - len(shown), 'more finding')} with -v")


def marked(mark: str, words: str) -> Grid:
    """Words beside a mark, which alone is coloured, where it warns."""
    grid = Grid.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text(mark, style="bold red" if mark == "!" else ""), Text(words))
    return grid


def _details(report: Report) -> Iterator[str]:
    yield from preamble.remarks(report.analysis)
    if report.swept is None:
        yield preamble.urllib3_counters(report.analysis)


def _disagreements(report: Report) -> Iterator[str]:
    if report.swept is None and (said := preamble.urllib3_disagrees(report.analysis)):
        yield said


def requirement_parts(
    requirements: Sequence[Checked], *, plain_ascii: bool, strict: bool, explaining: bool = False
) -> Iterator[RenderableType]:
    """How each requirement stands, and all of them; nothing where there are none.

    `explaining`: with the findings that say why, where no others are shown.
    """
    words = explained if explaining else demand
    if not requirements:
        return
    grid = Grid.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for checked in in_order(requirements):
        head = Text(status(checked, plain_ascii=plain_ascii))
        head.stylize(STYLES[checked.status], 0, 1)
        grid.add_row(head, words(checked))
    yield from (Text(), grid, Text(f"{counted(requirements)}."))
    note = undecided_note(requirements, strict=strict)
    if note:
        yield Text(note)


def _distributions(run: Run, width: int, *, plain_ascii: bool) -> Iterator[Text]:
    heading, *lines = histogram_lines(run, width, plain_ascii=plain_ascii) or [""]
    if heading:
        yield from (Text(), Text(heading, style="bold"))
        yield from (Text(line, no_wrap=True) for line in lines)


def _phases(analysis: Analysis, width: int, *, plain_ascii: bool) -> list[RenderableType]:
    """Where the time goes, with bars where all arms fit beside each other."""
    rows = run_tables.phase_rows(analysis)
    names = TextColumn("where the time goes", tuple(row.phase for row in rows))
    longest = max((share for row in rows for share in row.shares), default=0.0)
    pairs: list[tuple[TextColumn, TextColumn]] = []
    for number, arm in enumerate(analysis.arms):
        widest = max((len(row.cells[number][1]) for row in rows), default=0)
        cells = (row.cells[number] for row in rows)
        words = (f"{count} × {each:>{widest}}" if each else count for count, each in cells)
        bars = (_bar(row.shares[number], longest, plain_ascii=plain_ascii) for row in rows)
        bar = TextColumn("per request", tuple(bars), justify="left")
        pairs.append((TextColumn(arm.label, tuple(words)), bar))
    whole = grid_of([TextTable("", names, tuple((pair,) for pair in pairs))])
    if fits(whole, width):
        return [whole]
    plain = TextTable("", names, (tuple((column,) for column, _ in pairs),))
    return grids(plain, width, plain_ascii=plain_ascii)


def _bar(share: float, longest: float, *, plain_ascii: bool) -> str:
    eighths = round(share / longest * _BAR_WIDTH * 8) if longest else 0
    full, rest = divmod(eighths, 8)
    drawn = _BLOCKS[-1] * full + (_BLOCKS[rest] if rest else "")
    return f"{'#' * round(eighths / 8) if plain_ascii else drawn:<{_BAR_WIDTH}}"
