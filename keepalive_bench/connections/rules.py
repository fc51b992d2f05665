"""Why a connection was opened: one reason, from evidence; what can't be proven is `UNKNOWN`.

A connection is opened because there is none to use. So its reason is how the one ended whose place
it takes. `reason_kinds.py` says how each reason is proven, and `patterns.py` finds what the ends of
an owner's connections have in common.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.connections import reason_kinds as kinds
from keepalive_bench.connections.announcements import (
    OLD,
    announced_max,
    is_old,
    looks_like_close,
    says_close,
)
from keepalive_bench.connections.causes import because_of_request, fits
from keepalive_bench.connections.deaths import died_under_request, failed, is_failed
from keepalive_bench.connections.found_closed import found_closed
from keepalive_bench.connections.lives import AT_ONCE_S
from keepalive_bench.connections.patterns import ERROR_FROM
from keepalive_bench.connections.records import Idle
from keepalive_bench.results.failure_kinds import RESET

if TYPE_CHECKING:
    from keepalive_bench.connections.causes import Proven
    from keepalive_bench.connections.patterns import Pattern
    from keepalive_bench.connections.records import Before, LastExchange, Owner
    from keepalive_bench.results.exchange import Answer, Ending
    from keepalive_bench.results.failure_kinds import Actor

_BY_KAB = {
    "cut": kinds.UNREAD_BODY,
    "discarded": kinds.POOL_FULL,
}
"""Endings that say all: kab itself closed the connection."""

_BY_FRAMING = {"close": kinds.CLOSE_DELIMITED, "chunked": kinds.CHUNKS_MISREAD}
"""What a response's framing says, where nothing else told the client to close."""


def reason_for_one_more(busy: int, owner: Owner) -> kinds.ReasonKind:
    """The reason for a connection that took no other's place.

    `busy`: how many other connections its owner had, all of them in use.
    """
    return kinds.FIRST_USE if busy < owner.kept else kinds.POOL_EXHAUSTED


def reason_for(before: Before, owner: Owner) -> Proven:
    """The reason for a connection that took another's place."""
    last = before.last
    if owner.is_single_use:
        return kinds.BY_DESIGN, {}
    if last is None:
        return kinds.UNKNOWN, {"seen": "no exchange"}
    if is_failed(last):
        kind, evidence = _announced_before(before, last, owner) or failed(before, last, owner)
    else:
        kind, evidence = _after_answer(before, last, owner)
    if kind in {kinds.SERVER_CLOSE, kinds.REQUEST_LIMIT} and (more := _of_exchange(last, owner)):
        evidence["fits"] = ", ".join((f"{evidence.get('fits', kind.code)}", *more))
    return kind, evidence


def actor(kind: kinds.ReasonKind, owner: Owner) -> Actor:
    """Who did it: what a server does, the proxy does where requests are forwarded."""
    return owner.closer.who if kind.who == "server" else kind.who


def _after_answer(before: Before, last: LastExchange, owner: Owner) -> Proven:
    """The same after an exchange that succeeded."""
    ending = before.ending
    if ending is not None and ending.kind not in {"announced", "fin", "rst"}:
        return _by_looks(before, ending, last, owner)
    if owner.asks_to_close:
        return kinds.ASKED_TO_CLOSE, {"requests": before.served}
    if ending is None or ending.kind == "announced":
        return _announced(before, last, owner)
    return found_closed(before, ending, last, owner)


def _of_exchange(last: LastExchange, owner: Owner) -> list[str]:
    """The codes of what in an exchange may have ended its connection, as no other refutes it."""
    uses, answer = owner.pattern.uses, last.answer
    is_never_kept, is_only_errors = uses.most_served <= 1, False
    if (last.status or 0) >= ERROR_FROM:
        statuses = {*uses.first.statuses, *uses.later.statuses}
        is_only_errors = all(it >= ERROR_FROM for it in statuses if isinstance(it, int))
    fitting = {
        kinds.ERROR_RESPONSE: is_only_errors and is_never_kept,
        kinds.UNREAD_REQUEST: owner.sends_bodies and (is_never_kept or is_only_errors),
        kinds.CLOSE_DELIMITED: answer is not None and answer.framing == "close",
    }
    return [kind.code for kind, does in fitting.items() if does]


def _announced(before: Before, last: LastExchange, owner: Owner) -> Proven:
    """Why a response ended its connection, in the order of precedence."""
    answer = last.answer
    evidence: dict[str, object] = {"requests": before.served}
    because = because_of_request(last, owner)
    if because is not None:
        return because, {**evidence, "status": last.status}
    if answer is not None and says_close(answer):
        return _said(before, answer, owner.pattern)
    if answer is not None and answer.http_version in OLD:
        said = {} if is_old(answer) else {"unread": True}
        if answer.framing != "close" or not said:
            return kinds.HTTP_1_0, {**evidence, "http_version": answer.http_version, **said}
    if answer is not None and (option := looks_like_close(answer)):
        return kinds.CLOSE_MISREAD, {**evidence, "option": option}
    if answer is not None and answer.framing in _BY_FRAMING:
        return _BY_FRAMING[answer.framing], {**evidence, "http_version": answer.http_version}
    return kinds.UNKNOWN, {**evidence, "seen": "a response that ended the connection"}


def _said(before: Before, answer: Answer, pattern: Pattern) -> Proven:
    """Why a server announced a close."""
    evidence: dict[str, object] = {"requests": before.served}
    if answer.framing == "close" and pattern.uses.most_served > 1:
        return kinds.CLOSE_DELIMITED, {**evidence, "http_version": answer.http_version}
    evidence["connection"] = answer.connection
    if pattern.announced_age is not None and pattern.announced_age.has(before.age_s):
        evidence["age_s"] = before.age_s
        if pattern.is_announced_aged:
            return kinds.MAX_AGE, evidence
        evidence |= fits(kinds.SERVER_CLOSE, kinds.MAX_AGE)
    return kinds.SERVER_CLOSE, evidence


def _announced_before(before: Before, last: LastExchange, owner: Owner) -> Proven | None:
    """Why a connection ended under a request, where the answer before tells."""
    answer = last.answer
    if answer is None or not before.served or not died_under_request(last):
        return None
    evidence: dict[str, object] = {"failure": last.failure, "requests": before.served}
    if says_close(answer):
        return kinds.SERVER_CLOSE, {**evidence, "connection": answer.connection, "unread": True}
    if announced_max(answer) in {0, before.served}:
        return kinds.KEEP_ALIVE_MAX, evidence
    because = None
    if last.after_idle_s is not None and last.after_idle_s < AT_ONCE_S:
        because = because_of_request(last, owner, is_reset=last.failure == RESET.code)
    if because is kinds.ERROR_RESPONSE:
        return because, {**evidence, "status": last.status}
    return None


def _by_looks(before: Before, ending: Ending, last: LastExchange, owner: Owner) -> Proven:
    """Unsolicited bytes, such as the 408 of a server whose time is up; or what kab did itself."""
    evidence: dict[str, object] = {"seen": ending.data or ending.kind}
    if ending.kind not in {"leftover", "data"}:
        return _BY_KAB.get(ending.kind, kinds.UNKNOWN), evidence
    after_s, idle = ending.after_s, before.idle or Idle(0.0)
    is_at_once = (after_s or 0.0) < AT_ONCE_S
    if owner.sends_bodies and is_at_once and _is_complaint(ending.data, last):
        return kinds.UNREAD_REQUEST, {**evidence, "status": last.status}
    if ending.kind == "data":
        evidence |= {"idle_s": idle.total_s, "idle_by_kab_s": idle.by_kab_s}
    if after_s is not None:
        evidence["came_after_s"] = after_s
        own = idle.total_s - idle.by_kab_s
        evidence["interleaved"] = after_s >= AT_ONCE_S and own < after_s
    is_bodiless = last.answer is not None and last.answer.framing == "none"
    if is_bodiless and is_at_once and not ending.data.startswith("HTTP/"):
        evidence["bodiless"] = True
    return kinds.UNSOLICITED_DATA, evidence


def _is_complaint(data: str, last: LastExchange) -> bool:
    """Whether bytes look like what a server says to a request's body that it takes for a request.

    That is an error, or, of one without a version, its page alone, as HTTP/0.9 had it.
    """
    version, _, status = data.partition(" ")
    if version.startswith("HTTP/"):
        return status[:1] in {"4", "5"} and not status.startswith("408")
    return (last.status or 0) >= ERROR_FROM and last.answer is not None and "<" in data
