"""Intervals: floats in, floats out. Every formula names its source and what it assumes."""

from __future__ import annotations

from functools import lru_cache
from math import exp, floor, hypot, lgamma, log, log1p, sqrt
from operator import itemgetter
from random import Random
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.stats.descriptive import in_blocks, thinned, walsh_average
from keepalive_bench.stats.distributions import student

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Interval = tuple[float, float]
Ends = tuple[float | None, float | None]
"""The same where one end may be unknown, or both."""
Bounded = tuple[float, float, float]
"""The low end of an interval, the estimate, and the high end."""

_EXACT_SIGNED_RANKS = 50
_EXACT_BINOMIAL = 2_000
_LARGEST_EXACT = 10_000
_RESAMPLES = 1_000
_LEAST_BEYOND = 5
"""Resamples beyond a percentile: of fewer, it is hardly known."""
_BLOCKS = 200
_BYTES = 256
_LEAST_FOR_BOOTSTRAP = 8


class Estimate(NamedTuple):
    """A number, with the interval that it lies in where one is known."""

    estimate: float | None
    low: float | None = None
    high: float | None = None


def signed_rank_interval(values: Sequence[float], confidence: float) -> Interval | None:
    """The interval of a location that Wilcoxon's signed-rank test doesn't reject.

    M. Hollander and D. A. Wolfe, "Nonparametric Statistical Methods" (1999), section 3.3: two of
    the ordered averages of two values, as far from either end as the test's distribution says. It
    assumes that the values are independent and their distribution symmetric; `None` where there are
    too few for the confidence. Of more than 10,000 values, as many order statistics stand for all;
    those are as sure as the many, so the ranks are that much nearer to the middle.
    """
    ordered = thinned(sorted(values), _LARGEST_EXACT)
    count = len(ordered)
    nearer = sqrt(count / len(values)) if count else 1.0
    rank = _signed_rank_critical(count, (1 - confidence) / 2, nearer)
    if rank is None:
        return None
    pairs = count * (count + 1) // 2
    return walsh_average(ordered, rank), walsh_average(ordered, pairs - 1 - rank)


def least_pairs(confidence: float) -> int:
    """How many pairs such an interval takes, and so how many can tell two arms apart.

    Of one fewer, all agree by chance alone in more than 1 − confidence of cases: 2 ÷ 2**n.
    """
    pairs = 1
    while 2 / 2**pairs > 1 - confidence:
        pairs += 1
    return pairs


@lru_cache(maxsize=64)
def _signed_rank_critical(count: int, tail: float, nearer: float = 1.0) -> int | None:
    """The largest rank sum whose tail is no more probable; `None` where there is none."""
    if count > _EXACT_SIGNED_RANKS:
        centre, spread = count * (count + 1) / 4, sqrt(count * (count + 1) * (2 * count + 1) / 24)
        return floor(centre + NormalDist().inv_cdf(tail) * spread * nearer - 0.5)
    ways = [1]
    for rank in range(1, count + 1):
        longer = ways + [0] * rank
        for total in range(len(ways)):
            longer[total + rank] += ways[total]
        ways = longer
    cumulated, critical = 0, None
    for total, number in enumerate(ways):
        cumulated += number
        if cumulated > tail * 2**count:
            break
        critical = total
    return critical


def widened(interval: Interval, estimate: float, factor: float) -> Interval:
    """An interval, wider by a factor on both sides of its estimate."""
    low, high = interval
    return estimate - (estimate - low) * factor, estimate + (high - estimate) * factor


def quantile_interval(
    ordered: Sequence[float], percent: int, confidence: float, factor: float = 1.0
) -> Interval | None:
    """An interval of a quantile between two order statistics, whatever the distribution is.

    H. A. David and H. N. Nagaraja, "Order Statistics" (2003), section 7.1: how many values lie
    below the quantile is binomial. `None` where there are too few values to bound it on both sides.
    `factor` widens it, as autocorrelation asks for.
    """
    low, high = quantile_ends(ordered, percent, (1 - confidence) / 2, factor)
    return None if low is None or high is None else (low, high)


def quantile_ends(ordered: Sequence[float], percent: int, tail: float, factor: float = 1.0) -> Ends:
    """The same, each end by itself: beyond either the quantile lies with a chance of `tail`.

    `None` is an end that so few values don't show: a high quantile's lower one takes far fewer.
    """
    count, share = len(ordered), percent / 100
    below = _binomial_lower(count, share, tail, factor)
    above = _binomial_lower(count, 1 - share, tail, factor)
    return (
        None if below is None else ordered[below],
        None if above is None else ordered[count - 1 - above],
    )


@lru_cache(maxsize=256)
def _binomial_lower(count: int, share: float, tail: float, factor: float) -> int | None:
    """The highest order statistic (from 0) that lies above the quantile with at most a tail."""
    rank = _independent_lower(count, share, tail)
    if factor > 1 and rank >= 0:
        rank = min(rank, _widened_lower(count, share, tail, factor))
    return rank if rank >= 0 else None


def _independent_lower(count: int, share: float, tail: float) -> int:
    if count > _EXACT_BINOMIAL:
        spread = sqrt(count * share * (1 - share))
        return floor(count * share + NormalDist().inv_cdf(tail) * spread - 0.5)
    cumulated, rank = 0.0, -1
    while rank + 1 < count:
        cumulated += exp(_log_binomial(count, rank + 1, share))
        if cumulated > tail:
            break
        rank += 1
    return rank


def _widened_lower(count: int, share: float, tail: float, factor: float) -> int:
    """The same where the share is less sure than of independent values by a factor.

    Normal on the scale of log odds, which knows no shares below 0 or above 1: T. Lumley, "Complex
    Surveys" (2010), section 2.4. On the shares' own scale, a high quantile would have an interval
    only in those runs that look surer than they are.
    """
    odds = log(share / (1 - share))
    odds += NormalDist().inv_cdf(tail) * factor / sqrt(count * share * (1 - share))
    return floor(count / (1 + exp(-odds)) - 0.5)


def _log_binomial(count: int, hits: int, share: float) -> float:
    ways = lgamma(count + 1) - lgamma(hits + 1) - lgamma(count - hits + 1)
    return ways + hits * log(share) + (count - hits) * log1p(-share)


def mean_interval(values: Sequence[float], confidence: float, factor: float) -> Interval | None:
    """A bootstrap interval of a mean; `None` of fewer than 8 values."""
    if len(values) < _LEAST_FOR_BOOTSTRAP:
        return None
    blocks = in_blocks(values, _BLOCKS)
    sums, sizes = [*map(sum, blocks)], [*map(len, blocks)]
    interval, further = _bootstrap(sums, sizes, confidence)
    return widened(interval, sum(sums) / sum(sizes), factor * further)


def ratio_interval(
    numerators: Sequence[float], denominators: Sequence[float], confidence: float, factor: float
) -> Interval | None:
    """A bootstrap interval of a ratio of two means, of pairs; `None` of fewer than 8 pairs.

    All are positive. It is widened as a logarithm, so that the inverse ratio has the inverse one.
    """
    if len(numerators) < _LEAST_FOR_BOOTSTRAP:
        return None
    upper, lower = ([*map(sum, in_blocks(it, _BLOCKS))] for it in (numerators, denominators))
    (low, high), further = _bootstrap(upper, lower, confidence)
    estimate = log(sum(upper) / sum(lower))
    low, high = widened((log(low), log(high)), estimate, factor * further)
    return exp(low), exp(high)


def _bootstrap(
    upper: Sequence[float], lower: Sequence[float], confidence: float
) -> tuple[Interval, float]:
    """Percentiles of the sum of `upper` ÷ the sum of `lower`, by resampling both together.

    With the estimate between them; and how much further out than those they should be.

    Expanded percentiles: T. C. Hesterberg, "What Teachers Should Know About the Bootstrap", The
    American Statistician 69 (2015), section 5: plain ones are too narrow for few values, by what
    Student's t and the n − 1 of a variance say. Percentiles that 1,000 resamples don't reach are as
    much further out as a normal distribution's are. Blocks' sums are resampled, 200 at most, and
    not the values: that bounds the cost, and keeps an autocorrelation within a block. The resamples
    are the same at every call.
    """
    ratios = sorted(sum(chosen(upper)) / sum(chosen(lower)) for chosen in _resamples(len(upper)))
    normal, units = NormalDist(), len(upper)
    wide = student((1 + confidence) / 2, units - 1) * sqrt(units / (units - 1))
    beyond = max(int(normal.cdf(-wide) * _RESAMPLES), _LEAST_BEYOND)
    further = max(1.0, wide / -normal.inv_cdf(beyond / _RESAMPLES))
    estimate = sum(upper) / sum(lower)
    low, high = min(ratios[beyond], estimate), max(ratios[-1 - beyond], estimate)
    return (low, high), further


@lru_cache(maxsize=2)
def _resamples(count: int) -> Sequence[Callable[[Sequence[float]], tuple[float, ...]]]:
    """What draws as many of a number of values (256 at most), with replacement; always the same.

    A random byte modulo the count is as likely one number as another when those are left out that
    lie above the largest multiple of it.
    """
    random, most = Random(0), _BYTES - _BYTES % count  # noqa: S311  # not for secrets
    numbers, unfair = bytes(byte % count for byte in range(_BYTES)), bytes(range(most, _BYTES))
    pool, found = b"", []
    for _ in range(_RESAMPLES):
        while len(pool) < count:
            pool += random.randbytes(_BYTES).translate(numbers, unfair)
        found.append(itemgetter(*pool[:count]))
        pool = pool[count:]
    return found


def difference_interval(own: Bounded, other: Bounded, correlation: float = 0.0) -> Interval:
    """An interval of the difference of two numbers, of which each has one: other − own.

    G. Y. Zou and A. Donner, "Construction of confidence limits about effect measures", Statistics
    in Medicine 27 (2008): the distances to the ends are put together as standard errors are. What
    the two estimates have in common takes off: G. Y. Zou, "Toward Using Confidence Intervals to
    Compare Correlations", Psychological Methods 12 (2007).
    """
    (own_low, own_at, own_high), (low, at, high) = own, other
    below = _put_together(at - low, own_high - own_at, correlation)
    above = _put_together(high - at, own_at - own_low, correlation)
    return at - own_at - below, at - own_at + above


def _put_together(one: float, other: float, correlation: float) -> float:
    """The root of a² + b² − 2rab, which doesn't overflow."""
    return hypot(one - correlation * other, other * sqrt(1 - correlation * correlation))
