"""The table of a sweep for a terminal: a row for each value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from keepalive_bench.render import sweep as words
from keepalive_bench.render.grid import empty_grid, fits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType
    from rich.table import Table

    from keepalive_bench.model.analysis import Analysis
    from keepalive_bench.model.sweep import Sweep


def sweep_parts(analysis: Analysis, sweep: Sweep, width: int) -> list[RenderableType]:
    """Counts, latencies and rates side by side; what is too wide for that goes below."""
    values = words.value_column(sweep)
    times = words.time_columns(analysis, sweep)
    parts: list[RenderableType] = []
    row: tuple[words.Column, ...] = words.count_columns(analysis, sweep)
    for more in (times[:-2], times[-2:]):
        if fits(_grid(values, (*row, *more)), width):
            row += more
        else:
            parts += [_grid(values, row), Text()]
            row = more
    return [*parts, _grid(values, row)]


def _grid(values: words.Column, columns: Sequence[words.Column]) -> Table:
    shown = [column for column in columns if any(column.cells)]
    grid = empty_grid(values.heading)
    for column in shown:
        grid.add_column(column.heading, justify="right", overflow="fold")
    for cells in zip(values.cells, *(column.cells for column in shown), strict=True):
        grid.add_row(*cells)
    return grid
