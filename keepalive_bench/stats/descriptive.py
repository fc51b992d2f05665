"""What sums values up: mean, standard deviation, quantiles, the Hodges-Lehmann estimate."""

from __future__ import annotations

from itertools import pairwise
from math import fsum, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PER_CENT = 100
_LEAST_FOR_SPREAD = 2
_LARGEST_EXACT = 10_000


def mean(values: Sequence[float]) -> float | None:
    """Arithmetic mean, correctly rounded; `None` of nothing."""
    return fsum(values) / len(values) if values else None


def stdev(values: Sequence[float]) -> float | None:
    """Sample standard deviation (n − 1 in the denominator); `None` of fewer than two values."""
    count = len(values)
    if count < _LEAST_FOR_SPREAD:
        return None
    centre = fsum(values) / count
    return sqrt(fsum((value - centre) ** 2 for value in values) / (count - 1))


def quantile(ordered: Sequence[float], percent: int) -> float | None:
    """A quantile of sorted values, by linear interpolation between order statistics.

    Definition 8 of R. J. Hyndman and Y. Fan, "Sample Quantiles in Statistical Packages", The
    American Statistician 50 (1996), 361-365, which they recommend: whatever the distribution is,
    it is about as often too high as too low. `None` where fewer than one value is expected beyond
    it (n·(1 − q) < 1): it would be little but the maximum.
    """
    count = len(ordered)
    if count * (100 - percent) < _PER_CENT:
        return None
    rank, fraction = divmod(max(0, (3 * count + 1) * percent - 200), 300)
    low = ordered[rank]
    if not fraction:
        return low
    return low + (ordered[rank + 1] - low) * fraction / 300


def hodges_lehmann(values: Sequence[float]) -> float | None:
    """The Hodges-Lehmann estimate of location: the median of all averages of two values.

    J. L. Hodges and E. L. Lehmann, "Estimates of Location Based on Rank Tests", The Annals of
    Mathematical Statistics 34 (1963), 598-611; a value is averaged with itself too. Of more than
    10,000 values, 10,000 evenly spaced order statistics stand for all. `None` of nothing.
    """
    if not values:
        return None
    ordered = thinned(sorted(values), _LARGEST_EXACT)
    pairs = len(ordered) * (len(ordered) + 1) // 2
    low = high = walsh_average(ordered, pairs // 2)
    if not pairs % 2:
        low = walsh_average(ordered, pairs // 2 - 1)
    return (low + high) / 2


def thinned(ordered: Sequence[float], most: int) -> Sequence[float]:
    """Sorted values, or as many evenly spaced ones among them."""
    count = len(ordered)
    if count <= most:
        return ordered
    return [ordered[(2 * number + 1) * count // (2 * most)] for number in range(most)]


def in_blocks(values: Sequence[float], most: int) -> list[Sequence[float]]:
    """Values in their order, in as many blocks as there are, `most` at most."""
    count = min(len(values), most)
    edges = [number * len(values) // count for number in range(count + 1)]
    return [values[start:stop] for start, stop in pairwise(edges)]


def walsh_average(ordered: Sequence[float], rank: int) -> float:
    """The average of two (or of one with itself) of sorted values that has a rank, from 0.

    There are n(n + 1)/2 of them; they are counted, not listed, and the rank is closed in on by
    bisection until no more than n are left: O(n) memory, O(n) for each of some 15 steps.
    """
    count = len(ordered)
    below, above = 2 * ordered[0], 2 * ordered[-1]
    under, up_to = _sums_up_to(ordered, below), count * (count + 1) // 2
    if under > rank:
        return below / 2
    while up_to - under > count:  # under <= rank < up_to, the numbers of sums up to the two bounds
        middle = below + (above - below) / 2
        if not below < middle < above:
            return above / 2
        found = _sums_up_to(ordered, middle)
        if found > rank:
            above, up_to = middle, found
        else:
            below, under = middle, found
    return sorted(_sums_between(ordered, below, above))[rank - under] / 2


def _sums_up_to(ordered: Sequence[float], bound: float) -> int:
    """How many sums of two sorted values, each pair once, are at most a bound."""
    count, partner = 0, len(ordered) - 1
    for number, value in enumerate(ordered):
        while partner >= number and value + ordered[partner] > bound:
            partner -= 1
        if partner < number:
            break
        count += partner - number + 1
    return count


def _sums_between(ordered: Sequence[float], below: float, above: float) -> Iterator[float]:
    """The sums of two sorted values, each pair once, above one bound and at most another."""
    low = high = len(ordered) - 1
    for number, value in enumerate(ordered):
        while high >= number and value + ordered[high] > above:
            high -= 1
        if high < number:
            break
        while low >= number and value + ordered[low] > below:
            low -= 1
        for partner in range(max(low + 1, number), high + 1):
            yield value + ordered[partner]
