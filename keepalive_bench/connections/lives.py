"""How connections ended and what they came through, as columns: no objects are made of them."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

AT_ONCE_S = 0.05
"""A close within 50 ms of a response is no idle timeout, unless it shows: few are that short."""
SURELY_LATER_S = 0.013
"""Systems tell as coarsely as that when something came (Linux to 10 ms): of what is sooner,
nothing shows."""
CLOCKS_S = 0.005
"""As exactly as that, times of one kind are alike."""


class Span(NamedTuple):
    """From a least to a most, in seconds."""

    least_s: float
    most_s: float

    def has(self, value_s: float) -> bool:
        """Whether a time lies in it, as exactly as clocks tell."""
        return self.least_s - CLOCKS_S <= value_s <= self.most_s + CLOCKS_S


class Ends:
    """Ends of connections that came about alike, a row for each."""

    def __init__(self) -> None:
        self.served = array("I")
        """How many responses each had carried."""
        self.idle_s = array("d")
        """How long it was idle until it ended, or, where nobody knows when, until it was found
        closed; of one that died under a request, until that."""
        self.age_s = array("d")
        """How long it had been open when its last exchange ended."""
        self.opened_s = array("d")
        """When it was opened, from the start of the run."""
        self.found_s = array("d")
        """How long it had been idle when it was found ended."""
        self.is_exact = array("b")
        """Whether it is known when it ended."""
        self.survived_s = array("d")
        """The longest time that it was idle before and went on."""

    def add(
        self,
        served: int,
        opened_s: float,
        age_s: float,
        idle_s: float = 0.0,
        found_s: float | None = None,
        survived_s: float = 0.0,
    ) -> None:
        """Note one more; `found_s`: only where that isn't when it ended."""
        self.served.append(served)
        self.opened_s.append(opened_s)
        self.age_s.append(age_s)
        self.idle_s.append(idle_s)
        self.found_s.append(idle_s if found_s is None else found_s)
        self.is_exact.append(found_s is not None)
        self.survived_s.append(survived_s)

    def __len__(self) -> int:
        return len(self.served)

    def ended_s(self, row: int) -> float:
        """When one ended, from the start of the run."""
        return self.opened_s[row] + self.age_s[row]


def joined(closed: Ends, died: Ends) -> Ends:
    """Ends of two kinds as one; the second ones when their last requests came, at the latest."""
    both = Ends()
    for each in (closed, died):
        for name, column in vars(each).items():
            getattr(both, name).extend(column)
    both.is_exact[len(closed) :] = array("b", [1]) * len(died)
    return both


class EndsByKind(NamedTuple):
    """How the connections of one owner ended, but for those that nobody else ended."""

    closed: Ends
    """Found closed or reset while idle."""
    cut: Ends
    """Closed under a request, before its answer."""
    reset: Ends
    """Reset under a request, before its answer."""
    hung: Ends
    """Given up, because no answer came to a request."""
    announced: Ends
    """Ended as the last answer announced."""


class Fates(NamedTuple):
    """How exchanges of one position on their connections fared: the first ones, or later ones."""

    count: int = 0  # type: ignore[assignment]  # and no method of tuples
    lost: int = 0
    """Closed or reset before an answer."""
    hung: int = 0
    """Given up without an answer."""
    statuses: Mapping[int | str, int] = {}
    """How many had which status, or failed in which way."""


class Uses(NamedTuple):
    """What connections came through."""

    idle_s: Sequence[float] = ()
    """How long anybody's were idle before requests that were answered, sorted."""
    longest_s: Sequence[float] = ()
    """The longest of these times of each connection that has any, sorted."""
    age_s: float = 0.0
    """How old the oldest of the owner's was when a request on it was sent that was answered."""
    kept_age_s: float = 0.0
    """How old the oldest was at a response after which it was kept."""
    most_served: int = 0
    """The most that any connection to that server carried, whoever owned it."""
    first: Fates = Fates()
    """Of everybody's."""
    later: Fates = Fates()

    @property
    def longest_idle_s(self) -> float:
        """The longest time that one was idle before a request that was answered."""
        return self.idle_s[-1] if self.idle_s else 0.0

    def outlived(self, idle_s: float) -> int:
        """How many were idle for longer than a time before a request that was answered."""
        return above(self.idle_s, idle_s)


def above(times: Sequence[float], time_s: float) -> int:
    """How many sorted times are longer than one."""
    return len(times) - bisect_right(times, time_s)
