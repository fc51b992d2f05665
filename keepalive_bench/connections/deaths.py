"""Why a connection ended under a request that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.connections import reason_kinds as kinds
from keepalive_bench.connections.announcements import announced_timeout
from keepalive_bench.connections.causes import fits
from keepalive_bench.connections.lives import SURELY_LATER_S
from keepalive_bench.connections.patterns import LEAST_DROP_S
from keepalive_bench.results.failure_kinds import (
    CLOSED_BEFORE_RESPONSE,
    FAILURE_KINDS,
    READ_TIMEOUT,
)

if TYPE_CHECKING:
    from keepalive_bench.connections.causes import Proven
    from keepalive_bench.connections.lives import Span
    from keepalive_bench.connections.patterns import Pattern
    from keepalive_bench.connections.records import Before, LastExchange, Owner

_HARMLESS = {kind.code for kind in FAILURE_KINDS if kind.keeps_connection}
_OF_RACES = {kind.code for kind in FAILURE_KINDS if kind.kills_idle}
_NEAR = 0.1
"""Of an idle timeout: a request that comes by so much sooner or later may meet the close."""
_BUFFER_S = 1.2
"""Node keeps connections for a second longer than it announces; others look now and then."""


def is_failed(last: LastExchange) -> bool:
    """Whether an exchange failed so that its connection is of no more use."""
    return last.failure is not None and last.failure not in _HARMLESS


def died_under_request(last: LastExchange) -> bool:
    """Whether the connection ended after an exchange's request was sent, before any answer."""
    return last.failure in _OF_RACES and not last.has_answer


def hung(last: LastExchange) -> bool:
    """Whether no answer came to an exchange's request in time."""
    return last.failure == READ_TIMEOUT.code


def failed(before: Before, last: LastExchange, owner: Owner) -> Proven:
    """A connection that was given up after a request that failed."""
    pattern, idle_s = owner.pattern, last.after_idle_s
    evidence: dict[str, object] = {"failure": last.failure, "requests": before.served}
    if idle_s is not None:
        evidence["idle_s"] = idle_s
    fitting = _fatal(before, last, pattern)
    if kinds.MAX_AGE in fitting:
        evidence["age_s"] = before.age_s
    kind = _killer(fitting, before, last, owner)
    if not pattern.is_sure(kind):
        fitting.append(kinds.RECYCLED)
    if kind in {kinds.IDLE_DROP, kinds.LATE_CLOSE} and pattern.drop is not None:
        evidence |= {"survived_s": pattern.drop.least_s, "died_s": pattern.drop.most_s}
    return kind, evidence | fits(kind, *fitting)


def _killer(
    fitting: list[kinds.ReasonKind], before: Before, last: LastExchange, owner: Owner
) -> kinds.ReasonKind:
    """What ended a connection under a request, of what fits."""
    pattern = owner.pattern
    is_later = pattern.is_only_reused and bool(before.served) and died_under_request(last)
    if owner.asks_to_close and is_later:
        return kinds.ASKED_TO_CLOSE
    is_spoilt = died_under_request(last) and pattern.is_hardly_reused
    is_unread = is_spoilt or last.failure in pattern.desynchronised
    if owner.sends_bodies and is_unread:
        return kinds.UNREAD_REQUEST
    is_cut = last.failure == CLOSED_BEFORE_RESPONSE.code  # no path that forgets sends a FIN
    is_limit = kinds.REQUEST_LIMIT in fitting and (is_cut or fitting[0] is kinds.REQUEST_LIMIT)
    if is_limit and (len(fitting) > 1 or pattern.idle.span is not None):
        return kinds.UNDECIDED
    if fitting and (fitting[0] is not kinds.MAX_AGE or pattern.is_aged):
        return fitting[0]
    return kinds.AFTER_ERROR


def _fatal(before: Before, last: LastExchange, pattern: Pattern) -> list[kinds.ReasonKind]:
    """What can have ended a connection under a request that wasn't its first."""
    idle_s, died = last.after_idle_s, died_under_request(last)
    if idle_s is None or not before.served or not (died or hung(last)):
        return []
    is_only_reused = died and pattern.is_only_reused
    is_dropped = pattern.drop is not None and idle_s >= pattern.drop.most_s
    is_near = _is_near(idle_s, before, last, pattern.idle.span)
    # Just beyond what others survived, the server's timeout may lie, too.
    is_near |= is_dropped and idle_s <= pattern.uses.longest_idle_s + 2 * before.round_trip_s
    fitting = {
        kinds.IDLE_DROP: is_dropped and not pattern.is_late_close,
        kinds.LATE_CLOSE: is_dropped and pattern.is_late_close,
        kinds.STALE_RACE: is_only_reused and is_near,
        kinds.REQUEST_LIMIT: is_only_reused and pattern.limit == before.served,
        kinds.MAX_AGE: is_only_reused and pattern.age is not None and pattern.age.has(before.age_s),
        kinds.IDLE_TIMEOUT: is_only_reused and _may_all_race(before, idle_s, pattern),
    }
    return [kind for kind, does in fitting.items() if does]


def _may_all_race(before: Before, idle_s: float, pattern: Pattern) -> bool:
    """Whether all can have crossed a close: no request ever came through such a pause.

    It takes a round trip that isn't much shorter; and after long pauses, who knows.
    """
    is_long = before.round_trip_s > idle_s / 4 or idle_s >= LEAST_DROP_S
    is_late = idle_s + before.round_trip_s >= SURELY_LATER_S
    is_limited = pattern.limit == before.served
    is_limited = is_limited and pattern.died_after_s >= pattern.uses.longest_idle_s
    return is_limited and is_long and is_late


def _is_near(idle_s: float, before: Before, last: LastExchange, seen: Span | None) -> bool:
    """Whether an idle time is near to the server's, which was seen or announced.

    A request that is sent up to a round trip before the server's FIN arrives comes too late.
    """
    ahead_s = before.round_trip_s
    if seen is not None:
        least_s = min(seen.least_s * (1 - _NEAR), seen.least_s - ahead_s)
        return least_s <= idle_s <= seen.most_s * (1 + _NEAR)
    announced = announced_timeout(last.answer)
    if announced is None:
        return False
    return min(announced * (1 - _NEAR), announced - ahead_s) <= idle_s <= announced + _BUFFER_S
