"""What the first-named arm saves against another, in seconds, each figure with its interval."""

from __future__ import annotations

from array import array
from math import sqrt
from operator import sub
from statistics import fmean
from typing import TYPE_CHECKING

from keepalive_bench.analysis.latencies import PERCENTS
from keepalive_bench.results.masks import pick, succeeded
from keepalive_bench.stats import stats
from keepalive_bench.stats.dependence import common_correlation, dependence, interval_inflation
from keepalive_bench.stats.intervals import Estimate, apart, difference_interval, mean_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keepalive_bench.analysis.latencies import Latencies
    from keepalive_bench.analysis.pairs import Pairs
    from keepalive_bench.results.run import Run
    from keepalive_bench.stats.intervals import Interval

_ONLY_BOUNDED = 99
"""Of p99, a saving that nothing bounds would be little but a difference of two maxima."""


def quantile_savings(
    run: Run, own: Latencies, other: Latencies, pairs: Pairs, factor: float
) -> dict[str, Estimate]:
    """By metric; `factor` is how much wider the pairs' autocorrelation makes intervals.

    What the arms have in common may last: that widens their quantiles' own intervals, though it is
    in no ratio of a pair.
    """
    alone = run.plan.experiment.block_size == 1
    factors = max(factor, own.interval_inflation), max(factor, other.interval_inflation)
    ordered = [_ordered(run, it.arm) for it in (own, other)] if alone else []
    found = {}
    for percent in PERCENTS:
        metric = f"p{percent}"
        at, other_at = getattr(own.latency, metric), getattr(other.latency, metric)
        if at is None or other_at is None:
            found[metric] = Estimate(None)
            continue
        interval = (
            _of_requests(run, ordered, pairs, percent, factors)
            if alone
            else _of_blocks(own, other, metric)
        )
        if interval is not None:
            found[metric] = Estimate(other_at - at, *interval)
        else:
            found[metric] = Estimate(None if percent == _ONLY_BOUNDED else other_at - at)
    return found


def _of_requests(
    run: Run,
    ordered: Sequence[Sequence[float]],
    pairs: Pairs,
    percent: int,
    factors: tuple[float, float],
) -> Interval | None:
    """One request at a time: as sure as the arms' quantiles are, less what pairs have in common."""
    own, other = ordered
    at, other_at = stats.quantile(own, percent), stats.quantile(other, percent)
    common = 0.0
    if run.plan.experiment.is_paired and at is not None and other_at is not None:
        common = common_correlation(pairs.own.typical, pairs.other.typical, at, other_at)
        common *= pairs.number / sqrt(len(own) * len(other))
    return difference_interval(
        own, other, percent, run.plan.decision_rule.confidence, factors, common
    )


def _of_blocks(own: Latencies, other: Latencies, metric: str) -> Interval | None:
    """Several at a time: as sure as the arms' quantiles are, by how blocks differ."""
    if metric not in own.bounds or metric not in other.bounds:
        return None
    (low, high), (other_low, other_high) = own.bounds[metric], other.bounds[metric]
    at, other_at = getattr(own.latency, metric), getattr(other.latency, metric)
    return apart((low, at, high), (other_low, other_at, other_high))


def mean_saving(run: Run, pairs: Pairs, factor: float) -> Estimate:
    """Of the pairs' requests only, so that it doesn't matter which requests of an arm failed.

    `factor` is how much wider the autocorrelation of the pairs' ratios makes an interval. What both
    halves of a pair share is in no ratio, but in the difference it is: that may last, too.
    """
    if not pairs.number:
        return Estimate(None)
    confidence = run.plan.decision_rule.confidence
    differences = array("d", map(sub, pairs.other.mean, pairs.own.mean))
    inefficiency = dependence(differences, around_trend=True).inefficiency
    factor = max(factor, interval_inflation(inefficiency, pairs.number, confidence))
    latency_of = run.exchanges.latency_s.__getitem__
    own, other = (fmean(map(latency_of, half.rows)) for half in (pairs.own, pairs.other))
    interval = mean_interval(differences, confidence, factor)
    if interval is None:
        return Estimate(other - own)
    off = other - own - fmean(differences)  # blocks that lost requests are not all of one size
    return Estimate(other - own, interval[0] + off, interval[1] + off)


def _ordered(run: Run, arm: str) -> array[float]:
    """The latencies of an arm, sorted."""
    exchanges = run.exchanges
    return array("d", sorted(pick(exchanges.latency_s, succeeded(exchanges, arm))))
