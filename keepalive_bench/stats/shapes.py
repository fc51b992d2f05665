"""What many values look like: a trend, far-off ones, several modes. Floats in, floats out."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate, pairwise
from math import exp, log, sqrt
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.stats.dependence import (
    first_order_inefficiency,
    interval_inflation,
    lag_one_correlation,
)
from keepalive_bench.stats.dip import dip
from keepalive_bench.stats.stats import thinned

if TYPE_CHECKING:
    from collections.abc import Sequence

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
_TREND_BLOCKS = 100
_MODE_VALUES = 1_000
_CONFIDENCE = 0.95
_LEAST_FOR_TREND = 20
_DISTINCT = 0.5
_SURE = 0.999


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
    if len(values) < _LEAST_FOR_TREND:
        return None
    blocks = _block_medians(values)
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


def _block_medians(values: Sequence[float]) -> list[float]:
    count = min(len(values), _TREND_BLOCKS)
    edges = [number * len(values) // count for number in range(count + 1)]
    return [median(values[start:stop]) for start, stop in pairwise(edges)]


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
