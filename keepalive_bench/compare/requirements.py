"""What a requirement on a change can be about (docs/compare.md lists it), and how one stands.

Each name of an arm that is counted, or has an interval, and the speed-up; with `.change` behind it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from keepalive_bench.analysis.metrics.run import TOTALS
from keepalive_bench.analysis.required_requests import least_requests
from keepalive_bench.compare.change import (
    ESTIMATED,
    RATIOS,
    figure_change,
    is_counted,
    number_change,
)
from keepalive_bench.compare.verdict import CODES
from keepalive_bench.requirements import needing
from keepalive_bench.requirements.decision import decide
from keepalive_bench.requirements.explanation import explaining
from keepalive_bench.requirements.lookup import Evidence, evidence_of
from keepalive_bench.requirements.names import resolve, scopes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.analysis import Checked, Requirement
    from keepalive_bench.analysis.metrics import Unit
    from keepalive_bench.compare.change import Change, FigureChange
    from keepalive_bench.plan.arms import Arm
    from keepalive_bench.requirements.names import AnyMetric, Scope, Subject


def change_scopes(arms: tuple[Arm, ...]) -> Iterator[Scope]:
    """Everything that runs of these arms have a name for."""
    for scope in scopes(arms):
        if not scope.part:
            verdict = next(it for it in scope.metrics if it.basis == "verdict")
            words = replace(verdict, words=CODES, meaning="[The verdict](#the-verdict), in a word")
            yield replace(scope, metrics=(words,))
        changes = (
            replace(it, unit=_unit(it), is_signed=True)
            for it in scope.metrics
            if _has_change(scope, it)
        )
        yield replace(scope, metrics=tuple(changes), suffix=".change")


def _unit(metric: AnyMetric) -> Unit:
    """What its change is in: new − base of what is counted, and new ÷ base − 1 of all else."""
    if metric.basis != "exact":
        return "change"
    return "points" if metric.unit == "share" else metric.unit


def _has_change(place: Scope, metric: AnyMetric) -> bool:
    if place.part == "arms":
        return is_counted(metric) or metric in ESTIMATED
    is_recommended = metric.path.startswith("recommendation.") and metric.unit == "count"
    is_total = not place.part and metric.path in TOTALS
    return is_total or is_recommended or metric.path in RATIOS


def check_change(requirement: Requirement, change: Change, among: Sequence[Scope]) -> Checked:
    """Hold a requirement against what changed; it is about one of these places."""
    subject = resolve(requirement.name, among)
    if subject is None:
        raise KeyError(requirement.name)
    least = least_requests(subject.metric.basis, change.new.analysis.plan)
    found, new = _find_change(subject, change), change.new
    checked = decide(
        requirement,
        subject,
        found,
        change.decision_rule.confidence,
        too_few=f"one of the runs has too few requests for its interval{needing(least)}",
    )
    if checked.status == "met" or change.incomparable is not None:
        return checked
    because = explaining(subject, found, new.document, new.analysis.findings)
    return checked._replace(because=because)


def _find_change(subject: Subject, change: Change) -> Evidence:
    """What the runs say of something."""
    metric, place = subject.metric, subject.scope
    if metric.basis == "verdict":
        return Evidence(change.verdict.code)
    is_recommended = metric.path.startswith("recommendation.")
    if change.incomparable is not None and not (is_recommended and change.forced):
        return Evidence(None, lacking=change.incomparable)
    if is_recommended:
        return _recommended(metric.path.rpartition(".")[2], change)
    if place.part == "comparisons":
        return _ratio(metric.path, place.label, change)
    if place.part == "arms" and all(arm.label != place.label for arm in change.arms):
        return Evidence(None, lacking=f"one of the runs has no arm {place.label}")
    return _changed(subject, change)


def _recommended(option: str, change: Change) -> Evidence:
    found = change.recommendation
    if found is None or found.option != option:
        return Evidence(None, lacking=f"the runs aren't sweeps over {option}")
    if found.base is None or found.new is None:
        return Evidence(None, lacking="one of the sweeps recommends nothing")
    sweeps = (it.analysis.sweep for it in (*change.bases, change.new))
    *earlier, later = (it.recommendation.at_least or 0 for it in sweeps if it is not None)
    low, high = later - found.base, found.new - max(earlier)
    return Evidence(found.change, low, high, lacking="a smaller value may be enough in either run")


def _ratio(path: str, against: str, change: Change) -> Evidence:
    for it in change.comparisons:
        if it.against == against:
            found: FigureChange = getattr(it, path)
            return Evidence(*found[2:])
    return Evidence(None, lacking=f"one of the runs has no comparison with {against}")


def _changed(subject: Subject, change: Change) -> Evidence:
    """Of what is counted, new − base; of all else, new ÷ base − 1."""
    runs = (*change.bases, change.new)
    *earlier, later = (
        evidence_of(subject, it.document, it.analysis.plan.experiment) for it in runs
    )
    if subject.metric.basis != "exact":
        figure = figure_change(earlier, later, change.decision_rule.confidence)
        return Evidence(*figure[2:], lacking=_lacking(earlier, later))
    arm = next((it for it in change.arms if it.label == subject.scope.label), None)
    arms = (None,) * len(runs) if arm is None else (*arm.bases, arm.new)
    *before, after = (
        (None if isinstance(it.value, str) else it.value, of)
        for it, of in zip((*earlier, later), arms, strict=True)
    )
    found = number_change(subject.metric, before, after).change
    lacking = next((it.lacking for it in (*earlier, later) if it.lacking), "")
    more = (
        (code, count - max(it.why.get(code, 0) for it in earlier))
        for code, count in later.why.items()
    )
    why = {code: count for code, count in more if count > 0}
    return Evidence(found, lacking="" if found is not None else lacking, why=why)


def _lacking(earlier: Sequence[Evidence], later: Evidence) -> str:
    """Why one of the runs has no number, or no interval; empty: all have, as far as is known."""
    before = next((it.lacking for it in earlier if it.lacking), "")
    told = (("BASE", before), ("NEW", later.lacking))
    return "; ".join(f"in {name}, {why}" for name, why in told if why)
