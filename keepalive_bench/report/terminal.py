"""A report for a terminal: Rich sets the words of `table.py`. Nothing from outside is markup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from keepalive_bench.report import preamble, table
from keepalive_bench.report.grid import empty_grid, fits
from keepalive_bench.report.histogram import histogram_lines
from keepalive_bench.report.requirements import (
    STYLES,
    counted,
    demand,
    in_order,
    status,
    undecided_note,
    worst,
)
from keepalive_bench.report.terminal_table import comparison
from keepalive_bench.sweep.terminal import sweep_parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from keepalive_bench.analysis.analysis import Analysis, Checked, Finding
    from keepalive_bench.results.run import Run

_BAR_WIDTH = 10
_BLOCKS = " ▏▎▍▌▋▊▉█"
_VERDICT_STYLES = {"faster": "bold green", "slower": "bold red", "no-difference": "bold"}


def report(
    analysis: Analysis,
    width: int,
    *,
    plotted: Run | None = None,
    plain_ascii: bool = False,
    strict: bool = False,
) -> RenderableType:
    """The whole report, for a terminal of a width; bars only where there is room for them.

    With the distributions of latencies of the run that is `plotted`. `strict`: undecided
    requirements count as missed.
    """
    parts: list[RenderableType] = [
        Text(preamble.headline(analysis), style="bold", overflow="fold"),
        Text(preamble.circumstances(analysis)),
        *(Text(line, style="dim") for line in preamble.remarks(analysis)),
        Text(),
    ]
    if analysis.sweep is not None:
        parts += sweep_parts(analysis, analysis.sweep, width, plain_ascii=plain_ascii)
    else:
        parts.append(comparison(analysis, width, plain_ascii=plain_ascii))
        if plotted is not None:
            parts += _distributions(plotted, width, plain_ascii=plain_ascii)
        if analysis.has_answers:
            parts += [Text(), _phases(analysis, width, plain_ascii=plain_ascii)]
    parts += [Text(), *(Text(line, style="dim") for line in preamble.answers(analysis))]
    if analysis.sweep is None:
        parts.append(Text(preamble.urllib3_counters(analysis), style="dim"))
    for finding in analysis.findings:
        parts.append(_finding(finding))
    style = _VERDICT_STYLES.get(analysis.verdict.code, "bold yellow")
    if analysis.sweep is not None and analysis.sweep.recommendation.value is not None:
        style = "bold green"
    parts += [Text(), Text(analysis.verdict.text, style=style)]
    parts += requirement_parts(analysis.requirements, plain_ascii=plain_ascii, strict=strict)
    return Group(*parts)


def requirement_parts(
    requirements: Sequence[Checked], *, plain_ascii: bool, strict: bool
) -> list[RenderableType]:
    """How each requirement stands, and all of them; nothing where there are none."""
    leading = worst(requirements, strict=strict)
    if leading is None:
        return []
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for checked in in_order(requirements):
        head, text = status(checked, plain_ascii=plain_ascii), demand(checked)
        grid.add_row(head, text, style=STYLES[checked.status])
    note = undecided_note(requirements, strict=strict)
    told = Text(f"{counted(requirements)}.", style=STYLES[leading])
    return [Text(), grid, told, *([Text(note, style="dim")] if note else [])]


def _distributions(run: Run, width: int, *, plain_ascii: bool) -> list[Text]:
    heading, *lines = histogram_lines(run, width, plain_ascii=plain_ascii) or [""]
    if not heading:
        return []
    return [Text(), Text(heading, style="bold"), *(Text(line, no_wrap=True) for line in lines)]


def _phases(analysis: Analysis, width: int, *, plain_ascii: bool) -> RenderableType:
    """Where the time goes, all arms side by side; where that is too wide, one below the other."""
    numbers = range(len(analysis.arms))
    with_bars = _phase_grid(analysis, numbers, bars=True, plain_ascii=plain_ascii)
    if fits(with_bars, width):
        return with_bars
    whole = _phase_grid(analysis, numbers)
    if fits(whole, width):
        return whole
    grids = (part for number in numbers for part in (Text(), _phase_grid(analysis, [number])))
    return Group(*list(grids)[1:])


def _phase_grid(
    analysis: Analysis, arms: Sequence[int], *, bars: bool = False, plain_ascii: bool = False
) -> Table:
    grid = empty_grid("where the time goes")
    for number in arms:
        grid.add_column(analysis.arms[number].label, justify="right", no_wrap=True)
        if bars:
            grid.add_column("", no_wrap=True)  # old releases of Rich widen a fixed width
    rows = table.phase_rows(analysis)
    longest = max((share for row in rows for share in row.shares), default=0.0)
    for row in rows:
        cells: list[RenderableType] = []
        for number in arms:
            widest = max(len(other.cells[number][1]) for other in rows)
            count, each = row.cells[number]
            cells.append(f"{count} × {each:>{widest}}" if each else count)
            if bars:
                bar = _bar(row.shares[number], longest, plain_ascii=plain_ascii)
                cells.append(Text(f"{bar:<{_BAR_WIDTH}}", style="cyan"))
        grid.add_row(row.phase, *cells)
    return grid


def _bar(share: float, longest: float, *, plain_ascii: bool) -> str:
    eighths = round(share / longest * _BAR_WIDTH * 8) if longest else 0
    if plain_ascii:
        return "#" * round(eighths / 8)
    full, rest = divmod(eighths, 8)
    return _BLOCKS[-1] * full + (_BLOCKS[rest] if rest else "")


def _finding(finding: Finding) -> Text:
    mark, style = ("!", "yellow") if finding.severity == "warning" else ("i", "dim")
    text = f"{mark} {finding.text}"
    return Text(f"{text} {finding.advice}" if finding.advice else text, style=style)
