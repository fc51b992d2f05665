"""The frame of every table in a terminal, and whether it fits there."""

from __future__ import annotations

from io import StringIO

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

_UNBOUNDED = 10_000


def fits(grid: Table, width: int) -> bool:
    """Whether a table needs no more than a width."""
    console = Console(file=StringIO(), width=_UNBOUNDED)
    return Measurement.get(console, console.options, grid).maximum <= width


def empty_grid(heading: str) -> Table:
    """A table with its first column, which is words."""
    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1))
    grid.add_column(heading, no_wrap=True)
    return grid
