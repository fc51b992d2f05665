"""When requests were under way: how many at once, and what a connection's lane shows."""

from __future__ import annotations

from array import array
from itertools import chain, pairwise
from math import inf

_MOST_SPANS = 200
"""Of one connection, so many times that it was busy are told apart."""


class Busy:
    """From when to when one connection was busy; of very many times, neighbours are one."""

    __slots__ = ("_ends", "_gap_s")

    def __init__(self) -> None:
        self._ends = array("d")
        self._gap_s = 0.0

    def add(self, since_s: float, until_s: float) -> None:
        """Note one more, in order."""
        ends = self._ends
        if ends and since_s <= ends[-1] + self._gap_s:
            ends[-1] = max(ends[-1], until_s)
            return
        ends.append(since_s)
        ends.append(until_s)
        if len(ends) > 2 * _MOST_SPANS:
            self._join()

    def _join(self) -> None:
        """Make one of those that are nearest to each other, so that half of them are left."""
        spans = list(zip(self._ends[::2], self._ends[1::2], strict=True))
        gaps = sorted(later[0] - it[1] for it, later in pairwise(spans))
        self._gap_s = gaps[len(gaps) // 2]
        self._ends = array("d")
        for span in spans:
            self.add(*span)

    def spans(self, start_s: float, end_s: float) -> tuple[tuple[float, float], ...]:
        """All of them, from a time on, and what lasts for ever up to another one."""
        ends = (max(0.0, min(it, end_s) - start_s) for it in self._ends)
        found = list(ends)
        return tuple(zip(found[::2], found[1::2], strict=True))


class UnderWay:
    """When requests of one process to one origin were under way."""

    def __init__(self) -> None:
        self._since_s, self._until_s = array("d"), array("d")
        self._has_http_2 = False

    def add(self, since_s: float, until_s: float) -> None:
        """Note one on a connection of its own."""
        self._since_s.append(since_s)
        self._until_s.append(max(since_s, until_s))

    def add_stream(self) -> None:
        """Note one that shares its connection with others (RFC 9113)."""
        self._has_http_2 = True

    def most_at_once(self) -> int:
        """How many connections they needed at most; one that ends makes room for the next."""
        events = sorted(
            chain(((it, 1) for it in self._since_s), ((it, -1) for it in self._until_s if it < inf))
        )
        most = busy = 0
        for _, change in events:
            busy += change
            most = max(most, busy)
        return most + self._has_http_2
