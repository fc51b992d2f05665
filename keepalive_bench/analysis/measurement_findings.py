"""What kab noticed of the measurement itself, and of what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.model.analysis import Finding
from keepalive_bench.units import duration, plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.model.analysis import ArmSummary
    from keepalive_bench.model.run import Run

CLIENT_BOUND_FROM = 0.5
"""Processor time ÷ wall time above which waiting for the client itself shows in latencies."""
_MOST = 0.5
_TICKS = 20
"""Ticks of the clock that a latency has to last at least, for its differences to be real."""
_REDIRECTS = range(300, 400)
_NOT_MODIFIED = 304
_OVERLOADED = (429, 503)


def measurement_findings(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    """Everything of that kind."""
    yield from _client_bound(run)
    yield from _coarse_clock(run, arms)
    yield from _garbage(run)
    for arm in arms:
        yield from _redirects(arm)
        yield from _overload(arm)


def _client_bound(run: Run) -> Iterator[Finding]:
    """At one request at a time the client's own work is known; several wait for one another."""
    course, concurrency = run.course, run.plan.experiment.concurrency
    if concurrency == 1 or not course.wall_s:
        return
    share = course.cpu_s / course.wall_s
    if share >= CLIENT_BOUND_FROM:
        yield Finding(
            code="client-bound",
            severity="warning",
            evidence={"cpu_s": course.cpu_s, "wall_s": course.wall_s, "share": share},
            text=f"kab's own process was busy for {share:.0%} of the time: with {concurrency} "
            "threads in one interpreter, much of these latencies is waiting for one another.",
            advice="Compare the arms, not the latencies; a lower --concurrency shows the server's.",
        )


def _coarse_clock(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    resolution_s = run.environment.clock_resolution_s
    fastest = min((arm.latency.min for arm in arms if arm.latency.min is not None), default=None)
    if fastest is not None and fastest < _TICKS * resolution_s:
        yield Finding(
            code="clock-too-coarse",
            severity="warning",
            evidence={"resolution_s": resolution_s, "fastest_s": fastest},
            text=f"The clock ticks every {duration(resolution_s)}, which is too coarse for "
            f"latencies of {duration(fastest)}.",
        )


def _garbage(run: Run) -> Iterator[Finding]:
    count = run.course.gc_collections
    if count:
        yield Finding(
            code="garbage-collected",
            severity="info",
            evidence={"collections": count},
            text=f"Python collected garbage while measuring ({plural(count, 'time')}), in the "
            "middle of some request.",
        )


def _redirects(arm: ArmSummary) -> Iterator[Finding]:
    answered = sum(arm.status_codes.values())
    count = sum(
        number
        for status, number in arm.status_codes.items()
        if status in _REDIRECTS and status != _NOT_MODIFIED
    )
    if count > _MOST * answered:
        yield Finding(
            code="redirects-measured",
            severity="warning",
            evidence={"arm": arm.label, "count": count, "answered": answered},
            text=f"{arm.label} measured redirects ({count:,} of {answered:,} answers), which kab "
            "doesn't follow.",
            advice="Give the URL that they lead to.",
        )


def _overload(arm: ArmSummary) -> Iterator[Finding]:
    count = sum(arm.status_codes.get(status, 0) for status in _OVERLOADED)
    if count:
        yield Finding(
            code="server-overloaded",
            severity="warning",
            evidence={"arm": arm.label, "count": count},
            text=f"The server turned {plural(count, 'request')} of {arm.label} away (429 or 503): "
            "it limits the rate, or is overloaded.",
            advice="Fewer --requests, or a lower --concurrency, stays below its limit.",
        )
