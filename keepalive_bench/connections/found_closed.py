"""Why a connection was found closed without a word, while it was idle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.connections import reason_kinds as kinds
from keepalive_bench.connections.announcements import announced_max, announced_timeout, says_close
from keepalive_bench.connections.causes import because_of_request, fits, is_closing_error
from keepalive_bench.connections.lives import AT_ONCE_S, CLOCKS_S, SURELY_LATER_S
from keepalive_bench.connections.records import Idle
from keepalive_bench.units import plural

if TYPE_CHECKING:
    from keepalive_bench.connections.causes import Proven
    from keepalive_bench.connections.lives import Span
    from keepalive_bench.connections.patterns import Pattern
    from keepalive_bench.connections.records import Before, LastExchange, Owner
    from keepalive_bench.results.exchange import Answer, Ending


def found_closed(before: Before, ending: Ending, last: LastExchange, owner: Owner) -> Proven:
    """The reason, with the evidence."""
    idle, evidence = before.idle or Idle(0.0), _seen(before, ending)
    bound_s = idle.total_s if ending.after_s is None else ending.after_s
    answer = last.answer
    if answer is not None and says_close(answer):
        return kinds.SERVER_CLOSE, {**evidence, "connection": answer.connection, "unread": True}
    is_reset = ending.kind == "rst"
    if bound_s < AT_ONCE_S or (owner.sends_bodies and is_reset and owner.pattern.is_hardly_reused):
        because = because_of_request(last, owner, is_reset=is_reset)
        if because is not None:
            return because, {**evidence, "status": last.status}
    elif ending.after_s is None and is_closing_error(last, owner):
        return kinds.ERROR_RESPONSE, {**evidence, "status": last.status}
    if announced_max(answer) in {0, before.served}:  # it counts down (Apache), or stays
        return kinds.KEEP_ALIVE_MAX, evidence
    kind, fitting = _limit(before, ending, answer, owner)
    if kinds.MAX_AGE in fitting:
        evidence["age_s"] = before.age_s + bound_s
    if kind is kinds.IDLE_TIMEOUT:
        evidence["interleaved"] = _is_caused_by_kab(idle, ending, owner.pattern)
    if kind is kinds.UNKNOWN:
        how = {"fin": "closed", "rst": "reset"}[ending.kind]
        evidence["seen"] = f"{how} after {plural(before.served, 'response')}"
    return kind, evidence | fits(kind, *fitting)


def _limit(
    before: Before, ending: Ending, answer: Answer | None, owner: Owner
) -> tuple[kinds.ReasonKind, list[kinds.ReasonKind]]:
    """What ended a connection that neither its answer nor its request explains, and what fits."""
    idle, pattern, is_exact = before.idle or Idle(0.0), owner.pattern, ending.after_s is not None
    bound_s = idle.total_s if ending.after_s is None else ending.after_s
    fitting = _limits(before, bound_s, answer, pattern, is_exact=is_exact)
    kind = _decided(fitting, owner)
    own_s = before.survived_s
    if kind is kinds.UNKNOWN and pattern.is_outlived(bound_s, own_s, is_exact=is_exact):
        kind = kinds.RECYCLED
        if before.served == pattern.uses.most_served:  # nobody knows whether one may carry more
            fitting.append(kinds.REQUEST_LIMIT)
        if not (pattern.idle.is_refuted or pattern.idle.is_exceeded):
            fitting.append(kinds.IDLE_TIMEOUT)
    if not pattern.is_sure(kind) and not _is_announced(bound_s, answer):
        fitting.append(kinds.RECYCLED)
    return kind, fitting


def _seen(before: Before, ending: Ending) -> dict[str, object]:
    idle = before.idle or Idle(0.0)
    evidence: dict[str, object] = {"found": ending.kind, "requests": before.served}
    evidence |= {"idle_s": idle.total_s, "idle_by_kab_s": idle.by_kab_s}
    return evidence if ending.after_s is None else {**evidence, "closed_after_s": ending.after_s}


def _is_caused_by_kab(idle: Idle, ending: Ending, pattern: Pattern) -> bool:
    """Whether it would have been used in time, had kab's other requests not come in between."""
    own = idle.total_s - idle.by_kab_s
    if ending.after_s is None:
        return own <= pattern.uses.longest_idle_s
    return own < ending.after_s


def _limits(
    before: Before, bound_s: float, answer: Answer | None, pattern: Pattern, *, is_exact: bool
) -> list[kinds.ReasonKind]:
    """Which limits can have ended a connection that was found closed.

    `bound_s`: when it was closed, after its last response; or, if that isn't known, at the latest.
    """
    by_age = _is_within(before.age_s + bound_s, pattern.age, is_exact=is_exact)
    is_late = is_exact and bound_s >= SURELY_LATER_S
    may_count = not is_late or bound_s <= max(pattern.limit_within_s, pattern.uses.longest_idle_s)
    fitting = {
        kinds.REQUEST_LIMIT: pattern.limit == before.served and may_count,
        kinds.IDLE_TIMEOUT: _is_within(bound_s, pattern.idle.span, is_exact=is_exact)
        or _is_announced(bound_s, answer),
        kinds.MAX_AGE: by_age,
    }
    return [kind for kind, does in fitting.items() if does]


def _is_announced(bound_s: float, answer: Answer | None) -> bool:
    """Whether it was idle for as long as the server had announced to keep it."""
    announced = announced_timeout(answer)
    return announced is not None and bound_s >= max(announced, AT_ONCE_S)


def _is_within(bound_s: float, span: Span | None, *, is_exact: bool) -> bool:
    """Whether a time is, or, where it isn't known exactly, may have been, within those."""
    if span is None:
        return False
    return span.has(bound_s) if is_exact else bound_s >= span.least_s - CLOCKS_S


def _decided(fitting: list[kinds.ReasonKind], owner: Owner) -> kinds.ReasonKind:
    """The limit that ended a connection, of those that fit.

    An idle timeout goes before an age: hardly any server ends connections by age without a word.
    Unless others were idle for as long and went on.
    """
    pattern = owner.pattern
    is_outlived = pattern.idle.span and pattern.idle.span.least_s <= pattern.uses.longest_idle_s
    if kinds.REQUEST_LIMIT in fitting:
        if owner.asks_to_close:
            return kinds.ASKED_TO_CLOSE
        return kinds.REQUEST_LIMIT if len(fitting) == 1 else kinds.UNDECIDED
    if kinds.IDLE_TIMEOUT in fitting:
        is_either = kinds.MAX_AGE in fitting and pattern.is_aged and is_outlived
        return kinds.UNDECIDED if is_either else kinds.IDLE_TIMEOUT
    return kinds.MAX_AGE if fitting and pattern.is_aged else kinds.UNKNOWN
