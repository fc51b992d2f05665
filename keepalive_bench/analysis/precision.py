"""When a speed-up is known well enough for the measurement to end."""

from __future__ import annotations

from math import ceil, log, log1p
from typing import TYPE_CHECKING

from keepalive_bench.analysis.arm_view import ArmView
from keepalive_bench.analysis.comparison import typical_effect
from keepalive_bench.analysis.pairs import pair

if TYPE_CHECKING:
    from keepalive_bench.analysis.pairs import Pairs
    from keepalive_bench.plan.plan import Plan
    from keepalive_bench.results.columns import ExchangeColumns
    from keepalive_bench.stats.intervals import Estimate

_FIRST_LOOK, _FIRST_LOOK_AT_BLOCKS = 50, 20
"""Pairs; of fewer, neither the spread nor the autocorrelation is known well enough."""
LOOKED_AT = ("arm", "index", "round", "failure", "latency_s")
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
        self._was_narrow = all(self._is_known(pair(first, it), precision) for it in others)
        return was_narrow and self._was_narrow

    def _is_known(self, pairs: Pairs, precision: float) -> bool:
        # Of arms that have no pair by now, one doesn't answer, and there will hardly be any.
        return not pairs.number or is_precise(typical_effect(pairs, self._plan).speedup, precision)


def is_precise(speedup: Estimate, precision: float) -> bool:
    """Whether an interval is at most so wide, on either side and as a share of the estimate."""
    estimate, low, high = speedup
    if estimate is None or low is None or high is None:
        return False
    return max(log(high / estimate), log(estimate / low)) <= log1p(precision)
