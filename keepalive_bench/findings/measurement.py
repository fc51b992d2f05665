"""What kab noticed of the measurement itself: of its own process, and of the machine."""

from __future__ import annotations

from itertools import compress, repeat
from operator import sub
from statistics import median
from typing import TYPE_CHECKING

from keepalive_bench.findings import finding_kinds as kinds
from keepalive_bench.results.table import pick
from keepalive_bench.units import duration, plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from keepalive_bench.analysis import Finding
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.analysis.arm_view import ArmView
    from keepalive_bench.plan.experiment import Experiment
    from keepalive_bench.results.run import Run, RunInfo

CLIENT_BOUND_FROM = 0.5
"""Processor time ÷ wall time above which waiting for the client itself shows in latencies."""
_NOTABLE_WAIT = 0.1
"""Of the typical latency."""
_NOTABLY_LATE = 0.01
"""Of an arm's requests."""
_NOTABLY_OWN = 0.03
"""Of an arm's typical latency; what isn't seen (waiting for a processor) may be as much again."""
_TICKS = 20
"""Ticks of the clock that a latency has to last at least, for its differences to be real."""
_CHANGED = 0.25
_BUSY = 0.75


def measurement_findings(
    run: Run, views: Mapping[str, ArmView], arms: Sequence[ArmSummary]
) -> Iterator[Finding]:
    """Everything of that kind, for all arms."""
    yield from _client_bound(run, views, arms)
    resolution_s = run.environment.clock_resolution_s
    fastest_s = min((arm.latency.min for arm in arms if arm.latency.min is not None), default=None)
    if fastest_s is not None and fastest_s < _TICKS * resolution_s:
        yield kinds.CLOCK_TOO_COARSE.found(resolution_s=resolution_s, fastest_s=fastest_s)
    for arm in arms:
        yield from _late_starts(run, arm)
    yield from _load(run)
    if run.run_info.gc_collections:
        yield kinds.GARBAGE_COLLECTED.found(collections=run.run_info.gc_collections)


def _client_bound(
    run: Run, views: Mapping[str, ArmView], arms: Sequence[ArmSummary]
) -> Iterator[Finding]:
    """Where much of the latencies is kab's own work, or threads wait for one another."""
    run_info, experiment = run.run_info, run.plan.experiment
    typical = {arm.label: arm.latency.p50 for arm in arms if arm.latency.p50}
    if not typical or not run_info.wall_s:  # without an answer, there is no latency to speak of
        return
    share = run_info.cpu_s / run_info.wall_s / experiment.processes
    if experiment.threads == 1:
        if share >= CLIENT_BOUND_FROM:
            yield _own_work(run, share)
        return
    own = {label: own_s(run, views[label]) for label in typical}
    most = max(typical, key=lambda label: own[label] / typical[label])
    waits = _waits(run_info, min(typical.values()))
    if not (share >= CLIENT_BOUND_FROM or waits or own[most] >= _NOTABLY_OWN * typical[most]):
        return
    name = next(arm.name for arm in arms if arm.label == most)
    part, whole = duration(own[most]), duration(typical[most])
    yield kinds.CLIENT_BOUND.found(
        cpu_s=run_info.cpu_s,
        wall_s=run_info.wall_s,
        share=share,
        gil_wait_s=run_info.gil_wait_s,
        own_s=own[most],
        text=f"{_busy(share, experiment)}. Of {name}'s {whole} that is "
        f"{'all' if part == whole else part}.{waits}",
        advice=_less_contention(run),
    )


def _own_work(run: Run, share: float) -> Finding:
    """Of a thread that has an interpreter to itself: nothing waits, but work takes its time."""
    run_info = run.run_info
    each_s = run_info.cpu_s / len(run.exchanges)
    return kinds.CLIENT_BOUND.found(
        severity="info",
        cpu_s=run_info.cpu_s,
        wall_s=run_info.wall_s,
        share=share,
        own_s=each_s,
        text=f"kab's own process was busy for {share:.0%} of the time: about "
        f"{duration(each_s)} a request, of all arms on average, is "
        "its own work, and neither the server's nor the network's.",
        advice="A program in Python has the same; a quicker client would have shorter latencies.",
    )


def _busy(share: float, experiment: Experiment) -> str:
    processes = experiment.processes
    who = "own process was" if processes == 1 else f"own {processes:,} processes were each"
    busy = f"kab's {who} busy for {share:.0%} of the time: "
    if experiment.concurrency == 1:
        return f"{busy}part of these latencies is its work"
    return (
        f"{busy}with {experiment.concurrency:,} threads in one interpreter, part of these "
        "latencies is its work, and waiting for one another"
    )


def _waits(run_info: RunInfo, quickest_s: float) -> str:
    """How long a thread waits for its turn, where that shows in the quickest arm's latency."""
    wait_s = run_info.gil_wait_s or 0.0
    if wait_s < _NOTABLE_WAIT * quickest_s or (run_info.other_cpu_min or 0.0) >= _BUSY:
        return ""  # it may as well have waited for a processor, which is told apart
    typical = f"the quickest arm's typical latency is {duration(quickest_s)}."
    if wait_s >= quickest_s:  # those that are answered wait for less, or they would take longer
        return (
            f" A thread that had slept got its turn {duration(wait_s)} late, on average; {typical}"
        )
    return (
        f" After each wait for the network a thread waits {duration(wait_s)} more, on average, for "
        f"its turn; {typical}"
    )


def _less_contention(run: Run) -> str:
    experiment = run.plan.experiment
    comparing = "compare the arms, not the latencies." if len(experiment.arms) > 1 else ""
    if experiment.sweep is not None or experiment.processes >= run.environment.cpu_count:
        advice = "A lower --concurrency shows the server's"
    else:
        advice = "More --processes, with fewer threads each, take the interpreter's share away"
    return f"{advice}; otherwise {comparing}" if comparing else f"{advice}."


def _late_starts(run: Run, arm: ArmSummary) -> Iterator[Finding]:
    late, threads = arm.late_starts, run.plan.experiment.threads
    if late is None or late.mean_s is None or late.max_s is None:
        return
    if late.count < _NOTABLY_LATE * arm.sent:
        return
    yield kinds.LATE_STARTS.found(
        arm,
        count=late.count,
        mean_s=late.mean_s,
        max_s=late.max_s,
        text=f"{plural(late.count, 'request')} of {arm.name} ({late.count / arm.sent:.0%}) "
        f"started later than --rate says, by {duration(late.mean_s)} on average and "
        f"{duration(late.max_s)} at most: all threads ({threads}) were busy, or the machine was. "
        "Latencies count from when they were to start.",
    )


def _load(run: Run) -> Iterator[Finding]:
    """What other processes took; a server on the same machine is one of them."""
    run_info = run.run_info
    least, most = run_info.other_cpu_min, run_info.other_cpu_max
    if least is None or most is None:
        return
    whole_s = run_info.wall_s * run.environment.cpu_count
    own = min(1.0, run_info.cpu_s / whole_s) if whole_s else 0.0
    if least >= _BUSY:
        yield kinds.MACHINE_BUSY.found(
            least=least,
            most=most,
            text=f"Other processes kept at least {least:.0%} of this machine's processors busy: "
            "latencies are also of waiting for one.",
        )
    elif run.plan.experiment.threads > 1 and least + own >= _BUSY:
        yield kinds.MACHINE_BUSY.found(
            least=least,
            most=most,
            own=own,
            text=f"kab took {own:.0%} of this machine's processors, and other processes at least "
            f"{least:.0%}: latencies are also of waiting for one.",
            advice="Fewer requests at a time show the server's, or a machine with more processors."
            if own >= least
            else None,
        )
    elif most - least >= _CHANGED:
        paired = run.plan.experiment.is_paired or len(run.plan.experiment.arms) == 1
        yield kinds.LOAD_CHANGED.found(
            severity="info" if paired else "warning",
            advice=None if paired else "--order paired shares that between the arms.",
            least=least,
            most=most,
        )


_CLOSE = 2.0
"""Answers no further apart than so many times what each takes the client came together."""
_NEVER_IDLE = 0.9
"""Of a processor: an interpreter that is so busy has hardly a moment for the next request."""
_WATCHING = 0.002
"""Of a processor: what the thread takes that watches a measurement (`engine/system_monitor.py`)."""
_LEAST = 20
"""Of fewer requests, threads that start are much of the processor time."""


def own_s(run: Run, view: ArmView) -> float:
    """What a typical request of an arm owes to kab itself, in seconds; never more than it took.

    Its share of the processor time; and, of answers that ended one right behind the other, how long
    after the first of them. Those may have arrived together, and one interpreter takes them one by
    one. A thread that looks now and then how long it waits doesn't see that: threads that were
    answered together ask together, and are answered together again. None waited longer than it took
    longer than the quickest, which found the interpreter idle. One that never is idle decides all
    latencies: threads × work (J. D. C. Little, "A Proof for the Queuing Formula L = λW", Operations
    Research 9, 1961), however quick the server is.
    """
    exchanges, run_info, experiment = run.exchanges, run.run_info, run.plan.experiment
    answered, latencies = view.succeeded, view.latencies
    if len(latencies) < _LEAST:
        return 0.0
    work_s = max(0.0, run_info.cpu_s - _WATCHING * run_info.wall_s) / len(exchanges)
    if run_info.cpu_s >= _NEVER_IDLE * run_info.wall_s * experiment.processes:
        return float(median(latencies))
    quickest_s = min(latencies)
    works_s: Iterable[float] = repeat(work_s)
    if experiment.load.is_open or experiment.load.has_pauses:
        # Looking at the clock for a start takes time of the processor, and is in no latency.
        outside_s = map(sub, latencies, pick(exchanges.phases["wait"], answered))
        works_s = map(min, works_s, outside_s)
    own: float = median(
        min(own_s + min(waited_s, latency_s - quickest_s), latency_s)
        for own_s, waited_s, latency_s in zip(
            works_s, _waited(run, answered, work_s), latencies, strict=False
        )
    )
    return own


def _waited(run: Run, mask: bytes, work_s: float) -> Iterator[float]:
    """How long after the first of a row of close answers each one ended.

    A row is of one interpreter, and of one block: before a block, all threads have waited.
    """
    exchanges, processes = run.exchanges, run.plan.experiment.processes
    rows: dict[int, tuple[int, float, float]] = {}
    for index, number, began_s, latency_s in zip(
        compress(exchanges.index, mask),
        compress(exchanges.round, mask),
        compress(exchanges.began_s, mask),
        compress(exchanges.latency_s, mask),
        strict=True,
    ):
        end, process = began_s + latency_s, index % processes
        block, first, before = rows.get(process, (-1, end, end))
        if block != number or end - before > _CLOSE * work_s:
            first = end
        rows[process] = number, first, end
        yield max(0.0, end - first)
