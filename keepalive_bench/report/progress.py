"""A progress bar, drawn from the callback, between requests.

A thread that drew while a request is under way would be measured with it.
"""

from __future__ import annotations

from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from keepalive_bench.results.exchange import Exchange

_EVERY_S = 0.25


@contextmanager
def progress_bar(console: Console, total: int | None) -> Iterator[Callable[[Exchange], None]]:
    """Requests done, rate and time left, on a terminal; what counts one more exchange.

    It leaves nothing behind.
    """
    progress = Progress(
        TextColumn("measuring"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=console,
        auto_refresh=False,
        transient=True,
    )
    task = progress.add_task("", total=total, rate="")
    done, began = 0, monotonic()
    drawn = began

    def advance(_exchange: Exchange) -> None:
        nonlocal done, drawn
        done += 1
        now = monotonic()
        if now - drawn >= _EVERY_S:
            drawn = now
            progress.update(task, completed=done, rate=f"{done / (now - began):,.0f}/s")
            progress.refresh()

    with progress:
        yield advance
