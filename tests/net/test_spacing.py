"""Pauses between requests, with a clock that only moves when somebody sleeps."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from keepalive_bench.net.spacing import Spacing, spaced
from keepalive_bench.plan.local_ports import Pace
from keepalive_bench.results.exchange import Outcome, Phases

if TYPE_CHECKING:
    from keepalive_bench.results.run import PoolCounters

SECOND = 1_000_000_000
FOREVER = 1e6


class RunInfo:
    """A clock, and when each request of two arms began."""

    def __init__(self, pace: Pace, *, latency_s: float = 0.0) -> None:
        self.now, self.latency = 0, int(latency_s * SECOND)
        self.began: list[float] = []
        self.outcome = Outcome(0.0, 0.0)
        self.spacing = Spacing(pace, lambda: self.now, self.wait)
        self.pooled, self.unpooled = (self.arm(takes_port=takes) for takes in (False, True))

    def arm(self, *, takes_port: bool, threads: int = 8) -> Any:  # noqa: ANN401  # it takes a fake for a transport
        fake: Any = Fake(self)
        return spaced(fake, self.spacing, takes_port=takes_port, threads=threads)

    def wait(self, given_up: Event, seconds: float) -> bool:
        self.now += round(seconds * SECOND)
        return given_up.is_set()

    def send(self, arm: Any) -> None:  # noqa: ANN401  # the same
        arm.take_turn(Event())
        arm.exchange("/")


class Fake:
    counters: PoolCounters

    def __init__(self, run_info: RunInfo) -> None:
        self.run_info = run_info

    def exchange(self, _: str) -> Outcome:
        self.run_info.began.append(self.run_info.now / SECOND)
        self.run_info.now += self.run_info.latency
        return self.run_info.outcome

    def close(self) -> None:
        """Nothing is open."""


def pace(spacing_s: float, *, burst: int = 1, ports: int = 1000, held_s: float = 60.0) -> Pace:
    return Pace(per_second=1.0, spacing_s=spacing_s, burst=burst, ports=ports, held_s=held_s)


def test_requests_of_all_arms_are_the_same_time_apart() -> None:
    run_info = RunInfo(pace(0.5))
    for arm in (run_info.pooled, run_info.unpooled, run_info.unpooled, run_info.pooled):
        run_info.send(arm)
    assert run_info.began == [0.0, 0.5, 1.0, 1.5]
    assert run_info.spacing.paused_s == 1.5


def test_who_is_slower_anyway_never_waits_and_saves_nothing_up() -> None:
    run_info = RunInfo(pace(0.5), latency_s=2.0)
    for _ in range(3):
        run_info.send(run_info.unpooled)
    assert run_info.began == [0.0, 2.0, 4.0]
    assert run_info.spacing.paused_s == 0
    run_info.latency = 0
    for _ in range(3):
        run_info.send(run_info.unpooled)
    assert run_info.began[3:] == [6.0, 6.5, 7.0]


def test_a_burst_starts_together_and_the_next_one_after_the_time_of_all_of_it() -> None:
    run_info = RunInfo(pace(1.5, burst=3))
    for arm in (run_info.pooled, run_info.unpooled, run_info.pooled):
        for _ in range(3):
            run_info.send(arm)
    assert run_info.began == [0.0] * 3 + [1.5] * 3 + [3.0] * 3


def test_an_arm_of_fewer_threads_has_bursts_of_its_own_size() -> None:
    run_info = RunInfo(pace(1.5, burst=3))
    for arm in (run_info.arm(takes_port=True, threads=2), run_info.unpooled):
        for _ in range(4):
            run_info.send(arm)
    assert run_info.began == [0.0] * 2 + [1.5] * 2 + [3.0] * 3 + [4.5]


def test_no_more_ports_are_taken_than_there_are_in_whatever_order_the_arms_come() -> None:
    run_info = RunInfo(pace(0.1, ports=4, held_s=2.0), latency_s=0.01)
    for arm in [run_info.pooled] * 10 + [run_info.unpooled] * 30:
        run_info.send(arm)
    began_ms = [round(began * 1000) for began in run_info.began[10:]]
    for number, began in enumerate(began_ms):
        assert sum(before + 10 + 2000 > began for before in began_ms[:number]) < 4


def test_a_request_on_a_connection_that_the_pool_kept_takes_no_port() -> None:
    """With 4 ports, each held for longer than all of that takes."""
    run_info = RunInfo(pace(0.1, ports=4, held_s=100.0))
    run_info.outcome = Outcome(0.0, 0.0, connection=0)
    for _ in range(10):
        run_info.send(run_info.unpooled)
    run_info.outcome = Outcome(0.0, 0.0, connection=0, phases=Phases(connect=0.001))
    for _ in range(4):
        run_info.send(run_info.unpooled)
    assert run_info.spacing.paused_s == pytest.approx(13 * 0.1)
    run_info.send(run_info.unpooled)
    assert run_info.began[-1] == pytest.approx(10 * 0.1 + 100.0)


def test_without_a_pace_a_transport_stays_as_it_is() -> None:
    run_info = RunInfo(pace(FOREVER))
    fake: Any = Fake(run_info)
    assert spaced(fake, None, takes_port=True, threads=8) is fake
