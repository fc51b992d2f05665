"""What many values look like: a trend, far-off ones, several modes. Floats in, floats out."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import accumulate, groupby, pairwise
from math import exp, log, sqrt
from statistics import fmean, median
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.stats.dependence import (
    first_order_inefficiency,
    interval_inflation,
    lag_one_correlation,
)
from keepalive_bench.stats.descriptive import in_blocks, thinned

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FAR_OFF = 3.5
"""The modified z-score beyond which Iglewicz and Hoaglin call a value an outlier."""
SEVERAL_MODES = 0.634
"""√n × the dip above which values have several modes, at a level of 1 % whatever n is.

Of n uniform values (to which the dip test compares) 1 % exceed 0.574 at n = 50, 0.620 at 1,000 and
0.633 at 72,000: the table of M. Maechler's package `diptest` for R, which extends that of J. A. and
P. M. Hartigan (1985). Of values with one clear mode it is far fewer.
"""
_CONSISTENT = 0.6745
"""A normal distribution's median absolute deviation, in standard deviations."""
LEAST_FOR_SHAPE = 20
"""Of fewer values, no shape is told."""
NOTABLE_RAISE = 0.1
"""By which share values have to raise a mean."""
_MOST_OUTLYING = 0.1
"""What more values do is no exception."""
_TREND_BLOCKS = 100
_MODE_VALUES = 1_000
_CONFIDENCE = 0.95
_DISTINCT = 0.5


class Trend(NamedTuple):
    """How values go up or down in the order in which they stand."""

    score: float
    """Mann and Kendall's statistic, in standard deviations: beyond ±2.58, it is hardly chance."""
    first: float
    """Where the line through the values begins."""
    last: float
    """Where it ends."""


def trend(values: Sequence[float]) -> Trend | None:
    """A trend by ranks, which no single value decides; `None` of fewer than 20 values.

    The test: H. B. Mann, "Nonparametric Tests Against Trend", Econometrica 13 (1945). The line: P.
    K. Sen, "Estimates of the Regression Coefficient Based on Kendall's Tau", Journal of the
    American Statistical Association 63 (1968). Noise that lasts looks like a trend, so the score
    is divided by what the lag-1 autocorrelation of the values around the line asks for: S. Yue and
    C. Wang, "The Mann-Kendall Test Modified by Effective Sample Size", Water Resources Management
    18 (2004). Of more than 100 values, the medians of as many blocks stand for all.
    """
    if len(values) < LEAST_FOR_SHAPE:
        return None
    blocks = [*map(median, in_blocks(values, _TREND_BLOCKS))]
    count = len(blocks)
    steps = [
        (later - earlier, place - number)
        for number, earlier in enumerate(blocks)
        for place, later in enumerate(blocks[number + 1 :], start=number + 1)
    ]
    slope = median(step / apart for step, apart in steps)
    score = sum((step > 0) - (step < 0) for step, _ in steps)
    spread = sqrt(count * (count - 1) * (2 * count + 5) / 18)
    rests = [value - slope * number for number, value in enumerate(blocks)]
    middle = median(rests)
    inefficiency = first_order_inefficiency(lag_one_correlation(rests))
    return Trend(
        score=score / spread / interval_inflation(inefficiency, count, _CONFIDENCE),
        first=middle,
        last=middle + slope * (count - 1),
    )


def outlier_bound(ordered: Sequence[float]) -> float | None:
    """The value above which sorted, positive values are outliers; `None` where they don't spread.

    A modified z-score above 3.5: B. Iglewicz and D. C. Hoaglin, "How to Detect and Handle Outliers"
    (1993), section 3.3. It assumes a normal distribution, to which the logarithms of latencies are
    nearer than latencies.
    """
    logs = [log(value) for value in thinned(ordered, 10 * _MODE_VALUES)]
    middle = median(logs)
    deviation = median(abs(value - middle) for value in logs)
    if not deviation:
        return None
    return exp(middle + FAR_OFF * deviation / _CONSISTENT)


class Outliers(NamedTuple):
    """A few values that lie far above the others."""

    number: int
    raised: float
    """By which share they make the mean larger."""


def outliers(ordered: Sequence[float]) -> Outliers | None:
    """Sorted, positive values' outliers; `None` where they make the mean hardly larger.

    Nor where they are more than a tenth, and so no exception, nor of fewer than 20 values.
    """
    bound = outlier_bound(ordered) if len(ordered) >= LEAST_FOR_SHAPE and ordered[0] > 0 else None
    if bound is None:
        return None
    usual = ordered[: bisect_right(ordered, bound)]
    found = Outliers(len(ordered) - len(usual), fmean(ordered) / fmean(usual) - 1)
    is_notable = found.raised >= NOTABLE_RAISE and found.number <= _MOST_OUTLYING * len(ordered)
    return found if is_notable else None


def several_modes(ordered: Sequence[float]) -> int | None:
    """Where sorted, positive values fall into two groups: how many are in the lower one, if so.

    That there is more than one mode, Hartigans' dip test says. Where they part is what makes the
    groups' logarithms vary least: W. D. Fisher, "On Grouping for Maximum Homogeneity", Journal of
    the American Statistical Association 53 (1958). The test is one of continuous values: of those
    that a coarse clock makes alike it says nothing.
    """
    logs = [log(value) for value in thinned(ordered, _MODE_VALUES)]
    if len(set(logs)) < _DISTINCT * len(logs) or sqrt(len(logs)) * dip(logs) <= SEVERAL_MODES:
        return None
    lower = _parted(logs)
    return bisect_right(ordered, exp((logs[lower - 1] + logs[lower]) / 2))


def _parted(ordered: Sequence[float]) -> int:
    """How many sorted values are in the lower of the two groups that vary least within."""
    sums, count = list(accumulate(ordered)), len(ordered)

    def between(lower: int) -> float:
        return (sums[lower - 1] - sums[-1] * lower / count) ** 2 / (lower * (count - lower))

    return max(range(1, count), key=between)


class _Steps(NamedTuple):
    """An empirical distribution function, in values counted."""

    at: list[float]
    below: list[int]
    """Its height before each step."""
    upto: list[int]
    """Its height after it."""


def dip(ordered: Sequence[float]) -> float:
    """Hartigans' dip of sorted values, from 1/(2n) to 1/4; 0 of values that are all the same.

    J. A. Hartigan and P. M. Hartigan, "The Dip Test of Unimodality", The Annals of Statistics 13
    (1985), 70-84. A distribution with one mode has a distribution function that is convex before it
    and concave after it. The dip is the largest distance between the empirical distribution
    function and the nearest one of that shape.

    As the authors do it: the stretch that holds the mode is narrowed until the greatest convex
    minorant and the least concave majorant of the function over it are no farther apart than the
    function is from them outside of it.
    """
    steps = _steps(ordered)
    first, last, found = 0, len(steps.at) - 1, 1.0
    if first == last:
        return 0.0
    while first < last:
        under = _hull(steps.at, steps.below, first, last, turn=1)
        over = _hull(steps.at, steps.upto, first, last, turn=-1)
        distance, low, high = _widest(steps, under, over)
        if distance <= found:
            break
        found = max([found, *_left(steps, under, low), *_right(steps, over, high)])
        if (low, high) == (first, last):
            break
        first, last = low, high
    return found / (2 * len(ordered))


def _steps(ordered: Sequence[float]) -> _Steps:
    counts = [(value, len(list(same))) for value, same in groupby(ordered)]
    upto = list(accumulate(count for _, count in counts))
    return _Steps([value for value, _ in counts], [0, *upto[:-1]], upto)


def _hull(at: list[float], height: list[int], first: int, last: int, *, turn: int) -> list[int]:
    """The corners of a convex (turn 1) or concave (-1) line under or over points."""
    corners: list[int] = []
    for point in range(first, last + 1):
        while len(corners) > 1:
            one, two = corners[-2:]
            before = (height[two] - height[one]) * (at[point] - at[one])
            after = (height[point] - height[one]) * (at[two] - at[one])
            if turn * (after - before) > 0:
                break
            corners.pop()
        corners.append(point)
    return corners


def _line(at: list[float], height: list[int], one: int, two: int, point: int) -> float:
    share = (at[point] - at[one]) / (at[two] - at[one])
    return height[one] + (height[two] - height[one]) * share


def _widest(steps: _Steps, under: list[int], over: list[int]) -> tuple[float, int, int]:
    """How far apart the two lines are at most, and between which corners that is."""
    at, widest = steps.at, (0.0, under[0], under[-1])
    for corner in under:
        place = max(1, bisect_left(over, corner))
        line = _line(at, steps.upto, over[place - 1], over[place], corner)
        widest = max(widest, (line - steps.below[corner], corner, over[place]), key=_distance)
    for corner in over:
        place = min(len(under) - 1, bisect_right(under, corner))
        line = _line(at, steps.below, under[place - 1], under[place], corner)
        widest = max(widest, (steps.upto[corner] - line, under[place - 1], corner), key=_distance)
    return widest


def _distance(candidate: tuple[float, int, int]) -> float:
    return candidate[0]


def _left(steps: _Steps, under: list[int], low: int) -> Iterator[float]:
    """How far the function is above the convex line before the mode."""
    for one, two in pairwise(under):
        if two <= low:
            for point in range(one, two + 1):
                yield steps.upto[point] - _line(steps.at, steps.below, one, two, point)


def _right(steps: _Steps, over: list[int], high: int) -> Iterator[float]:
    """How far it is below the concave line after it."""
    for one, two in pairwise(over):
        if one >= high:
            for point in range(one, two + 1):
                yield _line(steps.at, steps.upto, one, two, point) - steps.below[point]
