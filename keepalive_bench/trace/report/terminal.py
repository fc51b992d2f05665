"""What a program did with its connections, for a terminal: the answer first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from keepalive_bench.report.grids import grids
from keepalive_bench.report.terminal import marked, requirement_parts
from keepalive_bench.trace.report import words
from keepalive_bench.units import for_terminal, plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from keepalive_bench.report import TextTable
    from keepalive_bench.trace.report import TraceReport
    from keepalive_bench.trace.report.words import ConnectionRun, Explained, OriginPart

_MOST_ORIGINS, _MOST_REASONS, _MOST_ROWS = 3, 3, 10
_SHORTEST, _FOR_NAMES = 16, 0.4
"""Of a terminal's width, so much is for the origins' names."""
_FOR_TABLES = 72
"""From that width on, connections are a table."""
_INDENT, _CODE_INDENT = (0, 0, 0, 4), (0, 0, 0, 6)


def terminal_parts(
    report: TraceReport, width: int, *, plain_ascii: bool, verbose: bool = False
) -> Iterator[RenderableType]:
    """The whole report, for a terminal of a width; `verbose`: with all that is left out else."""
    usage = report.usage
    yield _text(usage.sentence, plain_ascii=plain_ascii, style="bold")
    if usage.origins:
        yield Text()
        table = _shortened(words.origin_table(usage, None if verbose else _MOST_ROWS), width)
        yield from grids(table, width, plain_ascii=plain_ascii, breakable=True)
        yield from _openings(report, plain_ascii=plain_ascii, verbose=verbose)
    yield Text()
    for line in words.not_seen(usage, all_of_it=verbose):
        yield marked("!", for_terminal(line, plain_ascii=plain_ascii))
    if usage.processes or "traced" not in usage.sentence:
        yield _text(words.traced(usage), plain_ascii=plain_ascii)
    if usage.origins:
        yield Text(words.SMALL_PRINT)
    if verbose and usage.connections:
        yield from _connections(report, width, plain_ascii=plain_ascii)
    yield from requirement_parts(report.requirements, plain_ascii=plain_ascii, strict=report.strict)


def _shortened(table: TextTable, width: int) -> TextTable:
    """The same with names that leave room for numbers; what connections are for has them whole."""
    most = max(_SHORTEST, int(width * _FOR_NAMES))
    head = most * 2 // 3
    cells = (
        it if len(it) <= most else f"{it[:head]}…{it[head + 1 - most :]}"
        for it in table.names.cells
    )
    return table._replace(names=table.names._replace(cells=tuple(cells)))


def _openings(report: TraceReport, *, plain_ascii: bool, verbose: bool) -> Iterator[RenderableType]:
    if not words.explained_origins(report.usage):
        return
    most = (None, None) if verbose else (_MOST_ORIGINS, _MOST_REASONS)
    yield Text()
    yield Text("Why connections were opened", style="bold")
    shown = 0
    for part in words.origin_parts(report, *most):
        shown += 1
        yield from _origin(part, plain_ascii=plain_ascii)
    left = words.explained_origins(report.usage) - shown
    if left > 0:
        yield Text(f"{plural(left, 'more origin')} with -v")


def _origin(part: OriginPart, *, plain_ascii: bool) -> Iterator[RenderableType]:
    yield _text(part.heading, plain_ascii=plain_ascii)
    for it in part.reasons:
        yield _marked(it, plain_ascii=plain_ascii)
        for said, indent in ((it.remedy, _INDENT), (it.code, _CODE_INDENT)):
            if said:
                yield Padding(_text(said, plain_ascii=plain_ascii), indent)
    if part.more:
        yield marked(" ", f"{part.more} with -v")
    if part.first_use is not None:
        yield _marked(part.first_use, plain_ascii=plain_ascii)


def _marked(it: Explained, *, plain_ascii: bool) -> RenderableType:
    said = f"{it.text} [{it.reason}]"
    mark = "!" if it.severity == "warning" else "i"
    return marked(mark, for_terminal(said, plain_ascii=plain_ascii))


def _connections(report: TraceReport, width: int, *, plain_ascii: bool) -> Iterator[RenderableType]:
    yield Text()
    yield Text("Connections", style="bold")
    for run in words.connection_runs(report):
        yield Text()
        yield _text(run.heading, plain_ascii=plain_ascii)
        if width >= _FOR_TABLES:
            yield _run_grid(run, plain_ascii=plain_ascii)
            continue
        for row in run.rows:
            cells = (f"{it} {cell}" for it, cell in zip(words.RUN_WORDS, row, strict=True))
            yield _text(", ".join(cells), plain_ascii=plain_ascii)


def _run_grid(run: ConnectionRun, *, plain_ascii: bool) -> Grid:
    """Connections as a table, of which only the prose is wrapped."""
    grid = Grid(box=None, pad_edge=False, padding=(0, 1))
    for heading in words.RUN_WORDS:
        is_prose = heading in words.RUN_PROSE
        justify: Literal["left", "right"] = "left" if is_prose else "right"
        grid.add_column(heading, justify=justify, no_wrap=not is_prose, overflow="fold")
    for row in run.rows:
        grid.add_row(*(_text(cell, plain_ascii=plain_ascii) for cell in row))
    return grid


def _text(said: str, *, plain_ascii: bool, style: str = "") -> Text:
    shown = for_terminal(printable(said), plain_ascii=plain_ascii)
    return Text(shown, style=style, overflow="fold")
