"""What a user demands of a run, held against it: met, missed or undecided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.analysis.required_requests import least_requests, least_to_bound
from keepalive_bench.requirements.arm_names import NO_INTERVAL
from keepalive_bench.requirements.decision import UPWARDS, WITH_ENOUGH, decide
from keepalive_bench.requirements.expression import parse
from keepalive_bench.requirements.names import names
from keepalive_bench.units import plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from keepalive_bench.analysis.analysis import Analysis, Checked, Requirement
    from keepalive_bench.analysis.arm_view import ArmView
    from keepalive_bench.plan.plan import Plan
    from keepalive_bench.requirements.quantity import Evidence, Quantity

_AT_LEAST = "at the least, more if neighbours resemble each other"


def requirements_of(plan: Plan, more: Iterable[str] = ()) -> tuple[Requirement, ...]:
    """The requirements of a plan, and some more; each text once.

    Raises:
        UsageError: one of them is none.
    """
    added = (more,) if isinstance(more, str) else more
    texts = dict.fromkeys((*plan.decision_rule.requirements, *added))
    named = names(plan.experiment.arms) if texts else {}
    return tuple(parse(text, named) for text in texts)


def undecidable(plan: Plan) -> tuple[str, ...]:
    """A sentence for each requirement that the plan can't ever decide: how many requests could."""
    sentences = []
    for requirement in requirements_of(plan):
        quantity = names(plan.experiment.arms)[requirement.name]
        if quantity.basis == "verdict" and requirement.bound not in WITH_ENOUGH:
            continue
        least = _least(requirement, quantity, plan)
        lacking = quantity.lacks(plan.experiment) or (NO_INTERVAL if least is None else "")
        text = printable(requirement.text)
        if least is None or lacking:
            sentences.append(f"No number of requests can decide {text}: {lacking}.")
        elif least > plan.experiment.requests:
            planned = plural(plan.experiment.requests, "request")
            what = f"show that {text} is met" if quantity.ends else f"decide {text}"
            sentences.append(
                f"{planned} per arm can't {what}: it takes {least:,} at the least (-n)."
            )
    return tuple(sentences)


def _least(requirement: Requirement, quantity: Quantity, plan: Plan) -> int | None:
    """Requests of an arm that could show that it's met. Of a quantile, fewer may show it isn't."""
    if quantity.ends is None:
        return least_requests(quantity.basis, plan)
    return least_to_bound(quantity.percent, plan, above=requirement.operator in UPWARDS)


def check(requirement: Requirement, analysis: Analysis, views: Mapping[str, ArmView]) -> Checked:
    """Hold a requirement against a run."""
    plan = analysis.plan
    quantity = names(plan.experiment.arms)[requirement.name]
    found = quantity.find(analysis)
    if quantity.ends is not None and not found.lacking:
        low, high = quantity.ends(views)
        found = found._replace(low=low, high=high, one_sided=True)
        too_few = _unbounded(requirement, quantity, found, analysis)
    else:
        least = least_requests(quantity.basis, plan)
        enough = f" ({least:,} {_AT_LEAST})" if least else ""
        too_few = f"too few requests bound it{enough}"
    return decide(requirement, quantity, found, plan.decision_rule.confidence, too_few=too_few)


def _unbounded(
    requirement: Requirement, quantity: Quantity, found: Evidence, analysis: Analysis
) -> str:
    """Which end of a quantile is unknown, if one is; of both, that which could show it's met."""
    above = found.high is None
    if above and found.low is None:
        above = requirement.operator in UPWARDS
    plan, percent, side = analysis.plan, quantity.percent, "above" if above else "below"
    arm = next(it for it in analysis.arms if quantity.name.startswith(f"arms.{it.label}.latency_s"))
    factor = arm.interval_inflation if plan.experiment.block_size == 1 else 1.0
    least = least_to_bound(percent, plan, above=above, factor=factor)
    how = "at the least, as alike as neighbours are here" if factor > 1 else _AT_LEAST
    enough = f" ({least:,} {how})" if least else ""
    return f"too few requests bound it from {side}{enough}"
