"""A world in virtual time: kab's own schedule, a path, and a far end with one known cause.

It makes a `Run` as kab's net room would record it, and keeps the truth of how each connection
ended. Who goes when is the engine's own decision (`schedule`, `Dispatcher`, `pacing_of`).
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from support.histories.record import Recorder

from keepalive_bench.engine.dispatcher import Dispatcher
from keepalive_bench.engine.pacing import pacing_of
from keepalive_bench.engine.schedule import schedule, timed
from keepalive_bench.results.exchange import Answer, Ending, Failure, Outcome, Phases

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from support.histories.truth import Truth
    from support.histories.wire import Path, Peer, Saying, Wire

    from keepalive_bench.engine.schedule import Block
    from keepalive_bench.plan.plan import Plan
    from keepalive_bench.results.run import Run

_FAILURES = {
    "fin": Failure("closed-before-response", "Remote end closed connection without response"),
    "rst": Failure("reset", "Connection reset by peer"),
    None: Failure("read-timeout", "timed out"),
}
"""By what came in place of an answer."""
_SEEN_TOGETHER_S = 60e-6
"""A FIN, and an RST so soon after it, may be met by one look."""


class History(NamedTuple):
    """A run, and what is true of it."""

    run: Run
    ended: dict[int, Truth]
    """By row of a connection that others ended, or that kab gave up: why."""


class _Place(NamedTuple):
    """What urllib3's pool keeps in one of its places, the last one used on top."""

    wire: Wire | None = None
    last_slot: int | None = None
    """Of an object whose connection was closed when its answer was read."""


_EMPTY = _Place()


@dataclass
class _Sending:
    """An exchange under way."""

    worker: int
    block: Block
    index: int
    began_s: float
    due_s: float | None
    """When it was to begin, of an open load."""
    last_slot: int | None = None
    connect_s: float | None = None
    sent_s: float = 0.0


class World:
    """One client, one path, one far end; time passes from event to event."""

    def __init__(self, plan: Plan, path: Path, peer: Peer, random: Random) -> None:
        self._plan, self._path, self._peer, self._random = plan, path, peer, random
        self._recorder = Recorder(plan, path, phase=random.random())
        self._now_s, self._order = 0.0, count()
        self._events: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        arms, self._pacing = plan.experiment.arms, pacing_of(plan.experiment)
        self._keeps = {arm.label: not arm.is_single_use for arm in arms}
        size = plan.experiment.concurrency
        self._pools = {arm.label: [_EMPTY] * size for arm in arms}
        self._own_s: dict[tuple[str, int], float] = {}
        """When a worker's last request of an arm ended."""
        threads = {arm.label: plan.experiment.threads_of(arm) for arm in arms}
        self._dispatcher = Dispatcher(threads, self._pacing, lambda: self._now_s)

    def history(self) -> History:
        """Let all requests be sent."""
        experiment = self._plan.experiment
        blocks = schedule(experiment)
        if self._pacing is not None:
            blocks = timed(blocks, experiment, lambda: self._now_s)
        block: Block | None = next(blocks, None)
        while block is not None:
            self._dispatcher.begin(block)
            for worker in range(experiment.concurrency):
                self._after(self._moment_s(), self._claim, worker, block)
            self._let_pass()
            try:
                block = blocks.send(self._dispatcher.leave())
            except StopIteration:
                block = None
        return History(self._recorder.run(wall_s=self._now_s), self._recorder.ended)

    def _let_pass(self) -> None:
        while self._events:
            self._now_s, _, action, about = heappop(self._events)
            action(*about)

    def _at(self, time_s: float, action: Callable[..., None], *about: Any) -> None:  # noqa: ANN401  # whatever it takes
        event = max(time_s, self._now_s), next(self._order), action, about
        heappush(self._events, event)

    def _after(self, delay_s: float, action: Callable[..., None], *about: Any) -> None:  # noqa: ANN401  # whatever it takes
        self._at(self._now_s + delay_s, action, *about)

    def _moment_s(self) -> float:
        """What the client's own code takes between two steps."""
        return 2e-5 * self._random.lognormvariate(0.0, 0.5)

    def _way_s(self) -> float:
        """One way through the path."""
        return self._path.rtt_s / 2 * (1 + 0.05 * self._random.random())

    def _service_s(self) -> float:
        """What an answer takes."""
        stalls = self._random.random() < self._path.stalls
        usual_s = self._path.service_s * self._random.lognormvariate(0.0, self._path.noise)
        return usual_s * self._random.uniform(5.0, 50.0) if stalls else usual_s

    # The client: a worker asks for a request, takes a connection, and sends.

    def _claim(self, worker: int, block: Block) -> None:
        own_s = self._own_s.get((block.arm, worker), -inf)
        claimed = self._dispatcher.claim(worker, own_s)
        if claimed is not None:
            index, start_s = claimed
            at_s = self._now_s if start_s is None else start_s + self._moment_s()
            self._at(at_s, self._start, worker, block, index, start_s)

    def _start(self, worker: int, block: Block, index: int, start_s: float | None) -> None:
        due_s = start_s if self._pacing is not None and self._pacing.is_schedule else None
        sending = _Sending(worker, block, index, self._now_s, due_s)
        wire, sending.last_slot = self._pools[block.arm].pop()
        if wire is not None:
            if not self._recorder.has_ended(wire, self._now_s):
                self._send(sending, wire)
                return
            sending.last_slot = wire.slot
        sending.connect_s = self._path.rtt_s + 2 * self._moment_s()
        self._after(sending.connect_s, self._open, sending)

    def _open(self, sending: _Sending) -> None:
        connect_s = sending.connect_s or 0.0
        arm, slot = sending.block.arm, sending.last_slot
        wire = self._recorder.opened(arm, self._now_s, connect_s, slot)
        self._peer.accepted(wire, wire.accepted_s)
        self._send(sending, wire)

    def _send(self, sending: _Sending, wire: Wire) -> None:
        sending.sent_s = self._now_s + 2 * self._moment_s()
        idle_s = self._now_s - wire.idle_since_s if wire.served else 0.0
        forgotten = self._peer.forgets(wire, idle_s)
        if forgotten is None:
            self._at(sending.sent_s + self._way_s(), self._arrive, sending, wire)
        else:
            by, why = forgotten
            lost_s = sending.began_s + self._plan.network.timeout_s
            at_s = lost_s if by is None else sending.sent_s + 2 * self._way_s()
            self._at(at_s, self._fail, sending, wire, _FAILURES[by], why)

    # The far end.

    def _arrive(self, sending: _Sending, wire: Wire) -> None:
        if wire.closing and wire.closing.misses(self._now_s):
            self._miss(sending, wire)
            return
        wire.is_idle = False
        death = self._peer.takes(wire, self._now_s)
        took_s = self._service_s()
        closing = wire.closing
        if closing and closing.cut and closing.at_s < self._now_s + took_s:
            at_s, by, why = closing.at_s, closing.by, closing.cut
            self._at(at_s + self._way_s(), self._fail, sending, wire, _FAILURES[by], why)
        elif death is not None:
            delay_s, by = took_s + self._way_s(), death.by
            self._after(delay_s, self._fail, sending, wire, _FAILURES[by], death.why)
        else:
            self._after(took_s, self._answer, sending, wire)

    def _miss(self, sending: _Sending, wire: Wire) -> None:
        """A request crossed the end of its connection: it meets a FIN, with an RST behind it."""
        closing = wire.closing
        assert closing is not None
        arrives_s = max(sending.sent_s, closing.at_s + self._path.rtt_s / 2)
        is_close = abs(self._now_s - closing.at_s) < _SEEN_TOGETHER_S
        by = "rst" if is_close and self._random.random() < 1 / 2 else closing.by
        self._at(arrives_s, self._fail, sending, wire, _FAILURES[by], closing.raced)

    def _answer(self, sending: _Sending, wire: Wire) -> None:
        saying = self._peer.says(wire, self._now_s)
        wire.served += 1
        wire.is_idle = saying.why is None
        if wire.is_idle:
            self._peer.answered(wire, self._now_s)
        self._after(self._way_s(), self._read, sending, wire, saying)

    # And the client again.

    def _read(self, sending: _Sending, wire: Wire, saying: Saying) -> None:
        self._after(2 * self._moment_s(), self._finish, sending, wire, saying, self._now_s)

    def _finish(self, sending: _Sending, wire: Wire, saying: Saying, began_s: float) -> None:
        place = _EMPTY
        if saying.why is not None:
            self._recorder.end(wire, self._now_s, Ending("announced"), saying.why)
            place = _Place(None, wire.slot)
        elif self._keeps[wire.arm]:
            wire.idle_since_s = self._now_s
            place = _Place(wire)
        else:
            self._recorder.end(wire, self._now_s, Ending("retired"))
        self._pools[wire.arm].append(place)
        outcome = self._outcome(sending, wire)
        phases = outcome.phases._replace(
            wait=began_s - sending.sent_s, receive=self._now_s - began_s
        )
        answer = Answer("HTTP/1.1", "text/html", saying.connection)
        self._note(sending, outcome._replace(status=saying.status, phases=phases, answer=answer))

    def _fail(self, sending: _Sending, wire: Wire, failure: Failure, why: Truth) -> None:
        self._recorder.end(wire, self._now_s, Ending("failed"), why)
        self._pools[wire.arm].append(_EMPTY)
        self._note(sending, self._outcome(sending, wire)._replace(failure=failure))

    def _outcome(self, sending: _Sending, wire: Wire) -> Outcome:
        opened_s = sending.began_s + (sending.connect_s or 0.0)
        phases = Phases(connect=sending.connect_s, send=sending.sent_s - opened_s)
        latency_s = self._now_s - sending.began_s
        return Outcome(sending.began_s, latency_s, wire.row, phases=phases)

    def _note(self, sending: _Sending, outcome: Outcome) -> None:
        worker, block = sending.worker, sending.block
        if sending.due_s is not None:
            outcome = outcome.since(sending.due_s)
        self._recorder.sent(block.arm, sending.index, block.round, outcome)
        self._own_s[block.arm, worker] = self._now_s
        self._dispatcher.ended(worker, block.arm, sending.index)
        if not block.in_bursts:
            self._after(self._moment_s(), self._claim, worker, block)
