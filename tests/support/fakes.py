"""Transports that do as they are told, for an engine without sockets and without sleeps."""

from __future__ import annotations

import threading
from itertools import count
from typing import TYPE_CHECKING

from support.plans import plan

from keepalive_bench.experiment.engine import Engine
from keepalive_bench.experiment.schedule import schedule
from keepalive_bench.model.exchange import Exchange, Failure, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from keepalive_bench import Plan

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


class Stage:
    """An engine with fakes for arms; `exchanges` is what it has recorded, in order."""

    def __init__(self, scripts: Mapping[str, Callable[[int], Outcome]], plan: Plan) -> None:
        self.exchanges: list[Exchange] = []
        self.recording = threading.Lock()
        self.on_record: Callable[[Exchange], None] = lambda _: None
        ticks = count()
        self._plan = plan
        self._engine = Engine(
            plan,
            {label: Fake(script) for label, script in scripts.items()},
            self._record,
            lambda: float(next(ticks)),
        )

    def run(self) -> bool:
        """Whether it was interrupted."""
        return self._engine.run(schedule(self._plan.experiment))

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
    **options: object,
) -> Stage:
    return Stage({"pooled": pooled, "unpooled": unpooled}, plan(URL, **options))
