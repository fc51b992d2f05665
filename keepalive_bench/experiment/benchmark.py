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
from keepalive_bench.experiment.schedule import schedule, until
from keepalive_bench.model.columns import ConnectionColumns, ExchangeColumns
from keepalive_bench.model.run import Course, Run, WarmUp
from keepalive_bench.net.arms import Surroundings, open_arm, surroundings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from keepalive_bench.experiment.schedule import Block
    from keepalive_bench.model.exchange import Exchange, Outcome
    from keepalive_bench.model.plan import Arm, Plan

_SECOND = 1_000_000_000


def benchmark(plan: Plan, on_exchange: Callable[[Exchange], None] | None = None) -> Run:
    """Carry out a plan: warm up, then send every arm's requests as scheduled.

    `on_exchange` is called after each measured exchange, for one at a time, from the thread that
    made it and outside of what is timed; what it takes is a pause between requests all the same.
    Ctrl-C while measuring doesn't raise: it returns what was measured so far, and
    `run.course.interrupted` says so.

    Raises:
        UsageError: the file of trusted certificates can't be used.
        KeyboardInterrupt: Ctrl-C while warming up, when nothing is measured yet.
    """
    clock = time.perf_counter_ns
    shared = surroundings(plan, f"kab/{keepalive_bench.__version__}", clock)
    arms, labels = plan.experiment.arms, plan.experiment.labels
    warmup = {arm.label: _warm_up(arm, shared) for arm in arms}
    exchanges, connections = ExchangeColumns(labels), ConnectionColumns(labels)
    observer = Observer(plan.experiment.concurrency)

    def record(exchange: Exchange) -> None:
        exchanges.append(exchange)
        if on_exchange is not None:
            on_exchange(exchange)

    with _quiet_collector(), ExitStack() as closing:
        origin = clock()
        shared = replace(shared, origin=origin)
        transports = {arm.label: open_arm(arm, shared, connections) for arm in arms}
        for transport in transports.values():
            closing.callback(transport.close)
        started_at = datetime.now(timezone.utc).isoformat(timespec="milliseconds")

        def now_s() -> float:
            return (clock() - origin) / _SECOND

        cpu_s, collections = time.process_time(), _collections()
        engine = Engine(plan, transports, record, now_s)
        with observer:
            interrupted = engine.run(_blocks(plan, exchanges, now_s))
        others = observer.others or (None, None)
        course = Course(
            started_at=started_at,
            wall_s=now_s(),
            cpu_s=time.process_time() - cpu_s,
            gc_collections=_collections() - collections,
            interrupted=interrupted,
            requests=engine.reached if plan.experiment.is_open else None,
            gil_wait_s=observer.gil_wait_s,
            others_least=others[0],
            others_most=others[1],
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
    if not experiment.is_open:
        return blocks
    ends_s = inf if experiment.duration_s is None else experiment.duration_s
    return until(blocks, lambda: now_s() >= ends_s or known.is_met())


def _warm_up(arm: Arm, shared: Surroundings) -> WarmUp:
    """Requests with indexes below 0, on a pool of their own: first ones pay for imports, caches.

    Of a server that never answers, no more are tried than of an arm.
    """
    plan = shared.plan
    outcomes: list[Outcome] = []
    connections = ConnectionColumns((arm.label,))
    transport = open_arm(arm, shared, connections)
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


def _collections() -> int:
    return sum(generation["collections"] for generation in gc.get_stats())


@contextmanager
def _quiet_collector() -> Iterator[None]:
    """Keep what was made so far out of the garbage collector's way while measuring."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
