"""The one sentence at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.analysis.analysis import Verdict
from keepalive_bench.analysis.comparability import SAME, differently, distance, unlike
from keepalive_bench.analysis.gain import gain, loss
from keepalive_bench.analysis.required_requests import least_pairs, required_requests
from keepalive_bench.units import duration, plural, times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keepalive_bench.analysis.analysis import ArmSummary, Comparison
    from keepalive_bench.analysis.sweep import Sweep
    from keepalive_bench.plan.plan import Plan
    from keepalive_bench.stats.intervals import Estimate

_NO_COST = {"first-use", "by-design"}
ERROR_FROM = 400
_MOST = 0.5
_NOT_REUSED = 0.9


def verdict(arms: Sequence[ArmSummary], comparison: Comparison | None, plan: Plan) -> Verdict:
    """What the run says; errors, and answers that differ between the arms, come first."""
    unanswered = _unanswered(arms)
    if unanswered is not None:
        return unanswered
    if comparison is None:
        return _after(_errors(arms), Verdict("one-arm", _alone(arms[0])))
    return _compared(arms, comparison, plan, _errors(arms))


def verdict_of_all(
    arms: Sequence[ArmSummary], comparisons: Sequence[Comparison], plan: Plan
) -> Verdict:
    """The verdict on the first comparison, and behind it the sentence of each further one."""
    found = verdict(arms, comparisons[0] if comparisons else None, plan)
    if _unanswered(arms) is not None:
        return found
    further = (_compared(arms, it, plan, "").text for it in comparisons[1:])
    return Verdict(found.code, " ".join((found.text, *further)))


def _compared(
    arms: Sequence[ArmSummary], comparison: Comparison, plan: Plan, said_first: str
) -> Verdict:
    first = arms[0]
    other = next(arm for arm in arms if arm.label == comparison.against)
    if comparison.speedup.estimate is None:
        text = f"No request of {first.label} and {other.label} makes a pair that both answered."
        return _after(said_first, Verdict("not-comparable", text))
    if differing := unlike(first, other):
        text = f"{differing}, so their times can't be compared."
        return _after(said_first, Verdict("not-comparable", text))
    said_first = said_first or (f"{differently(first, other)}." if distance(first, other) else "")
    return _after(said_first, _effect(first, other, comparison, plan))


def verdict_of_sweep(arms: Sequence[ArmSummary], sweep: Sweep) -> Verdict:
    """What a sweep says: its recommendation."""
    found = Verdict("sweep", sweep.recommendation.text)
    return _unanswered(arms) or _after(_errors(arms), found)


def _unanswered(arms: Sequence[ArmSummary]) -> Verdict | None:
    names = [arm.name for arm in arms if not arm.succeeded]
    if not names:
        return None
    return Verdict("not-measured", f"Nothing was measured of {' and '.join(names)}.")


def _after(said_first: str, found: Verdict) -> Verdict:
    return Verdict(found.code, f"{said_first} {found.text}") if said_first else found


def _effect(first: ArmSummary, other: ArmSummary, comparison: Comparison, plan: Plan) -> Verdict:
    for arm in (first, other):
        if _is_not_reused(arm):
            return Verdict("not-reused", _not_reused(arm))
    decision_rule = plan.decision_rule
    speedup, low, high = comparison.speedup
    if speedup is None or low is None or high is None:
        return Verdict("inconclusive", _too_few(first, comparison, plan))
    shown = f"{100 * decision_rule.confidence:g} % interval {times(low)}–{times(high)}"
    subject = _subject(first, other)
    if high <= 1 + decision_rule.margin and low >= 1 / (1 + decision_rule.margin):
        share = f"{100 * decision_rule.margin:g} %"
        text = f"{subject} makes no difference beyond {share} here: {times(speedup)} ({shown})"
        return Verdict("no-difference", f"{text}{_within(comparison.speedup)}.")
    if low > 1:
        effect = f"{subject} is {times(speedup)} faster here ({shown})"
        return Verdict("faster", f"{effect}{gain(comparison)}.{_drift(plan)}")
    if high < 1:
        effect = f"{subject} is {times(1 / speedup)} slower here ({_inverse(shown, low, high)})"
        return Verdict("slower", f"{effect}{loss(comparison)}.{_drift(plan)}")
    measured = comparison.pairs * plan.experiment.block_size
    enough = required_requests(measured, comparison.speedup, decision_rule.margin)
    text = (
        f"{subject} may be faster, or may not: {times(speedup)} ({shown}). "
        f"About {enough:,} requests per arm would settle it."
    )
    return Verdict("inconclusive", text)


def _drift(plan: Plan) -> str:
    """What no interval covers where the arms' turns were one after the other."""
    if plan.experiment.is_paired:
        return ""
    return " The arms ran one after the other, so that a drift in the meantime is part of that."


def _within(ratio: Estimate) -> str:
    """What is surely there, and too small to matter."""
    speedup, low, high = ratio
    if speedup is None or low is None or high is None or low <= 1 <= high:
        return ""
    share = f"{100 * (max(speedup, 1 / speedup) - 1):.1f}"
    if share == "0.0":
        return ""
    return f", {'faster' if low > 1 else 'slower'} by {share} %, within the margin"


def _inverse(shown: str, low: float, high: float) -> str:
    return f"{shown.partition(' interval')[0]} interval {times(1 / high)}–{times(1 / low)}"


def _subject(first: ArmSummary, other: ArmSummary) -> str:
    if (first.kind, other.kind) == ("pooled", "unpooled"):
        return "Reusing the connection"
    return f"{first.label} against {other.label}"


def _too_few(first: ArmSummary, comparison: Comparison, plan: Plan) -> str:
    least, block = least_pairs(plan.decision_rule.confidence), plan.experiment.block_size
    needed = f"{least}" if block == 1 else f"{least}, of {block:,} requests of each arm,"
    counted = block > 1 and not plan.experiment.may_end_early and least * block > first.requests
    enough = f" -n {least * block} makes as many." if counted else ""
    return (
        f"{plural(comparison.pairs, 'pair')} can't tell {first.label} and {comparison.against} "
        f"apart: it takes {needed} at the least, and more for a small difference.{enough}"
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
    reopened = arm.reopened - len(arm.reasons.caused_by_interleaving)
    return arm.kind == "pooled" and chances > 0 and reopened >= _NOT_REUSED * chances


def _not_reused(arm: ArmSummary) -> str:
    counts = {code: count for code, count in arm.reason_counts.items() if code not in _NO_COST}
    why = f", mostly for one reason: {next(iter(counts))}" if counts else ""
    return (
        f"The connection was not reused: {arm.label} opened {plural(arm.connections, 'connection')}"
        f" for {plural(arm.sent, 'request')}{why}. There is no speed-up to speak of."
    )


def _errors(arms: Sequence[ArmSummary]) -> str:
    """What is to be said before anything else: what failed, and answers that are errors."""
    return " ".join(filter(None, (_without_answer(arms), _error_pages(arms))))


def _without_answer(arms: Sequence[ArmSummary]) -> str:
    failed, sent = sum(arm.failed for arm in arms), sum(arm.sent for arm in arms)
    if failed <= SAME * sent:
        return ""
    return f"{failed:,} of {plural(sent, 'request')} failed, so this is about the others."


def _error_pages(arms: Sequence[ArmSummary]) -> str:
    answered = sum(sum(arm.status_codes.values()) for arm in arms)
    counts = {
        status: sum(arm.status_codes.get(status, 0) for arm in arms)
        for arm in arms
        for status in arm.status_codes
    }
    bad = {status: count for status, count in counts.items() if status >= ERROR_FROM}
    if sum(bad.values()) <= _MOST * answered:
        return ""
    status = max(bad, key=lambda status: bad[status])
    return (
        f"Most answers were errors ({status} in {bad[status]:,} of {answered:,}), "
        "so this is about error pages."
    )
