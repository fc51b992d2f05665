"""How many times faster an arm is than another: of a typical request, and of all together."""

from __future__ import annotations

from array import array
from itertools import compress
from math import exp, fsum, isnan, log, sqrt
from statistics import fmean
from typing import TYPE_CHECKING, Literal, NamedTuple

from keepalive_bench.results.table import pick
from keepalive_bench.stats.dependence import (
    dependence,
    first_order_inefficiency,
    interval_inflation,
)
from keepalive_bench.stats.descriptive import hodges_lehmann
from keepalive_bench.stats.intervals import (
    Estimate,
    ratio_interval,
    signed_rank_interval,
    widened,
)
from keepalive_bench.stats.shapes import NOTABLE_RAISE, outliers
from keepalive_bench.units import times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keepalive_bench.analysis.pairs import Half, Pairs
    from keepalive_bench.plan.plan import Plan
    from keepalive_bench.results.columns import ExchangeColumns
    from keepalive_bench.stats.dependence import Dependence

Leading = Literal["speedup", "mean_ratio"]
_LARGEST_LOG = 690.0
"""Of a ratio: 1e300 is near what a number can be."""


class Effect(NamedTuple):
    """How many times faster an arm is, typically; and how sure that is."""

    speedup: Estimate
    dependence: Dependence
    interval_inflation: float


def typical_effect(pairs: Pairs, plan: Plan, *, reusing: bool = True) -> Effect:
    """The typical ratio of the pairs whose requests reused a connection, if the arm keeps any.

    That is what one reuse buys, however often there was one; with `reusing` false, of all pairs.
    """
    halves = (it.reusing if reusing else it.all for it in (pairs.own, pairs.other))
    ours, theirs = (it.typical for it in halves)
    return typical_ratio(log_ratios(theirs, ours), plan)


def typical_ratio(ratios: Sequence[float], plan: Plan) -> Effect:
    """The Hodges-Lehmann estimate of log ratios.

    As logarithms, halving and doubling weigh the same. Noise that both halves of a pair share
    cancels, and one slow request moves it little. A run that goes on until the interval is narrow
    ends where the autocorrelation looks low by chance, so that is taken a standard error higher
    (Bartlett's, √((1 − r²)/n)).
    """
    confidence, count = plan.decision_rule.confidence, len(ratios)
    lasting = dependence(ratios)
    inefficiency = lasting.inefficiency
    if plan.experiment.precision is not None and count:
        assumed = max(lasting.correlation, 0.0)
        assumed += sqrt((1 - min(assumed, 1.0) ** 2) / count)
        inefficiency = max(inefficiency, first_order_inefficiency(assumed))
    factor = interval_inflation(inefficiency, count, confidence)
    ordered = sorted(ratios)  # once: what is sorted is quick to sort again
    typical, interval = hodges_lehmann(ordered), signed_rank_interval(ordered, confidence)
    if typical is None:
        return Effect(Estimate(None), lasting, factor)
    found = Estimate(exp(typical))
    if interval is not None:
        low, high = widened(interval, typical, factor)
        if max(-low, high) <= _LARGEST_LOG:  # or it says nothing
            found = Estimate(exp(typical), exp(low), exp(high))
    return Effect(found, lasting, factor)


def log_ratios(upper: Sequence[float], lower: Sequence[float]) -> array[float]:
    """Of the pairs that have both."""
    ratios = (log(one / other) for one, other in zip(upper, lower, strict=True) if one and other)
    return array("d", (it for it in ratios if not isnan(it)))


def mean_ratio(exchanges: ExchangeColumns, pairs: Pairs, plan: Plan, factor: float) -> Estimate:
    """The other's mean latency ÷ the arm's own, of all pairs: how much less time all of them take.

    `factor` is how much wider the typical ratio's autocorrelation makes an interval. Connections
    that are reopened now and then, or for a while, have one of their own.
    """
    if not pairs.number:
        return Estimate(None)
    own, other = (
        fmean(compress(exchanges.latency_s, half.all.mask)) for half in (pairs.own, pairs.other)
    )
    return _ratio_of_means(pairs.own.all.mean, pairs.other.all.mean, other / own, plan, factor)


def _ratio_of_means(
    own: Sequence[float], other: Sequence[float], estimate: float, plan: Plan, factor: float
) -> Estimate:
    confidence = plan.decision_rule.confidence
    inefficiency = dependence(log_ratios(other, own)).inefficiency
    factor = max(factor, interval_inflation(inefficiency, len(own), confidence))
    interval = ratio_interval(other, own, confidence, factor)
    if interval is None:
        return Estimate(estimate)
    scale = estimate * sum(own) / sum(other)  # blocks that lost requests are not all of one size
    return Estimate(estimate, interval[0] * scale, interval[1] * scale)


def has_heavy_tails(exchanges: ExchangeColumns, pairs: Pairs, plan: Plan, effect: Effect) -> bool:
    """Whether a few slow requests decide the means, of the pairs that reused a connection.

    They do where outliers raise the mean of all of an arm's requests, or where the ratio of means
    differs from the typical one by more than both intervals. That connections are opened now and
    then makes no tail.
    """
    if any(_slow_ones_decide(exchanges, half) for half in (pairs.own, pairs.other)):
        return True
    own, other = pairs.own.reusing, pairs.other.reusing
    both = zip(own.mean, other.mean, strict=True)
    kept = [(ours, theirs) for ours, theirs in both if not (isnan(ours) or isnan(theirs))]
    if not kept:
        return False
    ours, theirs = zip(*kept, strict=True)
    at, (_, low, high) = fmean(theirs) / fmean(ours), effect.speedup
    if low is None or high is None or low <= at <= high:  # which takes no resampling
        return False
    if times(at) == times(effect.speedup.estimate):  # of equal values, an interval has no width
        return False
    return differ(
        _ratio_of_means(ours, theirs, at, plan, effect.interval_inflation), effect.speedup
    )


def _slow_ones_decide(exchanges: ExchangeColumns, half: Half) -> bool:
    """Of what opening connections takes, a tail is a smaller share."""
    reusing = pick(exchanges.latency_s, half.reusing.mask)
    found = outliers(sorted(reusing))
    if found is None:
        return False
    every = pick(exchanges.latency_s, half.all.mask)
    without = fsum(every) - fsum(reusing) * found.raised / (1 + found.raised)
    return fsum(every) >= (1 + NOTABLE_RAISE) * without


def leading(
    speedup: Estimate, ratio: Estimate, *, has_heavy_tails: bool, can_be_told: bool
) -> Leading:
    """Which of the two a verdict is about.

    The typical request, which few requests suffice for and slow ones hardly move; but where all
    together differ from it, because connections had to be opened now and then, they are what was
    asked about. So they are where too few requests reused one, if there are pairs enough
    (`can_be_told`).
    """
    if speedup.low is None:
        return "mean_ratio" if ratio.low is not None and can_be_told else "speedup"
    if ratio.low is None or has_heavy_tails:
        return "speedup"
    is_told_apart = differ(speedup, ratio) and times(speedup.estimate) != times(ratio.estimate)
    return "mean_ratio" if is_told_apart else "speedup"


def differ(one: Estimate, other: Estimate) -> bool:
    """Whether the intervals of two estimates have nothing in common."""
    if None in {*one, *other}:
        return False
    lower, upper = sorted((one, other), key=lambda it: it.low or 0.0)
    return (lower.high or 0.0) < (upper.low or 0.0)
