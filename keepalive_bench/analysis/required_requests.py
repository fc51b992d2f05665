"""How many requests it takes: to bound an estimate, to tell two arms apart, or to know enough."""

from __future__ import annotations

from functools import lru_cache
from math import ceil, log, log1p, log10
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal

from keepalive_bench.analysis.arm_view import ArmView, Quantile
from keepalive_bench.analysis.effects import typical_effect
from keepalive_bench.analysis.pairs import pair
from keepalive_bench.stats.clusters import LEAST_CLUSTERS
from keepalive_bench.stats.descriptive import quantile
from keepalive_bench.stats.intervals import (
    mean_interval,
    quantile_ends,
    quantile_interval,
    signed_rank_interval,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from keepalive_bench.plan.plan import DecisionRule, Plan
    from keepalive_bench.results.columns import ExchangeColumns
    from keepalive_bench.stats.intervals import Estimate

Basis = Quantile | Literal["exact", "mean", "ranks", "pairs", "verdict", "nothing"]
"""What bounds an estimate: its arm's values, the ranks of pairs, the means of pairs, nothing.

What is `exact` is no estimate: it was counted, or it is a single measured value. A verdict is a
word that rests on ranks.
"""
_MOST = 100_000
_OF_BLOCKS = {"ranks", "pairs", "verdict", "mean"}
_OF_REUSES = {"ranks", "verdict"}
_FINEST = 0.01
"""Nobody is asked for more requests than 1 % takes."""
_POWER = 0.8
"""How often a run of the requests that are asked for has to suffice."""
_SMALLEST = 2.0**-1022
"""What was rounded to 0 has no logarithm, and counts as the smallest normal float."""


def required_requests(requests: int, ratio: Estimate, rule: DecisionRule) -> int:
    """Requests with which four runs in five would tell whether a ratio differs from 1.

    An interval's ends come nearer to its estimate as 1 ÷ √n, as logarithms. Either suffices:

    - an interval as wide as the margin: wherever it lies, it excludes 1 or lies within the margin;
    - one that excludes 1 with a power of 0.8 (J. Cohen, "Statistical Power Analysis for the
      Behavioral Sciences", 1988). An estimate that didn't suffice is often too large by chance, so
      that is reckoned for the difference that it exceeds with a probability of 0.2 at most: M.
      Perugini, M. Gallucci and G. Costantini, "Safeguard Power as a Protection Against Imprecise
      Power Estimates", Perspectives on Psychological Science 9 (2014).
    """
    estimate, low, high = ratio
    if estimate is None or low is None or high is None:
        return 0
    bottom, middle, top = (log(max(it, _SMALLEST)) for it in (low, estimate, high))
    to_one = middle - bottom if middle > 0 else top - middle
    power = NormalDist().inv_cdf(_POWER) / NormalDist().inv_cdf((1 + rule.confidence) / 2)
    surely = max(abs(middle) - power * to_one, _FINEST)
    by_margin = (top - bottom) / max(log1p(rule.margin), _FINEST)
    needed = requests * min((1 + power) * to_one / surely, by_margin) ** 2
    step: int = 10 ** max(0, ceil(log10(max(needed, 1))) - 2)
    return max(requests + 1, ceil(needed / step) * step)


def least_requests(basis: Basis, plan: Plan) -> int | None:
    """Requests of each arm that could bound an estimate, if none fails; `None`: no number could.

    Where several requests are on their way at once, blocks of them count, so it takes more there.
    """
    if basis == "exact":
        return 1
    values = _least_values(basis, plan.decision_rule.confidence)
    if values is None:
        return None
    block = plan.experiment.block_size
    if basis in _OF_BLOCKS:
        return values * block + (basis in _OF_REUSES and opens_first(plan))
    return values if block == 1 else max(values, LEAST_CLUSTERS * block)


def least_to_bound(percent: int, plan: Plan, *, above: bool, factor: float = 1.0) -> int | None:
    """Requests of an arm that could bound its quantile from above, or from below; as that one does.

    `factor`: how much less sure they make it than as many that have nothing to do with each other.
    """
    tail = 1 - plan.decision_rule.confidence
    values = _least(
        lambda count: quantile_ends(range(count), percent, tail, factor)[above] is not None
    )
    block = plan.experiment.block_size
    return values if values is None or block == 1 else max(values, LEAST_CLUSTERS * block)


def opens_first(plan: Plan) -> bool:
    """Whether the first request of a pool is in every comparison: it opens a connection.

    So the first pair is none that reused one. A block of several requests has others that can.
    """
    first, *others = (arm.traits.reuses for arm in plan.experiment.arms)
    return plan.experiment.block_size == 1 and (first or (bool(others) and all(others)))


@lru_cache(maxsize=32)
def _least_values(basis: Basis, confidence: float) -> int | None:
    if basis == "nothing":
        return None
    return _least(lambda count: _is_bounded(basis, count, confidence))


def _least(is_enough: Callable[[int], bool]) -> int | None:
    """By asking for ever more values and then in between: more never bound less."""
    enough = 1
    while not is_enough(enough):
        enough *= 2
        if enough > _MOST:
            return None
    too_few = enough // 2
    while enough - too_few > 1:
        middle = (enough + too_few) // 2
        if is_enough(middle):
            enough = middle
        else:
            too_few = middle
    return enough


def _is_bounded(basis: Basis, count: int, confidence: float) -> bool:
    values = range(1, count + 1)
    if basis in {"ranks", "verdict"}:
        return signed_rank_interval(values, confidence) is not None
    if basis in {"mean", "pairs"}:
        return mean_interval(values, confidence, 1.0) is not None
    percent = int(basis[1:])
    is_shown = quantile(values, percent) is not None
    return is_shown and quantile_interval(values, percent, confidence) is not None


_FIRST_LOOK, _FIRST_LOOK_AT_BLOCKS = 50, 20
"""Pairs; of fewer, neither the spread nor the autocorrelation is known well enough."""
LOOKED_AT = ("arm", "index", "round", "failure", "latency_s", "connection")
"""The columns that tell it."""
_GROWTH = 1.25
"""The next look is taken when there are a quarter more, so that all looks cost little."""


class PrecisionRule:
    """Ends a measurement when the interval of every speed-up is as narrow as the plan asks.

    The rule looks at the width alone, and not at where the interval lies, so a run doesn't end
    because it has come to say something: Y. S. Chow and H. Robbins, "On the Asymptotic Theory of
    Fixed-Width Sequential Confidence Intervals for the Mean", The Annals of Mathematical
    Statistics 36 (1965), 457-462. It has to be narrow at two looks in a row, because it is so once
    by chance, too.
    """

    def __init__(self, plan: Plan, exchanges: ExchangeColumns) -> None:
        self._plan, self._exchanges = plan, exchanges
        experiment = plan.experiment
        alone = experiment.block_size == 1
        first = _FIRST_LOOK if alone else _FIRST_LOOK_AT_BLOCKS * experiment.block_size
        self._next_look = first * len(experiment.arms)
        self._was_narrow = False

    def is_met(self) -> bool:
        """Whether the measurement can end; called at the end of a round."""
        sent = len(self._exchanges)
        precision = self._plan.experiment.precision
        if precision is None or sent < self._next_look:
            return False
        self._next_look = ceil(_GROWTH * sent)
        labels = self._plan.experiment.labels
        first, *others = (ArmView(label, self._plan, self._exchanges) for label in labels)
        was_narrow = self._was_narrow
        # Of arms that have no pair by now, one doesn't answer, and there will hardly be any.
        known = (it for it in (pair(first, other) for other in others) if it.number)
        speedups = (typical_effect(pairs, self._plan).speedup for pairs in known)
        self._was_narrow = all(is_precise(speedup, precision) for speedup in speedups)
        return was_narrow and self._was_narrow


def is_precise(speedup: Estimate, precision: float) -> bool:
    """Whether an interval is at most so wide, on either side and as a share of the estimate."""
    estimate, low, high = speedup
    if estimate is None or low is None or high is None:
        return False
    return max(log(high / estimate), log(estimate / low)) <= log1p(precision)
