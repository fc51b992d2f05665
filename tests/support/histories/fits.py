"""Which explanations fit all ends of a client's connections, and how well that is known."""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

from support.histories.seen import TICK_S

if TYPE_CHECKING:
    from support.histories.seen import End, Seen

COARSE = 2.2
"""The latest close of an idle timeout that is looked at now and then, as a share of the first."""
FEW = 0.25
"""The share of closes, or of pauses, that may be otherwise by chance."""
_AT_ONCE_S = 0.005
"""A close may come so long after the answer that it belongs to."""
_SHORTEST_AGE_S = 0.4
_TOGETHER_S = 0.05
"""Ends of several connections that come so soon after each other may have one cause."""
_EXACT_S = 2.1 * TICK_S
"""A time is known exactly where its bounds are no farther apart."""


class Fits:
    """Of ends that came in the same way: in silence, or announced."""

    def __init__(self, seen: Seen, ends: tuple[End, ...]) -> None:
        self._seen, self._ends = seen, ends

    @cached_property
    def count(self) -> bool:
        """Whether all carried the same number of answers, and none carried more."""
        counts = {it.served for it in self._ends}
        return len(counts) == 1 and self._seen.most_served <= max(counts)

    @cached_property
    def apart(self) -> int:
        """By how many answers the numbers that they carried differ."""
        counts = [it.served for it in self._ends]
        return max(counts) - min(counts) if counts else 0

    @cached_property
    def silent_count(self) -> bool:
        """The same, and all may have been closed at once."""
        return self.count and all(it.after.least <= _AT_ONCE_S for it in self._ends)

    @cached_property
    def age(self) -> bool:
        """Whether all may have had one age, at which no other one was used any more."""
        least = max(it.age.least for it in self._ends)
        most = min(it.age.most for it in self._ends)
        # Ages differ for some servers; but then some end while idle.
        is_found = any(it.how == "found" for it in self._ends)
        is_one = least <= (1.12 if is_found else 1.05) * most + 0.03
        return is_one and most >= _SHORTEST_AGE_S and self._seen.used_at_s <= 1.05 * most + 0.1

    @cached_property
    def one_age(self) -> bool:
        """Whether all may have had the very same age."""
        return max(it.age.least for it in self._ends) <= min(it.age.most for it in self._ends)

    @cached_property
    def idle(self) -> bool:
        """Most end within twice the shortest time, few pauses outlast that; not all end at once."""
        first_s = min(it.after.most for it in self._ends)
        last_s = max(COARSE * first_s, first_s + 2 * TICK_S)
        late = sum(it.after.least > last_s for it in self._ends)
        outlast = sum(it > last_s for it in self._seen.survived_s)
        at_once = max(it.after.most for it in self._ends) <= _AT_ONCE_S + 2 * TICK_S
        few = FEW * len(self._ends)
        return not at_once and late <= few and outlast <= max(1, few)

    @cached_property
    def moments(self) -> int:
        """At how many times they ended: what ends together says the same thing once."""
        at_s = sorted(it.at_s for it in self._ends)
        return len(at_s[:1]) + sum(later - it > _TOGETHER_S for it, later in pairwise(at_s))

    @cached_property
    def has_idle_times(self) -> bool:
        """Whether it is known how long each had been idle when it was closed."""
        return all(it.after.most - it.after.least <= _EXACT_S for it in self._ends)

    def has_ages(self, share: float) -> bool:
        """Whether the age of each is known, to a share of it."""
        spans = [it.age for it in self._ends]
        return all(it.most - it.least <= max(_EXACT_S, share * it.most) for it in spans)
