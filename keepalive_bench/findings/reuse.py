"""What reopened connections cost the pooled arms, and what the server announces of that."""

from __future__ import annotations

from math import isnan
from statistics import median
from typing import TYPE_CHECKING, cast

from keepalive_bench.connections.reason_kinds import IDLE_TIMEOUT, REQUEST_LIMIT
from keepalive_bench.connections.rules import announced_max, announced_timeout
from keepalive_bench.findings import finding_kinds as kinds
from keepalive_bench.results.table import NONE
from keepalive_bench.units import duration, plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.analysis import Finding
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.results.run import Run

_SHOWN_DATA = 60
_WELL_BEFORE, _WELL_AFTER = 0.8, 1.2
_SLACK_S = 0.5
"""Servers look at their clocks now and then, and count in whole seconds."""


def reuse_findings(run: Run, arms: Sequence[ArmSummary]) -> Iterator[Finding]:
    """A finding for each reason that cost a pooled arm a connection, and for untrue fields."""
    pooled = [arm for arm in arms if arm.traits.reuses]
    for arm in pooled:
        yield from _interleaved(arm)
        for code in arm.reason_counts:
            if code in kinds.OF_REASONS and (rows := arm.reasons.rows(code)):
                yield _of_reason(run, arm, code, rows)
    for arm in pooled:
        yield from _timeout(run, arm)
        yield from _maximum(run, arm)


def _of_reason(run: Run, arm: ArmSummary, code: str, rows: Sequence[int]) -> Finding:
    kind, reasons, experiment = kinds.OF_REASONS[code], arm.reasons, run.plan.experiment
    requests = idle_s = None
    if "requests" in kind.evidence:
        previous = {reasons.previous[row] for row in rows} - {NONE}
        served = {run.connections.exchanges[row] for row in previous}
        requests = next(iter(served)) if len(served) == 1 else None
    if "idle_s" in kind.evidence:  # after how long they were closed, if that is known
        seen = (reasons[row].evidence for row in rows)
        idle_s = median(cast("float", it.get("closed_after_s", it["idle_s"])) for it in seen)
    data = str(reasons[rows[0]].evidence.get("seen", ""))
    kept, threads = experiment.pool_size, experiment.concurrency
    return kind.found(
        arm,
        connections=len(rows),
        requests=requests,
        idle_s=idle_s,
        maxsize=kept if "maxsize" in kind.evidence else None,
        concurrency=threads if "concurrency" in kind.evidence else None,
        text=kind.text.format(
            owner=arm.name,
            times=f"{arm.name}, {plural(len(rows), 'time')}",
            connections=plural(len(rows), "connection"),
            after=_after(requests),
            idle=duration(idle_s),
            seen=printable(data[:_SHOWN_DATA]),
            kept=kept,
            threads=threads,
        ),
    )


def _after(requests: int | None) -> str:
    if requests is None:
        return ""
    return " after every request" if requests == 1 else f" after every {requests:,} requests"


def _interleaved(arm: ArmSummary) -> Iterator[Finding]:
    count = len(arm.reasons.caused_by_interleaving)
    if count:
        others = "the other arm" if arm.option is None else "other values"
        yield kinds.STALE_BY_INTERLEAVING.found(
            arm,
            connections=count,
            text=f"{plural(count, 'connection')} of {arm.name} went stale only because kab ran "
            f"{others} in between, which is not the server's fault and doesn't count against it.",
        )


def _timeout(run: Run, arm: ArmSummary) -> Iterator[Finding]:
    """A timeout, announced in the server's Keep-Alive field, at odds with what was seen."""
    announced = _usual_timeout(arm)
    if announced is None:
        return
    said = f"The server announces Keep-Alive: timeout={announced}, but"
    closed = _closed_after(run, arm)
    longest = max(closed, default=0.0)
    if closed and longest < min(_WELL_BEFORE * announced, announced - _SLACK_S):
        yield kinds.KEEP_ALIVE_TIMEOUT_DIFFERS.found(
            arm,
            announced_s=announced,
            seen_s=longest,
            text=f"{said} closed {plural(len(closed), 'connection')} of {arm.name} that had been "
            f"idle for {duration(longest)} or less.",
            advice="Clients that trust it send requests into closed connections. Have the server, "
            "and what stands before it, announce what they do.",
        )
        return
    survived = arm.reasons.survived_s
    if survived > max(_WELL_AFTER * announced, announced + _SLACK_S):
        yield kinds.KEEP_ALIVE_TIMEOUT_DIFFERS.found(
            arm,
            severity="info",
            announced_s=announced,
            seen_s=survived,
            text=f"{said} a connection of {arm.name} was good for another request after "
            f"{duration(survived)}.",
            advice="Clients that trust it give connections up too early.",
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
    rows = arm.reasons.rows(REQUEST_LIMIT.code)
    reason = arm.reasons[rows[0]] if rows else None
    if reason is None or reason.exchange is None or reason.previous is None:
        return
    announced = announced_max(run.exchanges[reason.exchange].outcome.answer)
    if announced is not None:
        served = run.connections.exchanges[reason.previous]
        yield kinds.KEEP_ALIVE_MAX_DIFFERS.found(arm, announced=announced, seen=served)
