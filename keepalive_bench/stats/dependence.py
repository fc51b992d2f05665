"""How much values resemble those before them, and how much less they say for that."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from itertools import islice, repeat
from math import sqrt
from operator import mul, sub
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.stats.descriptive import in_blocks, thinned
from keepalive_bench.stats.distributions import student

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

LEAST_FOR_LAG = 8
"""Of fewer values, nobody can say."""
ENOUGH_FOR_LAG = 14
"""From so many values on, intervals are as much wider as their dependence asks for."""
LEAST_CONFIDENCE = 0.01
"""An interval of no confidence has no width that could be compared."""
_MOST_CORRELATION = 0.95
_LARGEST_EXACT = 10_000
_MOST_LAGGED = 2_000
"""Of more values, the lags are those of as many blocks."""
_LEAST_EFFECTIVE = 3
"""Student's t of fewer values is no help."""
_NOTABLE = 1.75
"""How much more all lags have to say than the first does, which widens an interval by a third: they
say less by chance alone in too many of the runs whose noise doesn't last."""


class Dependence(NamedTuple):
    """How values in a row depend on each other."""

    correlation: float
    """Autocorrelation at lag 1, of ranks."""
    inefficiency: float
    """How many of the values say as much of a mean as an independent one would; 1 or more."""
    score: float
    """The correlation in standard deviations of what white noise has."""
    number: int
    """How many values there are."""


def dependence(values: Sequence[float], *, around_trend: bool = False) -> Dependence:
    """How values depend on those before them, by their ranks: one slow request doesn't decide it.

    The inefficiency is the larger of what the lag-1 autocorrelation says, if noise is of first
    order, and of what all lags say (`_all_lags`), where that is notably more: noise that is mostly
    without any, and for the rest slow, has a small autocorrelation at lag 1. `around_trend`: a line
    through the ranks is taken off, where a drift is no noise, but told apart.
    """
    centred = centred_ranks(values)
    return dependence_of(detrended(centred), 2) if around_trend else dependence_of(centred, 1)


def dependence_of(centred: Sequence[float], removed: int) -> Dependence:
    """The same of values around 0, from which their mean and so on were removed: so many."""
    correlation = _correlation(centred, 1, removed)
    first = first_order_inefficiency(correlation)
    found = _all_lags(centred, removed)
    return Dependence(
        correlation,
        inefficiency=found if found >= _NOTABLE * first else first,
        score=correlation / _spread(len(centred), removed) if correlation else 0.0,
        number=len(centred),
    )


def detrended(centred: Sequence[float]) -> array[float]:
    """Values around 0 less the line of least squares through them, by their places."""
    count, middle = len(centred), (len(centred) - 1) / 2

    def places() -> Iterator[float]:  # made three times rather than kept: they may be a million
        return map(sub, range(count), repeat(middle))

    spread = sum(map(mul, places(), places()))
    slope = sum(map(mul, places(), centred)) / spread if spread else 0.0
    return array("d", map(sub, centred, map(mul, repeat(slope), places())))


def lag_one_correlation(values: Sequence[float]) -> float:
    """Autocorrelation at lag 1, of ranks; 0 of fewer than 8 values."""
    return _correlation(centred_ranks(values), 1)


def first_order_inefficiency(correlation: float) -> float:
    """(1 + r)/(1 − r) of a positive lag-1 autocorrelation r, if noise is of first order.

    G. V. Bayley and J. M. Hammersley, "The 'Effective' Number of Independent Observations in an
    Autocorrelated Time Series", Supplement to the Journal of the Royal Statistical Society 8
    (1946).
    """
    bounded = min(max(correlation, 0.0), _MOST_CORRELATION)
    return (1 + bounded) / (1 - bounded)


def _all_lags(centred: Sequence[float], removed: int) -> float:
    """1 + 2 × the sum of the autocorrelations at all lags that can be told from noise; 1 or more.

    C. J. Geyer, "Practical Markov Chain Monte Carlo", Statistical Science 7 (1992), section 3.3:
    those of two neighbouring lags are added up until a sum isn't positive (the initial positive
    sequence). Values that there are too many of are put into blocks: a mean of all varies as much
    as one of their means.
    """
    means = centred
    if len(centred) > _MOST_LAGGED:
        means = [sum(block) / len(block) for block in in_blocks(centred, _MOST_LAGGED)]
    count, spread = len(means), sum(map(mul, centred, centred)) / len(centred) if centred else 0.0
    if count < LEAST_FOR_LAG or not spread:
        return 1.0
    both = 1 + 2 * _correlation(means, 1, removed)
    for lag in range(2, count // 2 - 1, 2):
        further = _correlation(means, lag, removed) + _correlation(means, lag + 1, removed)
        if further <= 0:
            break
        both += 2 * further
    of_blocks: float = sum(map(mul, means, means)) / count
    found = both * of_blocks * (len(centred) / count) / spread
    return min(max(1.0, found), len(centred) / _LEAST_EFFECTIVE)


def _correlation(centred: Sequence[float], lag: int, removed: int = 1) -> float:
    """At one lag, of values around 0; 0 of fewer than 8.

    The bias of short series is taken off: −(1 + 3r)/n where a mean was removed (M. G. Kendall,
    "Note on Bias in the Estimation of Autocorrelation", Biometrika 41, 1954), −(2 + 4r)/n where a
    line was (G. H. Orcutt and H. S. Winokur, "First Order Autoregression: Inference, Estimation,
    and Prediction", Econometrica 37, 1969).
    """
    count = len(centred)
    total: float = sum(map(mul, centred, centred))
    if count < LEAST_FOR_LAG or not total:
        return 0.0
    found: float = sum(map(mul, centred, islice(centred, lag, None))) / total
    return min(max(found + (removed + (2 + removed) * found) / count, -1.0), 1.0)


def _spread(count: int, removed: int) -> float:
    """The standard deviation of white noise's correlation at lag 1.

    P. A. P. Moran, "Some Theorems on Time Series II. The Significance of the Serial Correlation
    Coefficient", Biometrika 35 (1948); with what `_correlation` adds.
    """
    return (count - 2) / (count * sqrt(count - 1)) * (1 + (2 + removed) / count)


def centred_ranks(values: Sequence[float]) -> array[float]:
    """The rank of each value, around 0.

    Of more than 10,000 values, ranks are those among as many order statistics.
    """
    ordered = thinned(sorted(values), _LARGEST_EXACT)
    middle = (len(ordered) - 1) / 2
    return array("d", (rank - middle for rank in midranks(values, ordered)))


def midranks(values: Iterable[float], ordered: Sequence[float]) -> Iterator[float]:
    """The rank of each value among sorted ones, from 0; equal values share the middle of theirs."""
    count = len(ordered)
    for value in values:
        rank = bisect_left(ordered, value)
        if rank < count and ordered[rank] == value:
            yield (rank + bisect_right(ordered, value, rank) - 1) / 2
        else:
            yield rank - 0.5


def interval_inflation(inefficiency: float, count: int, confidence: float) -> float:
    """How much wider an interval of `count` values gets where they depend on each other.

    They say as much as count ÷ inefficiency independent ones would. Of so few, the spread is less
    sure, too, as Student's t says: F. W. Zwiers and H. von Storch, "Taking Serial Correlation into
    Account in Tests of the Mean", Journal of Climate 8 (1995). Of fewer than 8 values nobody can
    say. From there on up to 14, it counts for the more the more there are: what looks like
    dependence is mostly chance, and an interval shouldn't be wider for one value more.
    """
    if inefficiency == 1 or count < LEAST_FOR_LAG:
        return 1.0
    tail = (1 + max(confidence, LEAST_CONFIDENCE)) / 2
    fewer = student(tail, count / inefficiency - 1)
    whole = fewer / student(tail, float(count - 1)) * sqrt(inefficiency)
    share = (count - LEAST_FOR_LAG + 1) / (ENOUGH_FOR_LAG - LEAST_FOR_LAG + 1)
    return 1 + min(1.0, share) ** 2 * (whole - 1)
