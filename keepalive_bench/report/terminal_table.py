"""The table of the comparison for a terminal, in as many parts as its width takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.console import Group
from rich.text import Text

from keepalive_bench.report import table
from keepalive_bench.report.grid import empty_grid, fits
from keepalive_bench.report.plain import for_terminal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import RenderableType
    from rich.table import Table

    from keepalive_bench.analysis.analysis import Analysis


class _Column(NamedTuple):
    """A heading, and a cell for each row."""

    heading: str
    cells: tuple[str, ...]
    style: str = ""


_Columns = tuple[_Column, ...]


def comparison(analysis: Analysis, width: int, *, plain_ascii: bool) -> RenderableType:
    """Arms and savings side by side; what is too wide for that stands below."""
    rows = table.comparison_rows(analysis)
    names = tuple(row.name for row in rows)
    groups = [_arms(analysis, rows), _savings(analysis, rows)]
    plain = [[_plain(part, plain_ascii=plain_ascii) for part in group] for group in groups]
    first, *more = (_set(names, columns, width) for columns in _packed(names, plain, width))
    return Group(first, *(part for grid in more for part in (Text(), grid)))


def _arms(analysis: Analysis, rows: Sequence[table.Row]) -> list[_Columns]:
    return [
        (_Column(arm.label, tuple(row.cells[number] for row in rows)),)
        for number, arm in enumerate(analysis.arms)
    ]


def _savings(analysis: Analysis, rows: Sequence[table.Row]) -> list[_Columns]:
    """What each comparison shows, with its interval, if there are any, beside it."""
    parts, headings = [], table.savings_headers(analysis)
    has_intervals = any(any(row.intervals) for row in rows)
    for number in range(len(analysis.comparisons)):
        savings = tuple(row.savings[number] for row in rows)
        intervals = tuple(row.intervals[number] for row in rows)
        part = (
            _Column(headings[number], savings, "bold"),
            _Column(table.confidence(analysis), intervals),
        )
        parts.append(part[: 1 + has_intervals])
    return parts


def _plain(columns: _Columns, *, plain_ascii: bool) -> _Columns:
    """In the terminal's characters, before they are set: three dots are wider than an ellipsis."""
    return tuple(
        column._replace(
            heading=for_terminal(column.heading, plain_ascii=plain_ascii),
            cells=tuple(for_terminal(cell, plain_ascii=plain_ascii) for cell in column.cells),
        )
        for column in columns
    )


def _packed(
    names: tuple[str, ...], groups: Iterable[Sequence[_Columns]], width: int
) -> Iterator[_Columns]:
    """The columns of each table: all of them, or those of a group; what doesn't fit goes on.

    There headings may be broken, and numbers never are.
    """
    groups = list(groups)
    whole = tuple(column for group in groups for part in group for column in part)
    if fits(_grid(names, whole), width):
        yield whole
        return
    for group in groups:
        row: _Columns = ()
        for part in group:
            for piece in [part] if _has_room(names, part, width) else [(it,) for it in part]:
                if row and not _has_room(names, (*row, *piece), width):
                    yield row
                    row = ()
                row += piece
        if row:
            yield row


def _has_room(names: tuple[str, ...], columns: _Columns, width: int) -> bool:
    return fits(_grid(names, columns, narrow=True), width)


def _set(names: tuple[str, ...], columns: _Columns, width: int) -> Table:
    """A table for a terminal: headings are broken where it takes that, and then rows' names."""
    whole = _grid(names, columns)
    if fits(whole, width):
        return whole
    grid = _grid(names, columns, narrow=True)
    if not fits(grid, width):
        grid.columns[0].no_wrap, grid.columns[0].overflow = False, "fold"
    return grid


def _grid(names: tuple[str, ...], columns: _Columns, *, narrow: bool = False) -> Table:
    """A table; a narrow one's columns are just as wide as what is in them.

    Others are given no width: older releases of Rich add the padding to it once too often.
    """
    grid = empty_grid("")
    for heading, cells, style in columns:
        widest = max(map(len, cells), default=0) or 1
        grid.add_column(
            heading,
            justify="right",
            style=style,
            overflow="fold",
            min_width=widest if narrow else None,
            max_width=widest if narrow else None,
        )
    for name, *row in zip(names, *(column.cells for column in columns), strict=True):
        if any(row):
            grid.add_row(name, *row)
    return grid
