"""What answers announce of their connections, held against what these did."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

from keepalive_bench.connections.announcements import (
    announced_max,
    announced_timeout,
    is_token,
    looks_like_close,
)
from keepalive_bench.connections.reason_kinds import CLOSE_MISREAD, IDLE_TIMEOUT, REQUEST_LIMIT
from keepalive_bench.findings.finding_kind import Case, FindingKind
from keepalive_bench.results.failure_kinds import Provoked
from keepalive_bench.units import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.analysis import Finding
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.results.run import Run

_SHOWN = 60
_WELL_BEFORE, _WELL_AFTER = 0.8, 1.2
_SLACK_S = 0.5
"""Servers look at their clocks now and then, and count in whole seconds."""

KEEP_ALIVE_TIMEOUT_DIFFERS = FindingKind(
    code="keep-alive-timeout-differs",
    title="The server's idle timeout isn't the one that it announces",
    who="server",
    evidence=("arm", "announced_s", "seen_s"),
    proof="Connections were closed after less than 0.8 of the time that `Keep-Alive: timeout` "
    "announces, or could be used again after more than 1.2 of it.",
    text="{closer} announces Keep-Alive: timeout={announced!s}, but closed "
    "{closed:connection} of {arm} that had been idle for {seen_s} or less.",
    advice="Clients that trust the announcement send requests into closed connections. Make the "
    "server, and any proxy in front of it, announce the real timeout.",
    cases={
        "closed later": Case(
            severity="info",
            text="{closer} announces Keep-Alive: timeout={announced!s}, but a connection of "
            "{arm} could still be used after {seen_s} of idle time.",
            advice="Clients that trust the announcement close connections too early.",
        )
    },
    provoked=Provoked("URL -n 4", "--delay 0.2 --idle-timeout 0.15 --keep-alive-header timeout=60"),
)
KEEP_ALIVE_MAX_DIFFERS = FindingKind(
    code="keep-alive-max-differs",
    title="The server allows fewer requests per connection than it announces",
    who="server",
    evidence=("arm", "announced", "seen"),
    proof="Connections are closed, without a word, after fewer responses than `Keep-Alive: max` "
    "announces.",
    text="{closer} closes connections of {arm} after {seen:response}, although the last one "
    "announced Keep-Alive: max={announced!s}.",
    advice="A proxy in front of the server may have a limit of its own: set both to the same.",
    provoked=Provoked(
        "URL -n 6 --seed 0", "--delay 0.05 --silent-close-after 2 --keep-alive-header max=100"
    ),
)


CLOSE_UNCLEAR = FindingKind(
    code="close-unclear",
    title="A connection option resembles `close`, but had no effect",
    who="server",
    severity="info",
    is_detail=True,
    evidence=("arm", "count", "answered"),
    proof="The `Connection` fields don't have the option `close`, but another one that contains "
    "these letters. `http.client` reads only the first field, and the option is in a later one.",
    text="{count} of {answered:response} to {arm} have the connection option {option}. It is in a "
    "second Connection field, which http.client ignores, so it had no effect.",
    advice="To announce a close, send `Connection: close`.",
    provoked=Provoked("URL -n 6", "-H 'Connection: keep-alive' -H 'Connection: close;q=1'"),
)


def announced_findings(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    """Fields of the pooled arms' answers that aren't true, or not clear."""
    for arm in (arm for arm in arms if arm.traits.reuses):
        yield from _timeout(run, arm)
        yield from _maximum(run, arm)
        yield from _unclear(arm)


def in_words(option: str) -> str:
    """A connection option that only looks like `close`, as what it is."""
    shown = printable(option[:_SHOWN])
    return f"{shown}, which isn't `close`{'' if is_token(option) else ' or even a valid token'}"


def _unclear(arm: ArmSummary) -> Iterator[Finding]:
    """Options that look like `close`, where the client didn't act on them."""
    counts = {answer: count for answer, count in arm.answers.items() if looks_like_close(answer)}
    if counts and not arm.reasons.ended(CLOSE_MISREAD.code):
        option = looks_like_close(max(counts, key=counts.__getitem__)) or ""
        yield CLOSE_UNCLEAR.found(
            arm,
            count=sum(counts.values()),
            answered=sum(arm.answers.values()),
            who=arm.reasons.owner.closer.who,
            words={"option": in_words(option)},
        )


def _timeout(run: Run, arm: ArmSummary) -> Iterator[Finding]:
    """A timeout, announced in the server's Keep-Alive field, at odds with what was seen."""
    announced = _usual_timeout(arm)
    if announced is None:
        return
    closed, closer = _closed_after(run, arm), arm.reasons.owner.closer
    longest = max(closed, default=0.0)
    if closed and longest < min(_WELL_BEFORE * announced, announced - _SLACK_S):
        yield KEEP_ALIVE_TIMEOUT_DIFFERS.found(
            arm,
            announced_s=announced,
            seen_s=longest,
            who=closer.who,
            words={"announced": announced, "closed": len(closed), "closer": closer.name},
        )
        return
    survived = arm.reasons.survived_s
    if survived > max(_WELL_AFTER * announced, announced + _SLACK_S):
        yield KEEP_ALIVE_TIMEOUT_DIFFERS.found(
            arm,
            announced_s=announced,
            seen_s=survived,
            case="closed later",
            who=closer.who,
            words={"announced": announced, "closer": closer.name},
        )


def _closed_after(run: Run, arm: ArmSummary) -> list[float]:
    """After how long without a request connections were closed for that reason, where known."""
    reasons, closed_after = arm.reasons, run.connections.closed_after_s
    if IDLE_TIMEOUT.code not in reasons.codes:
        return []
    number = reasons.codes.index(IDLE_TIMEOUT.code)
    rows = (row for row, code in enumerate(reasons.column) if code == number)
    found = (closed_after[reasons.previous[row]] for row in rows)
    return [after for after in found if not isnan(after)]


def _usual_timeout(arm: ArmSummary) -> int | None:
    counts: dict[int, int] = {}
    for answer, count in arm.answers.items():
        announced = announced_timeout(answer)
        if announced is not None:
            counts[announced] = counts.get(announced, 0) + count
    return max(counts, key=counts.__getitem__, default=None)


def _maximum(run: Run, arm: ArmSummary) -> Iterator[Finding]:
    """Connections that always end, without a word, before an announced maximum is reached."""
    reasons, rows = arm.reasons, arm.reasons.rows(REQUEST_LIMIT.code)
    announced = announced_max(reasons.last_answer(rows[0])) if rows else None
    if announced is not None:
        served = run.connections.exchanges[reasons.previous[rows[0]]]
        closer = arm.reasons.owner.closer
        words = {"closer": closer.name}
        yield KEEP_ALIVE_MAX_DIFFERS.found(
            arm, announced=announced, seen=served, who=closer.who, words=words
        )
