"""A world in virtual time: kab's own schedule, a path, and a far end with one known cause.

It makes a `Run` as kab's net room would record it, and keeps the truth of how each connection
ended. Who goes when is the engine's own decision (`schedule`, `Dispatcher`, `pacing_of`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from math import floor, inf
from typing import TYPE_CHECKING, Any, NamedTuple

from support.runs import Script

from keepalive_bench.engine.dispatcher import Dispatcher
from keepalive_bench.engine.pacing import pacing_of
from keepalive_bench.engine.schedule import schedule, timed
from keepalive_bench.results.exchange import (
    Answer,
    Connection,
    Ending,
    Exchange,
    Failure,
    Outcome,
    Phases,
)
from support.histories.wire import Saying, Wire

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from support.histories.truth import Truth
    from support.histories.wire import By, Peer

    from keepalive_bench.engine.schedule import Block
    from keepalive_bench.plan.plan import Plan
    from keepalive_bench.results.run import Run

_PEER = "192.0.2.1:80"
_CLOSED = Failure("closed-before-response", "Remote end closed connection without response")
_RESET = Failure("reset", "Connection reset by peer")
_TIMEOUT = Failure("read-timeout", "timed out")
_SEEN_TOGETHER_S = 60e-6
"""A FIN and an RST that come within that may be met by one look."""


class Path(NamedTuple):
    """What lies between, and what the client's system tells of it."""

    rtt_s: float
    service_s: float
    """What an answer takes, typically."""
    noise: float
    """Of that time, and of small delays: the spread of its logarithm."""
    hz: int | None
    """Ticks a second of the clock in which Linux notes arrivals; `None`: another system."""


@dataclass
class _Sending:
    """An exchange under way."""

    worker: int
    arm: str
    index: int
    round: int
    began_s: float
    wire: Wire = field(default_factory=lambda: Wire(-1, -1, 0.0))
    connect_s: float | None = None
    sent_s: float = 0.0
    last_slot: int | None = None


class History(NamedTuple):
    """A run, and what is true of it."""

    run: Run
    ended: dict[int, Truth]
    """By row of a connection that others ended, or that kab gave up: why."""


class World:
    """One client, one path, one far end; time passes from event to event."""

    def __init__(self, plan: Plan, path: Path, peer: Peer, random: Random) -> None:
        arms = [(arm.label, arm.kind) for arm in plan.experiment.arms]
        self._script = Script(*arms, plan=plan)
        self._path, self._peer, self._random = path, peer, random
        # A Script has an experiment of its own.
        self._script.plan = plan
        self._experiment, self._timeout_s = plan.experiment, plan.network.timeout_s
        self._now_s, self._order = 0.0, count()
        self._events: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._single_use = {arm.label: arm.is_single_use for arm in plan.experiment.arms}
        self._pools: dict[str, list[Wire]] = {arm.label: [] for arm in plan.experiment.arms}
        self._free: dict[str, set[int]] = {arm.label: set() for arm in plan.experiment.arms}
        self._slots = dict.fromkeys(self._free, 0)
        self._own_s: dict[tuple[str, int], float] = {}
        self._phase = random.random()
        self._ended: dict[int, Truth] = {}
        pacing = pacing_of(self._experiment)
        self._has_pacing = pacing is not None
        self._dispatcher = Dispatcher(
            {arm.label: self._experiment.threads_of(arm) for arm in self._experiment.arms},
            pacing,
            lambda: self._now_s,
        )

    def history(self) -> History:
        """Let all requests be sent."""
        blocks = schedule(self._experiment)
        if self._has_pacing:
            blocks = timed(blocks, self._experiment, lambda: self._now_s)
        block: Block | None = next(blocks, None)
        while block is not None:
            self._dispatcher.begin(block)
            for worker in range(self._experiment.concurrency):
                self._after(self._own_time(), self._claim, worker)
            self._let_pass()
            try:
                block = blocks.send(self._dispatcher.leave())
            except StopIteration:
                block = None
        return History(self._script.run(wall_s=self._now_s), self._ended)

    def _let_pass(self) -> None:
        while self._events:
            self._now_s, _, action, about = heappop(self._events)
            action(*about)

    def _at(self, time_s: float, action: Callable[..., None], *about: Any) -> None:  # noqa: ANN401  # as it takes
        heappush(self._events, (max(time_s, self._now_s), next(self._order), action, about))

    def _after(self, delay_s: float, action: Callable[..., None], *about: Any) -> None:  # noqa: ANN401  # as it takes
        self._at(self._now_s + delay_s, action, *about)

    def _own_time(self) -> float:
        """What the client's own code takes between two steps."""
        return 2e-5 * self._random.lognormvariate(0.0, 0.5)

    def _way_s(self) -> float:
        """One way through the path."""
        return self._path.rtt_s / 2 * (1 + 0.05 * self._random.random())

    # The client: a worker asks for a request, takes a connection, sends, and reads.

    def _claim(self, worker: int) -> None:
        block = self._dispatcher.block
        assert block is not None
        own_s = self._own_s.get((block.arm, worker), -inf)
        claimed = self._dispatcher.claim(worker, own_s)
        if claimed is not None:
            index, start_s = claimed
            late_s = self._own_time() if start_s is not None else 0.0
            self._at((start_s or 0.0) + late_s, self._start, worker, block, index)

    def _start(self, worker: int, block: Block, index: int) -> None:
        sending = _Sending(worker, block.arm, index, block.round, self._now_s)
        pool = self._pools[block.arm]
        if pool:
            sending.wire = wire = pool.pop()
            if not self._has_ended(wire):
                self._send(sending)
                return
            sending.last_slot = wire.slot
        connect_s = self._path.rtt_s + 3e-5 * self._random.lognormvariate(0.0, 0.5)
        sending.connect_s = connect_s
        self._after(connect_s, self._opened, sending)

    def _has_ended(self, wire: Wire) -> bool:
        """Whether an idle connection is found closed, which is noted then."""
        closing = wire.closing
        if closing is None or (arrived_s := closing.at_s + self._path.rtt_s / 2) > self._now_s:
            return False
        idle_s, after_s = self._now_s - wire.idle_since_s, None
        if closing.by == "fin" and self._path.hz is not None:
            age_s = (self._tick(self._now_s) - self._tick(arrived_s)) / self._path.hz
            after_s = max(0.0, idle_s - age_s)
        self._end(wire, Ending(closing.by, idle_s, after_s), closing.found)
        return True

    def _tick(self, time_s: float) -> int:
        assert self._path.hz is not None
        return floor(time_s * self._path.hz + self._phase)

    def _opened(self, sending: _Sending) -> None:
        free, wanted = self._free[sending.arm], sending.last_slot
        slot = wanted if wanted in free else min(free, default=None)
        if slot is None:
            slot = self._slots[sending.arm]
            self._slots[sending.arm] += 1
        free.discard(slot)
        rtt_s = None if self._path.hz is None else sending.connect_s
        opened = Connection(sending.arm, slot, self._now_s, _PEER, min_rtt=rtt_s)
        row = self._script.connections.append(opened)
        sending.wire = Wire(row, slot, self._now_s + self._path.rtt_s / 2)
        self._peer.accepted(sending.wire, sending.wire.accepted_s)
        self._send(sending)

    def _send(self, sending: _Sending) -> None:
        wire = sending.wire
        idle_s = self._now_s - wire.idle_since_s if wire.served else 0.0
        sending.sent_s = self._now_s + 2 * self._own_time()
        forgotten = self._peer.forgets(wire, idle_s)
        if forgotten is None:
            self._at(sending.sent_s + self._way_s(), self._arrived, sending)
            return
        by, why = forgotten
        if by is None:
            at_s = sending.began_s + self._timeout_s
            self._at(at_s, self._failed, sending, _TIMEOUT, why)
        else:
            at_s = sending.sent_s + self._path.rtt_s
            self._at(at_s, self._failed, sending, _RESET, why)

    # The far end.

    def _arrived(self, sending: _Sending) -> None:
        wire, closing = sending.wire, sending.wire.closing
        if closing is not None and closing.at_s <= self._now_s:
            fin_s = max(sending.sent_s, closing.at_s + self._path.rtt_s / 2)
            together = self._now_s - closing.at_s < _SEEN_TOGETHER_S and self._random.random() < 0.5
            kind = _RESET if closing.by == "rst" or together else _CLOSED
            self._at(fin_s, self._failed, sending, kind, closing.raced)
            return
        wire.is_idle = False
        death = self._peer.takes(wire, self._now_s)
        took_s = self._path.service_s * self._random.lognormvariate(0.0, self._path.noise)
        closing = wire.closing
        if closing is not None and closing.cut is not None:
            if closing.at_s < self._now_s + took_s:
                seen_s = closing.at_s + self._way_s()
                self._at(seen_s, self._failed, sending, _failure_by(closing.by), closing.cut)
                return
        if death is not None:
            seen_s = self._now_s + took_s + self._way_s()
            self._at(seen_s, self._failed, sending, _failure_by(death.by), death.why)
        else:
            self._after(took_s, self._answers, sending)

    def _answers(self, sending: _Sending) -> None:
        wire = sending.wire
        saying = self._peer.says(wire, self._now_s)
        wire.served += 1
        wire.is_idle = saying.why is None
        if wire.is_idle:
            self._peer.answered(wire, self._now_s)
        self._after(self._way_s(), self._first_byte, sending, saying)

    # And the client again.

    def _first_byte(self, sending: _Sending, saying: Saying) -> None:
        self._after(2 * self._own_time(), self._read, sending, saying, self._now_s)

    def _read(self, sending: _Sending, saying: Saying, first_byte_s: float) -> None:
        wire = sending.wire
        phases = self._phases(sending)._replace(
            wait=first_byte_s - sending.sent_s, receive=self._now_s - first_byte_s
        )
        answer = Answer("HTTP/1.1", "text/html", saying.connection)
        self._script.connections.answered(wire.row)
        if saying.why is not None:
            self._end(wire, Ending("announced"), saying.why)
        elif self._single_use[sending.arm]:
            self._end(wire, Ending("retired"), None)
        else:
            wire.idle_since_s = self._now_s
            self._pools[sending.arm].append(wire)
        self._note(sending, phases=phases, status=saying.status, body_bytes=100, answer=answer)

    def _failed(self, sending: _Sending, failure: Failure, why: Truth) -> None:
        self._end(sending.wire, Ending("failed"), why)
        self._note(sending, phases=self._phases(sending), failure=failure)

    def _phases(self, sending: _Sending) -> Phases:
        began_s = sending.began_s + (sending.connect_s or 0.0)
        return Phases(connect=sending.connect_s, send=sending.sent_s - began_s)

    def _note(self, sending: _Sending, **more: Any) -> None:  # noqa: ANN401  # an Outcome's
        latency_s = self._now_s - sending.began_s
        outcome = Outcome(sending.began_s, latency_s, sending.wire.row, **more)
        exchange = Exchange(sending.arm, sending.index, sending.round, outcome)
        self._script.exchanges.append(exchange)
        self._own_s[sending.arm, sending.worker] = self._now_s
        self._dispatcher.ended(sending.worker, sending.arm, sending.index)
        block = self._dispatcher.block
        if block is not None and not block.in_bursts:
            self._after(self._own_time(), self._claim, sending.worker)

    def _end(self, wire: Wire, ending: Ending, why: Truth | None) -> None:
        self._script.connections.ended(wire.row, ending, self._now_s)
        arm = self._script.connections.arms[self._script.connections.arm[wire.row]]
        self._free[arm].add(wire.slot)
        wire.is_idle = False
        if why is not None:
            self._ended[wire.row] = why


def _failure_by(by: By) -> Failure:
    return _RESET if by == "rst" else _CLOSED
