"""When a request may start: values that the engine asks, and a clock that waits until then."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import threading

    from keepalive_bench.plan.experiment import Experiment

_SLEEP_S, _SPIN_S = 1e-3, 1e-4
_SECOND = 1_000_000_000


class Turn(NamedTuple):
    """A worker about to send a request. Times in seconds, the clock's zero is the run's."""

    number: int
    """The request's index."""
    position: int
    """Which of its block's it is, from 0."""
    worker: int
    """Which of all threads, of all processes."""
    began_s: float
    """When the block began, or the burst that the request belongs to."""
    own_s: float
    """When this worker's last request of the arm ended; -infinity: it had none."""
    arm_s: float
    """When the arm's last request before the block did, in the same way."""


class Pacing(ABC):
    """When the requests of an arm start. No `Pacing` at all is closed load without a pause."""

    is_schedule = False
    """Whether latency counts from the start asked for, however late the real one is."""

    @abstractmethod
    def start_s(self, turn: Turn) -> float:
        """When a request is to start; a time that has passed means at once."""

    def lasts_s(self, requests: int) -> float:  # noqa: ARG002  # what asks for no time
        """How long a block of so many requests lasts at least: the next one begins after it."""
        return 0.0


class Rate(Pacing):
    """So many requests a second, from the start of each block; some at a time where in bursts.

    It depends on the position in the block alone, so every arm has the same schedule, and a share
    of it can be carried out elsewhere.
    """

    is_schedule = True

    def __init__(self, per_second: float, burst: int = 1) -> None:
        """`burst`: requests that start together."""
        self.per_second, self.burst = per_second, burst

    def start_s(self, turn: Turn) -> float:
        """The block's start, and so many gaps later."""
        return turn.began_s + turn.position // self.burst * self.burst / self.per_second

    def lasts_s(self, requests: int) -> float:
        """Up to when one more request would start."""
        return requests / self.per_second


class Pauses(Pacing):
    """Each worker pauses after its answer.

    A pause counts from the last answer of the same arm. So where arms take turns, an arm's
    connection is idle for as long as was asked for, and longer only by what lies in its way of the
    other arms' requests.
    """

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment

    def start_s(self, turn: Turn) -> float:
        """A pause after the worker's last answer; at first, a part of it, no two workers the same.

        Workers that all began together would be a burst, again and again.
        """
        pause_s = self.experiment.pause_before(turn.number)
        spread_s = pause_s * turn.worker / self.experiment.threads
        return max(turn.began_s + spread_s, turn.own_s + pause_s)


class Bursts(Pacing):
    """All workers start together, a pause after the last answer of the burst before."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment

    def start_s(self, turn: Turn) -> float:
        """The same for all requests of a burst."""
        return max(turn.began_s, turn.arm_s + self.experiment.pause_before(turn.number))


def pacing_of(experiment: Experiment) -> Pacing | None:
    """The pacing that an experiment asks for, of every arm."""
    load = experiment.load
    if load.rate is not None:
        return Rate(load.rate, experiment.burst_size)
    if load.in_closed_bursts:
        return Bursts(experiment)
    return Pauses(experiment) if load.has_pauses else None


class Clock(Protocol):
    """The time of a run, and waiting for it."""

    def now_s(self) -> float:
        """Seconds from the start of the run."""
        ...

    def wait_until(self, at_s: float, given_up: threading.Event) -> None:
        """Return at a time, or as soon as the event is set."""
        ...


class RunClock:
    """The clock that times exchanges, with its zero at the start of the run."""

    def __init__(self, origin: int) -> None:
        """`origin` is in nanoseconds of `perf_counter_ns`."""
        self._origin = origin

    def now_s(self) -> float:
        """Seconds from the start of the run."""
        return (time.perf_counter_ns() - self._origin) / _SECOND

    def wait_until(self, at_s: float, given_up: threading.Event) -> None:
        """Wait for the event, then sleep for a millisecond, then look at the clock for a tenth.

        A sleep ends some 0.1 ms late. Waits end 10 µs late so, typically, for 0.1 ms of processor
        time each, however long they are.
        """
        left_s = at_s - self.now_s()
        if left_s > _SLEEP_S and given_up.wait(left_s - _SLEEP_S):
            return
        while (left_s := at_s - self.now_s()) > 0:
            if left_s > _SPIN_S:
                time.sleep(left_s - _SPIN_S)
