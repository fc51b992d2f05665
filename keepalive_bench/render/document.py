"""Analysis → what the results file says of it (docs/json-format.md is the contract)."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keepalive_bench.model.analysis import Analysis, ArmSummary, Comparison, PhaseTime

Document = dict[str, Any]


def derived_document(analysis: Analysis) -> Document:
    """Arms, comparisons, verdict and findings."""
    return {
        "arms": {arm.label: _arm(arm) for arm in analysis.arms},
        "comparisons": [_comparison(comparison) for comparison in analysis.comparisons],
        "verdict": analysis.verdict._asdict(),
        "findings": [asdict(finding) for finding in analysis.findings],
    }


def _arm(arm: ArmSummary) -> Document:
    failures: dict[str, int] = {}
    for failure, count in arm.failures.items():
        failures[failure.kind] = failures.get(failure.kind, 0) + count
    return {
        "kind": arm.kind,
        "requests": arm.requests,
        "succeeded": arm.succeeded,
        "failed": arm.failed,
        "not_sent": arm.not_sent,
        "failures": failures,
        "connections": arm.connections,
        "requests_per_connection": arm.requests_per_connection,
        "reuse": arm.reuse,
        "reopened": arm.reopened,
        "status_codes": {str(status): count for status, count in arm.status_codes.items()},
        "bytes_received": arm.bytes_received,
        "body_bytes": None
        if arm.body_sizes is None
        else {"min": arm.body_sizes[0], "max": arm.body_sizes[1]},
        "answers": [{**answer._asdict(), "count": count} for answer, count in arm.answers.items()],
        "requests_per_second": arm.requests_per_second,
        "urllib3": arm.counters._asdict(),
        "latency_s": arm.latency._asdict(),
        "phases_s": {name: _phase(phase) for name, phase in arm.phases.items()},
    }


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
        "speedup": comparison.speedup._asdict(),
        "saving_s": {metric: estimate._asdict() for metric, estimate in comparison.saving.items()},
    }
