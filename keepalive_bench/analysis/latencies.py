"""One arm's latencies summed up, each figure with the interval that the data can give it."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.analysis.analysis import Latency
from keepalive_bench.stats.clusters import clustered_quantile_ends, clustered_quantile_interval
from keepalive_bench.stats.dependence import interval_inflation
from keepalive_bench.stats.descriptive import mean, quantile, stdev
from keepalive_bench.stats.intervals import quantile_ends as independent_quantile_ends
from keepalive_bench.stats.intervals import quantile_interval, ratio_interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from keepalive_bench.analysis.arm_view import ArmView
    from keepalive_bench.stats.intervals import Ends, Interval

PERCENTS = (50, 90, 95, 99)


def summed_up(ordered: Sequence[float]) -> Latency:
    """Sorted latencies in one value."""
    if not ordered:
        return Latency()
    return Latency(
        mean=mean(ordered),
        stdev=stdev(ordered),
        min=ordered[0],
        max=ordered[-1],
        **{f"p{percent}": quantile(ordered, percent) for percent in PERCENTS},
    )


class Bounds(NamedTuple):
    """Intervals of an arm's figures, and what dependence does to them."""

    bounds: dict[str, Interval]
    """By metric, of those that the data can bound."""
    correlation: float
    """Autocorrelation at lag 1, around a line, of its requests' ranks, or of its blocks' means."""
    interval_inflation: float
    """How much wider that at all lags makes the intervals."""


class Latencies(NamedTuple):
    """An arm's latencies, summed up, and the intervals of its quantiles."""

    view: ArmView
    latency: Latency
    bounds: Mapping[str, Interval]
    interval_inflation: float


def latency_bounds(view: ArmView, latency: Latency, *, with_mean: bool = True) -> Bounds:
    """Intervals of an arm's quantiles and mean; the mean takes longer than all else.

    One request at a time, the intervals are wider where latencies depend on those before them.
    Several at a time, requests of a block have much in common: the network, and what else the
    server does. Then blocks are what is independent, or nearly.
    """
    confidence, ordered = view.plan.decision_rule.confidence, view.ordered
    shown = [percent for percent in PERCENTS if getattr(latency, f"p{percent}") is not None]
    found: dict[str, Interval | None]
    sums: Sequence[float]
    sizes: Sequence[int]
    if view.is_alone:
        sums, sizes = view.latencies, array("B", bytes([1]) * len(view.latencies))
        factor = _inflation(view, confidence)
        found = {f"p{it}": quantile_interval(ordered, it, confidence, factor) for it in shown}
    else:
        sums, sizes = view.block_sums, view.block_sizes
        factor = _inflation(view, confidence)
        found = {
            f"p{it}": clustered_quantile_interval(view.by_block, sizes, ordered, it, confidence)
            for it in shown
        }
    if with_mean and all(sums):  # as a logarithm, which nothing hasn't, it is never below 0
        found["mean"] = ratio_interval(sums, sizes, confidence, factor)
    known = {name: bound for name, bound in found.items() if bound is not None}
    return Bounds(known, view.dependence.correlation, factor)


def quantile_ends(view: ArmView, percent: int) -> Ends:
    """Where an arm's quantile lies at least, and at most: each end by itself, at the confidence.

    An interval leaves half of the doubt to either side; an end that decides something alone has all
    of it. Of nothing, neither is known.
    """
    tail = 1 - view.plan.decision_rule.confidence
    if not view.ordered:
        return None, None
    if view.is_alone:
        factor = _inflation(view, 1 - 2 * tail)
        return independent_quantile_ends(view.ordered, percent, tail, factor)
    return clustered_quantile_ends(view.by_block, view.block_sizes, view.ordered, percent, tail)


def _inflation(view: ArmView, confidence: float) -> float:
    count = len(view.latencies if view.is_alone else view.block_sums)
    return interval_inflation(view.dependence.inefficiency, count, confidence)
