"""Whether an idle timeout ended connections, or cannot have.

It ends what is idle for as long and nothing sooner; a timer that is looked at now and then lets
some go on for a little longer.
"""

from __future__ import annotations

from itertools import compress
from math import sqrt
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.connections.chance import (
    CHANCE,
    MANY,
    SEVERAL,
    SMALL_CHANCE,
    between,
    in_turn,
    only_after_the_longest,
)
from keepalive_bench.connections.lives import AT_ONCE_S, CLOCKS_S, SURELY_LATER_S, Span, above

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keepalive_bench.connections.lives import Ends, Uses

_COARSEST = 2.0
"""A timer that is looked at as seldom as its timeout is long ends connections at up to twice it."""
_ESCAPED = 1 / 3
"""Of those that it ended, how many more may have ended otherwise, or gone on."""
_ALIKE = 1.3
_ALIKE_S = 0.001
"""Requests that are sent in step are so far apart, and a hundredth of the time between them."""


class IdleFit(NamedTuple):
    """Whether an idle timeout fits."""

    span: Span | None = None
    """How long those were idle that one can have ended."""
    is_refuted: bool = False
    """Whether none can have, as far more connections were idle for longer and went on."""
    is_exceeded: bool = False
    """The same of single times of being idle, should it be one timeout for all connections."""
    is_strained: bool = False
    """Whether it ended less than half of those that even the coarsest would end, or is exceeded."""
    is_sure: bool = False
    """Whether a restart, or a limit of kept connections, hardly ends connections just so."""


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
        is_shown = least >= AT_ONCE_S or events >= SEVERAL
        is_refutable = bool(uses.idle_s) or events >= MANY or span.most_s <= _ALIKE * least
        is_alike = events >= SEVERAL and span.most_s <= _ALIKE * least
        return IdleFit(
            span if is_shown and is_refutable else None,
            is_sure=is_alike or events >= MANY,
        )
    escaped = late + above(uses.longest_s, last)
    if (
        sooner > max(1, _ESCAPED * len(usual))
        or escaped > _ESCAPED * len(usual) + sqrt(len(usual)) + 1
        or _are_too_many(late + _expected(uses.longest_s, least), len(usual), events)
    ):
        return IdleFit(is_refuted=True)
    # And ends at any time would come where pauses last, not within a small share of all of them.
    idle = [*uses.idle_s, *closed.found_s]
    before, until = (sum(min(idle_s, it) for it in idle) / sum(idle) for idle_s in span)
    chance = between(before, until, events, sooner + late)
    expected = _expected((*uses.longest_s, *closed.found_s), least)
    is_shown = events >= MANY and len(usual) >= expected / 2 and chance <= SMALL_CHANCE
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
    if not found or found[0] <= SURELY_LATER_S:
        is_too_soon = len(found) >= SEVERAL and found[len(found) // 2] <= SURELY_LATER_S
        return IdleFit(is_refuted=is_too_soon)
    least, events = found[0], in_turn((closed, row) for row in range(len(closed)))
    if uses.longest_idle_s <= least / 2:
        is_sure = events >= MANY and events == len(found)
        return IdleFit(Span(least, found[-1]) if events >= SEVERAL else None, is_sure=is_sure)
    if _are_too_many(_expected(uses.longest_s, least), len(found), events):
        return IdleFit(is_refuted=True)
    alike = least - min(CLOCKS_S, _ALIKE_S + least / 100)
    is_shown = (
        above(uses.longest_s, _COARSEST * least) <= _ESCAPED * len(found)
        and len(found) >= above(uses.longest_s, alike)
        and events >= MANY
        and only_after_the_longest(found, uses.idle_s, alike, events) <= CHANCE
    )
    span = Span(least, found[-1]) if is_shown else None
    return _unless_exceeded(span, closed, least, (len(found), events), uses)


def _unless_exceeded(
    span: Span | None, closed: Ends, least_s: float, ended: tuple[int, int], uses: Uses
) -> IdleFit:
    """What fits; or nothing, where single pauses refute one timeout for all, and most had such.

    `ended`: how many the timeout can have ended, and in how many events.
    """
    spared, (count, events) = _expected(uses.idle_s, least_s), ended
    is_exceeded = _are_too_many(spared, count, events)
    is_strained = is_exceeded or spared * events >= (2 * events + 1) * count
    before = zip(closed.survived_s, closed.idle_s, strict=True)
    longer = sum(survived_s > idle_s + SURELY_LATER_S for survived_s, idle_s in before)
    if is_exceeded and longer >= max(SEVERAL, len(closed) / 2):
        return IdleFit(is_refuted=True)
    is_sure = events == count or (least_s >= AT_ONCE_S and any(closed.is_exact))
    return IdleFit(span, is_exceeded=is_exceeded, is_strained=is_strained, is_sure=is_sure)
