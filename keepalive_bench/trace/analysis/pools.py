"""Which connection of its pool each one took the place of.

A pool's losses are shared: who needs a connection takes what is free, so each one that is opened
makes up for the latest loss that none has made up for yet. No place is taken twice.
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import islice
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keepalive_bench.trace.analysis.lives import Life, Link

RACES_S = 0.05
"""Whoever looks for a free connection and finds none may begin to open one so much later."""
_MOST_HELD = 1_000
"""No more that are held are looked through for one's own."""


class Pool:
    """What keeps connections to one origin, and what is known of them at the time."""

    __slots__ = ("_busy_until_s", "_count", "_ends", "_held", "_live", "_lost", "needed")

    def __init__(self) -> None:
        self.needed = 0
        """How many it opened that took no other's place: so many it needed at once."""
        self._live: dict[int, Life] = {}
        self._ends: list[tuple[float, int, Life]] = []
        self._lost: list[Life] = []
        self._held: list[Life] = []
        self._busy_until_s = inf
        """None of those that were looked at last is free before."""
        self._count = 0

    def note(self, life: Life) -> None:
        """Note that an exchange on one of its connections was told; of a new one, maybe sooner."""
        if id(life) in self._live:
            self._busy_until_s = min(self._busy_until_s, life.used_until_s)
            if life.is_unread:
                self._held.append(life)

    def add(self, life: Life) -> None:
        """Note a connection that was opened, or inherited."""
        self._count += 1
        self._live[id(life)] = life
        if life.ended_s is not None:
            heappush(self._ends, (life.ended_s, self._count, life))
        self.note(life)

    def explain(self, life: Life) -> None:
        """Find out whose place one takes that is opened now."""
        self.go_on(life.began_s)
        if life.before is not None:
            life.link = "pool"
        elif before := self._latest_loss():
            if before.is_in_doubt:
                life.link, before.is_taken = "held-by-others", True
            else:
                _take(life, before, "pool")
        elif before := self._latest_held(life.began_s):
            _take(life, before, "held")
        elif self.has_idle(life.began_s):
            life.link = "idle"
        else:
            life.link = "more" if self._count else "first"
            self.needed += 1

    def check_holder(self, life: Life) -> None:
        """Have one take the place of one that its own thread holds, once it is known whose it is.

        What another thread holds unread, that one may still be reading; and may open another for.
        """
        before = life.before
        if life.link == "more":
            self._take_own(life)
        elif life.link == "held" and before is not None and before.last_who != life.who:
            before.is_taken, life.before, life.link = False, None, "held-by-others"
            before.is_in_doubt = True
            self._held.append(before)
            self._take_own(life)
            for other in islice(self._live.values(), _MOST_HELD):
                if other.link == "more" and other.who == before.last_who:
                    self._take_own(other)

    def _take_own(self, life: Life) -> None:
        """Have one take the place of one that its own thread holds, if there is any."""
        for it in islice(reversed(self._held), _MOST_HELD):
            is_over = it.ended_s is not None and it.ended_s <= life.began_s
            is_there = it.used_until_s <= life.began_s and not (it.is_taken or is_over)
            if is_there and it.is_unread and it.last_who == life.who and it is not life:
                self.needed -= life.link == "more"
                _take(life, it, "held")
                return

    def go_on(self, now_s: float) -> None:
        """Note what ended up to now."""
        while self._ends and self._ends[0][0] <= now_s:
            _, _, life = heappop(self._ends)
            self._live.pop(id(life), None)
            if not life.is_taken:
                self._lost.append(life)

    def had_free(self, now_s: float) -> bool:
        """Whether one was free now, or ended, and none has taken its place."""
        self.go_on(now_s)
        return any(not it.is_taken for it in self._lost) or self.has_idle(now_s, 0.0)

    def has_idle(self, now_s: float, since_s: float = RACES_S) -> bool:
        """Whether one was free, for so long, that anybody could have used."""
        if now_s < self._busy_until_s:
            return False
        until_s = inf
        for life in self._live.values():
            if not life.exchanges or life.is_unread or life.is_http_2:
                continue
            if life.used_until_s <= now_s - since_s:
                return True
            until_s = min(until_s, life.used_until_s)
        self._busy_until_s = until_s
        return False

    def _latest_loss(self) -> Life | None:
        while self._lost:
            life = self._lost.pop()
            if not life.is_taken:
                return life
        return None

    def _latest_held(self, now_s: float) -> Life | None:
        found, coming = None, []
        while self._held and found is None:
            life = self._held.pop()
            if not life.is_unread or life.is_taken or id(life) not in self._live:
                continue
            if life.used_until_s <= now_s:
                found = life
            else:  # its response is yet to come
                coming.append(life)
        self._held += reversed(coming)
        return found


def _take(life: Life, before: Life, link: Link) -> None:
    life.before, life.link, before.is_taken = before, link, True
