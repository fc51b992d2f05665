"""The first-named arm against another."""

from __future__ import annotations

from array import array
from math import exp, log, sqrt
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.analysis.analysis import Comparison
from keepalive_bench.analysis.explanation import explain
from keepalive_bench.analysis.latencies import Latencies
from keepalive_bench.analysis.pairs import pair
from keepalive_bench.analysis.savings import mean_saving, quantile_savings
from keepalive_bench.stats import stats
from keepalive_bench.stats.dependence import (
    dependence,
    first_order_inefficiency,
    interval_inflation,
)
from keepalive_bench.stats.intervals import Estimate, ratio_interval, signed_rank_interval, widened

if TYPE_CHECKING:
    from keepalive_bench.analysis.analysis import ArmSummary
    from keepalive_bench.analysis.pairs import Pairs
    from keepalive_bench.plan.plan import Plan
    from keepalive_bench.results.run import Run

_MOST_FAILED = 0.05
_LARGEST_LOG = 690.0
"""Of a ratio: 1e300 is near what a number can be."""


def compare(run: Run, arm: ArmSummary, against: ArmSummary) -> Comparison:
    """How many times faster an arm is than another, and what it saves.

    All intervals are widened where the pairs' log ratios are autocorrelated: noise that lasts from
    one pair to the next, in one arm, makes plain ones too narrow.
    """
    plan = run.plan
    pairs = pair(run.exchanges, plan.experiment, arm.label, against.label)
    effect = typical_effect(pairs, plan)
    own, other = (
        Latencies(it.label, it.latency, it.latency_bounds, it.interval_inflation)
        for it in (arm, against)
    )
    return Comparison(
        arm=arm.label,
        against=against.label,
        pairs=pairs.number,
        left_out=pairs.left_out,
        speedup=effect.speedup,
        throughput=_throughput(
            arm, against, pairs, plan.decision_rule.confidence, effect.interval_inflation
        ),
        correlation=effect.correlation,
        interval_inflation=effect.interval_inflation,
        saving={
            "mean": mean_saving(run, pairs, effect.interval_inflation),
            **quantile_savings(run, own, other, pairs, effect.interval_inflation),
        },
        explanation=explain(run, (arm, against), pairs),
    )


class Effect(NamedTuple):
    """How many times faster an arm is, typically; and how sure that is."""

    speedup: Estimate
    correlation: float
    interval_inflation: float


def typical_effect(pairs: Pairs, plan: Plan) -> Effect:
    """The typical ratio: the Hodges-Lehmann estimate of the pairs' log ratios.

    As logarithms, halving and doubling weigh the same. Noise that both halves of a pair share
    cancels, and one slow request moves it little. A run that goes on until the interval is narrow
    ends where the autocorrelation looks low by chance, so that is taken a standard error higher
    (Bartlett's, √((1 − r²)/n)).
    """
    confidence, count = plan.decision_rule.confidence, pairs.number
    halves = zip(pairs.own.typical, pairs.other.typical, strict=True)
    ratios = array("d", (log(theirs / ours) for ours, theirs in halves))
    correlation, inefficiency = dependence(ratios)
    if plan.experiment.precision is not None and count:
        assumed = max(correlation, 0.0)
        assumed += sqrt((1 - min(assumed, 1.0) ** 2) / count)
        inefficiency = max(inefficiency, first_order_inefficiency(assumed))
    factor = interval_inflation(inefficiency, count, confidence)
    typical = stats.hodges_lehmann(ratios)
    if typical is None:
        return Effect(Estimate(None), correlation, factor)
    interval = signed_rank_interval(ratios, confidence)
    if interval is None:
        return Effect(Estimate(exp(typical)), correlation, factor)
    low, high = widened(interval, typical, factor)
    if max(-low, high) > _LARGEST_LOG:  # it says nothing
        return Effect(Estimate(exp(typical)), correlation, factor)
    return Effect(Estimate(exp(typical), exp(low), exp(high)), correlation, factor)


def _throughput(
    arm: ArmSummary, against: ArmSummary, pairs: Pairs, confidence: float, factor: float
) -> Estimate:
    ours, theirs = arm.requests_per_second, against.requests_per_second
    failed = max(each.failed / max(1, each.sent) for each in (arm, against))
    if ours is None or theirs is None or failed > _MOST_FAILED:  # what fails at once is no answer
        return Estimate(None)
    estimate = ours / theirs
    halves = pairs.other.mean, pairs.own.mean
    interval = ratio_interval(*halves, confidence, factor) if pairs.number else None
    if interval is None or arm.late_starts is not None:  # of an open load, the rate was given
        return Estimate(estimate)
    # The pairs' ratio of means is the throughputs' ratio, but for the pauses within blocks.
    scale = estimate * sum(halves[1]) / sum(halves[0])
    return Estimate(estimate, interval[0] * scale, interval[1] * scale)
