"""What no run of a plan can meet: told before anything is sent, as nothing will come of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.analysis.required_requests import least_requests, least_to_bound
from keepalive_bench.requirements.bounds import shown
from keepalive_bench.requirements.decision import UPWARDS, WITH_ENOUGH
from keepalive_bench.requirements.lookup import NO_INTERVAL
from keepalive_bench.units import plural, printable

if TYPE_CHECKING:
    from keepalive_bench.analysis import Requirement
    from keepalive_bench.plan.plan import Plan
    from keepalive_bench.requirements.names import Subject


def why_unmeetable(requirement: Requirement, subject: Subject, plan: Plan) -> str:
    """Why no run of a plan can meet a requirement, as a sentence; empty: some run could."""
    metric, experiment = subject.metric, plan.experiment
    text = printable(requirement.text)
    if metric.basis == "verdict":
        is_bounded = requirement.operator == "==" and requirement.bound in WITH_ENOUGH
    else:
        is_bounded = metric.basis not in {"exact", "nothing"}
    lacking = metric.lacks(experiment) or (NO_INTERVAL if metric.basis == "nothing" else "")
    lacking = lacking or _out_of_span(requirement, subject, plan)
    if lacking:
        return f"No run of this plan can meet {text}: {lacking}."
    if not is_bounded:
        return ""
    least = (
        least_to_bound(metric.percent, plan, above=requirement.operator in UPWARDS)
        if metric.percent
        else least_requests(metric.basis, plan)
    )
    if least is None:
        return f"No run of this plan can meet {text}: {NO_INTERVAL}."
    if least <= experiment.requests:
        return ""
    planned = plural(experiment.requests, "request")
    return f"{planned} per arm can't show that {text} is met: use -n {least} or more."


def _out_of_span(requirement: Requirement, subject: Subject, plan: Plan) -> str:
    """What the subject always is, at most or at least, where that rules the bound out."""
    metric, bound = subject.metric, requirement.bound
    if isinstance(bound, str):
        return _other_words(requirement, subject, plan)
    low, high = metric.spans(plan.experiment, subject.scope.label)
    low = low if metric.is_signed else max(low, 0.0)
    high = min(high, 1.0) if metric.unit == "share" else high
    can_meet = {
        "==": low <= bound <= high,
        "!=": not low == high == bound,
        "<": low < bound,
        "<=": low <= bound,
        ">": high > bound,
        ">=": high >= bound,
    }
    if can_meet[requirement.operator]:
        return ""
    spoken, lowest, highest = subject.spoken, shown(low, metric.unit), shown(high, metric.unit)
    if low == high:
        return f"{spoken} is always {lowest}"
    is_above = requirement.operator in UPWARDS or (requirement.operator == "==" and bound < low)
    return f"{spoken} is at least {lowest}" if is_above else f"{spoken} is at most {highest}"


def _other_words(requirement: Requirement, subject: Subject, plan: Plan) -> str:
    """What the subject always is, where that rules the word out."""
    metric, bound = subject.metric, requirement.bound
    if metric.words_of is None:
        return ""
    can_be = metric.words_of(plan.experiment, subject.scope.label)
    can_meet = bound in can_be if requirement.operator == "==" else {bound} != {*can_be}
    return "" if can_meet else f"{subject.spoken} is always {' or '.join(can_be)}"
