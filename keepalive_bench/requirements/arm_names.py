"""What each arm has names for."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.analysis.analysis import BOUNDED, REMAINDER
from keepalive_bench.connections.reason_kinds import REASON_KINDS
from keepalive_bench.plan.experiment import KINDS
from keepalive_bench.requirements.quantity import Evidence, Kind, exact, nothing
from keepalive_bench.results.exchange import PHASES, QUEUED
from keepalive_bench.results.failure_kinds import FAILURE_KINDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from keepalive_bench.analysis.analysis import ArmSummary
    from keepalive_bench.analysis.required_requests import Basis
    from keepalive_bench.plan.experiment import Experiment

REASONS = tuple(kind.code for kind in REASON_KINDS)
FAILURES = tuple(kind.code for kind in FAILURE_KINDS)
TOTALS = ("failed", "interrupted", "not_sent")
"""What by itself is about all arms together."""
_STATUSES = range(100, 1000)
NO_INTERVAL = "kab knows no interval of it"
_NOT_OPEN = "only requests of a --rate have a time to start at"
_GIVEN = "requests are started at a given --rate"
_PAUSED = "requests pause, and how many are possible isn't known"


class Member(NamedTuple):
    """One thing that every arm has."""

    kind: Kind
    read: Callable[[ArmSummary], Evidence]
    basis: Basis = "exact"
    words: tuple[str, ...] = ()
    lacks: Callable[[Experiment], str] = nothing
    """As that of a `Quantity`."""


def rate_lacks(experiment: Experiment) -> str:
    """Why no arm of an experiment has as many requests a second as were possible."""
    if experiment.load.is_open:
        return _GIVEN
    return _PAUSED if experiment.load.has_pauses else ""


def _start_lacks(experiment: Experiment) -> str:
    return "" if experiment.load.is_open else _NOT_OPEN


def _members() -> dict[str, Member]:
    """By path within the arm, as the results file has it."""
    return {
        "kind": Member("word", partial(_sent, field="kind"), words=KINDS),
        **{
            name: Member("count", partial(_sent, field=name))
            for name in ("requests", "succeeded", *TOTALS)
        },
        **{f"failures.{kind}": Member("count", partial(_failures, kind=kind)) for kind in FAILURES},
        "connections": Member("count", partial(_field, field="connections")),
        "requests_per_connection": Member(
            "number", partial(_field, field="requests_per_connection")
        ),
        "reuse": Member("share", partial(_field, field="reuse")),
        "reopened": Member("count", partial(_field, field="reopened")),
        "resumed": Member("count", partial(_field, field="resumed")),
        **{f"reasons.{code}": Member("count", partial(_reasons, code=code)) for code in REASONS},
        **{
            f"status_codes.{status}": Member("count", partial(_statuses, status=status))
            for status in _STATUSES
        },
        "bytes_received": Member("bytes", partial(_field, field="bytes_received")),
        "body_bytes.min": Member("bytes", partial(_body_bytes, end=0)),
        "body_bytes.max": Member("bytes", partial(_body_bytes, end=1)),
        "requests_per_second": Member("rate", rate, "mean", lacks=rate_lacks),
        "urllib3.num_connections": Member("count", partial(_counter, field="num_connections")),
        "urllib3.num_requests": Member("count", partial(_counter, field="num_requests")),
        **_times(),
    }


def _times() -> dict[str, Member]:
    latencies: dict[str, Basis] = {
        "mean": "mean",
        "stdev": "nothing",
        "min": "exact",
        "p50": "p50",
        "p90": "p90",
        "p95": "p95",
        "p99": "p99",
        "max": "exact",
    }
    members = {
        f"latency_s.{metric}": Member("seconds", partial(_latency, metric=metric), basis)
        for metric, basis in latencies.items()
    }
    members |= {
        f"uncorrected_{path}": Member(
            member.kind,
            partial(_uncorrected, metric=path.rpartition(".")[2]),
            "nothing",
            lacks=_start_lacks,
        )
        for path, member in members.items()
    }
    late: dict[str, Kind] = {"count": "count", "mean_s": "seconds", "max_s": "seconds"}
    for field, kind in late.items():
        read = partial(_late, field=field)
        members[f"late_starts.{field}"] = Member(kind, read, lacks=_start_lacks)
    for phase in (QUEUED, *PHASES, REMAINDER):
        place = f"phases_s.{phase}"
        members[f"{place}.count"] = Member("count", partial(_phase_count, phase=phase))
        for path in ("per_request", "when_happened.mean", "when_happened.p50", "when_happened.p95"):
            read = partial(_phase, phase=phase, field=path.rpartition(".")[2])
            members[f"{place}.{path}"] = Member("seconds", read, "nothing")
    return members


def _sent(arm: ArmSummary, *, field: str) -> Evidence:
    """What can be said of an arm though none of its requests was answered."""
    return exact(getattr(arm, field))


def _failures(arm: ArmSummary, *, kind: str) -> Evidence:
    return exact(arm.failure_kinds.get(kind, 0))


def _unanswered(arm: ArmSummary) -> str:
    """Why an arm shows nothing: no connection is reopened where none could be opened."""
    return "" if arm.succeeded else f"no request of {arm.label} was answered"


def _counted(arm: ArmSummary, value: float | None) -> Evidence:
    lacking = _unanswered(arm)
    return exact(None, lacking) if lacking else exact(value)


def _field(arm: ArmSummary, *, field: str) -> Evidence:
    return _counted(arm, getattr(arm, field))


def _reasons(arm: ArmSummary, *, code: str) -> Evidence:
    return _counted(arm, arm.reason_counts.get(code, 0))


def _statuses(arm: ArmSummary, *, status: int) -> Evidence:
    """Of all answers: those, too, that count as failed for their status."""
    lacking = "" if arm.status_codes else _unanswered(arm)
    return exact(None, lacking) if lacking else exact(arm.status_codes.get(status, 0))


def _body_bytes(arm: ArmSummary, *, end: int) -> Evidence:
    return _counted(arm, arm.body_sizes[end] if arm.body_sizes else None)


def _counter(arm: ArmSummary, *, field: str) -> Evidence:
    return _counted(arm, getattr(arm.counters, field))


def _latency(arm: ArmSummary, *, metric: str) -> Evidence:
    lacking = _unanswered(arm) or ("" if metric in {*BOUNDED, "min", "max"} else NO_INTERVAL)
    low, high = arm.latency_bounds.get(metric, (None, None))
    return Evidence(getattr(arm.latency, metric), low, high, lacking)


def _uncorrected(arm: ArmSummary, *, metric: str) -> Evidence:
    if arm.uncorrected is None:
        return exact(None, _NOT_OPEN)
    lacking = _unanswered(arm) or NO_INTERVAL
    return Evidence(getattr(arm.uncorrected, metric), lacking=lacking)


def _late(arm: ArmSummary, *, field: str) -> Evidence:
    if arm.late_starts is None:
        return exact(None, _NOT_OPEN)
    return exact(getattr(arm.late_starts, field), f"no request of {arm.label} was late")


def rate(arm: ArmSummary) -> Evidence:
    """Requests per second, as sure as the mean latency is.

    The time in which an arm runs is the sum of its latencies ÷ the threads, but for pauses; so the
    mean latency's interval, turned over, is the rate's. Where requests failed, theirs is missing.
    """
    mean, bounds = arm.latency.mean, arm.latency_bounds.get("mean")
    value, lacking = arm.requests_per_second, _unanswered(arm)
    if arm.failed and not lacking:
        lacking = f"{arm.label} has requests that failed, and their time is part of it"
    if value is None and not lacking:
        lacking = _PAUSED
    if arm.late_starts is not None and not lacking:
        lacking = _GIVEN
    if lacking or value is None or not mean or bounds is None or bounds[0] <= 0:
        return Evidence(value, lacking=lacking)
    return Evidence(value, value * mean / bounds[1], value * mean / bounds[0])


def _phase_count(arm: ArmSummary, *, phase: str) -> Evidence:
    return _counted(arm, arm.phases[phase].count)


def _phase(arm: ArmSummary, *, phase: str, field: str) -> Evidence:
    lacking = _unanswered(arm) or NO_INTERVAL
    return Evidence(getattr(arm.phases[phase], field), lacking=lacking)


ARM_MEMBERS = _members()
