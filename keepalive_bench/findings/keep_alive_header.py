"""Where a server announces one thing in its Keep-Alive field, and does another."""

from __future__ import annotations

import re
from math import isnan
from typing import TYPE_CHECKING

from keepalive_bench.analysis.analysis import Finding
from keepalive_bench.connections.idle import longest_survived
from keepalive_bench.units import duration, plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.analysis.analysis import ArmSummary
    from keepalive_bench.results.run import Run

_TIMEOUT = re.compile(r"(?:^|[\s,;])timeout\s*=\s*(\d{1,9})")
_MAX = re.compile(r"(?:^|[\s,;])max\s*=\s*(\d{1,9})")
_WELL_BEFORE, _WELL_AFTER = 0.8, 1.2
_SLACK_S = 0.5
"""Servers look at their clocks now and then, and count in whole seconds."""


def promise_findings(run: Run, arm: ArmSummary) -> Iterator[Finding]:
    """A timeout, and a maximum, at odds with what was seen."""
    if arm.kind == "pooled":
        announced = _announced_timeout(arm)
        if announced is not None:
            yield from _timeout(run, arm, announced)
        yield from _maximum(run, arm)


def _timeout(run: Run, arm: ArmSummary, announced: int) -> Iterator[Finding]:
    said = f"The server announces Keep-Alive: timeout={announced}, but"
    evidence: dict[str, int | float | str] = {"arm": arm.label, "announced_s": announced}
    closed = _closed_after(run, arm)
    longest = max(closed, default=0.0)
    if closed and longest < min(_WELL_BEFORE * announced, announced - _SLACK_S):
        yield Finding(
            code="keep-alive-timeout-differs",
            severity="warning",
            evidence={**evidence, "seen_s": longest},
            text=f"{said} closed {plural(len(closed), 'connection')} of {arm.name} that had been "
            f"idle for {duration(longest)} or less.",
            advice="Clients that trust it send requests into closed connections. Have the server, "
            "and what stands before it, announce what they do.",
        )
        return
    survived = longest_survived(run, arm.label)
    if survived > max(_WELL_AFTER * announced, announced + _SLACK_S):
        yield Finding(
            code="keep-alive-timeout-differs",
            severity="info",
            evidence={**evidence, "seen_s": survived},
            text=f"{said} a connection of {arm.name} was good for another request after "
            f"{duration(survived)}.",
            advice="Clients that trust it give connections up too early.",
        )


def _closed_after(run: Run, arm: ArmSummary) -> list[float]:
    """After how long without a request connections were closed for that reason, where known."""
    reasons, closed_after = arm.reasons, run.connections.closed_after_s
    if "idle-timeout" not in reasons.codes:
        return []
    number = reasons.codes.index("idle-timeout")
    rows = (row for row, code in enumerate(reasons.column) if code == number)
    found = (closed_after[reasons.previous[row]] for row in rows)
    return [after for after in found if not isnan(after)]


def _announced_timeout(arm: ArmSummary) -> int | None:
    """The one that most answers announce."""
    counts: dict[int, int] = {}
    for answer, count in arm.answers.items():
        if found := _TIMEOUT.search(answer.keep_alive or ""):
            announced = int(found[1])
            counts[announced] = counts.get(announced, 0) + count
    return max(counts, key=counts.__getitem__, default=None)


def _maximum(run: Run, arm: ArmSummary) -> Iterator[Finding]:
    """Connections that always end, without a word, before an announced maximum is reached."""
    if "request-limit" not in arm.reasons.codes:
        return
    reason = arm.reasons[arm.reasons.rows("request-limit")[0]]
    if reason.exchange is None or reason.previous is None:
        return
    answer = run.exchanges[reason.exchange].outcome.answer
    found = _MAX.search(answer.keep_alive or "") if answer else None
    if found is not None:
        served = run.connections.exchanges[reason.previous]
        yield Finding(
            code="keep-alive-max-differs",
            severity="warning",
            evidence={"arm": arm.label, "announced": int(found[1]), "seen": served},
            text=f"The server closes connections of {arm.name} after "
            f"{plural(served, 'response')}, the last of which announced Keep-Alive: "
            f"max={found[1]}.",
            advice="What stands before the server may have a limit of its own: set both alike.",
        )
