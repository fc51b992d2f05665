"""The first-named arm against another."""

from __future__ import annotations

from math import exp, log
from statistics import median
from typing import TYPE_CHECKING

from keepalive_bench.analysis import stats
from keepalive_bench.model.analysis import Comparison, Estimate

if TYPE_CHECKING:
    from keepalive_bench.model.analysis import ArmSummary
    from keepalive_bench.model.run import Run

_SAVINGS = ("mean", "p50", "p90", "p95")


def compare(run: Run, arm: ArmSummary, against: ArmSummary) -> Comparison:
    """How many times faster an arm is than another, and what it saves."""
    ratios = _log_ratios(run, arm.label, against.label)
    typical = stats.hodges_lehmann(ratios)
    return Comparison(
        arm=arm.label,
        against=against.label,
        pairs=len(ratios),
        speedup=Estimate(None if typical is None else exp(typical)),
        saving={
            metric: _saving(getattr(arm.latency, metric), getattr(against.latency, metric))
            for metric in _SAVINGS
        },
    )


def _saving(own: float | None, other: float | None) -> Estimate:
    return Estimate(None if own is None or other is None else other - own)


def _log_ratios(run: Run, arm: str, against: str) -> list[float]:
    """Each pair's ratio of latencies, as a logarithm, so that halving and doubling weigh the same.

    Their Hodges-Lehmann estimate is the typical speed-up: noise that both halves of a pair share
    cancels, and one slow request moves it little.
    """
    own, other = _pair_halves(run, arm), _pair_halves(run, against)
    return [log(other[key] / own[key]) for key in sorted(own.keys() & other.keys())]


def _pair_halves(run: Run, arm: str) -> dict[int, float]:
    """An arm's half of each pair: a request's latency, or the median one of a block.

    One request at a time, requests of the same index are a pair; several at a time, the requests
    of a round are, or as many of one arm after the other. A half that failed has no place in it.
    """
    exchanges, experiment = run.exchanges, run.plan.experiment
    last_block = max(1, experiment.requests // experiment.block_size) - 1
    halves: dict[int, list[float]] = {}
    for row in exchanges.rows(arm):
        if exchanges.failure[row] < 0:
            block = min(exchanges.index[row] // experiment.block_size, last_block)
            key = exchanges.round[row] if experiment.rounds > 1 else block
            halves.setdefault(key, []).append(exchanges.latency_s[row])
    medians = {key: median(values) for key, values in halves.items()}
    return {key: value for key, value in medians.items() if value}
