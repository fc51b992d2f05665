"""What an arm saves of another one's quantiles of latency."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from keepalive_bench.analysis.arm_view import PERCENTS
from keepalive_bench.stats.dependence import common_correlation
from keepalive_bench.stats.intervals import Estimate, difference_interval, quantile_interval

if TYPE_CHECKING:
    from keepalive_bench.analysis.arm_view import ArmView
    from keepalive_bench.analysis.pairs import Pairs
    from keepalive_bench.stats.intervals import Interval

_ONLY_BOUNDED = 99
"""Of p99, a saving that nothing bounds would be little but a difference of two maxima."""


def quantile_savings(
    own: ArmView, other: ArmView, pairs: Pairs, factor: float
) -> dict[str, Estimate]:
    """The other's quantile − the own, by metric.

    `factor` is how much wider the pairs' autocorrelation makes intervals. What the arms have in
    common may last: that widens their quantiles' own intervals, though it is in no ratio of a pair.
    """
    found = {}
    for percent in PERCENTS:
        metric = f"p{percent}"
        at, other_at = (getattr(it.latency, metric) for it in (own, other))
        if at is None or other_at is None:
            found[metric] = Estimate(None)
            continue
        bounds, other_bounds = (_quantile_bounds(it, percent, factor) for it in (own, other))
        if bounds is not None and other_bounds is not None:
            common = _in_common(own, other, pairs, metric)
            one, two = (bounds[0], at, bounds[1]), (other_bounds[0], other_at, other_bounds[1])
            found[metric] = Estimate(other_at - at, *difference_interval(one, two, common))
        else:
            found[metric] = Estimate(None if percent == _ONLY_BOUNDED else other_at - at)
    return found


def _quantile_bounds(view: ArmView, percent: int, factor: float) -> Interval | None:
    """One request at a time, wider where the pairs ask for more than the arm's own latencies do."""
    if not view.is_alone or factor <= view.interval_inflation:
        return view.quantile_intervals.get(f"p{percent}")
    return quantile_interval(view.ordered, percent, view.confidence, factor)


def _in_common(own: ArmView, other: ArmView, pairs: Pairs, metric: str) -> float:
    """How much the quantiles of arms that take turns have in common, one request at a time."""
    if not own.is_alone or not own.plan.experiment.is_paired:
        return 0.0
    at, other_at = (getattr(it.latency, metric) for it in (own, other))
    common = common_correlation(pairs.own.all.typical, pairs.other.all.typical, at, other_at)
    return common * pairs.number / sqrt(len(own.ordered) * len(other.ordered))
