"""What a user demands of a run, held against it: met, missed or undecided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.analysis.requirements.arm_names import NO_INTERVAL
from keepalive_bench.analysis.requirements.decision import WITH_ENOUGH, decide
from keepalive_bench.analysis.requirements.enough import least_requests
from keepalive_bench.analysis.requirements.expression import parse
from keepalive_bench.analysis.requirements.names import names
from keepalive_bench.units import plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keepalive_bench.model.analysis import Analysis
    from keepalive_bench.model.plan import Plan
    from keepalive_bench.model.requirement import Checked, Requirement


def requirements_of(plan: Plan, more: Iterable[str] = ()) -> tuple[Requirement, ...]:
    """The requirements of a plan, and some more; each text once.

    Raises:
        UsageError: one of them is none.
    """
    added = (more,) if isinstance(more, str) else more
    texts = dict.fromkeys((*plan.judgement.requirements, *added))
    named = names(plan.experiment.arms) if texts else {}
    return tuple(parse(text, named) for text in texts)


def undecidable(plan: Plan) -> tuple[str, ...]:
    """A sentence for each requirement that the plan can't ever decide: how many requests could."""
    sentences = []
    for requirement in requirements_of(plan):
        quantity = names(plan.experiment.arms)[requirement.name]
        if quantity.basis == "verdict" and requirement.bound not in WITH_ENOUGH:
            continue
        least = least_requests(quantity.basis, plan)
        lacking = quantity.lacks(plan.experiment) or (NO_INTERVAL if least is None else "")
        text = printable(requirement.text)
        if least is None or lacking:
            sentences.append(f"No number of requests can decide {text}: {lacking}.")
        elif least > plan.experiment.requests:
            planned = plural(plan.experiment.requests, "request")
            sentences.append(
                f"{planned} per arm can't decide {text}: it takes {least:,} at the least (-n)."
            )
    return tuple(sentences)


def check(requirement: Requirement, analysis: Analysis) -> Checked:
    """Hold a requirement against a run."""
    plan = analysis.plan
    quantity = names(plan.experiment.arms)[requirement.name]
    least = least_requests(quantity.basis, plan)
    enough = f" ({least:,} at the least, more if neighbours resemble each other)" if least else ""
    return decide(
        requirement,
        quantity,
        quantity.find(analysis),
        plan.judgement.confidence,
        too_few=f"too few requests bound it{enough}",
    )
