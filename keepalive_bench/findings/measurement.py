"""What kab noticed of the measurement itself: of its own process, and of the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.findings.client_bound import BUSY, client_bound_findings
from keepalive_bench.findings.finding_kind import Case, FindingKind
from keepalive_bench.results.failure_kinds import Provoked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from keepalive_bench.analysis import Finding
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.analysis.arm_view import ArmView
    from keepalive_bench.results.run import Run

_NOTABLY_LATE = 0.01
"""Of an arm's requests."""
_TICKS = 20
"""Ticks of the clock that a latency has to last at least, for its differences to be real."""
_CHANGED = 0.25
_PROVOKED = Provoked(test="tests/findings/test_measurement.py")
_ALSO_WAITING = "so latencies include waiting for a processor."
_WITH_KAB = (
    "kab took {own:.0%} of this machine's processors, and other processes {least:.0%} even in the "
    f"calmest third of the run, {_ALSO_WAITING}"
)
_QUIETER = "Measure when the machine is quieter."

LATE_STARTS = FindingKind(
    code="late-starts",
    title="Requests of a `--rate` started late",
    who="client",
    evidence=("arm", "count", "mean_s", "max_s"),
    proof="1 % of the requests or more started 1 ms or more after they were to, because all "
    "threads were busy, or the machine was.",
    text="{count:request} of {arm} ({share:.0%}) started later than --rate says, by {mean_s} on "
    "average and {max_s} at most, because all threads ({threads!s}) or the machine were busy. "
    "Latencies count from the scheduled start.",
    advice="Use a higher --concurrency, or a lower --rate if the server can't answer that many.",
    provoked=Provoked("URL -n 20 --rate 40/s", "--delay 0.05"),
)
CLOCK_TOO_COARSE = FindingKind(
    code="clock-too-coarse",
    title="The clock is too coarse for such latencies",
    who="client",
    evidence=("resolution_s", "fastest_s"),
    text="The clock ticks every {resolution_s}, which is too coarse for latencies of {fastest_s}.",
    provoked=_PROVOKED,
)
GARBAGE_COLLECTED = FindingKind(
    code="garbage-collected",
    title="Python collected garbage during some requests",
    who="client",
    severity="info",
    is_detail=True,
    evidence=("collections",),
    text="Python collected garbage during some requests ({collections:time}).",
    provoked=_PROVOKED,
)
MACHINE_BUSY = FindingKind(
    code="machine-busy",
    title="This machine's processors were busy",
    who="client",
    evidence=("least", "most", "own"),
    proof="Other processes took three quarters or more of all processors, even in the calmest "
    "third of the run (Linux). With several requests at a time, kab's own share (`own`) counts, "
    "too.",
    text="Other processes kept {least:.0%} of this machine's processors busy even in the calmest "
    f"third of the run, {_ALSO_WAITING}",
    advice=_QUIETER,
    cases={
        "with kab itself": Case(text=_WITH_KAB),
        "kab itself most of all": Case(
            text=_WITH_KAB,
            advice="Use a lower --concurrency, or a machine with more processors.",
        ),
    },
    provoked=_PROVOKED,
)
LOAD_CHANGED = FindingKind(
    code="load-changed",
    title="The load of this machine changed",
    who="client",
    severity="info",
    is_detail=True,
    evidence=("least", "most"),
    proof="What other processes took of all processors differed by a quarter of them or more, "
    "between the calmest and the busiest third of the run (Linux).",
    text="The load of this machine changed during the run: other processes took between "
    "{least:.0%} and {most:.0%} of its processors.",
    advice=_QUIETER,
    cases={
        "one arm after the other": Case(
            severity="warning",
            advice="The arms ran one after the other, so that looks like a difference between "
            "them: --order paired makes them take turns.",
        )
    },
    provoked=_PROVOKED,
)


def measurement_findings(
    run: Run, views: Mapping[str, ArmView], arms: Sequence[ArmSummary]
) -> Iterator[Finding]:
    """Everything of that kind, for all arms."""
    yield from client_bound_findings(run, views, arms)
    resolution_s = run.environment.clock_resolution_s
    fastest_s = min((arm.latency.min for arm in arms if arm.latency.min is not None), default=None)
    if fastest_s is not None and fastest_s < _TICKS * resolution_s:
        yield CLOCK_TOO_COARSE.found(resolution_s=resolution_s, fastest_s=fastest_s)
    for arm in arms:
        yield from _late_starts(run, arm)
    yield from _load(run)
    if run.run_info.gc_collections:
        yield GARBAGE_COLLECTED.found(collections=run.run_info.gc_collections)


def _late_starts(run: Run, arm: ArmSummary) -> Iterator[Finding]:
    late, threads = arm.late_starts, run.plan.experiment.threads
    if late is None or late.mean_s is None or late.max_s is None:
        return
    if late.count < _NOTABLY_LATE * arm.sent:
        return
    yield LATE_STARTS.found(
        arm,
        count=late.count,
        mean_s=late.mean_s,
        max_s=late.max_s,
        words={"share": late.count / arm.sent, "threads": threads},
    )


def _load(run: Run) -> Iterator[Finding]:
    """What other processes took; a server on the same machine is one of them."""
    run_info = run.run_info
    least, most = run_info.other_cpu_min, run_info.other_cpu_max
    if least is None or most is None:
        return
    whole_s = run_info.wall_s * run.environment.cpu_count
    own = min(1.0, run_info.cpu_s / whole_s) if whole_s else 0.0
    if least >= BUSY:
        yield MACHINE_BUSY.found(least=least, most=most)
    elif run.plan.experiment.threads > 1 and least + own >= BUSY:
        yield MACHINE_BUSY.found(
            least=least,
            most=most,
            own=own,
            case="kab itself most of all" if own >= least else "with kab itself",
        )
    elif most - least >= _CHANGED:
        paired = run.plan.experiment.is_paired or len(run.plan.experiment.arms) == 1
        yield LOAD_CHANGED.found(
            least=least, most=most, case=None if paired else "one arm after the other"
        )
