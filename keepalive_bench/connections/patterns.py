"""What the ends of one owner's connections have in common, in the light of what others did."""

from __future__ import annotations

from itertools import compress
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.connections.chance import SEVERAL, in_turn
from keepalive_bench.connections.idle_timeouts import IdleFit, idle_timeout
from keepalive_bench.connections.limits import announced_max_age, max_age, request_limit
from keepalive_bench.connections.lives import (
    AT_ONCE_S,
    CLOCKS_S,
    SURELY_LATER_S,
    Span,
    Uses,
    joined,
)
from keepalive_bench.connections.reason_kinds import IDLE_TIMEOUT, REQUEST_LIMIT
from keepalive_bench.results.failure_kinds import MALFORMED_RESPONSE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keepalive_bench.connections.lives import Ends, EndsByKind
    from keepalive_bench.connections.reason_kinds import ReasonKind

LEAST_DROP_S = 1.0
"""No firewall forgets a connection sooner."""
_SELDOM, _FEW = 0.1, 0.25
ERROR_FROM = 400
_REJECTS = {400, 413, 414, 431, 495, 496, 497, 501, 505}
"""Statuses that refuse the request as such: it has often not been read to its end."""
_UNREADABLE = {400, 405, 411, 414, 431, 501, 505, MALFORMED_RESPONSE.code}
"""What a server says to the rest of a body that it takes for a request."""


class Pattern(NamedTuple):
    """What the ends of one owner's connections have in common."""

    uses: Uses = Uses()
    silent: int = 0
    """How many were found closed."""
    died: int = 0
    """How many were closed or reset under a request that wasn't their first."""
    limit: int | None = None
    """How many responses each carried that ended, where a limit of that fits."""
    is_limit_sure: bool = True
    """Whether a restart, or a limit of kept connections, hardly ends connections just so."""
    limit_within_s: float = 0.0
    """How soon after a response such closes may come."""
    idle: IdleFit = IdleFit()
    """How an idle timeout fits those that were found closed."""
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
    is_late_close: bool = False
    """Whether all of these were closed in order: a path that forgets doesn't do that."""
    died_after_s: float = 0.0
    """How long those that died under a request had been idle at least."""
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
        return ended >= SEVERAL and len(self.uses.idle_s) <= _FEW * ended

    def is_outlived(self, idle_s: float, own_idle_s: float, *, is_exact: bool) -> bool:
        """Whether others were idle for longer and went on, where no idle timeout can be at work.

        Or so was that connection itself, and more others than one would have spared.
        """
        later_s = idle_s + SURELY_LATER_S if is_exact else idle_s
        if self.idle.is_refuted:
            return self.uses.outlived(later_s) > 0
        return self.idle.is_strained and own_idle_s > later_s

    def is_sure(self, kind: ReasonKind) -> bool:
        """Whether a limit that fits is the only cause that does.

        Or a restart, or a limit of kept connections, may have ended as few, or as many at once.
        """
        if kind is REQUEST_LIMIT:
            return self.is_limit_sure
        return kind is not IDLE_TIMEOUT or self.idle.is_sure


def pattern_of(ends: EndsByKind, uses: Uses) -> Pattern:
    """What an owner's ends have in common, in the light of what others came through."""
    closed = ends.closed
    is_only_reused = _is_only_reused(len(ends.cut) + len(ends.reset), uses, uses.first.lost)
    died = (ends.cut, ends.reset) if is_only_reused else ()
    idle = idle_timeout(closed, uses)
    if idle.span is None and is_only_reused and _may_explain(closed, ends.cut):
        with_deaths = idle_timeout(joined(closed, ends.cut), uses)
        idle = with_deaths if with_deaths.span else idle
    limit, is_limit_sure, limit_within_s = request_limit((closed, *died), idle.span, uses)
    age, is_aged = max_age((closed, *died), uses.age_s, limit=limit)
    if is_aged and any(served != limit for each in (closed, *died) for served in each.served):
        limit = None
    announced = ends.announced
    announced_age, is_announced_aged = announced_max_age(announced, uses)
    return Pattern(
        uses=uses,
        silent=len(closed),
        died=len(ends.cut) + len(ends.reset),
        limit=limit,
        is_limit_sure=is_limit_sure,
        limit_within_s=limit_within_s,
        idle=idle,
        age=age,
        is_aged=is_aged,
        announced_age=announced_age,
        is_announced_aged=is_announced_aged,
        drop=_drop(ends, uses),
        is_late_close=not (ends.reset or ends.hung),
        died_after_s=min((*ends.cut.idle_s, *ends.reset.idle_s), default=0.0),
        is_only_reused=is_only_reused,
        desynchronised=_desynchronised(uses.first.statuses, uses.later.statuses),
    )


def _may_explain(closed: Ends, cut: Ends) -> bool:
    """Whether a server that ended some while they were idle may have ended others at a request.

    As servers do whose timers are coarse: a request that comes first has them look.
    """
    soonest_s = min(compress(closed.idle_s, closed.is_exact), default=0.0)
    return len(cut) > 0 and AT_ONCE_S <= soonest_s <= min(cut.idle_s) + CLOCKS_S


def _is_only_reused(lost: int, uses: Uses, of_first: int) -> bool:
    """Whether later requests are lost, and first ones aren't, or far more seldom."""
    if not lost:
        return False
    return of_first * max(1, uses.later.count) < _SELDOM * lost * max(1, uses.first.count)


def _drop(ends: EndsByKind, uses: Uses) -> Span | None:
    """How long connections were idle that died, where all were idle for longer than any others.

    A path that has forgotten a connection drops what is sent on it, or resets it; a gateway whose
    own connection is dead ends it then; a server that ends idle connections is heard before.
    """
    died = [
        (each, row)
        for each, of_first in (
            (ends.cut, uses.first.lost),
            (ends.reset, uses.first.lost),
            (ends.hung, uses.first.hung),
        )
        if _is_only_reused(len(each), uses, of_first)
        for row in range(len(each))
    ]
    if in_turn(died) < SEVERAL:
        return None
    least = min(each.idle_s[row] for each, row in died)
    if least < max(LEAST_DROP_S, uses.longest_idle_s + CLOCKS_S):
        return None
    was_heard = any(idle_s >= least for idle_s in ends.closed.idle_s)
    return None if was_heard else Span(uses.longest_idle_s, least)


def closing_statuses(closed: Mapping[int, int], answered: Mapping[int, int]) -> frozenset[int]:
    """Statuses of error responses after which connections end, because of them.

    `closed`: how many connections ended at once after an answer of which status, or nobody knows
    how long after; `answered`: how many answers had it.
    """
    good = {status: count for status, count in answered.items() if status < ERROR_FROM}
    others = good or {it: count for it, count in answered.items() if it not in _REJECTS}
    closing_others = sum(closed.get(status, 0) for status in others)
    if closing_others > _SELDOM * sum(others.values()):
        return frozenset()
    return frozenset(
        status
        for status, count in closed.items()
        if status >= ERROR_FROM and 2 * count > answered[status] and (good or status in _REJECTS)
    )


def _desynchronised(
    first: Mapping[int | str, int], later: Mapping[int | str, int]
) -> frozenset[int | str]:
    """What most later requests on a connection are answered, though first ones never are."""
    found = {said: count for said, count in later.items() if said in _UNREADABLE - first.keys()}
    is_usual = 2 * sum(found.values()) >= sum(later.values()) > 0
    return frozenset(found) if is_usual else frozenset()
