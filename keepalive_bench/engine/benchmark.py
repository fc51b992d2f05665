"""From a plan to a run."""

from __future__ import annotations

import os
import platform
import ssl
import sys
import time
from contextlib import ExitStack, suppress
from datetime import datetime, timezone
from itertools import repeat
from math import inf
from statistics import fmean
from typing import TYPE_CHECKING

import keepalive_bench
from keepalive_bench.analysis.required_requests import PrecisionRule
from keepalive_bench.engine.interrupts import Interrupts
from keepalive_bench.engine.pacing import RunClock, pacing_of
from keepalive_bench.engine.process_runner import (
    ProcessRunner,
    RunCounters,
    new_tables,
    quiet_collector,
)
from keepalive_bench.engine.schedule import schedule, timed, until
from keepalive_bench.engine.system_monitor import SystemMonitor
from keepalive_bench.errors import UsageError
from keepalive_bench.net import urllib3_version
from keepalive_bench.net.arms import arm_context
from keepalive_bench.net.ports import port_range, ports_for
from keepalive_bench.net.resolver import resolver_wait_s
from keepalive_bench.plan.local_ports import checked_use
from keepalive_bench.results.measured import Environment, PoolCounters, RunInfo, WarmUp
from keepalive_bench.results.run import Run
from keepalive_bench.units import enumerated

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from keepalive_bench.engine.process_runner import Tables
    from keepalive_bench.engine.schedule import Blocks
    from keepalive_bench.plan.plan import Plan
    from keepalive_bench.results.columns import ExchangeColumns
    from keepalive_bench.results.exchange import Exchange
    from keepalive_bench.results.measured import LostProcess

_clock = time.perf_counter_ns


def benchmark(
    plan: Plan,
    on_exchange: Callable[[Exchange], None] | None = None,
    interrupts: Interrupts | None = None,
    on_warning: Callable[[str], None] | None = None,
) -> Run:
    """Carry out a plan: warm up, then send every arm's requests as scheduled.

    `on_exchange` is called after each measured exchange, for one at a time, from the thread that
    made it and outside of what is timed; what it takes is a pause between requests all the same.
    Of several processes it is called when they report, and connections have numbers of the
    process's own then.
    Ctrl-C doesn't raise from when the measuring begins: then this returns what was measured so far,
    and `run.run_info.interrupted` says so. `interrupts` take over at that moment; whoever hands
    them in gives back, once what is returned is safe.
    `on_warning` is told beforehand if this machine's local ports may not suffice. Where they don't,
    the run ends with what it has measured.

    Raises:
        UsageError: the file of trusted certificates can't be used, the plan's own rate uses up
            this machine's local ports, or the plan was read back without its secrets.
        KabError: one of several processes can't be started, or none could begin to measure.
        KeyboardInterrupt: Ctrl-C while warming up, when nothing is measured yet.
    """
    _refuse_withheld(plan)
    ports = ports_for(plan)
    warning = checked_use(plan.experiment, ports) if ports else None
    if warning is not None and on_warning is not None:
        on_warning(warning)
    measure = _in_this_process if plan.experiment.processes == 1 else _in_several
    with ExitStack() as own:
        if interrupts is None:
            interrupts = Interrupts()
            own.callback(interrupts.give_back)
        run = measure(plan, on_exchange, interrupts)
        run_info = run.run_info._replace(
            interrupted=run.run_info.interrupted or interrupts.drain(),
            free_ports=ports.ports if ports else None,
            port_held_s=ports.held_s if ports else None,
        )
        return run._replace(run_info=run_info)


def _refuse_withheld(plan: Plan) -> None:
    """A plan that was read back would ask for something else than the one that was carried out."""
    if plan.withheld:
        names = enumerated([f"--{name}" for name in plan.withheld])
        raise UsageError(
            f"This plan was read back, and secrets aren't stored: {names} must be set again. "
            "With dataclasses.replace, set them, and withheld to None."
        )


def describe_environment() -> Environment:
    """This machine and these versions; nothing that names the machine or its user."""
    try:
        ports = len(port_range())  # of IPv6, too
    except (OSError, ValueError):  # only Linux tells
        ports = None
    return Environment(
        kab=keepalive_bench.__version__,
        python=platform.python_version(),
        implementation=sys.implementation.name,
        urllib3=urllib3_version(),
        openssl=ssl.OPENSSL_VERSION,
        os=f"{platform.system()} {platform.release()}",
        machine=platform.machine(),
        cpu_count=os.cpu_count() or 1,
        clock_resolution_s=time.get_clock_info("perf_counter").resolution,
        ephemeral_ports=ports,
        resolver_wait_s=resolver_wait_s(),
    )


def _in_this_process(
    plan: Plan,
    on_exchange: Callable[[Exchange], None] | None,
    interrupts: Interrupts,
) -> Run:
    process_runner = ProcessRunner(plan, _clock)
    warmup = process_runner.warm_up()
    tables = exchanges, connections = new_tables(plan)

    def record(exchange: Exchange) -> None:
        exchanges.append(exchange)
        if on_exchange is not None:
            with suppress(MemoryError):  # it is measured, though it can't be shown
                on_exchange(exchange)

    interrupts.take_over()
    origin, started_at = _clock(), _now()
    blocks = _blocks(plan, exchanges, origin, repeat(0.0))
    counters = process_runner.measure(origin, blocks, record, connections, interrupts)
    return _run(plan, started_at, warmup, tables, counters)


def _in_several(
    plan: Plan,
    on_exchange: Callable[[Exchange], None] | None,
    interrupts: Interrupts,
) -> Run:
    # One process does without.
    from keepalive_bench.engine.processes.coordinator import Coordinator  # noqa: PLC0415
    from keepalive_bench.engine.processes.merging import merge  # noqa: PLC0415

    arm_context(plan, "", _clock)  # what can't be used is refused here, and once
    experiment = plan.experiment
    followed = None if experiment.precision is None else new_tables(plan).exchanges
    tables = new_tables(plan)
    with Coordinator(plan, on_exchange, followed) as coordinator:
        interrupts.take_over()
        system_monitor = SystemMonitor(1, coordinator.pids)
        with quiet_collector(), system_monitor:
            origin, started_at = _clock(), _now()
            blocks = _blocks(plan, followed, origin, coordinator.leads_s())
            interrupted = coordinator.run(blocks, origin, interrupts)
    merge(coordinator.parts, tables)
    parts = coordinator.counters.values()
    waits = [it.gil_wait_s for it in parts if it.gil_wait_s is not None]
    counters = RunCounters(
        pools={
            label: PoolCounters(*map(sum, zip(*(it.pools[label] for it in parts), strict=True)))
            for label in experiment.labels
        },
        reached=coordinator.reached,
        interrupted=interrupted,
        wall_s=coordinator.wall_s,
        cpu_s=sum(it.cpu_s for it in parts),
        gc_collections=sum(it.gc_collections for it in parts),
        gil_wait_s=fmean(waits) if waits else None,
        others=system_monitor.others,
    )
    warmup = _all_warmups(plan, coordinator.warmups.values())
    return _run(plan, started_at, warmup, tables, counters, tuple(coordinator.lost))


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


def _blocks(
    plan: Plan, exchanges: ExchangeColumns | None, origin: int, leads_s: Iterator[float]
) -> Blocks:
    """The schedule, up to the round in which time is over or enough is known."""
    experiment, blocks = plan.experiment, schedule(plan.experiment)
    now_s = RunClock(origin).now_s
    if experiment.may_end_early:
        ends_s = inf if experiment.duration_s is None else experiment.duration_s
        known = None if exchanges is None else PrecisionRule(plan, exchanges)
        blocks = until(blocks, lambda: now_s() >= ends_s or (known is not None and known.is_met()))
    return blocks if pacing_of(experiment) is None else timed(blocks, experiment, now_s, leads_s)


def _all_warmups(plan: Plan, warmups: Collection[dict[str, WarmUp]]) -> dict[str, WarmUp]:
    """What the warm-ups of all processes came to, by arm."""
    return {
        label: WarmUp(
            requests=sum(warmup[label].requests for warmup in warmups),
            connections=sum(warmup[label].connections for warmup in warmups),
            failures=tuple(it for warmup in warmups for it in warmup[label].failures),
        )
        for label in plan.experiment.labels
    }


def _run(
    plan: Plan,
    started_at: str,
    warmup: dict[str, WarmUp],
    tables: Tables,
    counters: RunCounters,
    lost: tuple[LostProcess, ...] = (),
) -> Run:
    least, most = counters.others or (None, None)
    return Run(
        plan=plan,
        environment=describe_environment(),
        run_info=RunInfo(
            started_at=started_at,
            wall_s=counters.wall_s,
            cpu_s=counters.cpu_s,
            gc_collections=counters.gc_collections,
            interrupted=counters.interrupted,
            requests=counters.reached if plan.experiment.may_end_early else None,
            gil_wait_s=counters.gil_wait_s,
            other_cpu_min=least,
            other_cpu_max=most,
            lost=lost,
        ),
        warmup=warmup,
        exchanges=tables.exchanges,
        connections=tables.connections,
        counters=counters.pools,
    )
