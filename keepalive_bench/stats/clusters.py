"""Values in clusters: what a block of requests shares makes them say less than as many alone."""

from __future__ import annotations

from itertools import islice, repeat
from math import floor, fsum, sqrt
from operator import le
from statistics import NormalDist
from typing import TYPE_CHECKING

from keepalive_bench.stats.dependence import (
    LEAST_CONFIDENCE,
    dependence,
    detrended,
    interval_inflation,
)
from keepalive_bench.stats.descriptive import quantile
from keepalive_bench.stats.distributions import beta_quantile, student
from keepalive_bench.stats.intervals import quantile_ends

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keepalive_bench.stats.intervals import Ends

LEAST_CLUSTERS = 6
"""Of fewer, hardly anything is known of how they vary."""


def clustered_quantile_ends(
    values: Sequence[float],
    sizes: Sequence[int],
    ordered: Sequence[float],
    percent: int,
    tail: float,
) -> Ends:
    """The ends of a quantile of values that come in clusters of such sizes, one after the other.

    Two of the values, as far from either end as the share of values below the quantile is unsure:
    R. S. Woodruff, "Confidence Intervals for Medians and Other Position Measures", Journal of the
    American Statistical Association 47 (1952). The share's own interval is the exact one of as many
    independent values as these are worth: E. L. Korn and B. I. Graubard, "Confidence Intervals for
    Proportions with Small Expected Number of Positive Counts Estimated from Survey Data", Survey
    Methodology 24 (1998). Never nearer than those of `quantile_ends`, with that `tail`. `ordered`
    are the values, sorted. `None` of fewer than 6 clusters, or of too few values.
    """
    if len(sizes) < LEAST_CLUSTERS:
        return None, None
    count, share = len(ordered), percent / 100
    at = quantile(ordered, percent)
    if at is None:
        at = ordered[(count - 1) * percent // 100]
    worth = count / _design_factor(values, sizes, at, 1 - 2 * tail) ** 2
    low, high = quantile_ends(ordered, percent, tail)
    below, above = (
        floor(count * beta_quantile(tail, worth * part, worth * (1 - part) + 1) - 0.5)
        for part in (share, 1 - share)
    )
    return (
        None if low is None or below < 0 else min(low, ordered[below]),
        None if high is None or above < 0 else max(high, ordered[count - 1 - above]),
    )


def _design_factor(
    values: Sequence[float], sizes: Sequence[int], at: float, confidence: float
) -> float:
    """How much wider the interval of a share is for the clusters; 1 or more.

    The root of the design effect, which is the share's variance between clusters ÷ that of as many
    independent values: L. Kish, "Survey Sampling" (1965), section 8.2; times what Student's t says
    of so few clusters, and of clusters that depend on each other. Both are around a line through
    the clusters in their order: a drift is no noise, but told apart.
    """
    are_below, count = map(le, values, repeat(at)), len(sizes)
    below = [sum(islice(are_below, size)) for size in sizes]
    share = sum(below) / len(values)
    if not 0 < share < 1:
        return 1.0
    excess = detrended([under - share * size for under, size in zip(below, sizes, strict=True)])
    spread = fsum(it * it for it in excess) * count / (count - 2)
    effect = spread / (len(values) * share * (1 - share))
    shares = [under / size for under, size in zip(below, sizes, strict=True)]
    wider = interval_inflation(
        dependence(shares, around_trend=True).inefficiency, count, confidence
    )
    tail = (1 + max(confidence, LEAST_CONFIDENCE)) / 2
    wider *= student(tail, float(count - 2)) / NormalDist().inv_cdf(tail)
    return max(1.0, sqrt(effect) * wider)
