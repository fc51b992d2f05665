"""How sure the difference of two quantiles is, of values in pairs.

A quantile is too high where too few values lie below it: R. R. Bahadur, "A Note on Quantiles in
Large Samples", The Annals of Mathematical Statistics 37 (1966). By how much is that share ÷ the
density there. So the difference of two varies as the mean of a series does: whether each pair's
halves lie below, each weighted by its arm's inverse density.
"""

from __future__ import annotations

from array import array
from functools import lru_cache
from itertools import repeat
from math import cos, floor, pi, sqrt
from operator import and_, le, mul, sub
from statistics import NormalDist, fmean
from typing import TYPE_CHECKING

from keepalive_bench.stats.dependence import LEAST_CONFIDENCE, detrended, midranks
from keepalive_bench.stats.descriptive import in_blocks, thinned
from keepalive_bench.stats.distributions import beta_below, student

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keepalive_bench.stats.intervals import Interval

_EXACT_BETA = 2_000
_BISECTIONS = 50
_MOST_RANKS = 10_000
_MOST_BLOCKS = 1_000
_LEAST_COSINES = 4


def fractional_interval(
    ordered: Sequence[float], percent: int, confidence: float
) -> Interval | None:
    """An interval of a quantile of sorted values, its ends between two order statistics each.

    A. D. Hutson, "Calculating Nonparametric Confidence Intervals for Quantiles Using Fractional
    Order Statistics", Journal of Applied Statistics 26 (1999), 343-353. So its upper end is the
    maximum only where nothing below is sure enough. `None` where the maximum isn't, either.
    """
    count = len(ordered)
    places = [
        share * (count + 1) - 1 for share in _fractional_shares(count, percent / 100, confidence)
    ]
    if not 0 <= places[0] <= places[1] <= count - 1:
        return None
    low, high = (_between(ordered, place) for place in places)
    return low, high


@lru_cache(maxsize=64)
def _fractional_shares(count: int, share: float, confidence: float) -> tuple[float, float]:
    """Of n + 1 values, how many lie below the lower end and the upper one."""
    tail = (1 - confidence) / 2
    if count > _EXACT_BETA:
        off = NormalDist().inv_cdf(1 - tail) * sqrt(share * (1 - share) / count)
        return share - off, share + off
    return 1 - _upper_share(count, 1 - share, tail), _upper_share(count, share, tail)


def _upper_share(count: int, share: float, tail: float) -> float:
    """The order statistic, as a share of n + 1, that lies below the quantile with such a chance."""
    low, high = share, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        of = middle * (count + 1)
        wrong = beta_below(of, count + 1 - of, share, 1 - share) if middle < 1 else 0.0
        low, high = (low, middle) if wrong <= tail else (middle, high)
    return high


def _between(ordered: Sequence[float], place: float) -> float:
    rank = min(floor(place), len(ordered) - 2) if len(ordered) > 1 else 0
    low, high = ordered[rank], ordered[min(rank + 1, len(ordered) - 1)]
    return low + (high - low) * (place - rank)


def shares_correlation(own_below: bytes, other_below: bytes) -> float:
    """How much two quantiles have in common, by which halves of the pairs lie below; 0 or more.

    The correlation of two shares, φ: K. Pearson, "Mathematical Contributions to the Theory of
    Evolution VII", Philosophical Transactions of the Royal Society A 195 (1900).
    """
    count, one, other = len(own_below), own_below.count(1), other_below.count(1)
    spread = one * (count - one) * other * (count - other)
    if spread <= 0:
        return 0.0
    both: int = sum(map(and_, own_below, other_below))
    found: float = (count * both - one * other) / sqrt(spread)
    return max(0.0, found)


def are_below(values: Sequence[float], quantile: float) -> bytes:
    """A byte for each value: 1 where it is no larger than the quantile."""
    return bytes(map(le, values, repeat(quantile)))


def indicator_inflation(
    own_below: bytes, other_below: bytes, widths: tuple[float, float], confidence: float
) -> float:
    """How much wider the interval of two quantiles' difference is for what lasts from pair to pair.

    `widths` are those of the arms' own intervals, which are in proportion to the inverse densities.
    """
    own, other = map(mul, own_below, repeat(widths[0])), map(mul, other_below, repeat(widths[1]))
    return long_run_inflation(array("d", map(sub, own, other)), confidence)


def rank_inflation(values: Sequence[float], confidence: float) -> float:
    """The same by the ranks of values, of which one that is far off doesn't decide."""
    ranks = midranks(values, thinned(sorted(values), _MOST_RANKS))
    return long_run_inflation(array("d", ranks), confidence)


def long_run_inflation(values: Sequence[float], confidence: float) -> float:
    """How much wider the interval of a mean is than of as many independent values; 1 or more.

    E. Lazarus, D. J. Lewis, J. H. Stock and M. W. Watson, "HAR Inference: Recommendations for
    Practice", Journal of Business & Economic Statistics 36 (2018): the variance in the long run is
    the mean square of 0.4·n^⅔ cosine transforms (type II), and the interval Student's t of as many
    degrees of freedom. A line is taken off, and with it the first cosine: a drift is told apart. Of
    more than 1,000 values, the blocks of as many.
    """
    mean = fmean(values) if values else 0.0
    centred = array("d", map(sub, values, repeat(mean)))
    variance: float = sum(map(mul, centred, centred)) / max(1, len(centred))
    if not variance:
        return 1.0
    sums = detrended([*map(sum, in_blocks(centred, _MOST_BLOCKS))])
    waves = _cosines(len(sums))
    squares: float = sum(sum(map(mul, wave, sums)) ** 2 for wave in waves)
    in_the_long_run = 2 * squares / (len(waves) * len(centred))
    tail = (1 + max(confidence, LEAST_CONFIDENCE)) / 2
    wider = student(tail, len(waves)) / NormalDist().inv_cdf(tail)
    return max(1.0, wider * sqrt(in_the_long_run / variance))


@lru_cache(maxsize=4)
def _cosines(count: int) -> list[array[float]]:
    number = max(_LEAST_COSINES, floor(0.4 * count ** (2 / 3)))
    places = [pi * (place + 0.5) / count for place in range(count)]
    return [array("d", (cos(wave * it) for it in places)) for wave in range(2, number + 2)]
