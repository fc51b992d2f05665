"""The one sentence at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.model.analysis import Verdict
from keepalive_bench.units import duration, plural, times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keepalive_bench.model.analysis import ArmSummary, Comparison

MARGIN = 0.05
"""A difference within 5 % is called none."""
LEAST_PAIRS = 6
"""Of five pairs or fewer, all agree by chance alone in more than 5 % of cases: 2 ÷ 2**5."""
_NO_COST = {"first-use", "by-design"}
_ERROR_FROM = 400
_MOST = 0.5
_NOT_REUSED = 0.9
_WORTH_NAMING = 0.1
_SOURCES = {
    "dns": "looking up the name",
    "connect": "TCP's handshake",
    "tunnel": "the proxy's tunnel",
    "tls": "TLS's handshake",
    "wait": "a later first byte",
}


def verdict(arms: Sequence[ArmSummary], comparison: Comparison | None) -> Verdict:
    """What the run says; errors, and answers that differ between the arms, come first."""
    unanswered = [arm.label for arm in arms if not arm.succeeded]
    if unanswered:
        return Verdict("not-measured", f"Nothing was measured of {' and '.join(unanswered)}.")
    first = arms[0]
    if comparison is None:
        return _after(_errors(arms), Verdict("one-arm", _alone(first)))
    other = next(arm for arm in arms if arm.label == comparison.against)
    distance = _distance(first, other)
    speedup = comparison.speedup.estimate
    if distance > MARGIN or speedup is None:
        apart = distance > MARGIN
        why = _differently(first, other) if apart else "No pair of requests was answered whole"
        text = f"{why}, so their times can't be compared."
        return _after(_errors(arms), Verdict("not-comparable", text))
    said_first = _errors(arms) or (f"{_differently(first, other)}." if distance else "")
    return _after(said_first, _effect(first, other, comparison, speedup))


def _after(said_first: str, found: Verdict) -> Verdict:
    return Verdict(found.code, f"{said_first} {found.text}") if said_first else found


def _effect(
    first: ArmSummary, other: ArmSummary, comparison: Comparison, speedup: float
) -> Verdict:
    if _is_not_reused(first):
        return Verdict("not-reused", _not_reused(first))
    if comparison.pairs < LEAST_PAIRS:
        return Verdict("inconclusive", _too_few(first, comparison, speedup))
    if abs(speedup - 1) <= MARGIN:
        text = f"{_subject(first, other)} made no difference here: {times(speedup)} as fast."
        return Verdict("no-difference", text)
    return _difference(first, other, comparison, speedup)


def _difference(
    first: ArmSummary, other: ArmSummary, comparison: Comparison, speedup: float
) -> Verdict:
    saving = comparison.saving["mean"].estimate or 0.0
    subject = _subject(first, other)
    if speedup > 1:
        effect = f"{subject} was {times(speedup)} faster in this run"
        if saving <= 0:
            return Verdict("faster", f"{effect} for a typical request, though not on average.")
        gain = f"It saved {duration(saving)} a request on average{_sources(first, other, saving)}"
        return Verdict("faster", f"{effect}. {gain}.")
    effect = f"{subject} was {times(1 / speedup)} slower in this run"
    if saving >= 0:
        return Verdict("slower", f"{effect} for a typical request, though not on average.")
    loss = f"It cost {duration(-saving)} a request on average{_sources(other, first, -saving)}"
    return Verdict("slower", f"{effect}. {loss}.")


def _subject(first: ArmSummary, other: ArmSummary) -> str:
    if (first.kind, other.kind) == ("pooled", "unpooled"):
        return "Reusing the connection"
    return f"{first.label} against {other.label}"


def _sources(quick: ArmSummary, slow: ArmSummary, saving: float) -> str:
    parts = {
        words: slow.phases[phase].per_request - quick.phases[phase].per_request
        for phase, words in _SOURCES.items()
    }
    named = [
        f"{duration(part)} of it {words}"
        for words, part in parts.items()
        if part >= _WORTH_NAMING * saving
    ]
    return f": {', '.join(named)}" if named else ""


def _too_few(first: ArmSummary, comparison: Comparison, speedup: float) -> str:
    return (
        f"{first.label} and {comparison.against} differed by {times(speedup)} in this run, but "
        f"{plural(comparison.pairs, 'pair')} can't tell that from chance: it takes {LEAST_PAIRS}."
    )


def _alone(arm: ArmSummary) -> str:
    return (
        f"{arm.label} sent {plural(arm.sent, 'request')} on "
        f"{plural(arm.connections, 'connection')}, {duration(arm.latency.mean)} each on average; "
        "name a second --arm to compare."
    )


def _is_not_reused(arm: ArmSummary) -> bool:
    """Whether a pool reopened about as often as it sent; one request a slot shows nothing.

    Connections that only kab's other arm let go stale don't count.
    """
    chances = arm.sent - (arm.connections - arm.reopened)
    reopened = arm.reopened - sum(reason.is_kabs_own for reason in arm.reasons.values())
    return arm.kind == "pooled" and chances > 0 and reopened >= _NOT_REUSED * chances


def _not_reused(arm: ArmSummary) -> str:
    counts = {code: count for code, count in arm.reason_counts.items() if code not in _NO_COST}
    why = f", mostly for one reason: {next(iter(counts))}" if counts else ""
    return (
        f"The connection was not reused: {arm.label} opened {plural(arm.connections, 'connection')}"
        f" for {plural(arm.sent, 'request')}{why}. There is no speed-up to speak of."
    )


def _errors(arms: Sequence[ArmSummary]) -> str:
    answered = sum(sum(arm.status_codes.values()) for arm in arms)
    counts = {
        status: sum(arm.status_codes.get(status, 0) for arm in arms)
        for arm in arms
        for status in arm.status_codes
    }
    bad = {status: count for status, count in counts.items() if status >= _ERROR_FROM}
    if sum(bad.values()) <= _MOST * answered:
        return ""
    status = max(bad, key=lambda status: bad[status])
    return (
        f"Most answers were errors ({status} in {bad[status]:,} of {answered:,}), "
        "so this is about error pages."
    )


def _distance(first: ArmSummary, other: ArmSummary) -> float:
    """How far apart the arms' status codes are: total variation distance of their shares."""
    answered = [max(1, sum(arm.status_codes.values())) for arm in (first, other)]
    codes = first.status_codes.keys() | other.status_codes.keys()
    return 0.5 * sum(
        abs(
            first.status_codes.get(code, 0) / answered[0]
            - other.status_codes.get(code, 0) / answered[1]
        )
        for code in codes
    )


def _differently(first: ArmSummary, other: ArmSummary) -> str:
    return (
        f"The arms were answered differently ({first.label} {_statuses(first)}; "
        f"{other.label} {_statuses(other)})"
    )


def _statuses(arm: ArmSummary) -> str:
    return ", ".join(f"{count:,} × {status}" for status, count in arm.status_codes.items())
