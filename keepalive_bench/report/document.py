"""Analysis → what the results file says of it (docs/json-format.md is the contract)."""

from __future__ import annotations

from array import array
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from keepalive_bench.analysis.analysis import BOUNDED, Latency
from keepalive_bench.analysis.reasons import NONE
from keepalive_bench.sweep.sweep import RECOMMENDED

if TYPE_CHECKING:
    from keepalive_bench.analysis.analysis import (
        Analysis,
        ArmSummary,
        Comparison,
        Explanation,
        PhaseTime,
    )
    from keepalive_bench.requirements.requirement import Checked
    from keepalive_bench.sweep.sweep import Sweep

Document = dict[str, Any]
_NO_SCHEDULE = {"count": None, "mean_s": None, "max_s": None}
"""Nothing can start late where nothing says when it is to start."""


def derived_document(analysis: Analysis) -> Document:
    """Arms, comparisons, verdict and findings; and what is derived for each connection."""
    return {
        "arms": {arm.label: _arm(arm) for arm in analysis.arms},
        "comparisons": [_comparison(comparison) for comparison in analysis.comparisons],
        "verdict": analysis.verdict._asdict(),
        "findings": [asdict(finding) for finding in analysis.findings],
        "requirements": [requirement_document(checked) for checked in analysis.requirements],
        "sweep": None if analysis.sweep is None else _sweep(analysis.sweep),
        "recommendation": _recommendation(analysis.sweep),
        "connections": _reasons_of_connections(analysis),
    }


def _reasons_of_connections(analysis: Analysis) -> Document:
    """What to add to the raw connections: the reason of each, and which one it replaced."""
    codes = sorted({code for arm in analysis.arms for code in arm.reasons.codes})
    numbers = {code: number for number, code in enumerate(codes)}
    count = sum(len(arm.reasons) for arm in analysis.arms)
    reason, previous = array("h", [NONE]) * count, array("i", [NONE]) * count
    for arm in analysis.arms:
        reasons = arm.reasons
        as_here = [numbers[code] for code in reasons.codes]
        for row in reasons:
            reason[row] = as_here[reasons.column[row]]
            previous[row] = reasons.previous[row]
    return {"reasons": codes, "columns": {"reason": reason, "previous": previous}}


def _arm(arm: ArmSummary) -> Document:
    return {
        "kind": arm.kind,
        "requests": arm.requests,
        "succeeded": arm.succeeded,
        "failed": arm.failed,
        "interrupted": arm.interrupted,
        "not_sent": arm.not_sent,
        "failures": arm.failure_kinds,
        "connections": arm.connections,
        "requests_per_connection": arm.requests_per_connection,
        "reuse": arm.reuse,
        "reopened": arm.reopened,
        "resumed": arm.resumed,
        "reasons": arm.reason_counts,
        "status_codes": {str(status): count for status, count in arm.status_codes.items()},
        "bytes_received": arm.bytes_received,
        "body_bytes": None
        if arm.body_sizes is None
        else {"min": arm.body_sizes[0], "max": arm.body_sizes[1]},
        "answers": [{**answer._asdict(), "count": count} for answer, count in arm.answers.items()],
        "requests_per_second": arm.requests_per_second,
        "urllib3": arm.counters._asdict(),
        "latency_s": {
            **arm.latency._asdict(),
            "low": {name: _bound(arm, name, 0) for name in BOUNDED},
            "high": {name: _bound(arm, name, 1) for name in BOUNDED},
        },
        "uncorrected_latency_s": (arm.uncorrected or Latency())._asdict(),
        "late_starts": asdict(arm.late_starts) if arm.late_starts else _NO_SCHEDULE,
        "phases_s": {name: _phase(phase) for name, phase in arm.phases.items()},
    }


def _bound(arm: ArmSummary, metric: str, side: int) -> float | None:
    bounds = arm.latency_bounds.get(metric)
    return None if bounds is None else bounds[side]


def _phase(phase: PhaseTime) -> Document:
    return {
        "per_request": phase.per_request,
        "count": phase.count,
        "when_happened": {"mean": phase.mean, "p50": phase.p50, "p95": phase.p95},
    }


def _comparison(comparison: Comparison) -> Document:
    return {
        "arm": comparison.arm,
        "against": comparison.against,
        "pairs": comparison.pairs,
        "left_out": comparison.left_out,
        "speedup": comparison.speedup._asdict(),
        "requests_per_second": comparison.throughput._asdict(),
        "correlation": comparison.correlation,
        "interval_inflation": comparison.interval_inflation,
        "saving_s": {metric: estimate._asdict() for metric, estimate in comparison.saving.items()},
        "explained": _explanation(comparison.explanation),
    }


def requirement_document(checked: Checked) -> Document:
    """A requirement, and how it stands."""
    return {
        **checked.requirement._asdict(),
        "status": checked.status,
        "value": checked.value,
        "low": checked.low,
        "high": checked.high,
        "sentence": checked.text,
    }


def _sweep(sweep: Sweep) -> Document:
    return {
        "option": sweep.option,
        "traffic": sweep.traffic,
        "values": [
            {**value._asdict(), "requests_per_second": value.requests_per_second._asdict()}
            for value in sweep.values
        ],
    }


def _recommendation(sweep: Sweep | None) -> Document | None:
    if sweep is None:
        return None
    found = sweep.recommendation
    value = {name: found.value if sweep.option == name else None for name in RECOMMENDED}
    return {"code": found.code, **value, "text": found.text}


def _explanation(explanation: Explanation | None) -> Document | None:
    if explanation is None:
        return None
    return {
        "parts_s": explanation.parts,
        "per_1000_requests_s": 1000 * sum(explanation.parts.values()),
        "tls": explanation.tls,
        "round_trip_s": explanation.round_trip,
        "round_trips": {
            name: found._asdict() if (found := explanation.round_trips.get(name)) else None
            for name in ("connect", "tunnel", "tls")
        },
    }
