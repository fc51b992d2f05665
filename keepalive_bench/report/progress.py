"""A progress bar, drawn from the callback, between requests.

A thread that drew while a request is under way would be measured with it.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console
    from typing_extensions import Self

    from keepalive_bench.results.exchange import Exchange

_EVERY_S = 0.25


class ProgressBar:
    """Requests done, rate and time left, on a terminal; leaves nothing behind."""

    def __init__(self, console: Console, total: int | None) -> None:
        self._progress = Progress(
            TextColumn("measuring"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=console,
            auto_refresh=False,
            transient=True,
        )
        self._task = self._progress.add_task("", total=total, rate="")
        self._done = 0
        self._began = self._drawn = monotonic()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def advance(self, _exchange: Exchange) -> None:
        """Count one more exchange."""
        self._done += 1
        now = monotonic()
        if now - self._drawn >= _EVERY_S:
            self._drawn = now
            per_second = self._done / (now - self._began)
            self._progress.update(self._task, completed=self._done, rate=f"{per_second:,.0f}/s")
            self._progress.refresh()
