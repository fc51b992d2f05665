"""Analysis → what the results file says of it (docs/json-format.md is the contract)."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, TypeVar

from keepalive_bench.analysis.counted import shown
from keepalive_bench.analysis.metrics.arm import ARM_METRICS
from keepalive_bench.analysis.metrics.comparison import COMPARISON_METRICS
from keepalive_bench.analysis.metrics.run import SWEEP_METRICS
from keepalive_bench.analysis.sweep import RECOMMENDED
from keepalive_bench.results.table import NONE
from keepalive_bench.typed_json import Document, to_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keepalive_bench.analysis import Analysis, Checked
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.analysis.metrics import Metric
    from keepalive_bench.analysis.sweep import Sweep
    from keepalive_bench.typed_json import Document

S = TypeVar("S")


def derived_document(analysis: Analysis) -> Document:
    """Arms, comparisons, verdict and findings; and what is derived for each connection."""
    whole = demandable(analysis)
    return {
        **{name: whole[name] for name in ("arms", "comparisons", "verdict", "findings")},
        "requirements": [requirement_document(checked) for checked in analysis.requirements],
        **{name: whole[name] for name in ("sweep", "recommendation")},
        "connections": _reasons_of_connections(analysis),
    }


def demandable(analysis: Analysis) -> Document:
    """The parts of the document that a requirement can be about."""
    return {
        "run_info": to_json(analysis.run_info),
        "warmup": to_json(analysis.warmup),
        "arms": {arm.label: _arm(arm) for arm in analysis.arms},
        "comparisons": [tree(COMPARISON_METRICS, it) for it in analysis.comparisons],
        "verdict": analysis.verdict._asdict(),
        "findings": [finding._asdict() for finding in analysis.findings],
        "sweep": None if analysis.sweep is None else _sweep(analysis.sweep),
        "recommendation": _recommendation(analysis.sweep),
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
    answers = [{**answer._asdict(), "count": count} for answer, count in arm.answers.items()]
    counted = [to_json(shown(field)) for field in arm.counted]
    return {**tree(ARM_METRICS, arm), "answers": answers, "counted": counted}


def tree(metrics: Iterable[Metric[S]], source: S) -> Document:
    """What metrics come to, each at its path."""
    found: Document = {}
    leaves = [leaf for metric in metrics for leaf in metric.leaves(source)]
    leaves.sort(key=lambda leaf: not {"low", "high"}.isdisjoint(leaf[0]))  # intervals go last
    for (*groups, name), value in leaves:
        place: Document | None = found
        for group in groups:
            place = None if place is None else place.setdefault(group, {})
        if place is not None:
            place.setdefault(name, value)
    return found


def requirement_document(checked: Checked) -> Document:
    """A requirement, and how it stands."""
    return {
        **checked.requirement._asdict(),
        "status": checked.status,
        "value": checked.value,
        "low": checked.low,
        "high": checked.high,
        "sentence": checked.text,
        "because": [finding.code for finding in checked.because],
    }


def _sweep(sweep: Sweep) -> Document:
    return {
        "option": sweep.option,
        "traffic": sweep.traffic,
        "values": [tree(SWEEP_METRICS, value) for value in sweep.values],
    }


def _recommendation(sweep: Sweep | None) -> Document | None:
    if sweep is None:
        return None
    found = sweep.recommendation
    value = {name: found.value if sweep.option == name else None for name in RECOMMENDED}
    return {"code": found.code, **value, "at_least": found.at_least, "text": found.text}
