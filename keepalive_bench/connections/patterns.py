"""What the ends of one owner's connections have in common: which limit they show, if any.

A server that ends connections by a limit of requests, of age or of idle time ends all of them at
that limit, and none that stays below it. So a limit fits where what ended lies at or beyond it and
what went on below; a timer that is looked at now and then lets some go on for a little longer.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from itertools import compress, pairwise
from operator import add, eq
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.results.failure_kinds import MALFORMED_RESPONSE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

AT_ONCE_S = 0.05
"""A close within 50 ms of a response is no idle timeout, unless it shows: few are that short."""
SURELY_LATER_S = 0.013
"""Systems tell as coarsely as that when something came (Linux to 10 ms): of what is sooner,
nothing shows."""
_CLOCKS_S = 0.005
_SEVERAL, _MANY = 2, 3
_NEARLY_ALL = 0.8
_COARSEST = 2.0
"""A timer that is looked at as seldom as its timeout is long ends connections at up to twice it."""
_SLACK_S = 0.1
_ESCAPED = 1 / 3
"""Of an idle timeout, how many may be idle for longer and yet go on, for each that it ended."""
_OUTLIVED = 3
"""Where so many for each that ended were idle for longer and went on, no idle timeout ended it."""
_CHANCE = 0.01
_LEAST_AGE_S = 0.5
_AGES_ALIKE = 1.1
_LEAST_DROP_S = 1.0
"""No firewall forgets a connection sooner."""
_SELDOM = 0.1
_FEW = 0.25
ERROR_FROM = 400
_REJECTS = {400, 413, 414, 431, 495, 496, 497, 501, 505}
"""Statuses that refuse the request as such: it has often not been read to its end."""
_UNREADABLE = {400, 405, 411, 414, 431, 501, 505, MALFORMED_RESPONSE.code}
"""What a server says to the rest of a body that it takes for a request."""


class Span(NamedTuple):
    """From a least to a most, in seconds."""

    least_s: float
    most_s: float

    def has(self, value_s: float) -> bool:
        """Whether a time lies in it, as exactly as clocks tell."""
        return self.least_s - _CLOCKS_S <= value_s <= self.most_s + _CLOCKS_S


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

    def add(
        self,
        served: int,
        opened_s: float,
        age_s: float,
        idle_s: float = 0.0,
        found_s: float | None = None,
    ) -> None:
        """Note one more; `found_s`: only where that isn't when it ended."""
        self.served.append(served)
        self.opened_s.append(opened_s)
        self.age_s.append(age_s)
        self.idle_s.append(idle_s)
        self.found_s.append(idle_s if found_s is None else found_s)
        self.is_exact.append(found_s is not None)

    def __len__(self) -> int:
        return len(self.served)


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
    """How long each of the owner's was idle before a request that was answered, sorted."""
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
        return len(self.idle_s) - bisect_right(self.idle_s, idle_s)


class Pattern(NamedTuple):
    """What the ends of one owner's connections have in common."""

    uses: Uses = Uses()
    silent: int = 0
    """How many were found closed."""
    died: int = 0
    """How many were closed or reset under a request that wasn't their first."""
    is_untimed: bool = False
    """Whether those were so at such times that no idle timeout can have ended them."""
    limit: int | None = None
    """How many responses each carried that ended, where a limit of that fits."""
    idle: Span | None = None
    """How long those were idle that were found closed, where an idle timeout fits."""
    age: Span | None = None
    """How old those were that were found closed or died, where a maximum age fits."""
    is_aged: bool = False
    """Whether so many are of one age that it is no chance."""
    announced_age: Span | None = None
    """How old those were that ended as announced, where a maximum age fits."""
    is_announced_aged: bool = False
    """Whether that is no chance, and they carried different numbers of responses."""
    drop: Span | None = None
    """How long one was idle at most that went on, and at least that died: a path that forgets."""
    is_only_reused: bool = False
    """Whether requests on connections that had carried others are lost, and first ones aren't."""
    closing_statuses: frozenset[int] = frozenset()
    """Statuses of error responses that end connections, where others don't."""
    desynchronised: frozenset[int | str] = frozenset()
    """What later requests on a connection are answered, and first ones never are."""

    @property
    def is_hardly_reused(self) -> bool:
        """Whether most connections ended before they could be used again."""
        ended = self.silent + self.died
        return ended >= _SEVERAL and len(self.uses.idle_s) <= _FEW * ended

    def is_outlived(self, idle_s: float, *, is_exact: bool) -> bool:
        """Whether others were idle for longer and went on, where no idle timeout can be at work.

        Or many more were than were found closed.
        """
        outlived = self.uses.outlived(idle_s + SURELY_LATER_S)
        if is_exact and self.is_untimed:
            return outlived > 0
        return outlived >= _OUTLIVED * self.silent > 0


def pattern_of(ends: EndsByKind, uses: Uses) -> Pattern:
    """What an owner's ends have in common, in the light of what others came through."""
    closed = ends.closed
    is_only_reused = _is_only_reused(len(ends.cut) + len(ends.reset), uses, uses.first.lost)
    died = (ends.cut, ends.reset) if is_only_reused else ()
    idle, is_untimed = _idle(closed, uses)
    limit = _limit((closed, *died), idle, uses)
    age, is_aged = _age((closed, *died), uses.age_s, limit=limit)
    announced = ends.announced
    announced_age, is_announced_aged = _age((announced,), uses.kept_age_s, limit=None)
    return Pattern(
        uses=uses,
        silent=len(closed),
        died=len(ends.cut) + len(ends.reset),
        is_untimed=is_untimed,
        limit=limit,
        idle=idle,
        age=age,
        is_aged=is_aged,
        announced_age=announced_age,
        is_announced_aged=is_announced_aged and len(set(announced.served)) > 1,
        drop=_drop(ends, uses),
        is_only_reused=is_only_reused,
        desynchronised=_desynchronised(uses.first.statuses, uses.later.statuses),
    )


def _is_only_reused(lost: int, uses: Uses, of_first: int) -> bool:
    """Whether later requests are lost, and first ones aren't, or far more seldom."""
    if not lost:
        return False
    return of_first * max(1, uses.later.count) < _SELDOM * lost * max(1, uses.first.count)


def _limit(ends: Sequence[Ends], idle: Span | None, uses: Uses) -> int | None:
    """How many responses each of several carried, that nobody's connection exceeded."""
    soon_s = max(AT_ONCE_S, uses.longest_idle_s)
    counts = Counter(
        served
        for each in ends
        for served, idle_s, is_exact in zip(each.served, each.idle_s, each.is_exact, strict=True)
        if served and (idle_s <= soon_s or not is_exact or each is not ends[0])
    )
    if not counts or (idle is not None and idle.least_s < AT_ONCE_S):
        return None
    limit, alike = max(counts.items())
    is_constant = alike == counts.total() >= _SEVERAL
    is_usual = alike >= max(_MANY, _NEARLY_ALL * counts.total())
    return limit if (is_constant or is_usual) and uses.most_served <= limit else None


def _idle(closed: Ends, uses: Uses) -> tuple[Span | None, bool]:
    """How long those were idle that an idle timeout can have ended; and whether none can have."""
    exact = sorted(compress(closed.idle_s, closed.is_exact))
    if not exact:
        return _idle_at_unknown_times(closed, uses), False
    later = exact[bisect_left(exact, SURELY_LATER_S) :]
    if len(exact) - len(later) > _ESCAPED * len(later):
        return None, True
    least = later[0]
    last = _COARSEST * least + SURELY_LATER_S
    usual = later[: bisect_right(later, last)]
    span = Span(least, usual[-1])
    if not uses.outlived(least + _CLOCKS_S) and len(exact) == len(usual):
        is_shown = least >= AT_ONCE_S or len(usual) >= _SEVERAL
        return (span if is_shown else None), False
    escaped = len(exact) - len(usual) + uses.outlived(last)
    if escaped > max(1, _ESCAPED * len(usual)):
        return None, True
    idle = [*uses.idle_s, *closed.found_s]
    beyond = [idle_s - least for idle_s in idle if idle_s > least]
    # Of those idle for longer, a timer that is looked at once in its time ends a growing share.
    expected = sum(min(1.0, each / least) for each in beyond)
    is_shown = (
        len(usual) >= max(_MANY, expected / 2)
        and (sum(beyond) / sum(idle)) ** (len(usual) - 1) <= _CHANCE
    )
    return (span if is_shown else None), False


def _idle_at_unknown_times(closed: Ends, uses: Uses) -> Span | None:
    """The same where nobody tells when they ended, but only when they were found so."""
    found = sorted(closed.found_s)
    if len(found) < _SEVERAL or found[0] <= SURELY_LATER_S:
        return None
    least, idle = found[0], [*uses.idle_s, *found]
    outlived = uses.outlived(least)
    beyond = sum(idle_s for idle_s in idle if idle_s >= least)
    is_shown = not outlived or (
        uses.outlived(_COARSEST * least) <= _ESCAPED * len(found)
        and len(found) >= max(_MANY, outlived)
        and (beyond / sum(idle)) ** (len(found) - 1) <= _CHANCE
    )
    return Span(least, found[-1]) if is_shown else None


def _age(ends: Sequence[Ends], survived_s: float, *, limit: int | None) -> tuple[Span | None, bool]:
    """How old connections were that a maximum age can have ended, and whether that is no chance.

    The first are those that were found closed; the others ended with their last exchange.
    """
    first, *others = ends
    lowest = array("d", first.age_s)
    highest = array("d", map(add, first.age_s, first.idle_s))
    for row in compress(range(len(first)), first.is_exact):
        lowest[row] = highest[row]
    for each in others:
        lowest.extend(each.age_s)
        highest.extend(each.age_s)
    if not highest or min(highest) < max(_LEAST_AGE_S, survived_s):
        return None, False
    least, most = min(highest), max(lowest)
    if most > _AGES_ALIKE * least + AT_ONCE_S:
        return None, False
    apart = max(0.0, most - least)
    if limit is not None and apart > least / limit:
        return None, False  # one of that age would have carried another number
    is_known, times = all(map(eq, lowest, highest)), _separate(ends)
    chance = _of_one_time(max(max(highest) - least, _CLOCKS_S / 2) / least, times)
    is_shown = is_known and times >= _SEVERAL and chance <= _CHANCE
    return Span(min(least, most), max(highest)), is_shown


def _separate(ends: Sequence[Ends]) -> int:
    """How many were opened at times of their own: those opened together may end together."""
    opened = sorted(opened_s for each in ends for opened_s in each.opened_s)
    return 1 + sum(after - before > AT_ONCE_S for before, after in pairwise(opened))


def _of_one_time(share: float, count: int) -> float:
    """The probability that times which are spread evenly all lie within a share of them.

    The range of a uniform sample: H. A. David and H. N. Nagaraja, "Order Statistics" (2003),
    section 2.3; this is its leading term, an upper bound.
    """
    return count * share ** (count - 1)


def _drop(ends: EndsByKind, uses: Uses) -> Span | None:
    """How long connections were idle that died, where all were idle for longer than any others.

    A path that has forgotten a connection drops what is sent on it, or resets it; it never sends a
    FIN, so a server that does was still heard.
    """
    died = [
        idle_s
        for each, of_first in ((ends.reset, uses.first.lost), (ends.hung, uses.first.hung))
        if _is_only_reused(len(each), uses, of_first)
        for idle_s in each.idle_s
    ]
    if len(died) < _SEVERAL:
        return None
    least = min(died)
    if least < max(_LEAST_DROP_S, uses.longest_idle_s + _CLOCKS_S):
        return None
    was_heard = any(idle_s >= least for each in (ends.closed, ends.cut) for idle_s in each.idle_s)
    return None if was_heard else Span(uses.longest_idle_s, least)


def closing_statuses(closed: Mapping[int, int], answered: Mapping[int, int]) -> frozenset[int]:
    """Statuses of error responses after which connections end, because of them.

    `closed`: how many connections ended at once after an answer of which status; `answered`: how
    many answers had it.
    """
    good = {status: count for status, count in answered.items() if status < ERROR_FROM}
    closing_good = sum(closed.get(status, 0) for status in good)
    if closing_good > _SELDOM * sum(good.values()):
        return frozenset()
    return frozenset(
        status
        for status, count in closed.items()
        if status >= ERROR_FROM and 2 * count >= answered[status] and (good or status in _REJECTS)
    )


def _desynchronised(
    first: Mapping[int | str, int], later: Mapping[int | str, int]
) -> frozenset[int | str]:
    """What most later requests on a connection are answered, though first ones never are."""
    found = {said: count for said, count in later.items() if said in _UNREADABLE - first.keys()}
    is_usual = 2 * sum(found.values()) >= sum(later.values()) > 0
    return frozenset(found) if is_usual else frozenset()
