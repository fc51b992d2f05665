"""A level that shifts in one of two arms while they are measured; and whether that matters."""

from __future__ import annotations

from array import array
from itertools import compress, count, islice
from math import isnan, log
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.analysis.effects import log_ratios, typical_ratio
from keepalive_bench.analysis.ratio_words import in_brief, span
from keepalive_bench.stats.change_point import change_point
from keepalive_bench.units import duration

if TYPE_CHECKING:
    from keepalive_bench.analysis.arm_view import ArmView
    from keepalive_bench.analysis.pairs import Pairs
    from keepalive_bench.plan.plan import DecisionRule
    from keepalive_bench.stats.intervals import Estimate

_CHANCE = 0.01
"""In how many runs without a shift one is seen at the most, in any of their comparisons."""


class Levels(NamedTuple):
    """An arm's median latencies before a shift and after it, in seconds."""

    before_s: float
    after_s: float

    @property
    def change(self) -> float:
        """As a logarithm."""
        return log(self.after_s / self.before_s)


class Shift(NamedTuple):
    """Where the ratio of two arms changes its level."""

    index: int  # type: ignore[assignment]  # and no method of tuples
    """The first request after it."""
    is_gradual: bool
    """Whether the ratio changes all the time, rather than at once."""
    arm: str
    """Whose level changes more."""
    levels: dict[str, Levels]
    """Of each arm, by its label."""
    before: Estimate
    """The speed-up of the pairs before it."""
    after: Estimate

    def parts_disagree(self, margin: float) -> bool:
        """Whether the pairs before and after would say different things of the arms.

        A part that is too short for an interval says nothing.
        """
        said = {_word(part, margin) for part in (self.before, self.after)} - {""}
        return len(said) > 1

    def in_words(self, subject: str, rule: DecisionRule) -> str:
        """What the two parts say, in a sentence, of what is compared."""
        parts = [_in_words(it, rule) for it in (self.before, self.after)]
        at = self.levels[self.arm]
        moved = "rose" if at.change > 0 else "fell"
        when = "in between" if self.is_gradual else "there"
        return (
            f"{subject} {parts[0]} before request {self.index}, and {parts[1]} from there on: "
            f"the latency of {self.arm} {moved} {when}, from {duration(at.before_s)} to "
            f"{duration(at.after_s)}."
        )


def _word(ratio: Estimate, margin: float) -> str:
    _, low, high = ratio
    if low is None or high is None:
        return ""
    if 1 / (1 + margin) <= low and high <= 1 + margin:
        return "no-difference"
    if low > 1:
        return "faster"
    return "slower" if high < 1 else "inconclusive"


def _in_words(ratio: Estimate, rule: DecisionRule) -> str:
    word, said = _word(ratio, rule.margin), f"({rule.ci}: {span(ratio)})"
    if word in {"faster", "slower"}:
        return f"was {in_brief(ratio)} {said}"
    verb = "made no difference" if word == "no-difference" else "may have been faster, or not"
    return f"{verb} {said}"


def shift_of(own: ArmView, other: ArmView, pairs: Pairs) -> Shift | None:
    """Where the pairs' log ratios change their level; `None`: nowhere that chance wouldn't show.

    It is of the pairs that reused a connection: to open more of them is no other level. What both
    arms share, a common drift included, cancels in a ratio.
    """
    plan, both = own.plan, (pairs.own.reusing.typical, pairs.other.reusing.typical)
    kept = bytes(not isnan(one + two) for one, two in zip(*both, strict=True))
    halves = [array("d", compress(it, kept)) for it in both]
    ratios = log_ratios(halves[1], halves[0])
    found = change_point(ratios, _CHANCE / max(1, len(plan.experiment.arms) - 1))
    if found is None:
        return None
    levels = {
        view.label: Levels(median(values[: found.at]), median(values[found.at :]))
        for view, values in zip((own, other), halves, strict=True)
    }
    return Shift(
        index=_index_of(next(islice(compress(count(), kept), found.at, None)), own, pairs),
        is_gradual=found.is_gradual,
        arm=max(levels, key=lambda label: abs(levels[label].change)),
        levels=levels,
        before=typical_ratio(ratios[: found.at], plan).speedup,
        after=typical_ratio(ratios[found.at :], plan).speedup,
    )


def _index_of(pair: int, view: ArmView, pairs: Pairs) -> int:
    """The first request of a pair, by its index."""
    mask = bytes(pairs.own.all.mask)
    keys = view.block_keys(mask)
    its = sorted(set(keys))[pair]
    indexes = compress(view.exchanges.index, mask)
    return min(index for key, index in zip(keys, indexes, strict=True) if key == its)
