"""What the requests show of a value: that it is enough, that it is worse than another, or neither.

Between a loss that matters and one that a value called enough may have lies a zone in which either
answer is right: without one, no number of requests tells a value that is as good as another from
one that is worse by just the margin (R. E. Bechhofer, "A Single-Sample Multiple Decision Procedure
for Ranking Means of Normal Populations with Known Variances", The Annals of Mathematical
Statistics 25, 1954).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

from keepalive_bench.analysis.sweep import SweptValue
from keepalive_bench.stats.distributions import hypergeometric_tail
from keepalive_bench.stats.intervals import Estimate
from keepalive_bench.units import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keepalive_bench.plan.experiment import Swept
    from keepalive_bench.plan.load import Traffic

Effect = Callable[[SweptValue, SweptValue, float], Estimate]
"""How many times better one value is than another, shorter latency or more requests/s, with the
interval of a confidence."""

_MOST_LOST = 3
"""Margins: what may be lost with a value that is called enough."""
_MOST_SURE = 0.999
"""What a plan's confidence can be."""


@dataclass(frozen=True, kw_only=True)
class Criteria:
    """What was asked, and how much it takes for a difference to be called one."""

    option: Swept
    traffic: Traffic
    threads: int
    block: bool
    margin: float
    confidence: float
    effect: Effect

    @property
    def who(self) -> str:
        """Whose traffic it is."""
        how = "in bursts" if self.traffic == "bursts" else "that never pause"
        return f"{plural(self.threads, 'thread')} {how}"

    def rate_bound(self, chances: int) -> float:
        """What the rate of something that never happened lies below: the rule of three.

        −ln(1 − confidence) ÷ n: J. A. Hanley and A. Lippman-Hand, "If Nothing Goes Wrong, Is
        Everything All Right?", JAMA 249 (1983).
        """
        return -log(1 - self.confidence) / chances

    def lost(self, value: SweptValue, others: Sequence[SweptValue]) -> float | None:
        """How much better any of the others is, at most; 0: none is, `None`: that isn't known."""
        lows = [self._surely(value, it, others).low for it in others]
        return None if not all(lows) else max(1.0, *(1 / low for low in lows if low)) - 1

    def is_enough(self, value: SweptValue, others: Sequence[SweptValue]) -> bool:
        """Whether none of the others is better by more than may be lost, or is shown to matter."""
        lost = self.lost(value, others)
        is_little = lost is not None and lost <= _MOST_LOST * self.margin
        return is_little and not self.is_worse(value, others)

    def is_worse(self, value: SweptValue, others: Sequence[SweptValue]) -> bool:
        """Whether any of the others is shown to be better by more than the margin."""
        highs = (self._surely(value, it, others).high for it in others)
        return any(high is not None and high < 1 / (1 + self.margin) for high in highs)

    def _surely(
        self, value: SweptValue, other: SweptValue, others: Sequence[SweptValue]
    ) -> Estimate:
        """The effect, with its share of the chance that any of so many intervals is wrong.

        C. E. Bonferroni, "Teoria statistica delle classi e calcolo delle probabilità" (1936).
        """
        return self.effect(value, other, min(1 - self._chance_of_each(others), _MOST_SURE))

    def throws_more_away(
        self, value: SweptValue, kept: SweptValue, values: Sequence[SweptValue]
    ) -> bool:
        """Whether a pool throws connections away more often than one that threw none away.

        A pool with a place for each thread never does. Of a smaller one, that it didn't may be
        chance: by rounds, as those of one have one cause, and Fisher's exact test.
        """
        if kept.value >= self.threads:
            return value.discarded > 0
        rounds = value.rounds + kept.rounds
        tail = hypergeometric_tail(value.full_rounds, value.rounds, value.full_rounds, rounds)
        return tail <= self._chance_of_each(values[1:])

    def is_same(self, value: SweptValue, other: SweptValue) -> bool:
        """Whether neither is better than the other by more than the margin."""
        _, low, high = self.effect(value, other, self.confidence)
        return (
            low is not None
            and high is not None
            and 1 / (1 + self.margin) <= low <= high <= 1 + self.margin
        )

    def _chance_of_each(self, others: Sequence[SweptValue]) -> float:
        return (1 - self.confidence) / max(1, len(others))
