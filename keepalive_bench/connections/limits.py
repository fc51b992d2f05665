"""Which limit ended connections: of requests, of idle time, of age; or none that shows.

A server that ends connections by a limit ends all of them there, and none that stays below it. So
a limit fits where what ended lies at or beyond it and what went on below; a timer that is looked at
now and then lets some go on for a little longer.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from itertools import chain, compress, pairwise
from math import exp, inf, log1p, sqrt
from operator import add, eq
from typing import TYPE_CHECKING, NamedTuple

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
_NEAREST = 100
"""Of the pauses that are nearest to a time, so many say enough."""
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
    has_died = any(each is not closed for each, _ in alike)
    is_shown = is_constant or (is_usual and not has_died)
    if not is_shown or uses.most_served > limit or in_turn(alike) < _SEVERAL:
        return None
    after = sorted(
        closed.idle_s[row] for each, row in alike if each is closed and closed.is_exact[row]
    )
    # A server that has its number closes at once, or always as late.
    prompt = bisect_right(after, after[0] + AT_ONCE_S) if after else 0
    return limit if prompt >= _NEARLY_ALL * len(after) else None


class IdleFit(NamedTuple):
    """Whether an idle timeout fits."""

    span: Span | None = None
    """How long those were idle that one can have ended."""
    is_refuted: bool = False
    """Whether none can have, as far more connections were idle for longer and went on."""
    is_exceeded: bool = False
    """The same of single times of being idle, should it be one timeout for all connections."""


def idle_timeout(closed: Ends, uses: Uses) -> IdleFit:
    """How long those were idle that an idle timeout can have ended, or that none can have."""
    rows = sorted(compress(range(len(closed)), closed.is_exact), key=closed.idle_s.__getitem__)
    if not rows:
        return _idle_at_unknown_times(closed, uses)
    later = [row for row in rows if closed.idle_s[row] >= SURELY_LATER_S]
    if len(rows) - len(later) > _ESCAPED * len(later):
        return IdleFit(is_refuted=True)
    # One that ended far sooner than most did so for another cause, or was noted late.
    soonest_s = closed.idle_s[later[len(later) // 2]] / _COARSEST
    usual = [row for row in later if closed.idle_s[row] >= soonest_s]
    sooner = len(rows) - len(usual)
    least = closed.idle_s[usual[0]]
    last = _COARSEST * least + SURELY_LATER_S
    usual = [row for row in usual if closed.idle_s[row] <= last]
    late = len(rows) - sooner - len(usual)
    span = Span(least, closed.idle_s[usual[-1]])
    events = in_turn((closed, row) for row in usual)
    if not uses.outlived(least + CLOCKS_S) and len(rows) == len(usual):
        is_shown = least >= AT_ONCE_S or events >= _SEVERAL
        is_refutable = bool(uses.idle_s) or events >= _MANY or span.most_s <= _ALIKE * least
        return IdleFit(span if is_shown and is_refutable else None)
    if sooner > max(1, _ESCAPED * len(usual)) or _are_too_many(
        late + _expected(uses.longest_s, least), len(usual), events
    ):
        return IdleFit(is_refuted=True)
    # And ends at any time would come where pauses last, not within a small share of all of them.
    idle = [*uses.idle_s, *closed.found_s]
    before, until = (sum(min(idle_s, it) for it in idle) / sum(idle) for idle_s in span)
    chance = min((1 - before) ** (events - 1), _of_one_time(until - before, events))
    expected = _expected((*uses.longest_s, *closed.found_s), least)
    is_shown = events >= _MANY and len(usual) >= expected / 2 and chance <= _SMALL_CHANCE
    return _unless_exceeded(span if is_shown else None, closed, least, (len(usual), events), uses)


def _expected(idle_s: Iterable[float], least_s: float) -> float:
    """How many of those that were idle for so long an idle timeout would have ended at least.

    Of those idle for longer, a timer that is looked at once in its time ends a growing share.
    """
    return sum(min(1.0, it / least_s - 1) for it in idle_s if it > least_s)


def _are_too_many(spared: float, ended: int, events: int) -> bool:
    """Whether a timeout that ended some would not have spared others of which it ends so many.

    The coarsest ends as many as it spares, so weighted. By chance fewer by three standard
    deviations of a Poisson count, that of the ends which are independent of each other.
    """
    return spared * events > (events + 3 * sqrt(events) + 3) * ended


def _idle_at_unknown_times(closed: Ends, uses: Uses) -> IdleFit:
    """The same where nobody tells when they ended, but only when they were found so."""
    found = sorted(closed.found_s)
    if len(found) < _SEVERAL or found[0] <= SURELY_LATER_S:
        return IdleFit()
    least, events = found[0], in_turn((closed, row) for row in range(len(closed)))
    if uses.longest_idle_s <= least / 2:
        return IdleFit(Span(least, found[-1]) if events >= _SEVERAL else None)
    if _are_too_many(_expected(uses.longest_s, least), len(found), events):
        return IdleFit(is_refuted=True)
    alike = least - CLOCKS_S
    is_shown = (
        above(uses.longest_s, _COARSEST * least) <= _ESCAPED * len(found)
        and len(found) >= above(uses.longest_s, alike)
        and events >= _MANY
        and _by_chance(found, uses.idle_s, alike, events) <= _CHANCE
    )
    span = Span(least, found[-1]) if is_shown else None
    return _unless_exceeded(span, closed, least, (len(found), events), uses)


def _unless_exceeded(
    span: Span | None, closed: Ends, least_s: float, ended: tuple[int, int], uses: Uses
) -> IdleFit:
    """What fits; or nothing, where single pauses refute one timeout for all, and most had longer.

    `ended`: how many the timeout can have ended, and in how many events.
    """
    is_exceeded = _are_too_many(_expected(uses.idle_s, least_s), *ended)
    before = zip(closed.survived_s, closed.idle_s, strict=True)
    longer = sum(survived_s > idle_s + SURELY_LATER_S for survived_s, idle_s in before)
    if is_exceeded and span is None and longer >= max(_SEVERAL, len(closed) / 2):
        return IdleFit(is_refuted=True)
    return IdleFit(span, is_exceeded=is_exceeded)


def _by_chance(found: Sequence[float], idle: Sequence[float], least_s: float, events: int) -> float:
    """The probability that ends at any time are found after the longest pauses alone."""
    beyond = sum(found) + sum(idle[bisect_left(idle, least_s) :])
    chance = (beyond / (sum(found) + sum(idle))) ** (events - 1)
    if idle[-1] < least_s:
        chance = min(chance, _most_likely(found, idle) ** (events / len(found)))
    return chance


def _most_likely(found: Sequence[float], idle: Sequence[float]) -> float:
    """That of just these pauses, of two sorted lists, if ends come at the most likely rate.

    One by one they are survived with a probability that falls exponentially with their length.
    Those nearest to each other are looked at; all would make it smaller.
    """
    ended, spared = found[:_NEAREST], sum(idle[-_NEAREST:])
    rates = (2.0**power / ended[0] for power in range(-10, 11))
    return max(exp(sum(log1p(-exp(-rate * it)) for it in ended) - rate * spared) for rate in rates)


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
    if not highest or min(highest) < _LEAST_AGE_S - SURELY_LATER_S:
        return None, False
    least, most = min(highest), max(lowest)
    if max(most, survived_s) > _AGES_ALIKE * least + AT_ONCE_S:
        return None, False
    apart = max(0.0, most - least)
    if limit is not None and apart > least / limit:
        return None, False  # one of that age would have carried another number
    is_known = all(map(eq, lowest, highest))
    soonest = min(lowest)
    times = (
        _moments(ends, highest)
        if is_known
        else in_turn((each, row) for each in ends for row in range(len(each)))
    )
    latest = max(*highest, survived_s, soonest + CLOCKS_S / 2)
    chance = _of_one_time((latest - soonest) / max(soonest, CLOCKS_S), times)
    is_shown = times >= _SEVERAL and chance <= _CHANCE
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
        in_turn((ends, row) for row in range(len(ends))) - 1
    )
    is_shown = len(set(ends.served)) > 1 and chance <= _CHANCE
    return Span(min(ends.age_s), max(ends.age_s)), is_shown


def in_turn(rows: Iterable[tuple[Ends, int]]) -> int:
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


def _moments(ends: Sequence[Ends], age_s: Sequence[float]) -> int:
    """At how many times they ended: several that end together may do so by one event."""
    opened_s = chain.from_iterable(each.opened_s for each in ends)
    times = sorted(map(add, opened_s, age_s))
    return 1 + sum(later - it > AT_ONCE_S for it, later in pairwise(times))


def _of_one_time(share: float, count: int) -> float:
    """The probability that times which are spread evenly all lie within a share of them.

    The range of a uniform sample: H. A. David and H. N. Nagaraja, "Order Statistics" (2003),
    section 2.3; this is its leading term, an upper bound.
    """
    return count * min(1.0, share) ** (count - 1)
