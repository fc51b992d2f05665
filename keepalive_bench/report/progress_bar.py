"""A progress bar, with what is asked above it and what is measured so far below."""

from __future__ import annotations

from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table as Grid
from rich.text import Text

from keepalive_bench.report.preamble import planned
from keepalive_bench.report.progress import Progress, Standing, joined
from keepalive_bench.units import for_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, RenderableType

    from keepalive_bench.plan.plan import Plan
    from keepalive_bench.report.progress import Clock

_EVERY_S = 0.25
_WIDTH = 20


@contextmanager
def progress_bar(console: Console, plan: Plan, clock: Clock = monotonic) -> Iterator[Progress]:
    """Draws it on a terminal as exchanges end; it leaves nothing behind."""
    standing, plain_ascii = Standing(plan.experiment), console.options.ascii_only
    live = Live(
        console=console,
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )

    def draw(note: str) -> None:
        parts = _parts(plan, standing, note, plain_ascii=plain_ascii)
        live.update(Group(*parts), refresh=True)

    with live:
        draw("")
        yield Progress(standing, draw, _EVERY_S, clock)


def _parts(
    plan: Plan, standing: Standing, note: str, *, plain_ascii: bool
) -> Iterator[RenderableType]:
    def line(words: str) -> Text:
        shown = for_terminal(words, plain_ascii=plain_ascii)
        return Text(shown, no_wrap=True, overflow="crop")

    yield line(planned(plan))
    row, share = Grid.grid(padding=(0, 1)), standing.share
    bar = ProgressBar(None if share is None else 1.0, share or 0.0, width=_WIDTH)
    row.add_row("measuring", bar, line(joined(standing.extent, standing.pace, note)))
    yield row
    if standing.means:
        yield line(joined("mean so far", standing.means))
