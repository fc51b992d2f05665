"""What the first-named arm saves against another, in seconds, each figure with its interval."""

from __future__ import annotations

from array import array
from math import sqrt
from operator import sub
from statistics import fmean
from typing import TYPE_CHECKING

from keepalive_bench.analysis.inference.dependence import common_correlation
from keepalive_bench.analysis.inference.intervals import (
    apart,
    difference_interval,
    mean_interval,
)
from keepalive_bench.analysis.latencies import PERCENTS
from keepalive_bench.analysis.rows import pick, succeeded
from keepalive_bench.model.analysis import Estimate

if TYPE_CHECKING:
    from keepalive_bench.analysis.inference.intervals import Interval
    from keepalive_bench.analysis.pairs import Pairs
    from keepalive_bench.model.analysis import ArmSummary
    from keepalive_bench.model.run import Run

_ONLY_BOUNDED = 99
"""Of p99, a saving that nothing bounds would be little but a difference of two maxima."""

Arms = tuple["ArmSummary", "ArmSummary"]
"""The first-named, and the one that it is compared with."""


def savings(run: Run, arms: Arms, pairs: Pairs, factor: float) -> dict[str, Estimate]:
    """By metric; `factor` is how much wider the pairs' autocorrelation makes intervals."""
    alone, confidence = run.plan.experiment.block_size == 1, run.plan.judgement.confidence
    ours, theirs = (_ordered(run, arm.label) for arm in arms)
    found = {"mean": _mean_saving(run, pairs, factor)}
    for percent in PERCENTS:
        own, other = (getattr(arm.latency, f"p{percent}") for arm in arms)
        if own is None or other is None:
            found[f"p{percent}"] = Estimate(None)
            continue
        if alone:
            common = _in_common(run, pairs, (own, other)) * pairs.number
            common /= sqrt(len(ours) * len(theirs))
            interval = difference_interval(ours, theirs, percent, confidence, factor, common)
        else:
            interval = _of_blocks(arms, f"p{percent}")
        if interval is not None:
            found[f"p{percent}"] = Estimate(other - own, *interval)
        else:
            found[f"p{percent}"] = Estimate(None if percent == _ONLY_BOUNDED else other - own)
    return found


def _in_common(run: Run, pairs: Pairs, at: tuple[float, float]) -> float:
    """How much the arms' quantiles have in common, if all requests are in pairs."""
    if not run.plan.experiment.is_paired:
        return 0.0
    return common_correlation(pairs.own.typical, pairs.other.typical, *at)


def _of_blocks(arms: Arms, metric: str) -> Interval | None:
    """Several at a time: as sure as the arms' quantiles are, by how blocks differ."""
    bounds = [arm.latency_bounds.get(metric) for arm in arms]
    if bounds[0] is None or bounds[1] is None:
        return None
    (low, high), (other_low, other_high) = bounds[0], bounds[1]
    own, other = (getattr(arm.latency, metric) for arm in arms)
    return apart((low, own, high), (other_low, other, other_high))


def _mean_saving(run: Run, pairs: Pairs, factor: float) -> Estimate:
    """Of the pairs' requests only, so that it doesn't matter which requests of an arm failed."""
    if not pairs.number:
        return Estimate(None)
    differences = array("d", map(sub, pairs.other.mean, pairs.own.mean))
    latency_of = run.exchanges.latency_s.__getitem__
    own, other = (fmean(map(latency_of, half.rows)) for half in (pairs.own, pairs.other))
    interval = mean_interval(differences, run.plan.judgement.confidence, factor)
    if interval is None:
        return Estimate(other - own)
    off = other - own - fmean(differences)  # blocks that lost requests are not all of one size
    return Estimate(other - own, interval[0] + off, interval[1] + off)


def _ordered(run: Run, arm: str) -> array[float]:
    """The latencies of an arm, sorted."""
    exchanges = run.exchanges
    return array("d", sorted(pick(exchanges.latency_s, succeeded(exchanges, arm))))
