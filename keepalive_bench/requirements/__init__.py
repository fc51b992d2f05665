"""What a user demands of a run, held against it: met, missed or undecided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.analysis.required_requests import least_requests, least_to_bound
from keepalive_bench.errors import UsageError
from keepalive_bench.requirements.decision import UPWARDS, decide
from keepalive_bench.requirements.explanation import explaining
from keepalive_bench.requirements.expression import parse
from keepalive_bench.requirements.feasible import why_unmeetable
from keepalive_bench.requirements.lookup import evidence_of
from keepalive_bench.requirements.names import resolve, scopes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from keepalive_bench.analysis import Checked, Finding, Requirement
    from keepalive_bench.analysis.arm_view import ArmView
    from keepalive_bench.plan.plan import Plan
    from keepalive_bench.requirements.lookup import Evidence
    from keepalive_bench.requirements.names import Subject
    from keepalive_bench.typed_json import Document


def needing(least: int | None, how: str = ", more if latencies are autocorrelated") -> str:
    """How many requests an interval takes, as the end of a clause; empty: that isn't known."""
    return f" (needs at least {least:,}{how})" if least else ""


def requirements_of(plan: Plan, more: Iterable[str] = ()) -> tuple[Requirement, ...]:
    """The requirements of a plan, and some more; each text once.

    Raises:
        UsageError: one of them is none.
    """
    added = (more,) if isinstance(more, str) else more
    texts = dict.fromkeys((*plan.decision_rule.requirements, *added))
    among = tuple(scopes(plan.experiment.arms)) if texts else ()
    return tuple(parse(text, among) for text in texts)


def refuse_unmeetable(plan: Plan) -> None:
    """Refuse a plan with a requirement that no run of it can meet.

    Raises:
        UsageError: there is one; why, in a sentence.
    """
    for requirement in requirements_of(plan):
        why = why_unmeetable(requirement, _subject(requirement, plan), plan)
        if why:
            raise UsageError(why)


def _subject(requirement: Requirement, plan: Plan) -> Subject:
    subject = resolve(requirement.name, scopes(plan.experiment.arms))
    if subject is None:
        raise KeyError(requirement.name)
    return subject


def check(
    requirement: Requirement,
    document: Document,
    plan: Plan,
    views: Mapping[str, ArmView],
    findings: Iterable[Finding],
) -> Checked:
    """Hold a requirement against a run.

    Args:
        requirement: one of this plan's arms.
        document: what the results file says of the run.
        plan: the run's.
        views: its arms, by label.
        findings: what was noticed of it.
    """
    subject = _subject(requirement, plan)
    found = evidence_of(subject, document, plan.experiment)
    if subject.metric.percent and not found.lacking:
        view = views[subject.scope.label]
        low, high = view.quantile_ends(subject.metric.percent)
        found = found._replace(low=low, high=high, one_sided=True)
        factor = view.interval_inflation
        too_few = _unbounded(requirement, subject.metric.percent, found, plan, factor)
    else:
        least = least_requests(subject.metric.basis, plan)
        too_few = f"there are too few requests for its interval{needing(least)}"
    confidence = plan.decision_rule.confidence
    checked = decide(requirement, subject, found, confidence, too_few=too_few)
    if checked.status == "met":
        return checked
    return checked._replace(because=explaining(subject, found, document, findings))


def _unbounded(
    requirement: Requirement, percent: int, found: Evidence, plan: Plan, factor: float
) -> str:
    """Which end of a quantile is unknown, if one is; of both, that which could show it's met."""
    above = found.high is None
    if above and found.low is None:
        above = requirement.operator in UPWARDS
    side = "upper" if above else "lower"
    factor = factor if plan.experiment.block_size == 1 else 1.0
    least = least_to_bound(percent, plan, above=above, factor=factor)
    needed = needing(least, " with this autocorrelation") if factor > 1 else needing(least)
    return f"there are too few requests for its {side} bound{needed}"
