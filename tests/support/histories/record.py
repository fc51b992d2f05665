"""What kab's net room would record of a world, and when it notices what."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING, Any

from support.histories.wire import Wire
from support.runs import Script

from keepalive_bench.results.exchange import Connection, Ending, Exchange, Outcome

if TYPE_CHECKING:
    from support.histories.truth import Truth
    from support.histories.wire import Path

    from keepalive_bench.plan.plan import Plan
    from keepalive_bench.results.run import Run

_PEER = "192.0.2.1:80"


class Recorder:
    """Notes connections and exchanges as `net.tracer` does, in slots as it gives them."""

    def __init__(self, plan: Plan, path: Path, phase: float) -> None:
        """`phase`: where between two ticks of the system's clock the run begins."""
        arms = [(arm.label, arm.kind) for arm in plan.experiment.arms]
        self._script = Script(*arms, plan=plan, load=plan.experiment.load)
        self._path, self._phase = path, phase
        # A Script has an experiment of its own.
        self._script.plan = plan
        self._free: dict[str, set[int]] = {label: set() for label, _ in arms}
        self._slots = dict.fromkeys(self._free, 0)
        self.ended: dict[int, Truth] = {}
        """By row of a connection that others ended, or that kab gave up: why."""

    def opened(self, arm: str, now_s: float, connect_s: float, last_slot: int | None) -> Wire:
        """Note a connection; it takes the slot that its object had, or else any free one."""
        free = self._free[arm]
        slot = last_slot if last_slot in free else min(free, default=None)
        if slot is None:
            slot = self._slots[arm]
            self._slots[arm] += 1
        free.discard(slot)
        rtt_s = None if self._path.hz is None else connect_s
        row = self._script.connections.append(Connection(arm, slot, now_s, _PEER, min_rtt=rtt_s))
        return Wire(arm, row, slot, accepted_s=now_s + self._path.rtt_s / 2)

    def has_ended(self, wire: Wire, now_s: float) -> bool:
        """Whether a connection that the pool takes out is found closed, which is noted then."""
        closing = wire.closing
        if closing is None or (arrived_s := closing.at_s + self._path.rtt_s / 2) > now_s:
            return False
        idle_s, after_s = now_s - wire.idle_since_s, None
        if closing.by == "fin" and self._path.hz is not None:
            age_s = (self._tick(now_s) - self._tick(arrived_s)) / self._path.hz
            after_s = max(0.0, idle_s - age_s)
        self.end(wire, now_s, Ending(closing.by, idle_s, after_s), closing.found)
        return True

    def _tick(self, time_s: float) -> int:
        assert self._path.hz is not None
        return floor(time_s * self._path.hz + self._phase)

    def end(self, wire: Wire, now_s: float, ending: Ending, why: Truth | None = None) -> None:
        """Note how a connection ended; its slot is free. `why` is what is true of it."""
        self._script.connections.ended(wire.row, ending, now_s)
        self._free[wire.arm].add(wire.slot)
        wire.is_idle = False
        if why is not None:
            self.ended[wire.row] = why

    def sent(self, arm: str, index: int, number: int, outcome: Outcome) -> None:
        """Note an exchange that is over."""
        if outcome.status is not None and outcome.connection is not None:
            self._script.connections.answered(outcome.connection)
        self._script.exchanges.append(Exchange(arm, index, number, outcome))

    def run(self, **run_info: Any) -> Run:  # noqa: ANN401  # whatever a RunInfo takes
        """What was noted."""
        return self._script.run(**run_info)
