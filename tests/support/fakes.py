"""Transports that do as they are told, for an engine without sockets and without sleeps."""

from __future__ import annotations

import threading
from itertools import count
from typing import TYPE_CHECKING

from support.plans import plan

from keepalive_bench.engine.engine import Engine
from keepalive_bench.engine.interrupts import Interrupts
from keepalive_bench.engine.pacing import pacing_of
from keepalive_bench.engine.schedule import schedule, timed, until
from keepalive_bench.results.exchange import Exchange, Failure, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from keepalive_bench import Plan
    from keepalive_bench.engine.pacing import Clock

URL = "http://127.0.0.1/"
FAILED = Outcome(0.0, 0.0, failure=Failure("other", "as told"))
ANSWERED = Outcome(0.0, 0.0, status=200)


class Fake:
    """A transport; its script gets the request's index and says what comes of it."""

    def __init__(self, script: Callable[[int], Outcome]) -> None:
        self._script = script

    def exchange(self, path: str) -> Outcome:
        return self._script(int(path.rpartition("=")[2]))


def answering(_: int) -> Outcome:
    return ANSWERED


def failing(_: int) -> Outcome:
    return FAILED


class Ticking:
    """A clock that goes on by a second whenever it is looked at; waiting takes no time at all."""

    def __init__(self) -> None:
        self._ticks = count()

    def now_s(self) -> float:
        return float(next(self._ticks))

    def wait_until(self, at_s: float, given_up: threading.Event) -> None:
        raise AssertionError(f"nothing was to wait for {at_s}, or {given_up}")


class Scripted:
    """A clock that stands still but for waits, and for what a script takes; it notes the waits."""

    def __init__(self) -> None:
        self._now_s = 0.0
        self._lock = threading.Lock()
        self.waits: list[float] = []
        self.before_wait: Callable[[float, threading.Event], None] = lambda _at, _given_up: None

    def now_s(self) -> float:
        return self._now_s

    def take(self, seconds: float) -> None:
        with self._lock:
            self._now_s += seconds

    def wait_until(self, at_s: float, given_up: threading.Event) -> None:
        self.before_wait(at_s, given_up)
        if given_up.is_set():
            return
        with self._lock:
            self.waits.append(at_s)
            self._now_s = max(self._now_s, at_s)


class Stage:
    """An engine with fakes for arms; `exchanges` is what it has recorded, in order."""

    def __init__(
        self,
        scripts: Mapping[str, Callable[[int], Outcome]],
        plan: Plan,
        clock: Clock | None = None,
    ) -> None:
        self.exchanges: list[Exchange] = []
        self.recording = threading.Lock()
        self.on_record: Callable[[Exchange], None] = lambda _: None
        self._plan = plan
        self._clock, pacing = clock or Ticking(), pacing_of(plan.experiment)
        self._engine = Engine(
            plan,
            {label: Fake(script) for label, script in scripts.items()},
            self._record,
            self._clock,
            pacing,
        )

    def run(self) -> bool:
        """Whether it was interrupted."""
        experiment = self._plan.experiment
        blocks = schedule(experiment)
        if experiment.duration_s is not None:
            ends_s = experiment.duration_s
            blocks = until(blocks, lambda: self._clock.now_s() >= ends_s)
        if pacing_of(experiment) is not None:
            blocks = timed(blocks, experiment, self._clock.now_s)
        interrupts = Interrupts()
        interrupts.take_over()
        try:
            return self._engine.run(blocks, interrupts)
        finally:
            interrupts.give_back()

    @property
    def reached(self) -> dict[str, int]:
        return self._engine.reached

    @property
    def order(self) -> list[tuple[str, int]]:
        return [(it.arm, it.index) for it in self.exchanges]

    def count(self, arm: str) -> int:
        return sum(it.arm == arm for it in self.exchanges)

    def _record(self, exchange: Exchange) -> None:
        assert self.recording.acquire(blocking=False), "two exchanges recorded at once"
        try:
            self.exchanges.append(exchange)
            self.on_record(exchange)
        finally:
            self.recording.release()


def stage(
    pooled: Callable[[int], Outcome] = answering,
    unpooled: Callable[[int], Outcome] = answering,
    clock: Clock | None = None,
    **options: object,
) -> Stage:
    return Stage({"pooled": pooled, "unpooled": unpooled}, plan(URL, **options), clock)
