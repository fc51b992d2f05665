"""The table of a sweep for a terminal: a row for each value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from keepalive_bench.report.grid import empty_grid, fits
from keepalive_bench.report.plain import for_terminal
from keepalive_bench.sweep import table as words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import RenderableType
    from rich.table import Table

    from keepalive_bench.analysis.analysis import Analysis
    from keepalive_bench.analysis.sweep import Sweep

    Columns = tuple[words.Column, ...]


def sweep_parts(
    analysis: Analysis, sweep: Sweep, width: int, *, plain_ascii: bool = False
) -> list[RenderableType]:
    """Counts, latencies and rates side by side; what is too wide for that goes below."""
    values = words.value_column(sweep)
    counts, times = (
        [_plain(column, plain_ascii=plain_ascii) for column in columns]
        for columns in (words.count_columns(analysis, sweep), words.time_columns(analysis, sweep))
    )
    pairs: list[Columns] = [
        tuple(times[at : at + 2]) for at in range(0, len(times), 2)
    ]  # a figure and its interval
    groups: list[Sequence[Columns]] = [[(column,) for column in counts], pairs[:-1], pairs[-1:]]
    first, *more = _packed(values, groups, width)
    parts: list[RenderableType] = [_grid(values, first)]
    for columns in more:
        parts += [Text(), _grid(values, columns)]
    return parts


def _plain(column: words.Column, *, plain_ascii: bool) -> words.Column:
    """In the terminal's characters, before they are set: three dots are wider than an ellipsis."""
    cells = (for_terminal(cell, plain_ascii=plain_ascii) for cell in column.cells)
    return words.Column(for_terminal(column.heading, plain_ascii=plain_ascii), tuple(cells))


def _packed(
    values: words.Column, groups: Iterable[Sequence[Columns]], width: int
) -> Iterator[Columns]:
    """The columns of each table: groups whole where one has room for them, or else in parts."""
    row: Columns = ()
    for group in groups:
        whole: Columns = tuple(column for part in group for column in part)
        for part in [whole] if fits(_grid(values, whole), width) else group:
            if row and not fits(_grid(values, (*row, *part)), width):
                yield row
                row = ()
            row += part
    yield row


def _grid(values: words.Column, columns: Sequence[words.Column]) -> Table:
    shown = [column for column in columns if any(column.cells)]
    grid = empty_grid(values.heading)
    for column in shown:
        grid.add_column(column.heading, justify="right", overflow="fold")
    for cells in zip(values.cells, *(column.cells for column in shown), strict=True):
        grid.add_row(*cells)
    return grid
