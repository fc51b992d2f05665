"""Which limit ended connections: of requests, of idle time, of age; or none that shows.

A server that ends connections by a limit ends all of them there, and none that stays below it. So
a limit fits where what ended lies at or beyond it and what went on below; a timer that is looked at
now and then lets some go on for a little longer.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from itertools import compress
from math import inf
from operator import add, eq
from typing import TYPE_CHECKING

from keepalive_bench.connections.lives import AT_ONCE_S, CLOCKS_S, SURELY_LATER_S, Span, above

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from keepalive_bench.connections.lives import Ends, Uses

_SEVERAL, _MANY = 2, 3
_NEARLY_ALL = 0.8
_COARSEST = 2.0
"""A timer that is looked at as seldom as its timeout is long ends connections at up to twice it."""
_ESCAPED = 1 / 3
"""Of an idle timeout, how many may be idle for longer and yet go on, for each that it ended."""
OUTLIVED = 3
"""Where so many for each that ended were idle for longer and went on, no idle timeout ended it."""
_CHANCE, _SMALL_CHANCE = 0.01, 0.003
_LEAST_AGE_S = 0.5
"""No server has a lower maximum."""
_ALIKE = 1.3
_AGES_ALIKE = 1.1


def request_limit(ends: Sequence[Ends], idle: Span | None, uses: Uses) -> int | None:
    """How many responses each of several carried, that nobody's connection exceeded.

    The first are those that were found closed, soon enough; the others died under a request.
    """
    closed, soon_s = ends[0], max(AT_ONCE_S, uses.longest_idle_s)
    if idle is not None and idle.least_s < AT_ONCE_S and any(closed.is_exact):
        return None
    rows = [
        (each, row)
        for each in ends
        for row, served in enumerate(each.served)
        if served and (each is not closed or each.idle_s[row] <= soon_s or not each.is_exact[row])
    ]
    if not rows:
        return None
    limit = max(each.served[row] for each, row in rows)
    alike = [(each, row) for each, row in rows if each.served[row] == limit]
    is_constant = len(alike) == len(rows)
    is_usual = len(alike) >= max(_MANY, _NEARLY_ALL * len(rows))
    is_shown = (is_constant or is_usual) and _in_turn(alike) >= _SEVERAL
    return limit if is_shown and uses.most_served <= limit else None


def idle_timeout(closed: Ends, uses: Uses) -> tuple[Span | None, bool]:
    """How long those were idle that an idle timeout can have ended; and whether none can have."""
    exact = sorted(compress(closed.idle_s, closed.is_exact))
    if not exact:
        return _idle_at_unknown_times(closed, uses)
    later = exact[bisect_left(exact, SURELY_LATER_S) :]
    if len(exact) - len(later) > _ESCAPED * len(later):
        return None, True
    # One that ended far sooner than most did so for another cause, or was noted late.
    usual = later[bisect_left(later, later[len(later) // 2] / _COARSEST) :]
    least = usual[0]
    last = _COARSEST * least + SURELY_LATER_S
    usual = usual[: bisect_right(usual, last)]
    span = Span(least, usual[-1])
    if not uses.outlived(least + CLOCKS_S) and len(exact) == len(usual):
        is_shown = least >= AT_ONCE_S or len(usual) >= _SEVERAL
        events = _in_turn((closed, row) for row in range(len(closed)))
        is_refutable = bool(uses.idle_s) or events >= _MANY or span.most_s <= _ALIKE * least
        return (span if is_shown and is_refutable else None), False
    escaped = len(exact) - len(usual) + above(uses.longest_s, last)
    if escaped > max(1, _ESCAPED * len(usual)):
        return None, True
    # Of those idle for longer, a timer that is looked at once in its time ends a growing share.
    longest = (*uses.longest_s, *closed.found_s)
    expected = sum(min(1.0, idle_s / least - 1) for idle_s in longest if idle_s > least)
    # And ends at any time would come before the first of these as often as that time is long.
    idle = [*uses.idle_s, *closed.found_s]
    beyond = sum(idle_s - least for idle_s in idle if idle_s > least)
    chance = (beyond / sum(idle)) ** (len(usual) - 1)
    if not uses.idle_s:
        chance = _of_one_time((usual[-1] - least) / max(idle), len(usual))
    is_shown = len(usual) >= max(_MANY, expected / 2) and chance <= _SMALL_CHANCE
    return (span if is_shown else None), False


def _idle_at_unknown_times(closed: Ends, uses: Uses) -> tuple[Span | None, bool]:
    """The same where nobody tells when they ended, but only when they were found so."""
    found = sorted(closed.found_s)
    if len(found) < _SEVERAL or found[0] <= SURELY_LATER_S:
        return None, False
    least, idle = found[0], [*uses.idle_s, *found]
    outlived, outliving = uses.outlived(least), above(uses.longest_s, least)
    if uses.longest_idle_s <= least / 2:
        is_repeated = _in_turn((closed, row) for row in range(len(closed))) >= _SEVERAL
        return (Span(least, found[-1]) if is_repeated else None), False
    if outlived >= OUTLIVED * len(found) and 2 * outliving >= len(found):
        return None, True
    beyond = sum(idle_s for idle_s in idle if idle_s >= least)
    is_shown = (
        above(uses.longest_s, _COARSEST * least) <= _ESCAPED * len(found)
        and len(found) >= max(_MANY, outliving)
        and (beyond / sum(idle)) ** (len(found) - 1) <= _CHANCE
    )
    return (Span(least, found[-1]) if is_shown else None), False


def max_age(
    ends: Sequence[Ends], survived_s: float, *, limit: int | None = None
) -> tuple[Span | None, bool]:
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
    if not highest or min(highest) < _LEAST_AGE_S:
        return None, False
    least, most = min(highest), max(lowest)
    if max(most, survived_s) > _AGES_ALIKE * least + AT_ONCE_S:
        return None, False
    apart = max(0.0, most - least)
    if limit is not None and apart > least / limit:
        return None, False  # one of that age would have carried another number
    is_known = all(map(eq, lowest, highest))
    times = _in_turn((each, row) for each in ends for row in range(len(each)))
    latest = max(*highest, survived_s, least + CLOCKS_S / 2)
    chance = _of_one_time((latest - least) / least, times)
    is_shown = is_known and times >= _SEVERAL and chance <= _CHANCE
    return Span(min(least, most), max(highest)), is_shown


def announced_max_age(ends: Ends, uses: Uses) -> tuple[Span | None, bool]:
    """The same of those whose last answers announced the end, at the first request after that age.

    If any answer could be the last one, that all of them are the only ones at or after the first
    of their ages would be a chance of their share of all answers, for each but the first.
    """
    if not ends or min(ends.age_s) < max(_LEAST_AGE_S, uses.kept_age_s):
        return None, False
    answers = len(uses.idle_s) + len(uses.longest_s)
    chance = min(1.0, len(ends) / max(1, answers)) ** (
        _in_turn((ends, row) for row in range(len(ends))) - 1
    )
    is_shown = len(set(ends.served)) > 1 and chance <= _CHANCE
    return Span(min(ends.age_s), max(ends.age_s)), is_shown


def _in_turn(rows: Iterable[tuple[Ends, int]]) -> int:
    """How many lived one after the other: those that lived at once may have ended by one event.

    The most intervals that don't overlap: the one that ends first is always among them (J.
    Kleinberg and E. Tardos, "Algorithm Design" (2005), section 4.1).
    """
    lives = sorted((each.ended_s(row), each.opened_s[row]) for each, row in rows)
    count, until_s = 0, -inf
    for ended_s, opened_s in lives:
        if opened_s >= until_s:
            count, until_s = count + 1, ended_s
    return count


def _of_one_time(share: float, count: int) -> float:
    """The probability that times which are spread evenly all lie within a share of them.

    The range of a uniform sample: H. A. David and H. N. Nagaraja, "Order Statistics" (2003),
    section 2.3; this is its leading term, an upper bound.
    """
    return count * share ** (count - 1)
