"""Why a connection was opened: one reason, from evidence; what can't be proven is `UNKNOWN`.

A connection is opened because there is none to use. So its reason is how the one ended whose place
it takes. `reason_kinds.py` says how each reason is proven, and `patterns.py` finds what the ends of
an owner's connections have in common.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.connections import reason_kinds as kinds
from keepalive_bench.connections.announcements import (
    announced_max,
    announced_timeout,
    is_misread,
    is_old,
    says_close,
)
from keepalive_bench.connections.patterns import AT_ONCE_S, ERROR_FROM, Span
from keepalive_bench.connections.records import Idle
from keepalive_bench.results.failure_kinds import FAILURE_KINDS, READ_TIMEOUT
from keepalive_bench.units import plural

if TYPE_CHECKING:
    from keepalive_bench.connections.patterns import Pattern
    from keepalive_bench.connections.records import Before, LastExchange, Owner
    from keepalive_bench.results.exchange import Answer, Ending
    from keepalive_bench.results.failure_kinds import Actor

Proven = tuple[kinds.ReasonKind, dict[str, object]]
"""A reason, with the evidence for it."""
_HARMLESS = {kind.code for kind in FAILURE_KINDS if kind.keeps_connection}
_OF_RACES = {kind.code for kind in FAILURE_KINDS if kind.kills_idle}
_BY_KAB = {
    "leftover": kinds.UNSOLICITED_DATA,
    "cut": kinds.UNREAD_BODY,
    "discarded": kinds.POOL_FULL,
}
"""Endings that say all: kab itself closed the connection."""
_NEAR = 0.1
"""Of an idle timeout: a request that comes by so much sooner or later may meet the close."""
_BUFFER_S = 1.2
"""Node keeps connections for a second longer than it announces; others look now and then."""


def reason_for_one_more(busy: int, owner: Owner) -> kinds.ReasonKind:
    """The reason for a connection that took no other's place.

    `busy`: how many other connections its owner had, all of them in use.
    """
    return kinds.FIRST_USE if busy < owner.kept else kinds.POOL_EXHAUSTED


def reason_for(before: Before, owner: Owner) -> Proven:
    """The reason for a connection that took another's place."""
    ending, last = before.ending, before.last
    if owner.is_single_use:
        return kinds.BY_DESIGN, {}
    if ending is None or last is None:
        return kinds.UNKNOWN, {"seen": "no exchange, and no end"}
    if last.failure is not None and last.failure not in _HARMLESS:
        return _failed(before, last, owner)
    if ending.kind in {"fin", "rst"}:
        return _silent(before, ending, last, owner)
    if ending.kind == "announced":
        return _announced(before, last, owner)
    return _by_looks(ending, before.idle or Idle(0.0))


def actor(kind: kinds.ReasonKind, owner: Owner) -> Actor:
    """Who did it: what a server does, the proxy does where requests are forwarded."""
    return owner.closer.who if kind.who == "server" else kind.who


def died_under_request(last: LastExchange) -> bool:
    """Whether the connection ended after an exchange's request was sent, before any answer."""
    return last.failure in _OF_RACES and not last.has_answer


def hung(last: LastExchange) -> bool:
    """Whether no answer came to an exchange's request in time."""
    return last.failure == READ_TIMEOUT.code


def _failed(before: Before, last: LastExchange, owner: Owner) -> Proven:
    """A connection that was given up after a request that failed."""
    pattern, idle_s = owner.pattern, last.after_idle_s
    evidence: dict[str, object] = {"failure": last.failure, "requests": before.served}
    if idle_s is not None:
        evidence["idle_s"] = idle_s
    fits = _fatal(before, last, pattern)
    if len(fits) > 1:
        evidence |= _fits(*fits)
    if kinds.MAX_AGE in fits:
        evidence["age_s"] = before.age_s
    kind = _killer(fits, before, last, owner)
    if kind is kinds.IDLE_DROP and pattern.drop is not None:
        evidence |= {"survived_s": pattern.drop.least_s, "died_s": pattern.drop.most_s}
    return kind, evidence


def _killer(
    fits: list[kinds.ReasonKind], before: Before, last: LastExchange, owner: Owner
) -> kinds.ReasonKind:
    """What ended a connection under a request, of what fits."""
    pattern = owner.pattern
    is_later = pattern.is_only_reused and bool(before.served) and died_under_request(last)
    if owner.asks_to_close and is_later:
        return kinds.ASKED_TO_CLOSE
    is_unread = last.failure in pattern.desynchronised or (is_later and pattern.is_hardly_reused)
    if owner.sends_bodies and is_unread:
        return kinds.UNREAD_REQUEST
    if len(fits) > 1 and fits[0] is kinds.REQUEST_LIMIT:
        return kinds.UNDECIDED
    if fits and (fits[0] is not kinds.MAX_AGE or pattern.is_aged):
        return fits[0]
    return kinds.AFTER_ERROR


def _fatal(before: Before, last: LastExchange, pattern: Pattern) -> list[kinds.ReasonKind]:
    """What can have ended a connection under a request that wasn't its first."""
    idle_s, died = last.after_idle_s, died_under_request(last)
    if idle_s is None or not before.served or not (died or hung(last)):
        return []
    is_only_reused = died and pattern.is_only_reused
    fitting = {
        kinds.IDLE_DROP: pattern.drop is not None and idle_s >= pattern.drop.most_s,
        kinds.STALE_RACE: is_only_reused and _is_near(idle_s, before, last, pattern.idle),
        kinds.REQUEST_LIMIT: is_only_reused and pattern.limit == before.served,
        kinds.MAX_AGE: is_only_reused and pattern.age is not None and pattern.age.has(before.age_s),
    }
    return [kind for kind, does in fitting.items() if does]


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


def _fits(*fitting: kinds.ReasonKind | None) -> dict[str, object]:
    """Evidence: the causes that fit what was seen, where there are others than the one named."""
    codes = [kind.code for kind in fitting if kind is not None]
    return {"fits": ", ".join(codes)} if codes else {}


def _by_looks(ending: Ending, idle: Idle) -> Proven:
    """Unsolicited bytes, such as the 408 of a server whose time is up; or what kab did itself."""
    if ending.kind != "data":
        return _BY_KAB.get(ending.kind, kinds.UNKNOWN), {"seen": ending.data or ending.kind}
    evidence: dict[str, object] = {"seen": ending.data, "idle_s": idle.total_s}
    evidence["idle_by_kab_s"] = idle.by_kab_s
    if ending.after_s is not None:
        evidence["came_after_s"] = ending.after_s
        own = idle.total_s - idle.by_kab_s
        evidence["interleaved"] = ending.after_s >= AT_ONCE_S and own < ending.after_s
    return kinds.UNSOLICITED_DATA, evidence


def _announced(before: Before, last: LastExchange, owner: Owner) -> Proven:
    """Why a response ended its connection, in the order of precedence."""
    answer = last.answer
    evidence: dict[str, object] = {"requests": before.served}
    if answer is None:
        return kinds.UNKNOWN, {**evidence, "seen": "a response that ended the connection"}
    if says_close(answer):
        return _asked_or_said(before, last, owner)
    if is_old(answer):
        return kinds.HTTP_1_0, {**evidence, "http_version": answer.http_version}
    if is_misread(answer):
        return kinds.CLOSE_MISREAD, {**evidence, "connection": answer.connection}
    if answer.framing == "close":
        return kinds.CLOSE_DELIMITED, {**evidence, "http_version": answer.http_version}
    return kinds.UNKNOWN, {**evidence, "seen": "a response that ended the connection"}


def _asked_or_said(before: Before, last: LastExchange, owner: Owner) -> Proven:
    """Why a server announced a close."""
    pattern = owner.pattern
    evidence: dict[str, object] = {
        "requests": before.served,
        "connection": None if last.answer is None else last.answer.connection,
    }
    because = _because_of_request(last, owner)
    if because is not None:
        return because, {**evidence, "status": last.status}
    if pattern.announced_age is not None and pattern.announced_age.has(before.age_s):
        evidence["age_s"] = before.age_s
        if pattern.is_announced_aged:
            return kinds.MAX_AGE, evidence
        evidence |= _fits(kinds.REQUEST_LIMIT, kinds.MAX_AGE)
    return kinds.SERVER_CLOSE, evidence


def _because_of_request(
    last: LastExchange, owner: Owner, *, is_reset: bool = False
) -> kinds.ReasonKind | None:
    """Why a connection ended at once after an answer, where its request explains that."""
    status = last.status or 0
    if owner.asks_to_close:
        return kinds.ASKED_TO_CLOSE
    if owner.sends_bodies and (is_reset or status in owner.pattern.desynchronised):
        return kinds.UNREAD_REQUEST
    if status >= ERROR_FROM and status in owner.pattern.closing_statuses:
        return kinds.ERROR_RESPONSE
    return None


def _silent(before: Before, ending: Ending, last: LastExchange, owner: Owner) -> Proven:
    """A connection that was closed without a word, while it was idle."""
    answer, after_s, idle = last.answer, ending.after_s, before.idle or Idle(0.0)
    evidence: dict[str, object] = {"found": ending.kind, "requests": before.served}
    evidence |= {"idle_s": idle.total_s, "idle_by_kab_s": idle.by_kab_s}
    if after_s is not None:
        evidence["closed_after_s"] = after_s
    if answer is not None and says_close(answer):
        return kinds.SERVER_CLOSE, {**evidence, "connection": answer.connection, "unread": True}
    bound_s = idle.total_s if after_s is None else after_s
    is_unread = ending.kind == "rst" and owner.pattern.is_hardly_reused
    if bound_s < AT_ONCE_S or (owner.sends_bodies and is_unread):
        because = _because_of_request(last, owner, is_reset=ending.kind == "rst")
        if because is not None:
            return because, {**evidence, "status": last.status}
    if announced_max(answer) in {0, before.served}:  # it counts down (Apache), or stays
        return kinds.KEEP_ALIVE_MAX, evidence
    fits = _limits(before, bound_s, answer, owner.pattern, is_exact=after_s is not None)
    if len(fits) > 1:
        evidence |= _fits(*fits)
    if kinds.MAX_AGE in fits:
        evidence["age_s"] = before.age_s + bound_s
    kind = _decided(fits, owner, bound_s, is_exact=after_s is not None)
    if kind is kinds.IDLE_TIMEOUT:
        own, survived_s = idle.total_s - idle.by_kab_s, owner.pattern.uses.longest_idle_s
        # Had kab's other requests not come in between, it would have been used in time.
        evidence["interleaved"] = own <= survived_s if after_s is None else own < after_s
    if kind is kinds.UNKNOWN:
        how = {"fin": "closed", "rst": "reset"}[ending.kind]
        evidence["seen"] = f"{how} after {plural(before.served, 'response')}"
    return kind, evidence


def _limits(
    before: Before, bound_s: float, answer: Answer | None, pattern: Pattern, *, is_exact: bool
) -> list[kinds.ReasonKind]:
    """Which limits can have ended a connection that was found closed.

    `bound_s`: when it was closed, after its last response; or, if that isn't known, at the latest.
    """
    by_age = pattern.age is not None and pattern.age.has(before.age_s + bound_s)
    is_late = is_exact and bound_s >= AT_ONCE_S
    may_count = not is_late or (bound_s <= pattern.uses.longest_idle_s and not by_age)
    announced = announced_timeout(answer)
    fitting = {
        kinds.REQUEST_LIMIT: pattern.limit == before.served and may_count,
        kinds.IDLE_TIMEOUT: _is_timed_out(bound_s, pattern.idle, is_exact=is_exact)
        or (announced is not None and bound_s >= max(announced, AT_ONCE_S)),
        kinds.MAX_AGE: by_age,
    }
    return [kind for kind, does in fitting.items() if does]


def _is_timed_out(bound_s: float, idle: Span | None, *, is_exact: bool) -> bool:
    if idle is None:
        return False
    return idle.has(bound_s) if is_exact else bound_s >= idle.least_s


def _decided(
    fits: list[kinds.ReasonKind], owner: Owner, bound_s: float, *, is_exact: bool
) -> kinds.ReasonKind:
    """The limit that ended a connection, of those that fit.

    An idle timeout goes before an age: hardly any server ends connections by age without a word.
    """
    pattern = owner.pattern
    if kinds.REQUEST_LIMIT in fits:
        if owner.asks_to_close:
            return kinds.ASKED_TO_CLOSE
        return kinds.REQUEST_LIMIT if len(fits) == 1 else kinds.UNDECIDED
    if kinds.IDLE_TIMEOUT in fits:
        return kinds.IDLE_TIMEOUT
    if fits and pattern.is_aged:
        return kinds.MAX_AGE
    is_outlived = pattern.is_outlived(bound_s, is_exact=is_exact)
    return kinds.RECYCLED if is_outlived and not fits else kinds.UNKNOWN
