"""How far a new run lies from earlier ones, runs' own ways included: floats in, floats out."""

from __future__ import annotations

from math import hypot, sqrt
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from keepalive_bench.stats.distributions import student
from keepalive_bench.stats.intervals import difference_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keepalive_bench.stats.intervals import Bounded, Interval

LEAST_RUNS = 3
"""Earlier runs whose spread says how much runs vary; of two, Student's t has no spread itself."""


def change_interval(earlier: Sequence[Bounded], new: Bounded, confidence: float) -> Interval:
    """An interval of a new run's number − the mean of the same number of earlier runs.

    Each run has its own interval. From three earlier runs on, how they spread says how much runs
    vary, chance within them included: the interval is the one in which one more run of that kind
    lies, G. J. Hahn and W. Q. Meeker, "Statistical Intervals" (1991), chapter 4. A new run that is
    shorter, or noisier within, is less sure of its number: the excess over the earlier ones comes
    on top (`difference_interval` says how such distances are put together). It counts where the new
    run's interval is wider than each of theirs: by chance alone, it is wider than their average
    every other time. Of fewer earlier runs, chance within the runs is all that is in it.
    """
    at, count = fmean(it[1] for it in earlier), len(earlier)
    if count < LEAST_RUNS:
        below = hypot(*(own - low for low, own, _ in earlier)) / count
        above = hypot(*(high - own for _, own, high in earlier)) / count
        return difference_interval((at - below, at, at + above), new)
    spread = stdev(it[1] for it in earlier) * sqrt(1 + 1 / count)
    between = student((1 + confidence) / 2, count - 1) * spread
    *usual, own = (((high - low) / 2) ** 2 for low, _, high in (*earlier, new))
    excess = own - fmean(usual) if own > max(usual) else 0.0
    half = sqrt(between**2 + excess)
    return new[1] - at - half, new[1] - at + half
