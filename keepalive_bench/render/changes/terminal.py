"""What changed, for a terminal: Rich sets the words of `table.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from keepalive_bench.render.changes import table
from keepalive_bench.render.grid import fits
from keepalive_bench.render.terminal import requirement_parts

if TYPE_CHECKING:
    from rich.console import RenderableType

    from keepalive_bench.model.change import Change

_VERDICT_STYLES = {"better": "bold green", "worse": "bold red", "no-difference": "bold"}


def report(
    change: Change, width: int, *, plain_ascii: bool = False, strict: bool = False
) -> RenderableType:
    """The whole comparison of two runs, for a terminal of a width."""
    parts: list[RenderableType] = []
    for role, which, asked in table.sources(change):
        parts.append(Text(f"{role:<4}  {which}", style="bold", overflow="fold"))
        parts.append(Padding(Text(asked, overflow="fold"), (0, 0, 0, 6)))
    parts += [Text(), _table(change, width), Text()]
    lines = table.difference_lines(change)
    if lines:
        parts.append(Text("What differs besides", style="bold"))
        parts += [
            Text(f"  {line}", style="yellow" if ", matters:" in line else "", overflow="fold")
            for line in lines
        ]
    parts.append(Text(table.SMALL_PRINT, style="dim"))
    style = _VERDICT_STYLES.get(change.verdict.code, "bold yellow")
    parts += [Text(), Text(f"{change.verdict.code}: {change.verdict.text}", style=style)]
    parts += requirement_parts(change.requirements, plain_ascii=plain_ascii, strict=strict)
    return Group(*parts)


def _table(change: Change, width: int) -> RenderableType:
    """All columns side by side; where that is too wide, the intervals below."""
    whole = _grid(change, range(1, 5))
    if fits(whole, width):
        return whole
    return Group(_grid(change, range(1, 4)), Text(), _grid(change, range(3, 5)))


def _grid(change: Change, columns: range) -> Table:
    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1))
    first, *_ = heads = table.heads(change)
    grid.add_column(first, no_wrap=True)
    for number in columns:
        grid.add_column(heads[number], justify="right", overflow="fold")
    for block in table.blocks(change):
        grid.add_row(Text(block.heading, style="bold"))
        for line in block.lines:
            cells = [line.cells[number] for number in columns]
            if any(cells):
                grid.add_row(f"  {line.name}", *cells)
    return grid
