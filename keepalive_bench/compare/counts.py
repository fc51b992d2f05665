"""What goes wrong more often, or less, than before: failures, errors, connections opened again.

None of it should ever happen, so one new kind of trouble is worse; but one restart makes no change.
So it is incidents that are counted, and a count decides only where chance would seldom part them
so, in any of all the counts of a comparison; or where it is no event at all: a setting that ends
connections again and again, or a state in which nothing goes well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.compare.change import ChangeVerdict
from keepalive_bench.compare.incidents import Occurrences, errors, failed, of_all
from keepalive_bench.compare.reopenings import reopened
from keepalive_bench.stats.distributions import hypergeometric_tail
from keepalive_bench.stats.multiple_tests import holm
from keepalive_bench.units import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.compare.change import ArmChange

_COUNTS = (
    ("{} of {} requests of {} failed", failed),
    ("{} of {} responses to {} were errors", errors),
    ("{} of {} requests of {} reopened a connection", reopened),
)


class CountVerdicts(NamedTuple):
    """What the counts of a comparison say."""

    decided: tuple[ChangeVerdict, ...]
    """Worse or better, what is worse first."""
    uncertain: tuple[str, ...]
    """What began or ended, and may be chance; each a sentence."""


class _Count(NamedTuple):
    label: str
    words: str
    base: Occurrences
    new: Occurrences

    def said(self, base: str = "", new: str = "") -> str:
        """Both runs' numbers, with more words on either."""
        now = self.words.format(f"{self.new.hits:,}", f"{self.new.chances:,}", self.label)
        return (
            f"{now}{new}, compared with {self.base.hits:,} of {self.base.chances:,} in BASE{base}"
        )


def count_verdicts(arms: Sequence[ArmChange], confidence: float) -> CountVerdicts:
    """What all counts of all arms say together.

    Fisher's exact test decides, two-sided; with Holm's correction all of them err, one way or the
    other, at most as often as one interval does.
    """
    counts = [it for arm in arms for it in _counts(arm) if it.base.hits or it.new.hits]
    chances = [by_chance(it.base, it.new) for it in counts]
    decided, uncertain = list[ChangeVerdict](), list[str]()
    for it, is_change in zip(counts, holm(chances, 1 - confidence), strict=True):
        way = direction(it.base, it.new, is_change=is_change)
        if way > 0:
            decided.append(ChangeVerdict("worse", f"{it.said(new=_by_what(it.new))}."))
        elif way < 0:
            decided.append(ChangeVerdict("better", f"{it.said(base=_by_what(it.base))}."))
        elif not it.base.hits:
            why = _why_uncertain(it.new, it.base, "BASE")
            uncertain.append(f"{it.said()}: that happened {_times(it.new.incidents)}, {why}.")
        elif not it.new.hits:
            why = _why_uncertain(it.base, it.new, "NEW")
            uncertain.append(f"{it.said()}: that happened {_times(it.base.incidents)}, {why}.")
    decided.sort(key=lambda verdict: verdict.code, reverse=True)
    return CountVerdicts(tuple(decided), tuple(uncertain))


def _counts(arm: ArmChange) -> Iterator[_Count]:
    for words, count in _COUNTS:
        yield _Count(arm.label, words, of_all([*map(count, arm.bases)]), count(arm.new))


def by_chance(base: Occurrences, new: Occurrences) -> float:
    """How probable it is that chance parts as many incidents as unevenly: Fisher's exact test."""
    if new.incidents * base.could < base.incidents * new.could:
        return by_chance(new, base)
    if not base.could or not new.could:
        return 1.0
    whole = base.incidents + new.incidents, base.could + new.could
    return min(1.0, 2 * hypergeometric_tail(new.incidents, new.could, *whole))


def direction(base: Occurrences, new: Occurrences, *, is_change: bool) -> int:
    """1: it is worse in the new run, -1: better; 0: that can't be told.

    `is_change`: whether it is no chance that the number of incidents changed. A state goes before
    it, as an outage that doesn't end is one incident.
    """
    if not base.could or not new.could:
        return 0
    if base.lasts != new.lasts:
        return new.lasts - base.lasts
    if is_change:
        return 1 if new.incidents * base.could > base.incidents * new.could else -1
    return _recurs(base, new) - _recurs(new, base)


def _recurs(base: Occurrences, new: Occurrences) -> bool:
    """Whether a reason recurs in the new run that the other one would have shown, and didn't.

    It would, if that had recurred as often there. And had it been there under another name, at
    least half as many of the connections there would have ended alike.
    """
    return any(
        it.reason not in base.reasons
        and it.incidents * base.could >= it.least * new.could
        and it.incidents * base.could > 2 * base.by_ending.get(it.is_announced, 0) * new.could
        for it in new.recurring
    )


def _by_what(found: Occurrences) -> str:
    """The reason that recurs most often; or how many incidents there were, where that isn't all."""
    is_all = found.lasts or found.incidents == found.hits  # a state that lasts is no event
    most = max(found.recurring, key=lambda it: it.incidents, default=None)
    if most is None:
        return "" if is_all else f" ({plural(found.incidents, 'incident')})"
    how_often = _times(most.incidents) if is_all else f"in {plural(most.incidents, 'incident')}"
    return f" ({most.reason}, {how_often})"


def _why_uncertain(shown: Occurrences, other: Occurrences, name: str) -> str:
    """What recurs is no chance, but shows only where enough requests are sent."""
    if shown.recurring or not other.could:
        return f"and {name} sent too few requests to show it"
    return "which may be chance"


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")
