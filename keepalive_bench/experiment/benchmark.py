"""From a plan to a run."""

from __future__ import annotations

import gc
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from math import inf
from typing import TYPE_CHECKING

import keepalive_bench
from keepalive_bench.analysis.precision import PrecisionRule
from keepalive_bench.experiment.engine import FAILURES_TO_STOP, Engine
from keepalive_bench.experiment.environment import describe_environment
from keepalive_bench.experiment.observer import Observer
from keepalive_bench.experiment.pacing import RunClock, pacing_of
from keepalive_bench.experiment.schedule import schedule, until
from keepalive_bench.model.columns import ConnectionColumns, ExchangeColumns
from keepalive_bench.model.ports import pace_of
from keepalive_bench.model.run import Course, Run, WarmUp
from keepalive_bench.net.arms import Surroundings, open_arm, surroundings
from keepalive_bench.net.ports import ports_for
from keepalive_bench.net.spacing import Spacing, spaced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from keepalive_bench.experiment.schedule import Block
    from keepalive_bench.model.exchange import Exchange, Outcome
    from keepalive_bench.model.plan import Arm, Plan
    from keepalive_bench.net.spacing import SpacedTransport
    from keepalive_bench.net.transport import Transport


def benchmark(plan: Plan, on_exchange: Callable[[Exchange], None] | None = None) -> Run:
    """Carry out a plan: warm up, then send every arm's requests as scheduled.

    `on_exchange` is called after each measured exchange, for one at a time, from the thread that
    made it and outside of what is timed; what it takes is a pause between requests all the same.
    Ctrl-C while measuring doesn't raise: it returns what was measured so far, and
    `run.course.interrupted` says so.

    Raises:
        UsageError: the file of trusted certificates can't be used, or this machine's local ports
            don't suffice and the plan says not to slow the run.
        KeyboardInterrupt: Ctrl-C while warming up, when nothing is measured yet.
    """
    clock = time.perf_counter_ns
    shared = surroundings(plan, f"kab/{keepalive_bench.__version__}", clock)
    arms, labels = plan.experiment.arms, plan.experiment.labels
    ports = ports_for(plan)
    pace = pace_of(plan.experiment, ports)
    spacing = Spacing(pace, clock) if pace else None
    warmup = {arm.label: _warm_up(arm, shared, spacing) for arm in arms}
    warmed_up_s = spacing.paused_s if spacing else 0.0
    exchanges = ExchangeColumns(labels, queued=plan.experiment.load.is_open)
    connections = ConnectionColumns(labels)
    observer = Observer(plan.experiment.concurrency)

    def record(exchange: Exchange) -> None:
        exchanges.append(exchange)
        if on_exchange is not None:
            on_exchange(exchange)

    with _quiet_collector(), ExitStack() as closing:
        origin = clock()
        shared = replace(shared, origin=origin)
        transports = {arm.label: _opened(arm, shared, connections, spacing) for arm in arms}
        for transport in transports.values():
            closing.callback(transport.close)
        started_at = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        run_clock, pacing = RunClock(origin), pacing_of(plan.experiment)
        paced = {} if pacing is None else dict.fromkeys(labels, pacing)
        engine = Engine(plan, transports, record, run_clock, paced)
        with observer:
            interrupted = engine.run(_blocks(plan, exchanges, run_clock.now_s))
        others = observer.others or (None, None)
        course = Course(
            started_at=started_at,
            wall_s=run_clock.now_s(),
            cpu_s=observer.cpu_s,
            gc_collections=observer.gc_collections,
            interrupted=interrupted,
            requests=engine.reached if plan.experiment.may_end_early else None,
            gil_wait_s=observer.gil_wait_s,
            others_least=others[0],
            others_most=others[1],
            free_ports=ports.ports if ports else None,
            port_held_s=ports.held_s if ports else None,
            paced_per_s=pace.per_second if pace else None,
            paused_s=spacing.paused_s - warmed_up_s if spacing else 0.0,
        )
    return Run(
        plan=plan,
        environment=describe_environment(),
        course=course,
        warmup=warmup,
        exchanges=exchanges,
        connections=connections,
        counters={label: transport.counters for label, transport in transports.items()},
    )


def _blocks(plan: Plan, exchanges: ExchangeColumns, now_s: Callable[[], float]) -> Iterable[Block]:
    """The schedule, up to the round in which time is over or enough is known."""
    experiment, known = plan.experiment, PrecisionRule(plan, exchanges)
    blocks = schedule(experiment)
    if not experiment.may_end_early:
        return blocks
    ends_s = inf if experiment.duration_s is None else experiment.duration_s
    return until(blocks, lambda: now_s() >= ends_s or known.is_met())


def _warm_up(arm: Arm, shared: Surroundings, spacing: Spacing | None) -> WarmUp:
    """Requests with indexes below 0, on a pool of their own: first ones pay for imports, caches.

    Of a server that never answers, no more are tried than of an arm.
    """
    plan = shared.plan
    outcomes: list[Outcome] = []
    connections = ConnectionColumns((arm.label,))
    transport = _opened(arm, shared, connections, spacing)
    try:
        for number in range(1, plan.experiment.warmup + 1):
            outcomes.append(transport.exchange(plan.path(-number)))
            answered = any(outcome.failure is None for outcome in outcomes)
            if len(outcomes) >= FAILURES_TO_STOP and not answered:
                break
    finally:
        transport.close()
    failures = tuple(outcome.failure for outcome in outcomes if outcome.failure is not None)
    return WarmUp(requests=len(outcomes), connections=len(connections), failures=failures)


def _opened(
    arm: Arm, shared: Surroundings, connections: ConnectionColumns, spacing: Spacing | None
) -> Transport | SpacedTransport:
    transport = open_arm(arm, shared, connections)
    return spaced(transport, spacing, takes_port=arm.is_single_use)


@contextmanager
def _quiet_collector() -> Iterator[None]:
    """Keep what was made so far out of the garbage collector's way while measuring."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
