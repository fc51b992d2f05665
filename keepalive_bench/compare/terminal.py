"""What changed, for a terminal: Rich sets the words of `table.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from keepalive_bench.compare import table
from keepalive_bench.report.grid import fits
from keepalive_bench.report.plain import for_terminal
from keepalive_bench.report.terminal import requirement_parts

if TYPE_CHECKING:
    from rich.console import RenderableType

    from keepalive_bench.compare.change import Change

_PARTS = (
    (range(1, 5),),
    (range(1, 4), range(3, 5)),
    (range(1, 3), range(3, 4), range(4, 5)),
    (range(1, 2), range(2, 3), range(3, 4), range(4, 5)),
)
"""The columns of each table, from the widest terminal to the narrowest."""
_VERDICT_STYLES = {"better": "bold green", "worse": "bold red", "no-difference": "bold"}


def report(
    change: Change, width: int, *, plain_ascii: bool = False, strict: bool = False
) -> RenderableType:
    """The whole comparison of two runs, for a terminal of a width."""
    parts: list[RenderableType] = []
    for role, which, asked in table.sources(change):
        parts.append(Text(f"{role:<4}  {which}", style="bold", overflow="fold"))
        parts.append(Padding(Text(asked, overflow="fold"), (0, 0, 0, 6)))
    for grid in _tables(change, width, plain_ascii=plain_ascii):
        parts += [Text(), grid]
    parts.append(Text())
    lines = table.difference_lines(change)
    if lines:
        parts.append(Text("What differs besides", style="bold"))
        parts += [
            Padding(Text(line, style="yellow" if ", matters:" in line else ""), (0, 0, 0, 2))
            for line in lines
        ]
    parts.append(Text(table.small_print(change), style="dim"))
    style = _VERDICT_STYLES.get(change.verdict.code, "bold yellow")
    parts += [Text(), Text(f"{change.verdict.code}: {change.verdict.text}", style=style)]
    parts += requirement_parts(change.requirements, plain_ascii=plain_ascii, strict=strict)
    return Group(*parts)


def _tables(change: Change, width: int, *, plain_ascii: bool) -> list[Table]:
    """All columns side by side; where that is too wide, first the change below, then its ends.

    There is none where the runs have nothing in common.
    """
    for parts in _PARTS:
        grids = [_grid(change, columns, plain_ascii=plain_ascii) for columns in parts]
        if parts is _PARTS[-1] or all(fits(grid, width) for grid in grids):
            break
    return [grid for grid in grids if grid.row_count]


def _grid(change: Change, columns: range, *, plain_ascii: bool) -> Table:
    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1))
    first, *_ = heads = table.heads(change)
    grid.add_column(first, no_wrap=True)
    blocks = [_rows(block, columns, plain_ascii=plain_ascii) for block in table.blocks(change)]
    for place, number in enumerate(columns, start=1):
        widest = max((len(row[place]) for _, rows in blocks for row in rows), default=0)
        grid.add_column(heads[number], justify="right", overflow="fold", min_width=widest)
    for heading, rows in blocks:
        if rows:
            grid.add_row(Text(heading, style="bold"))
        for row in rows:
            grid.add_row(*row)
    return grid


def _rows(
    block: table.Block, columns: range, *, plain_ascii: bool
) -> tuple[str, list[tuple[str, ...]]]:
    """A block's heading, and those of its rows that have something in the columns."""
    rows = []
    for line in block.lines:
        shown = (line.cells[number] for number in columns)
        cells = [for_terminal(cell, plain_ascii=plain_ascii) for cell in shown]
        if any(cells):
            rows.append((f"  {line.name}", *cells))
    return block.heading, rows
