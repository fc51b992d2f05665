"""One arm's latencies summed up, each figure with the interval that the data can give it."""

from __future__ import annotations

from array import array
from itertools import accumulate, pairwise
from math import fsum
from operator import truediv
from typing import TYPE_CHECKING

from keepalive_bench.analysis.blocks import blocks_of
from keepalive_bench.analysis.inference import stats
from keepalive_bench.analysis.inference.clusters import clustered_quantile_interval
from keepalive_bench.analysis.inference.dependence import dependence, widening
from keepalive_bench.analysis.inference.intervals import (
    mean_interval,
    quantile_interval,
    ratio_interval,
)
from keepalive_bench.analysis.rows import pick, succeeded
from keepalive_bench.model.analysis import Latency

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from keepalive_bench.analysis.inference.intervals import Interval
    from keepalive_bench.model.run import Run

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


def latency_bounds(run: Run, arm: str, ordered: Sequence[float]) -> dict[str, Interval]:
    """Intervals of an arm's mean and quantiles, of those that the data can bound.

    `ordered` are the latencies of its exchanges that succeeded, sorted.

    One request at a time, they are wider where latencies depend on those before them. Several at a
    time, requests of a block have much in common: the network, and what else the server does. Then
    blocks are what is independent, or nearly.
    """
    experiment, confidence = run.plan.experiment, run.plan.judgement.confidence
    if experiment.block_size == 1:
        latencies = pick(run.exchanges.latency_s, succeeded(run.exchanges, arm))
        return _known(_of_requests(latencies, ordered, confidence))
    blocks = blocks_of(run.exchanges, experiment, arm)
    latencies = array("d", map(run.exchanges.latency_s.__getitem__, blocks.rows))
    return _known(_of_blocks(latencies, blocks.sizes, ordered, confidence))


def _known(bounds: Mapping[str, Interval | None]) -> dict[str, Interval]:
    return {name: bound for name, bound in bounds.items() if bound is not None}


def _of_requests(
    latencies: Sequence[float], ordered: Sequence[float], confidence: float
) -> dict[str, Interval | None]:
    factor = widening(dependence(latencies).inefficiency, len(latencies), confidence)
    bounds = {
        f"p{percent}": quantile_interval(ordered, percent, confidence, factor)
        for percent in PERCENTS
        if stats.quantile(ordered, percent) is not None
    }
    return {**bounds, "mean": mean_interval(latencies, confidence, factor)}


def _of_blocks(
    latencies: Sequence[float], sizes: Sequence[int], ordered: Sequence[float], confidence: float
) -> dict[str, Interval | None]:
    bounds = {
        f"p{percent}": clustered_quantile_interval(latencies, sizes, ordered, percent, confidence)
        for percent in PERCENTS
    }
    edges = accumulate(sizes, initial=0)
    sums = [fsum(latencies[start:stop]) for start, stop in pairwise(edges)]
    if not all(sums):  # a mean of nothing has no logarithm
        return bounds
    factor = widening(dependence([*map(truediv, sums, sizes)]).inefficiency, len(sizes), confidence)
    return {**bounds, "mean": ratio_interval(sums, sizes, confidence, factor)}
