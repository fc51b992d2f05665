"""What a user demands of a run, held against it: met, missed or undecided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.analysis.required_requests import least_requests, least_to_bound
from keepalive_bench.requirements.decision import UPWARDS, WITH_ENOUGH, decide
from keepalive_bench.requirements.expression import parse
from keepalive_bench.requirements.lookup import NO_INTERVAL, evidence_of
from keepalive_bench.requirements.names import places, resolve
from keepalive_bench.units import plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from keepalive_bench.analysis import Checked, Requirement
    from keepalive_bench.analysis.arm_view import ArmView
    from keepalive_bench.plan.plan import Plan
    from keepalive_bench.requirements.lookup import Evidence
    from keepalive_bench.requirements.names import Subject
    from keepalive_bench.typed_json import Document

AT_LEAST = "at the least, more if neighbours resemble each other"


def requirements_of(plan: Plan, more: Iterable[str] = ()) -> tuple[Requirement, ...]:
    """The requirements of a plan, and some more; each text once.

    Raises:
        UsageError: one of them is none.
    """
    added = (more,) if isinstance(more, str) else more
    texts = dict.fromkeys((*plan.decision_rule.requirements, *added))
    among = tuple(places(plan.experiment.arms)) if texts else ()
    return tuple(parse(text, among) for text in texts)


def undecidable(plan: Plan) -> tuple[str, ...]:
    """A sentence for each requirement that the plan can't ever decide: how many requests could."""
    sentences = []
    for requirement in requirements_of(plan):
        subject = _subject(requirement, plan)
        metric = subject.metric
        if metric.basis == "verdict" and requirement.bound not in WITH_ENOUGH:
            continue
        least = _least(requirement, subject, plan)
        lacking = metric.lacks(plan.experiment) or (NO_INTERVAL if least is None else "")
        text = printable(requirement.text)
        if least is None or lacking:
            sentences.append(f"No number of requests can decide {text}: {lacking}.")
        elif least > plan.experiment.requests:
            planned = plural(plan.experiment.requests, "request")
            what = f"show that {text} is met" if subject.metric.percent else f"decide {text}"
            sentences.append(
                f"{planned} per arm can't {what}: it takes {least:,} at the least (-n)."
            )
    return tuple(sentences)


def _subject(requirement: Requirement, plan: Plan) -> Subject:
    subject = resolve(requirement.name, places(plan.experiment.arms))
    if subject is None:
        raise KeyError(requirement.name)
    return subject


def _least(requirement: Requirement, subject: Subject, plan: Plan) -> int | None:
    """Requests of an arm that could show that it's met. Of a quantile, fewer may show it isn't."""
    if not subject.metric.percent:
        return least_requests(subject.metric.basis, plan)
    return least_to_bound(subject.metric.percent, plan, above=requirement.operator in UPWARDS)


def check(
    requirement: Requirement, document: Document, plan: Plan, views: Mapping[str, ArmView]
) -> Checked:
    """Hold a requirement against a run.

    Args:
        requirement: one of this plan's arms.
        document: what the results file says of the run.
        plan: the run's.
        views: its arms, by label.
    """
    subject = _subject(requirement, plan)
    found = evidence_of(subject, document, plan.experiment)
    if subject.metric.percent and not found.lacking:
        view = views[subject.place.label]
        low, high = view.quantile_ends(subject.metric.percent)
        found = found._replace(low=low, high=high, one_sided=True)
        factor = view.interval_inflation
        too_few = _unbounded(requirement, subject.metric.percent, found, plan, factor)
    else:
        least = least_requests(subject.metric.basis, plan)
        enough = f" ({least:,} {AT_LEAST})" if least else ""
        too_few = f"too few requests bound it{enough}"
    return decide(requirement, subject, found, plan.decision_rule.confidence, too_few=too_few)


def _unbounded(
    requirement: Requirement, percent: int, found: Evidence, plan: Plan, factor: float
) -> str:
    """Which end of a quantile is unknown, if one is; of both, that which could show it's met."""
    above = found.high is None
    if above and found.low is None:
        above = requirement.operator in UPWARDS
    side = "above" if above else "below"
    factor = factor if plan.experiment.block_size == 1 else 1.0
    least = least_to_bound(percent, plan, above=above, factor=factor)
    how = "at the least, as alike as neighbours are here" if factor > 1 else AT_LEAST
    enough = f" ({least:,} {how})" if least else ""
    return f"too few requests bound it from {side}{enough}"
