"""How far a measurement is: a line every 10 seconds, or what a bar shows (`progress_bar.py`).

Both are drawn from the callback, between requests: a thread that drew while one is under way would
be measured with it. Whoever waits may `look` from another thread all the same: what is due is said
then where nothing has ended for a second, as what takes that long isn't changed by a line.
"""

from __future__ import annotations

from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

from keepalive_bench.results.exchange import INTERRUPTED
from keepalive_bench.units import duration, plural, rate

if TYPE_CHECKING:
    from collections.abc import Callable

    from keepalive_bench.plan.experiment import Experiment
    from keepalive_bench.results.exchange import Exchange

    Clock = Callable[[], float]

EVERY_S = 10.0
_STILL_S = 1.0


class Standing:
    """What is known of a measurement so far."""

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment
        self._done = self._failed = 0
        self._answered = {label: [0, 0.0] for label in experiment.labels}
        self._last: Exchange | None = None

    def count(self, exchange: Exchange) -> None:
        """One more has ended."""
        outcome = exchange.outcome
        if outcome.failure is None:
            answered = self._answered[exchange.arm]
            answered[0] += 1
            answered[1] += outcome.latency_s
        elif outcome.failure.kind == INTERRUPTED:
            return
        else:
            self._failed += 1
        self._done += 1
        self._last = exchange

    @property
    def elapsed_s(self) -> float:
        """When the last one ended, from the start of the run."""
        last = self._last
        return 0.0 if last is None else last.outcome.began_s + last.outcome.latency_s

    @property
    def share(self) -> float | None:
        """How much of the run is over; `None`: nobody can know."""
        experiment, shares = self._experiment, []
        if experiment.duration_s is not None:
            shares.append(self.elapsed_s / experiment.duration_s)
        if experiment.is_limited and experiment.precision is None:
            shares.append(self._done / (experiment.requests * len(experiment.arms)))
        return min(1.0, max(shares)) if shares else None

    @property
    def extent(self) -> str:
        """How far it is: `25 of 100 · 3 failed`, `12 s of 30 s · 250 requests`."""
        experiment, parts = self._experiment, []
        if experiment.duration_s is not None:
            parts.append(f"{self.elapsed_s:.0f} s of {experiment.duration_s:g} s")
        if experiment.is_limited:
            at_most = "at most " if experiment.may_end_early else ""
            total = experiment.requests * len(experiment.arms)
            parts.append(f"{self._done:,} of {at_most}{total:,}")
        else:
            parts.append(plural(self._done, "request"))
        if self._failed:
            parts.append(f"{self._failed:,} failed")
        return joined(*parts)

    @property
    def pace(self) -> str:
        """How fast it goes, and how long it may take yet: `44.0/s · 12 s left`; empty at first."""
        if not self._done or not self.elapsed_s:
            return ""
        parts = [f"{rate(self._done / self.elapsed_s)}/s"]
        if self.share:
            parts.append(f"{self.elapsed_s * (1 / self.share - 1):,.0f} s left")
        return joined(*parts)

    @property
    def means(self) -> str:
        """What was measured: `pooled: 21.5 ms · unpooled: 63.6 ms`; empty before any answer."""
        means = (
            f"{label}: {duration(total_s / count)}"
            for label, (count, total_s) in self._answered.items()
            if count
        )
        return joined(*means)


class Progress:
    """Counts exchanges as a callback, and has it drawn how they stand when it is time to."""

    def __init__(
        self,
        standing: Standing,
        draw: Callable[[str], None],
        every_s: float = EVERY_S,
        clock: Clock = monotonic,
    ) -> None:
        """`draw` gets a note to show beside how they stand; empty: there is none."""
        self._standing, self._draw, self._every_s, self._clock = standing, draw, every_s, clock
        self._drawing = Lock()
        self._heard_s = self._drawn_s = clock()

    def __call__(self, exchange: Exchange) -> None:
        """One more has ended."""
        self._standing.count(exchange)
        self._heard_s = now_s = self._clock()
        if now_s - self._drawn_s >= self._every_s:
            self._show(now_s)

    def look(self) -> float:
        """Say what is due if nothing ends; seconds until it is worth another look."""
        now_s = self._clock()
        silent_s = now_s - self._heard_s
        early_s = max(self._drawn_s + EVERY_S - now_s, _STILL_S - silent_s)
        if early_s > 0:
            return early_s
        self._show(now_s, f"nothing measured for {silent_s:.0f} s" if silent_s >= EVERY_S else "")
        return EVERY_S

    def _show(self, now_s: float, note: str = "") -> None:
        with self._drawing:
            self._drawn_s = now_s
            self._draw(note)


def progress_lines(
    experiment: Experiment, say: Callable[[str], None], clock: Clock = monotonic
) -> Progress:
    """Has a line said every 10 seconds: `25 of 100 · 3 failed`."""
    standing = Standing(experiment)
    return Progress(standing, lambda note: say(joined(standing.extent, note)), clock=clock)


def joined(*parts: str) -> str:
    """Those parts that there are, on one line."""
    return " · ".join(filter(None, parts))
