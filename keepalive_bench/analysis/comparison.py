"""The first-named arm against another."""

from __future__ import annotations

from math import exp, log
from statistics import fmean, median
from typing import TYPE_CHECKING

from keepalive_bench.analysis import stats
from keepalive_bench.analysis.intervals import (
    Interval,
    difference_interval,
    lag_one_correlation,
    mean_interval,
    ratio_interval,
    signed_rank_interval,
    widened,
    widening,
)
from keepalive_bench.model.analysis import Comparison, Estimate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from keepalive_bench.model.analysis import ArmSummary
    from keepalive_bench.model.run import Run

Pair = tuple[float, float]
"""The latency of an arm, and that of the other; of blocks, their medians."""


def compare(run: Run, arm: ArmSummary, against: ArmSummary) -> Comparison:
    """How many times faster an arm is than another, and what it saves.

    All intervals are widened where the pairs' log ratios are autocorrelated: noise that lasts from
    one pair to the next, in one arm, makes plain ones too narrow.
    """
    confidence = run.plan.judgement.confidence
    own, other = _pair_halves(run, arm.label), _pair_halves(run, against.label)
    keys = sorted(own.keys() & other.keys())
    pairs = [(own[key], other[key]) for key in keys]
    alone = run.plan.experiment.block_size == 1
    means = pairs if alone else _means(run, arm, against, keys)
    ratios = [log(theirs / ours) for ours, theirs in pairs]
    correlation = lag_one_correlation(ratios)
    factor = widening(correlation)
    return Comparison(
        arm=arm.label,
        against=against.label,
        pairs=len(pairs),
        left_out=len(own.keys() | other.keys()) - len(pairs),
        speedup=_speedup(ratios, confidence, factor),
        throughput=_throughput(arm, against, means, confidence, factor),
        correlation=correlation,
        saving=_savings(run, arm, against, means, factor),
    )


def _speedup(ratios: Sequence[float], confidence: float, factor: float) -> Estimate:
    """The typical ratio: the Hodges-Lehmann estimate of the pairs' log ratios.

    As logarithms, halving and doubling weigh the same. Noise that both halves of a pair share
    cancels, and one slow request moves it little.
    """
    typical = stats.hodges_lehmann(ratios)
    if typical is None:
        return Estimate(None)
    interval = signed_rank_interval(ratios, confidence)
    if interval is None:
        return Estimate(exp(typical))
    low, high = widened(interval, typical, factor)
    return Estimate(exp(typical), exp(low), exp(high))


def _throughput(
    arm: ArmSummary,
    against: ArmSummary,
    pairs: Sequence[Pair],
    confidence: float,
    factor: float,
) -> Estimate:
    ours, theirs = arm.requests_per_second, against.requests_per_second
    if ours is None or theirs is None:
        return Estimate(None)
    estimate = ours / theirs
    halves = [other for _, other in pairs], [own for own, _ in pairs]
    interval = ratio_interval(*halves, confidence, factor) if pairs else None
    if interval is None:
        return Estimate(estimate)
    # The pairs' ratio of means is the throughputs' ratio, but for the pauses within blocks.
    scale = estimate * sum(halves[1]) / sum(halves[0])
    return Estimate(estimate, interval[0] * scale, interval[1] * scale)


def _savings(
    run: Run, arm: ArmSummary, against: ArmSummary, pairs: Sequence[Pair], factor: float
) -> dict[str, Estimate]:
    confidence = run.plan.judgement.confidence
    differences = [other - own for own, other in pairs]
    own, other = sorted(_latencies(run, arm.label)), sorted(_latencies(run, against.label))
    bounds = {
        f"p{percent}": difference_interval(own, other, percent, confidence, factor)
        for percent in (50, 90, 95)
    }
    bounds["mean"] = mean_interval(differences, confidence, factor)
    if bounds["mean"] is not None:
        # Halves without a partner are part of the arms' means, and not of the pairs'.
        off = fmean(other) - fmean(own) - fmean(differences)
        bounds["mean"] = bounds["mean"][0] + off, bounds["mean"][1] + off
    return {
        metric: _saving(getattr(arm.latency, metric), getattr(against.latency, metric), interval)
        for metric, interval in sorted(bounds.items())
    }


def _saving(own: float | None, other: float | None, interval: Interval | None) -> Estimate:
    if own is None or other is None:
        return Estimate(None)
    return Estimate(other - own, *interval) if interval else Estimate(other - own)


def _latencies(run: Run, arm: str) -> list[float]:
    exchanges = run.exchanges
    return [exchanges.latency_s[row] for row in exchanges.rows(arm) if exchanges.failure[row] < 0]


def _means(run: Run, arm: ArmSummary, against: ArmSummary, keys: Sequence[int]) -> list[Pair]:
    """The pairs as means: a block's median says nothing about the mean of what is in it."""
    own, other = (_pair_halves(run, each.label, fmean) for each in (arm, against))
    return [(own[key], other[key]) for key in keys]


def _pair_halves(
    run: Run, arm: str, middle: Callable[[list[float]], float] = median
) -> dict[int, float]:
    """An arm's half of each pair: a request's latency, or the median one of a block.

    One request at a time, requests of the same index are a pair; several at a time, the requests
    of a round are, or as many of one arm after the other. A half that failed has no place in it.
    """
    exchanges, experiment = run.exchanges, run.plan.experiment
    by_round, block_size = experiment.rounds > 1, experiment.block_size
    last_block = max(1, experiment.requests // block_size) - 1
    halves: dict[int, list[float]] = {}
    for row in exchanges.rows(arm):
        if exchanges.failure[row] < 0:
            block = min(exchanges.index[row] // block_size, last_block)
            key = exchanges.round[row] if by_round else block
            halves.setdefault(key, []).append(exchanges.latency_s[row])
    middles = {key: middle(values) for key, values in halves.items()}
    return {key: value for key, value in middles.items() if value}
