"""One arm's latencies summed up, each figure with the interval that the data can give it."""

from __future__ import annotations

from array import array
from itertools import accumulate, pairwise
from math import fsum
from operator import truediv
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.analysis.analysis import Latency
from keepalive_bench.analysis.blocks import blocks_of
from keepalive_bench.results.masks import pick, succeeded
from keepalive_bench.stats import stats
from keepalive_bench.stats.clusters import clustered_quantile_ends, clustered_quantile_interval
from keepalive_bench.stats.dependence import dependence, interval_inflation
from keepalive_bench.stats.intervals import quantile_ends as one_by_one
from keepalive_bench.stats.intervals import quantile_interval, ratio_interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from keepalive_bench.results.run import Run
    from keepalive_bench.stats.intervals import Ends, Interval

PERCENTS = (50, 90, 95, 99)


def summed_up(ordered: Sequence[float]) -> Latency:
    """Sorted latencies, one at least."""
    return Latency(
        mean=stats.mean(ordered),
        stdev=stats.stdev(ordered),
        min=ordered[0],
        max=ordered[-1],
        **{f"p{percent}": stats.quantile(ordered, percent) for percent in PERCENTS},
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

    arm: str
    latency: Latency
    bounds: Mapping[str, Interval]
    interval_inflation: float


def latency_bounds(
    run: Run, arm: str, ordered: Sequence[float], *, with_mean: bool = True
) -> Bounds:
    """Intervals of an arm's quantiles and mean.

    `ordered` are the latencies of its exchanges that succeeded, sorted; the mean takes longer than
    all else. One request at a time, the intervals are wider where latencies depend on those before
    them. Several at a time, requests of a block have much in common: the network, and what else the
    server does. Then blocks are what is independent, or nearly.
    """
    experiment, confidence = run.plan.experiment, run.plan.decision_rule.confidence
    shown = [it for it in PERCENTS if stats.quantile(ordered, it) is not None]
    found: dict[str, Interval | None]
    sums: Sequence[float]
    sizes: Sequence[int]
    if experiment.block_size == 1:
        latencies = pick(run.exchanges.latency_s, succeeded(run.exchanges, arm))
        correlation, factor = _dependence_of(latencies, confidence)
        found = {f"p{it}": quantile_interval(ordered, it, confidence, factor) for it in shown}
        sums, sizes = latencies, array("B", bytes([1]) * len(latencies))
    else:
        blocks = _in_blocks(run, arm)
        sums, sizes = _sums(*blocks), blocks[1]
        means = [*map(truediv, sums, sizes)]
        correlation, factor = _dependence_of(means, confidence)
        found = {
            f"p{it}": clustered_quantile_interval(*blocks, ordered, it, confidence) for it in shown
        }
    if with_mean and all(sums):  # as a logarithm, which nothing hasn't, it is never below 0
        found["mean"] = ratio_interval(sums, sizes, confidence, factor)
    known = {name: bound for name, bound in found.items() if bound is not None}
    return Bounds(known, correlation, factor)


def quantile_ends(run: Run, arm: str, percent: int) -> Ends:
    """Where an arm's quantile lies at least, and at most: each end by itself, at the confidence.

    An interval leaves half of the doubt to either side; an end that decides something alone has all
    of it. Of nothing, neither is known.
    """
    experiment, tail = run.plan.experiment, 1 - run.plan.decision_rule.confidence
    latencies = pick(run.exchanges.latency_s, succeeded(run.exchanges, arm))
    ordered = sorted(latencies)
    if not ordered:
        return None, None
    if experiment.block_size > 1:
        return clustered_quantile_ends(*_in_blocks(run, arm), ordered, percent, tail)
    _, factor = _dependence_of(latencies, 1 - 2 * tail)
    return one_by_one(ordered, percent, tail, factor)


def _sums(latencies: Sequence[float], sizes: Sequence[int]) -> list[float]:
    edges = accumulate(sizes, initial=0)
    return [fsum(latencies[start:stop]) for start, stop in pairwise(edges)]


def _dependence_of(values: Sequence[float], confidence: float) -> tuple[float, float]:
    """A drift doesn't widen anything: it is told apart, and figures are of the run's time."""
    correlation, inefficiency = dependence(values, around_trend=True)
    return correlation, interval_inflation(inefficiency, len(values), confidence)


def _in_blocks(run: Run, arm: str) -> tuple[array[float], list[int]]:
    """An arm's latencies, block by block, and how many are in each."""
    blocks = blocks_of(run.exchanges, run.plan.experiment, arm)
    return array("d", map(run.exchanges.latency_s.__getitem__, blocks.rows)), blocks.sizes
