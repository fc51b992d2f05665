"""Why each connection was opened: one reason, from evidence; what can't be proven is `unknown`.

A connection is opened because its slot has none. So its reason is how the connection before it in
that slot ended. docs/findings.md says how each reason is proven.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from keepalive_bench.analysis.idle import Idle, idle_between, longest_survived
from keepalive_bench.model.analysis import Reason
from keepalive_bench.units import plural

if TYPE_CHECKING:
    from keepalive_bench.model.exchange import Answer, Ending, Exchange
    from keepalive_bench.model.plan import Arm
    from keepalive_bench.model.run import Run

AT_ONCE_S = 0.05
"""A close within 50 ms of a response is no idle timeout: none is set that short."""
_TIMES_SEEN = 2
_DIED_UNDER_REQUEST = {"reset", "closed-before-response"}
_MAX = re.compile(r"(?:^|[\s,;])max\s*=\s*(\d{1,9})")
_TIMEOUT = re.compile(r"(?:^|[\s,;])timeout\s*=\s*(\d{1,9})")
_NO_ERROR = {"unexpected-status"}
"""Failures of an answer that came whole: its connection is as good as any."""
_SIMPLE = {"leftover": "unsolicited-data", "cut": "unread-body", "discarded": "pool-full"}


@dataclass(frozen=True)
class _Silence:
    """What is known of an arm's connections that were closed without a word."""

    limit: int | None
    """How many responses each carried, where that was always the same, seen twice at least."""
    survived_s: float
    """The longest time that a connection of the arm was idle and then used again."""
    goes_by_time: bool
    """Whether several were found closed after other numbers of requests, all idle for longer."""


def find_reasons(run: Run, arm: Arm) -> dict[int, Reason]:
    """The reason for each connection of an arm, by row."""
    before: dict[int, int] = {}
    last = _last_exchanges(run, arm)
    silence = _silence(run, arm, last)
    reasons = {}
    for row in run.connections.rows(arm.label):
        slot = run.connections.slot[row]
        previous = before.get(slot)
        reasons[row] = (
            _first(run, arm, slot)
            if previous is None
            else _after(run, arm, previous, row, last, silence)
        )
        before[slot] = row
    return reasons


def _first(run: Run, arm: Arm, slot: int) -> Reason:
    experiment = run.plan.experiment
    slots = experiment.pool_size if arm.kind == "pooled" else experiment.concurrency
    return Reason("first-use" if slot < slots else "pool-exhausted", {"slot": slot})


def _after(
    run: Run, arm: Arm, previous: int, row: int, last: dict[int, int], silence: _Silence
) -> Reason:
    """The reason for a connection that took the place of another one."""
    exchange_row = last.get(previous)
    if arm.kind == "unpooled":
        return Reason("by-design", {}, previous, exchange_row)
    ending = run.connections.ending_of(previous)
    if ending is None or exchange_row is None:
        return Reason("unknown", {"seen": "no exchange, and no end"}, previous, exchange_row)
    exchange = run.exchanges[exchange_row]
    failure = exchange.outcome.failure
    if failure is not None and failure.kind not in _NO_ERROR:
        code, evidence = _failed(run, previous, exchange, failure.kind)
    elif ending.kind in {"fin", "rst"}:
        idle = idle_between(run, arm.label, exchange_row, row)
        code, evidence = _silent(run, previous, ending, exchange, idle, silence)
    elif ending.kind == "data":
        idle = idle_between(run, arm.label, exchange_row, row)
        code, evidence = "unsolicited-data", _unsolicited(ending, idle)
    elif ending.kind == "announced":
        code, evidence = _announced(exchange.outcome.answer)
    else:
        code = _SIMPLE.get(ending.kind, "unknown")
        evidence = {"seen": ending.data or ending.kind}
    return Reason(code, evidence, previous, exchange_row)


def _failed(
    run: Run, previous: int, exchange: Exchange, kind: str
) -> tuple[str, dict[str, object]]:
    if run.connections.exchanges[previous] and _died_under_request(exchange):
        return "stale-race", {"failure": kind}
    return "after-error", {"failure": kind}


def _unsolicited(ending: Ending, idle: Idle) -> dict[str, object]:
    """Bytes on an idle connection; a server whose idle timeout says 408 sends such."""
    evidence: dict[str, object] = {"seen": ending.data, "idle_s": idle.total_s}
    evidence["idle_by_kab_s"] = idle.by_kab_s
    if ending.after_s is not None:
        evidence["came_after_s"] = ending.after_s
        own = idle.total_s - idle.by_kab_s
        evidence["interleaved"] = ending.after_s >= AT_ONCE_S and own < ending.after_s
    return evidence


def _announced(answer: Answer | None) -> tuple[str, dict[str, object]]:
    """Why a response ended its connection, in the order of precedence."""
    if answer is None:
        return "unknown", {"seen": "a response that ended the connection"}
    said = (answer.connection or "").lower()
    if "close" in {token.strip() for token in said.split(",")}:
        return "server-close", {"connection": answer.connection}
    if answer.http_version in {"HTTP/1.0", "HTTP/0.9"} and "keep-alive" not in said:
        return "http-1.0", {"http_version": answer.http_version}
    if answer.framing == "close":
        return "close-delimited", {"http_version": answer.http_version}
    return "unknown", {"seen": "a response that ended the connection"}


def _silent(
    run: Run, previous: int, ending: Ending, exchange: Exchange, idle: Idle, silence: _Silence
) -> tuple[str, dict[str, object]]:
    """A connection that the server closed without a word, while it was idle."""
    served = run.connections.exchanges[previous]
    evidence: dict[str, object] = {"found": ending.kind, "requests": served}
    evidence |= {"idle_s": idle.total_s, "idle_by_kab_s": idle.by_kab_s}
    after_s = ending.after_s
    if after_s is not None:
        evidence["closed_after_s"] = after_s
    if _reached_announced_max(exchange.outcome.answer, served):
        return "keep-alive-max", evidence
    bound = idle.total_s if after_s is None else after_s
    at_once = bound < AT_ONCE_S
    if silence.limit == served and (at_once or bound <= silence.survived_s):
        return "request-limit", evidence
    # When a system doesn't tell the time of the close, it may have been that of the last response.
    by_time = after_s is not None or silence.goes_by_time
    timed_out = bound > silence.survived_s and by_time
    if not at_once and (timed_out or _reached_announced_timeout(exchange.outcome.answer, bound)):
        own = idle.total_s - idle.by_kab_s
        # Had the other arm's requests not come in between, it would have been used in time.
        evidence["interleaved"] = own <= silence.survived_s if after_s is None else own < after_s
        return "idle-timeout", evidence
    how = {"fin": "closed", "rst": "reset"}[ending.kind]
    return "unknown", {**evidence, "seen": f"{how} after {plural(served, 'response')}"}


def _reached_announced_timeout(answer: Answer | None, idle_s: float) -> bool:
    """Whether a connection was idle for as long as a Keep-Alive field's `timeout` says."""
    found = _TIMEOUT.search(answer.keep_alive or "") if answer else None
    return found is not None and idle_s >= int(found.group(1))


def _reached_announced_max(answer: Answer | None, served: int) -> bool:
    """Whether a Keep-Alive field's `max` was used up: it counts down (Apache), or stays."""
    found = _MAX.search(answer.keep_alive or "") if answer else None
    if found is None:
        return False
    return int(found.group(1)) in {0, served}


def _silence(run: Run, arm: Arm, last: dict[int, int]) -> _Silence:
    connections = run.connections
    found: list[tuple[int, float]] = []
    died: list[int] = []
    for row in connections.rows(arm.label):
        ending, served = connections.ending_of(row), connections.exchanges[row]
        if ending is not None and ending.kind in {"fin", "rst"}:
            found.append((served, ending.idle_s or 0.0))
        elif served and row in last and _died_under_request(run.exchanges[last[row]]):
            died.append(served)
    counts = {served for served, _ in found}
    survived_s = longest_survived(run, arm.label)
    return _Silence(
        limit=found[0][0]
        if len(counts) == 1 == len(counts.union(died)) and len(found) + len(died) >= _TIMES_SEEN
        else None,
        survived_s=survived_s,
        goes_by_time=len(counts) > 1 and all(idle_s > survived_s for _, idle_s in found),
    )


def _died_under_request(exchange: Exchange) -> bool:
    failure, phases = exchange.outcome.failure, exchange.outcome.phases
    return failure is not None and failure.kind in _DIED_UNDER_REQUEST and phases.wait is None


def _last_exchanges(run: Run, arm: Arm) -> dict[int, int]:
    """The row of the last exchange on each connection."""
    exchanges = run.exchanges
    return {exchanges.connection[row]: row for row in exchanges.rows(arm.label)}
