"""Why each connection was opened: one reason, from evidence; what can't be proven is `unknown`.

A connection is opened because its slot has none. So its reason is how the connection before it in
that slot ended. docs/findings.md says how each reason is proven.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from dataclasses import dataclass
from functools import partial
from itertools import compress
from typing import TYPE_CHECKING

from keepalive_bench.connections.idle import Idle, idle_between
from keepalive_bench.connections.reasons import NONE, Reason, Reasons
from keepalive_bench.connections.silence import died_under_request, failure_kind, find_silence
from keepalive_bench.results.masks import ended, of_arm
from keepalive_bench.units import plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.connections.silence import Silence
    from keepalive_bench.plan.plan import Arm
    from keepalive_bench.results.columns import ExchangeColumns
    from keepalive_bench.results.exchange import Answer, Ending
    from keepalive_bench.results.run import Run

AT_ONCE_S = 0.05
"""A close within 50 ms of a response is no idle timeout, unless it shows: few are that short."""
SURELY_LATER_S = 0.02
"""Systems tell as coarsely as that when something came: of what is sooner, nothing shows."""
_MAX = re.compile(r"(?:^|[\s,;])max\s*=\s*(\d{1,9})")
_TIMEOUT = re.compile(r"(?:^|[\s,;])timeout\s*=\s*(\d{1,9})")
_NO_ERROR = {"unexpected-status"}
"""Failures of an answer that came whole: its connection is as good as any."""
_BY_DESIGN = "by-design"
_SIMPLE = {"leftover": "unsolicited-data", "cut": "unread-body", "discarded": "pool-full"}


@dataclass(frozen=True)
class _ReasonContext:
    """What the reasons of an arm's connections are found from."""

    run: Run
    arm: Arm
    previous: array[int]
    """For each connection of the run: the row of the one whose place it took, or `NONE`."""
    last: array[int]
    """For each connection of the run: the row of the last exchange on it, or `NONE`."""
    silence: Silence


def find_reasons(run: Run, arm: Arm) -> Reasons:
    """The reason for each connection of an arm."""
    last = _last_exchanges(run, arm)
    case = _ReasonContext(run, arm, _previous(run, arm), last, find_silence(run, arm.label, last))
    column, caused_by_interleaving = array("b", [NONE]) * len(run.connections), array("i")
    numbers: dict[str, int] = {}
    single_use = arm.is_single_use
    for row in _connections(run, arm):
        if single_use and case.previous[row] != NONE:
            column[row] = numbers.setdefault(_BY_DESIGN, len(numbers))
            continue  # there may be a million of them: no objects for those
        reason = _reason(case, row)
        column[row] = numbers.setdefault(reason.code, len(numbers))
        if reason.is_caused_by_interleaving:
            caused_by_interleaving.append(row)
    codes = tuple(numbers)
    return Reasons(
        codes=codes,
        counts={codes[it]: seen for it, seen in Counter(column).most_common() if it != NONE},
        column=column,
        previous=case.previous,
        caused_by_interleaving=caused_by_interleaving,
        explain=partial(_reason, case),
    )


def _reason(case: _ReasonContext, row: int) -> Reason:
    previous = case.previous[row]
    if previous == NONE:
        return _first(case.run, case.arm, case.run.connections.slot[row])
    return _after(case, previous, row)


def _first(run: Run, arm: Arm, slot: int) -> Reason:
    experiment = run.plan.experiment
    places = experiment.concurrency if arm.is_single_use else experiment.pool_size_of(arm)
    places *= experiment.processes
    return Reason("first-use" if slot < places else "pool-exhausted", {"slot": slot})


def _after(case: _ReasonContext, previous: int, row: int) -> Reason:
    """The reason for a connection that took the place of another one."""
    run, arm = case.run, case.arm
    exchange = None if case.last[previous] == NONE else case.last[previous]
    if arm.is_single_use:
        return Reason(_BY_DESIGN, {}, previous, exchange)
    ending = run.connections.ending_of(previous)
    if ending is None or exchange is None:
        return Reason("unknown", {"seen": "no exchange, and no end"}, previous, exchange)
    failure = failure_kind(run.exchanges, exchange)
    if failure is not None and failure not in _NO_ERROR:
        code, evidence = _failed(run, previous, exchange, failure)
    elif ending.kind in {"fin", "rst"}:
        idle = idle_between(run, arm.label, exchange, row)
        answer = _answer(run.exchanges, exchange)
        code, evidence = _silent(run, previous, ending, answer, idle, case.silence)
    elif ending.kind == "data":
        idle = idle_between(run, arm.label, exchange, row)
        code, evidence = "unsolicited-data", _unsolicited(ending, idle)
    elif ending.kind == "announced":
        code, evidence = _announced(_answer(run.exchanges, exchange))
    else:
        code = _SIMPLE.get(ending.kind, "unknown")
        evidence = {"seen": ending.data or ending.kind}
    return Reason(code, evidence, previous, exchange)


def _answer(exchanges: ExchangeColumns, row: int) -> Answer | None:
    number = exchanges.answer[row]
    return None if number == NONE else exchanges.answers.values[number]


def _failed(run: Run, previous: int, exchange: int, kind: str) -> tuple[str, dict[str, object]]:
    if run.connections.exchanges[previous] and died_under_request(run.exchanges, exchange):
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
    run: Run, previous: int, ending: Ending, answer: Answer | None, idle: Idle, silence: Silence
) -> tuple[str, dict[str, object]]:
    """A connection that the server closed without a word, while it was idle."""
    served = run.connections.exchanges[previous]
    evidence: dict[str, object] = {"found": ending.kind, "requests": served}
    evidence |= {"idle_s": idle.total_s, "idle_by_kab_s": idle.by_kab_s}
    after_s = ending.after_s
    if after_s is not None:
        evidence["closed_after_s"] = after_s
    if _reached_announced_max(answer, served):
        return "keep-alive-max", evidence
    bound = idle.total_s if after_s is None else after_s
    at_once = bound < AT_ONCE_S
    if silence.limit == served and (at_once or bound <= silence.survived_s):
        return "request-limit", evidence
    # When a system doesn't tell the time of the close, it may have been that of the last response.
    by_time = after_s is not None or silence.goes_by_time
    timed_out = bound > silence.survived_s and by_time
    if at_once:
        is_timed = after_s is not None and after_s >= SURELY_LATER_S
        proven = is_timed and timed_out and silence.goes_by_time
    else:
        proven = timed_out or _reached_announced_timeout(answer, bound)
    if proven:
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


def _connections(run: Run, arm: Arm) -> Iterator[int]:
    """The rows of an arm's connections."""
    return compress(range(len(run.connections)), of_arm(run.connections, arm.label))


def _previous(run: Run, arm: Arm) -> array[int]:
    """The row of the connection that each had its slot from; `NONE`: it was the first there."""
    previous = array("i", [NONE]) * len(run.connections)
    before: dict[int, int] = {}
    for row in _connections(run, arm):
        slot = run.connections.slot[row]
        previous[row] = before.get(slot, NONE)
        before[slot] = row
    return previous


def _last_exchanges(run: Run, arm: Arm) -> array[int]:
    """The row of the last exchange on each connection; `NONE`: there was none.

    One that was interrupted says nothing of what the server did.
    """
    exchanges, last = run.exchanges, array("i", [NONE]) * len(run.connections)
    mask = ended(exchanges, arm.label)
    rows, on = compress(range(len(mask)), mask), compress(exchanges.connection, mask)
    for row, connection in zip(rows, on, strict=True):
        if connection != NONE:
            last[connection] = row
    return last
