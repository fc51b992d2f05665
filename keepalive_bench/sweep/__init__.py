"""A run with a value of an option in each arm → what the values come to, and which is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.analysis.pairs import pair, typical_effect
from keepalive_bench.analysis.sweep import Sweep, SweptValue
from keepalive_bench.sweep.recommendation import recommend
from keepalive_bench.sweep.value_results import Case, rate, rate_ratio, rounds_of, value_result

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.analysis.arm_view import ArmView
    from keepalive_bench.results.run import Run
    from keepalive_bench.stats.intervals import Estimate
    from keepalive_bench.sweep.value_results import ValueResult


def sweep_of(run: Run, arms: Sequence[ArmSummary], views: Mapping[str, ArmView]) -> Sweep | None:
    """What a sweep comes to; `None` where a run is none."""
    experiment, decision_rule = run.plan.experiment, run.plan.decision_rule
    option = experiment.sweep
    if option is None:
        return None
    value_of = {arm.label: arm.value or 0 for arm in experiment.arms}
    ordered = sorted(arms, key=lambda arm: value_of[arm.label])
    tried = [value_result(run, arm, views[arm.label], value_of[arm.label]) for arm in ordered]
    rounds = {it.value: rounds_of(views[it.label]) for it in tried}

    def effect(one: ValueResult, other: ValueResult) -> Estimate:
        if option == "concurrency":
            return rate_ratio(rounds[one.value], rounds[other.value], decision_rule.confidence)
        pairs = pair(views[one.label], views[other.label])
        return typical_effect(pairs, run.plan).speedup

    case = Case(
        option=option,
        traffic=experiment.load.traffic,
        threads=experiment.concurrency,
        block=experiment.block,
        margin=decision_rule.margin,
    )
    return Sweep(
        option=option,
        traffic=experiment.load.traffic,
        values=tuple(
            SweptValue(
                arm=it.label,
                value=it.value,
                discarded=it.discarded,
                open_at_once=it.open_at_once,
                waited=it.waited,
                requests_per_second=rate(rounds[it.value], decision_rule.confidence),
            )
            for it in tried
        ),
        recommendation=recommend(tried, case, effect),
    )
