"""What an arm saves of another one's quantiles of latency."""

from __future__ import annotations

from array import array
from math import hypot, sqrt
from operator import sub
from typing import TYPE_CHECKING

from keepalive_bench.analysis.arm_view import PERCENTS
from keepalive_bench.stats.intervals import Estimate, difference_interval, widened
from keepalive_bench.stats.paired_quantiles import (
    are_below,
    fractional_interval,
    indicator_inflation,
    rank_inflation,
    shares_correlation,
)

if TYPE_CHECKING:
    from keepalive_bench.analysis.arm_view import ArmView
    from keepalive_bench.analysis.pairs import Pairs
    from keepalive_bench.stats.intervals import Bounded, Interval

_ONLY_BOUNDED = 99
"""Of p99, a saving that nothing bounds would be little but a difference of two maxima."""


def quantile_savings(own: ArmView, other: ArmView, pairs: Pairs) -> dict[str, Estimate]:
    """The other's quantile − the own, by metric.

    Where arms take turns, one request at a time, noise that both halves of a pair share is in
    neither's saving. Else, and where most pairs lack a half, the arms' own intervals are put
    together as independent ones.
    """
    paired = None
    experiment, most = own.plan.experiment, max(len(own.ordered), len(other.ordered))
    if own.is_alone and experiment.is_paired and 2 * pairs.number >= most > 0:
        paired = _Paired(own, other, pairs)
    found = {}
    for percent in PERCENTS:
        metric = f"p{percent}"
        at, other_at = (getattr(it.latency, metric) for it in (own, other))
        if at is None or other_at is None:
            found[metric] = Estimate(None)
            continue
        if paired is not None:
            interval = paired.interval(percent, at, other_at)
        else:
            bounds, other_bounds = (it.quantile_intervals.get(metric) for it in (own, other))
            interval = _difference(at, bounds, other_at, other_bounds)
        if interval is None:
            found[metric] = Estimate(None if percent == _ONLY_BOUNDED else other_at - at)
        else:
            found[metric] = Estimate(other_at - at, *interval)
    return found


class _Paired:
    """Arms that take turns, one request at a time."""

    def __init__(self, own: ArmView, other: ArmView, pairs: Pairs) -> None:
        self.own, self.other, self.pairs = own, other, pairs
        self.confidence = own.confidence
        differences = array("d", map(sub, pairs.other.all.typical, pairs.own.all.typical))
        self.inflation = rank_inflation(differences, self.confidence)

    def interval(self, percent: int, at: float, other_at: float) -> Interval | None:
        """Of the difference of two quantiles.

        It is wider for what lasts from pair to pair by the mean square of what two series say. The
        one of who lies below is right in the long run, but a few hundred pairs cross a high
        quantile too seldom to show noise that is slow; the pairs' differences do show it, and more
        than that of what is in their middle only.
        """
        bounds, other_bounds = (
            fractional_interval(it.ordered, percent, self.confidence)
            for it in (self.own, self.other)
        )
        below = are_below(self.pairs.own.all.typical, at)
        other_below = are_below(self.pairs.other.all.typical, other_at)
        in_pairs = self.pairs.number / sqrt(len(self.own.ordered) * len(self.other.ordered))
        common = shares_correlation(below, other_below) * in_pairs
        found = _difference(at, bounds, other_at, other_bounds, common)
        if found is None or bounds is None or other_bounds is None:
            return None
        widths = bounds[1] - bounds[0], other_bounds[1] - other_bounds[0]
        lasting = indicator_inflation(below, other_below, widths, self.confidence)
        return widened(found, other_at - at, hypot(lasting, self.inflation) / sqrt(2))


def _difference(
    at: float,
    bounds: Interval | None,
    other_at: float,
    other_bounds: Interval | None,
    common: float = 0.0,
) -> Interval | None:
    if bounds is None or other_bounds is None:
        return None
    return difference_interval(_around(at, bounds), _around(other_at, other_bounds), common)


def _around(at: float, bounds: Interval) -> Bounded:
    return min(bounds[0], at), at, max(bounds[1], at)
