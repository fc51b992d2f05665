"""Tables for a terminal: Rich sets them, in as many parts as its width takes."""

from __future__ import annotations

from io import StringIO
from textwrap import fill
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table as Grid
from rich.text import Text

from keepalive_bench.units import for_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from keepalive_bench.report import Part, TextColumn, TextTable

_UNBOUNDED = 10_000
_LONGEST_WORD = 12


def fits(grid: Grid, width: int) -> bool:
    """Whether a grid needs no more than a width."""
    console = Console(file=StringIO(), width=_UNBOUNDED, markup=False, emoji=False)
    return Measurement.get(console, console.options, grid).maximum <= width


def grid_of(tables: Sequence[TextTable], *, titled: bool = False, breakable: bool = False) -> Grid:
    """Tables with the same headings, one below the other; rows without a cell are left out.

    `titled`: each has its title above its rows. `breakable`: columns are no wider than their
    numbers, and headings are broken for that, between words if these are no longer than most.
    """
    grid = Grid(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1))
    grid.add_column(tables[0].names.heading, no_wrap=True)
    for same in zip(*(table.columns for table in tables), strict=True):
        heading = same[0].heading
        word = min(max(map(len, heading.split()), default=1), _LONGEST_WORD)
        widest = max((len(cell) for column in same for cell in column.cells), default=0)
        grid.add_column(
            fill(heading, max(widest, word)) if breakable else heading,
            justify=same[0].justify,
            style=same[0].style,
            no_wrap=True,  # Rich takes room from all columns that may be wrapped, numbers or not
        )
    for table in tables:
        rows = [row for row in table.rows if any(row[1:])]
        if titled and rows:
            grid.add_row(Text(table.title, style="bold"))
        for name, *cells in rows:
            grid.add_row(f"  {name}" if titled else name, *cells)
    return grid


def grid_within(tables: Sequence[TextTable], width: int, *, titled: bool = False) -> Grid:
    """A grid: headings are broken where it takes that, and then rows' names. Numbers never are."""
    whole = grid_of(tables, titled=titled)
    if fits(whole, width):
        return whole
    grid = grid_of(tables, titled=titled, breakable=True)
    if not fits(grid, width):
        grid.columns[0].no_wrap, grid.columns[0].overflow = False, "fold"
    return grid


def in_characters(table: TextTable, *, plain_ascii: bool) -> TextTable:
    """In a terminal's characters, before it is set: three dots are wider than an ellipsis."""

    def shown(column: TextColumn) -> TextColumn:
        heading, *cells = (
            for_terminal(text, plain_ascii=plain_ascii) for text in (column.heading, *column.cells)
        )
        return column._replace(heading=heading, cells=tuple(cells))

    groups = (tuple(tuple(map(shown, part)) for part in group) for group in table.groups)
    return table._replace(groups=tuple(groups))


def grids(
    table: TextTable, width: int, *, plain_ascii: bool, breakable: bool = False
) -> list[RenderableType]:
    """A table in as many grids as its width takes, with a line between them.

    `breakable`: headings are broken before a group is, and each group has grids of its own.
    """
    shown = in_characters(table.without_empty_columns(), plain_ascii=plain_ascii)
    whole = grid_of([shown])
    if fits(whole, width):
        return [whole]
    parts: list[RenderableType] = []
    for columns in _packed(shown, width, breakable=breakable):
        parts += [Text(), grid_within([shown.with_columns(columns)], width)]
    return parts[1:]


def _packed(table: TextTable, width: int, *, breakable: bool) -> Iterator[Part]:
    """The columns of each grid: groups whole where there is room for them, or else their parts."""

    def has_room(columns: Part) -> bool:
        return fits(grid_of([table.with_columns(columns)], breakable=breakable), width)

    row: Part = ()
    for group in table.groups:
        whole = tuple(column for part in group for column in part)
        for part in [whole] if has_room(whole) else group:
            for piece in [part] if has_room(part) else [(it,) for it in part]:
                if row and not has_room((*row, *piece)):
                    yield row
                    row = ()
                row += piece
        if breakable and row:
            yield row
            row = ()
    if row:
        yield row
