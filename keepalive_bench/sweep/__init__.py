"""A run with a value of an option in each arm → what the values come to, and which is needed."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from keepalive_bench.analysis.effects import typical_effect
from keepalive_bench.analysis.pairs import pair
from keepalive_bench.analysis.sweep import Sweep
from keepalive_bench.sweep.criteria import Criteria
from keepalive_bench.sweep.recommendation import recommend
from keepalive_bench.sweep.value_results import rate_ratio, rounds_of, swept_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.analysis.arm_view import ArmView
    from keepalive_bench.results.run import Run
    from keepalive_bench.stats.intervals import Estimate


def sweep_of(run: Run, arms: Sequence[ArmSummary], views: Mapping[str, ArmView]) -> Sweep | None:
    """What a sweep comes to; `None` where a run is none."""
    experiment, decision_rule = run.plan.experiment, run.plan.decision_rule
    option, traffic = experiment.sweep, experiment.load.traffic
    if option is None:
        return None
    value_of = {arm.label: arm.value or 0 for arm in experiment.arms}
    rounds = {label: rounds_of(view) for label, view in views.items()}
    values = tuple(
        swept_value(run, arm, views[arm.label], value_of[arm.label], rounds[arm.label])
        for arm in sorted(arms, key=lambda arm: value_of[arm.label])
    )

    @cache
    def effect(one: str, other: str, confidence: float) -> Estimate:
        if option == "concurrency":
            return rate_ratio(rounds[one], rounds[other], confidence)
        judged = replace(run.plan, decision_rule=replace(decision_rule, confidence=confidence))
        return typical_effect(pair(views[one], views[other]), judged, reusing=False).speedup

    criteria = Criteria(
        option=option,
        traffic=traffic,
        threads=experiment.concurrency,
        block=experiment.block,
        margin=decision_rule.margin,
        confidence=decision_rule.confidence,
        effect=lambda one, other, confidence: effect(one.arm, other.arm, confidence),
    )
    return Sweep(option, traffic, values, recommend(values, criteria))
