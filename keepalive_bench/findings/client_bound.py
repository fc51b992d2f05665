"""What of the latencies is client overhead: kab's work, or threads that wait for each other."""

from __future__ import annotations

from itertools import compress, repeat
from operator import sub
from statistics import median
from typing import TYPE_CHECKING

from keepalive_bench.findings.finding_kind import Case, FindingKind
from keepalive_bench.results.failure_kinds import Provoked
from keepalive_bench.results.table import pick
from keepalive_bench.units import duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from keepalive_bench.analysis import Finding
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.analysis.arm_view import ArmView
    from keepalive_bench.results.measured import RunInfo
    from keepalive_bench.results.run import Run

_CLIENT_BOUND_FROM = 0.5
"""Processor time ÷ wall time above which waiting for the client itself shows in latencies."""
BUSY = 0.75
"""Of all processors: what other processes take where a thread has to wait for one."""
_NOTABLE_WAIT = 0.1
"""Of the typical latency."""
_NOTABLY_OWN = 0.03
"""Of an arm's typical latency; what isn't seen (waiting for a processor) may be as much again."""
_CLOSE = 2.0
"""Answers no further apart than so many times what each takes the client came together."""
_NEVER_IDLE = 0.9
"""Of a processor: an interpreter that is so busy has hardly a moment for the next request."""
_WATCHING = 0.002
"""Of a processor: what the thread takes that watches a measurement (`engine/system_monitor.py`)."""
_LEAST = 20
"""Of fewer requests, threads that start are much of the processor time."""

CLIENT_BOUND = FindingKind(
    code="client-bound",
    title="Part of the latencies is client overhead",
    who="client",
    is_detail=True,
    evidence=("cpu_s", "wall_s", "share", "gil_wait_s", "own_s"),
    proof="With one request at a time, kab's process was busy for half of the time or more "
    "(`own_s`: processor time per request). With several, one of these holds: kab's own work, with "
    "responses that waited for one another, is 3 % or more of a typical latency (`own_s`); its "
    "processes were busy for half of the time or more; or its threads waited for Python's "
    "interpreter for a tenth of the latency or more.",
    text="kab itself takes {part} of the {typical_s} that a request of {slowed} typically takes: "
    "{one_process}{each_process} busy for {share:.0%} of the time{threads}."
    "{late_turn}{late_answer}",
    clauses={
        "one_process": "its process was",
        "each_process": "its {processes} processes were each",
        "threads": ", with {concurrency} threads that wait for each other in one interpreter",
        "late_turn": " A sleeping thread resumed {wait_s} late on average, and the fastest arm's "
        "typical latency is {quickest_s}.",
        "late_answer": " After each wait for the network, a thread waits {wait_s} more on average "
        "until it runs, and the fastest arm's typical latency is {quickest_s}.",
        "comparing": " Otherwise trust the comparison, not the latencies themselves.",
    },
    advice="Use more --processes, with fewer threads each.{comparing}",
    cases={
        "one request at a time": Case(
            severity="info",
            text="kab's process was busy for {share:.0%} of the time: {own_s} of processor time "
            "for each request, some of which is within the latencies.",
            advice="Other Python programs have similar overhead; a faster client would have "
            "shorter latencies.",
        ),
        "no processor left": Case(advice="Use a lower --concurrency.{comparing}"),
    },
    provoked=Provoked("URL -n 800 -c 8", ""),
)


def client_bound_findings(
    run: Run, views: Mapping[str, ArmView], arms: Sequence[ArmSummary]
) -> Iterator[Finding]:
    """Where much of the latencies is kab's own work, or threads wait for one another."""
    run_info, experiment = run.run_info, run.plan.experiment
    typical = {arm.label: arm.latency.p50 for arm in arms if arm.latency.p50}
    if not typical or not run_info.wall_s:  # without an answer, there is no latency to speak of
        return
    share = run_info.cpu_s / run_info.wall_s / experiment.processes
    if experiment.threads == 1:
        if share >= _CLIENT_BOUND_FROM:
            yield CLIENT_BOUND.found(
                cpu_s=run_info.cpu_s,
                wall_s=run_info.wall_s,
                share=share,
                own_s=run_info.cpu_s / len(run.exchanges),
                case="one request at a time",
            )
        return
    own = {label: own_s(run, views[label]) for label in typical}
    most = max(typical, key=lambda label: own[label] / typical[label])
    quickest_s = min(typical.values())
    waits = _waits(run_info, quickest_s)
    if not (share >= _CLIENT_BOUND_FROM or waits or own[most] >= _NOTABLY_OWN * typical[most]):
        return
    part, whole = duration(own[most]), duration(typical[most])
    yield CLIENT_BOUND.found(
        cpu_s=run_info.cpu_s,
        wall_s=run_info.wall_s,
        share=share,
        gil_wait_s=run_info.gil_wait_s,
        own_s=own[most],
        case=_no_processor_left(run),
        clauses=[
            "one_process" if experiment.processes == 1 else "each_process",
            *(["threads"] if experiment.concurrency > 1 else []),
            *waits,
            *(["comparing"] if len(experiment.arms) > 1 else []),
        ],
        words={
            "processes": experiment.processes,
            "concurrency": experiment.concurrency,
            "slowed": next(arm.name for arm in arms if arm.label == most),
            "typical_s": typical[most],
            "part": "all" if part == whole else f"about {part}",
            "wait_s": run_info.gil_wait_s or 0.0,
            "quickest_s": quickest_s,
        },
    )


def _waits(run_info: RunInfo, quickest_s: float) -> list[str]:
    """Whether a thread waits for its turn so long that the quickest arm's latency shows it."""
    wait_s = run_info.gil_wait_s or 0.0
    if wait_s < _NOTABLE_WAIT * quickest_s or (run_info.other_cpu_min or 0.0) >= BUSY:
        return []  # it may as well have waited for a processor, which is told apart
    # Those that are answered wait for less than all of it, or they would take longer.
    return ["late_turn" if wait_s >= quickest_s else "late_answer"]


def _no_processor_left(run: Run) -> str | None:
    experiment = run.plan.experiment
    is_full = experiment.sweep is not None or experiment.processes >= run.environment.cpu_count
    return "no processor left" if is_full else None


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
    answered, latencies = view.timed, view.latencies
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
