"""Why a connection was opened: one reason, from evidence; what can't be proven is `UNKNOWN`.

A connection is opened because there is none to use. So its reason is how the one ended whose place
it takes. `reason_kinds.py` says how each reason is proven. What it is found from is plain records,
whoever opened the connection.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.connections import reason_kinds as kinds
from keepalive_bench.results.failure_kinds import FAILURE_KINDS
from keepalive_bench.units import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keepalive_bench.results.exchange import Answer, Ending


class Idle(NamedTuple):
    """How long a connection was idle before another one took its place, in seconds."""

    total_s: float
    by_kab_s: float = 0.0
    """The part of it in which kab was busy with other requests, which nobody asked it to wait
    for."""


class LastExchange(NamedTuple):
    """The last exchange on a connection; one that was cut off says nothing of its peer."""

    failure: str | None
    """The code of its `FailureKind`; `None`: it didn't fail."""
    has_answer: bool
    """Whether a byte of an answer came."""
    answer: Answer | None
    """What the answer announced."""


class Before(NamedTuple):
    """A connection whose place another one took."""

    served: int
    """How many responses it carried."""
    ending: Ending | None
    """What ended it, and how that was seen; `None`: nobody saw an end."""
    last: LastExchange | None
    idle: Idle | None
    """`None`: it wasn't found out while it was idle (`FOUND_IDLE`)."""


class FoundClosed(NamedTuple):
    """A connection that was found closed without a word."""

    served: int
    idle_s: float


FOUND_IDLE = frozenset({"fin", "rst", "data"})
"""Endings that are met when an idle connection is looked at, so that its idle time tells."""


Proven = tuple[kinds.ReasonKind, dict[str, object]]
"""A reason, with the evidence for it."""
AT_ONCE_S = 0.05
"""A close within 50 ms of a response is no idle timeout, unless it shows: few are that short."""
SURELY_LATER_S = 0.02
"""Systems tell as coarsely as that when something came: of what is sooner, nothing shows."""
_HARMLESS = {kind.code for kind in FAILURE_KINDS if kind.keeps_connection}
_OF_RACES = {kind.code for kind in FAILURE_KINDS if kind.kills_idle}
_BY_KAB = {
    "leftover": kinds.UNSOLICITED_DATA,
    "cut": kinds.UNREAD_BODY,
    "discarded": kinds.POOL_FULL,
}
"""Endings that say all: kab itself closed the connection."""
_TIMES_SEEN = 2


class Silence(NamedTuple):
    """What connections of one owner that were closed without a word have in common."""

    limit: int | None = None
    """How many responses each carried, where that was always the same, seen twice at least, and no
    connection carried more."""
    survived_s: float = 0.0
    """The longest time that a connection was idle and then used again."""
    goes_by_time: bool = False
    """Whether several were found closed, all idle for longer, and numbers of requests don't tell
    why."""


class Owner(NamedTuple):
    """Who opens connections and keeps them: a pool, or whatever takes its place."""

    kept: int
    """How many connections it keeps open."""
    is_single_use: bool = False
    """Whether it uses each connection once, by design."""
    silence: Silence = Silence()


def common_silence(
    closed: Sequence[FoundClosed], raced: Sequence[int], survived_s: float, most_served: int
) -> Silence:
    """What they have in common.

    `raced`: how many responses others had carried that died under a request. `most_served`: the
    most that any connection to that server carried, whoever owns it.
    """
    if not closed:
        return Silence()
    counts = {it.served for it in closed}
    is_constant = len(counts.union(raced)) == 1 and len(closed) + len(raced) >= _TIMES_SEEN
    # Where a connection of anybody's carried more, there is no such limit.
    is_limit = is_constant and most_served <= max(counts)
    varies = len(counts) > 1 or (is_constant and not is_limit)
    return Silence(
        limit=next(iter(counts)) if is_limit else None,
        survived_s=survived_s,
        goes_by_time=varies and min(it.idle_s for it in closed) > survived_s,
    )


def reason_for_one_more(busy: int, owner: Owner) -> kinds.ReasonKind:
    """The reason for a connection that took no other's place.

    `busy`: how many other connections its owner had, all of them in use.
    """
    return kinds.FIRST_USE if busy < owner.kept else kinds.POOL_EXHAUSTED


def reason_for(before: Before, owner: Owner) -> Proven:
    """The reason for a connection that took another's place."""
    return (kinds.BY_DESIGN, {}) if owner.is_single_use else _after(before, owner.silence)


def _after(before: Before, silence: Silence) -> Proven:
    ending, last = before.ending, before.last
    if ending is None or last is None:
        return kinds.UNKNOWN, {"seen": "no exchange, and no end"}
    if last.failure is not None and last.failure not in _HARMLESS:
        is_race = before.served and died_under_request(last)
        return kinds.STALE_RACE if is_race else kinds.AFTER_ERROR, {"failure": last.failure}
    idle = before.idle or Idle(0.0)
    if ending.kind in {"fin", "rst"}:
        return _silent(before.served, ending, last.answer, idle, silence)
    if ending.kind == "data":
        return _unsolicited(ending, idle)
    if ending.kind == "announced":
        return _announced(last.answer)
    return _BY_KAB.get(ending.kind, kinds.UNKNOWN), {"seen": ending.data or ending.kind}


def died_under_request(last: LastExchange) -> bool:
    """Whether the connection ended after an exchange's request was sent, before any answer."""
    return last.failure in _OF_RACES and not last.has_answer


def _unsolicited(ending: Ending, idle: Idle) -> Proven:
    """Bytes on an idle connection; a server whose idle timeout says 408 sends such."""
    evidence: dict[str, object] = {"seen": ending.data, "idle_s": idle.total_s}
    evidence["idle_by_kab_s"] = idle.by_kab_s
    if ending.after_s is not None:
        evidence["came_after_s"] = ending.after_s
        own = idle.total_s - idle.by_kab_s
        evidence["interleaved"] = ending.after_s >= AT_ONCE_S and own < ending.after_s
    return kinds.UNSOLICITED_DATA, evidence


def _announced(answer: Answer | None) -> Proven:
    """Why a response ended its connection, in the order of precedence."""
    if answer is not None:
        said = (answer.connection or "").lower()
        if "close" in {token.strip() for token in said.split(",")}:
            return kinds.SERVER_CLOSE, {"connection": answer.connection}
        if answer.http_version in {"HTTP/1.0", "HTTP/0.9"} and "keep-alive" not in said:
            return kinds.HTTP_1_0, {"http_version": answer.http_version}
        if answer.framing == "close":
            return kinds.CLOSE_DELIMITED, {"http_version": answer.http_version}
    return kinds.UNKNOWN, {"seen": "a response that ended the connection"}


def _silent(
    served: int, ending: Ending, answer: Answer | None, idle: Idle, silence: Silence
) -> Proven:
    """A connection that the server closed without a word, while it was idle."""
    evidence: dict[str, object] = {"found": ending.kind, "requests": served}
    evidence |= {"idle_s": idle.total_s, "idle_by_kab_s": idle.by_kab_s}
    after_s = ending.after_s
    if after_s is not None:
        evidence["closed_after_s"] = after_s
    if announced_max(answer) in {0, served}:  # it counts down (Apache), or stays
        return kinds.KEEP_ALIVE_MAX, evidence
    bound = idle.total_s if after_s is None else after_s
    at_once = bound < AT_ONCE_S
    if silence.limit == served and (at_once or bound <= silence.survived_s):
        return kinds.REQUEST_LIMIT, evidence
    # When a system doesn't tell the time of the close, it may have been that of the last response.
    by_time = after_s is not None or silence.goes_by_time
    timed_out = bound > silence.survived_s and by_time
    if at_once:
        is_timed = after_s is not None and after_s >= SURELY_LATER_S
        proven = is_timed and timed_out and silence.goes_by_time
    else:
        announced = announced_timeout(answer)
        proven = timed_out or (announced is not None and bound >= announced)
    if proven:
        own = idle.total_s - idle.by_kab_s
        # Had kab's other requests not come in between, it would have been used in time.
        evidence["interleaved"] = own <= silence.survived_s if after_s is None else own < after_s
        return kinds.IDLE_TIMEOUT, evidence
    how = {"fin": "closed", "rst": "reset"}[ending.kind]
    return kinds.UNKNOWN, {**evidence, "seen": f"{how} after {plural(served, 'response')}"}


def announced_timeout(answer: Answer | None) -> int | None:
    """What a Keep-Alive field's `timeout` says, in seconds."""
    return _announcement(answer, "timeout")


def announced_max(answer: Answer | None) -> int | None:
    """What a Keep-Alive field's `max` says, in requests."""
    return _announcement(answer, "max")


def _announcement(answer: Answer | None, name: str) -> int | None:
    said = "" if answer is None else answer.keep_alive or ""
    found = re.search(rf"(?:^|[\s,;]){name}\s*=\s*(\d{{1,9}})", said) if said else None
    return None if found is None else int(found[1])
