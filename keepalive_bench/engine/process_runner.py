"""Where one process sends requests from: what it warms up and measures, and what that took."""

from __future__ import annotations

import gc
import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NamedTuple

import keepalive_bench
from keepalive_bench.engine.engine import FAILURES_TO_STOP, Between, Engine
from keepalive_bench.engine.limits import check_limits
from keepalive_bench.engine.pacing import RunClock, pacing_of
from keepalive_bench.engine.system_monitor import SystemMonitor
from keepalive_bench.net.arms import arm_context, open_arm
from keepalive_bench.net.pools import HoldingPool
from keepalive_bench.results.columns import ConnectionColumns, ExchangeColumns
from keepalive_bench.results.measured import WarmUp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from keepalive_bench.engine.interrupts import Interrupts
    from keepalive_bench.engine.schedule import Blocks
    from keepalive_bench.net.tcp import Clock
    from keepalive_bench.plan.plan import Arm, Plan
    from keepalive_bench.results.exchange import Exchange, Outcome
    from keepalive_bench.results.measured import PoolCounters


class Tables(NamedTuple):
    """What one process measured. Merging takes its rows away."""

    exchanges: ExchangeColumns
    connections: ConnectionColumns


def new_tables(plan: Plan) -> Tables:
    """Those of a plan, still empty."""
    labels = plan.experiment.labels
    exchanges = ExchangeColumns(
        labels, queued=plan.experiment.load.is_open, counted=bool(plan.request.count_by)
    )
    return Tables(exchanges, ConnectionColumns(labels))


class RunCounters(NamedTuple):
    """What a measurement took, and how far it came, but for what is kept in columns."""

    pools: dict[str, PoolCounters]
    """By label, as is `reached`."""
    reached: dict[str, int]
    """How many requests of each arm were due."""
    interrupted: bool
    wall_s: float
    cpu_s: float
    gc_collections: int
    gil_wait_s: float | None
    others: tuple[float, float] | None


class ProcessRunner:
    """One process's place in a run. Its time begins where `measure` is told that it does.

    Raises:
        UsageError: a file that the plan names can't be used, or the system's limits don't suffice.
    """

    def __init__(self, plan: Plan, clock: Clock, process: int = 0) -> None:
        check_limits(plan)
        self._plan, self._clock, self._process = plan, clock, process
        self._shared = arm_context(plan, f"kab/{keepalive_bench.__version__}", clock)

    def warm_up(self, given_up: threading.Event | None = None) -> dict[str, WarmUp]:
        """What each arm does beforehand, by label; once it is given up, no more is sent."""
        given_up = given_up or threading.Event()
        return {arm.label: self._warm_up(arm, given_up) for arm in self._plan.experiment.arms}

    def measure(
        self,
        origin: int,
        blocks: Blocks,
        record: Callable[[Exchange], None],
        connections: ConnectionColumns,
        interrupts: Interrupts,
    ) -> RunCounters:
        """Work through the blocks; what `interrupts` notes ends that early.

        `origin` is the zero of all times, in nanoseconds of the clock; `connections` gets those
        that are opened.
        """
        plan, experiment, run_clock = self._plan, self._plan.experiment, RunClock(origin)
        system_monitor = SystemMonitor(experiment.concurrency)
        with quiet_collector(), ExitStack() as closing:
            shared = self._shared._replace(origin=origin)
            transports = {arm.label: open_arm(arm, shared, connections) for arm in experiment.arms}
            for transport in transports.values():
                closing.callback(transport.close)
            pacing = pacing_of(experiment)
            # What a sweep's steady traffic would do before its turn is over, it does.
            rests = {
                label: transport.pools.hold
                for label, transport in transports.items()
                if isinstance(transport.pools, HoldingPool)
                and experiment.sweep is not None
                and pacing is None
            }
            # A server with a single thread answers no other arm while one has a connection open.
            alone = {} if experiment.is_paired else transports
            closes = {label: transport.close for label, transport in alone.items()}
            between = Between(rests, closes)
            engine = Engine(plan, transports, record, run_clock, pacing, between, self._process)
            with system_monitor:
                interrupted = engine.run(blocks, interrupts)
            wall_s = run_clock.now_s()
        return RunCounters(
            pools={label: transport.pools.counters for label, transport in transports.items()},
            reached=engine.reached,
            interrupted=interrupted,
            wall_s=wall_s,
            cpu_s=system_monitor.cpu_s,
            gc_collections=system_monitor.gc_collections,
            gil_wait_s=system_monitor.gil_wait_s,
            others=system_monitor.others,
        )

    def _warm_up(self, arm: Arm, given_up: threading.Event) -> WarmUp:
        """Requests with indexes below 0, on a pool of their own: first ones pay for imports.

        Of a server that never answers, no more are tried than of an arm.
        """
        plan, count = self._plan, self._plan.experiment.warmup
        outcomes: list[Outcome] = []
        connections = ConnectionColumns((arm.label,))
        transport = open_arm(arm, self._shared._replace(origin=self._clock()), connections)
        try:
            for number in range(1, count + 1):
                if given_up.is_set():
                    break
                outcomes.append(transport.exchange(plan.path(-number - self._process * count)))
                answered = any(outcome.failure is None for outcome in outcomes)
                if len(outcomes) >= FAILURES_TO_STOP and not answered:
                    break
        finally:
            transport.close()
        failures = tuple(outcome.failure for outcome in outcomes if outcome.failure is not None)
        return WarmUp(requests=len(outcomes), connections=len(connections), failures=failures)


@contextmanager
def quiet_collector() -> Iterator[None]:
    """Keep what was made so far out of the garbage collector's way while measuring.

    It is at work meanwhile, as in any client. A program that keeps its objects out of the way
    itself, or has the collector switched off, finds it so afterwards.
    """
    was_frozen, was_enabled = gc.get_freeze_count() > 0, gc.isenabled()
    gc.freeze()
    gc.enable()
    try:
        yield
    finally:
        if not was_enabled:
            gc.disable()
        if not was_frozen:
            gc.unfreeze()
