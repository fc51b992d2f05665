"""What the whole run comes to: the one sentence that a reader sees first."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from keepalive_bench.analysis.comparison import SAME, differently, distance, unmeasured
from keepalive_bench.analysis.effect_sentences import alike, different, open_question
from keepalive_bench.analysis.required_requests import opens_first, required_requests
from keepalive_bench.plan.arms import differ_in_reuse_only
from keepalive_bench.stats.intervals import least_pairs
from keepalive_bench.units import duration, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.analysis.comparison import Comparison
    from keepalive_bench.analysis.sweep import Sweep
    from keepalive_bench.plan.plan import Arm, Plan

ERROR_FROM = 400
_MOST = 0.5
_NOT_REUSED = 0.9
_TWO = 2
VerdictCode = Literal[
    "faster",
    "slower",
    "no-difference",
    "inconclusive",
    "not-reused",
    "not-comparable",
    "not-measured",
    "one-arm",
    "sweep",
]
VERDICTS: tuple[VerdictCode, ...] = get_args(VerdictCode)
VERDICT_MEANINGS: dict[VerdictCode, str] = {
    "faster": "the first arm is faster than the second, by more than chance",
    "slower": "the first arm is slower than the second, by more than chance",
    "no-difference": "the whole interval of the ratio lies within --margin",
    "inconclusive": "the interval allows for a difference and for none; the sentence says what "
    "would settle it",
    "not-reused": "a pool reopened nearly all of its connections, so the effect of reuse wasn't "
    "measured",
    "not-comparable": "responses differ between the arms, no pair has both responses, or the arms "
    "had to wait for each other",
    "not-measured": "an arm has no response at all",
    "one-arm": "there is one arm only, and nothing to compare it with",
    "sweep": "the run is a sweep: the verdict is its recommendation",
}
"""What each says of a run, in a few words."""


class Verdict(NamedTuple):
    """The one sentence that a reader sees first, and its code."""

    code: VerdictCode
    """What it says, in a word."""
    text: str
    """The sentence, for people: its wording may change; of a `sweep`, the recommendation's."""


def verdict_of(
    arms: Sequence[ArmSummary],
    comparisons: Sequence[Comparison],
    plan: Plan,
    sweep: Sweep | None = None,
) -> Verdict:
    """The verdict on the first comparison, and behind it the sentence of each further one.

    Errors, and answers that differ between the arms, come first. A sweep says what it recommends.
    """
    if silent := unmeasured(arms):
        return Verdict("not-measured", silent)
    errors = _errors(arms)
    if sweep is not None:
        return _after(errors, Verdict("sweep", sweep.recommendation.text))
    if not comparisons:
        return _after(errors, Verdict("one-arm", _alone(arms[0])))
    found = _compared(arms, comparisons[0], plan, errors)
    further = (_compared(arms, it, plan, "").text for it in comparisons[1:])
    return Verdict(found.code, " ".join((found.text, *further)))


def _compared(
    arms: Sequence[ArmSummary], comparison: Comparison, plan: Plan, said_first: str
) -> Verdict:
    first = arms[0]
    other = next(arm for arm in arms if arm.label == comparison.against)
    if comparison.incomparable:
        return _after(said_first, Verdict("not-comparable", comparison.incomparable))
    if not said_first and distance(first.status_codes, other.status_codes):
        said_first = f"{differently(first, other)}."
    found, shift = _effect(first, other, comparison, plan), comparison.shift
    if shift is not None and found.code != "not-reused":
        rule = plan.decision_rule
        if shift.parts_disagree(rule.margin):
            found = Verdict("inconclusive", shift.in_words(subject_of(first, other, plan), rule))
    return _after(said_first, found)


def _after(said_first: str, found: Verdict) -> Verdict:
    return Verdict(found.code, f"{said_first} {found.text}") if said_first else found


def _effect(first: ArmSummary, other: ArmSummary, comparison: Comparison, plan: Plan) -> Verdict:
    not_reused = _not_reused(first) or _not_reused(other)
    if not_reused:
        return Verdict("not-reused", not_reused)
    rule, (ratio, low, high) = plan.decision_rule, comparison.leading
    if ratio is None or low is None or high is None:
        return Verdict("inconclusive", _too_few(first, comparison, plan))
    subject = subject_of(first, other, plan)
    if high <= 1 + rule.margin and low >= 1 / (1 + rule.margin):
        return Verdict("no-difference", alike(subject, comparison, rule))
    if not low <= 1 <= high:
        text = f"{different(subject, comparison, rule)}{_drift(plan)}"
        return Verdict("faster" if low > 1 else "slower", text)
    measured = comparison.pairs * plan.experiment.block_size
    enough = required_requests(measured, comparison.leading, rule)
    settled = f"About {enough:,} requests per arm would settle it."
    return Verdict("inconclusive", f"{open_question(subject, comparison, rule)} {settled}")


def _drift(plan: Plan) -> str:
    """What no interval covers where the arms' turns were one after the other."""
    if plan.experiment.is_paired:
        return ""
    return " The arms ran one after the other, so any drift in between is part of that."


def subject_of(first: Arm | ArmSummary, other: Arm | ArmSummary, plan: Plan) -> str:
    """What a sentence on two arms of a run is about."""
    if len(plan.experiment.arms) == _TWO and differ_in_reuse_only(first.traits, other.traits):
        return "Reusing the connection"
    return f"Using {first.label} rather than {other.label}"


def _too_few(first: ArmSummary, comparison: Comparison, plan: Plan) -> str:
    least, block = least_pairs(plan.decision_rule.confidence), plan.experiment.block_size
    there_are, which = comparison.pairs, f" of blocks of {block:,} requests"
    if block == 1:
        there_are = comparison.reused
        which = " that reused a connection" if there_are < comparison.pairs else ""
    requests = least * block + opens_first(plan)
    is_for_more = not plan.experiment.may_end_early and requests > first.requests
    enough = f" Use -n {requests}." if is_for_more else ""
    return (
        f"Too few requests to compare {first.label} and {comparison.against}: at least {least} "
        f"pairs{which} are needed, and there {'is' if there_are == 1 else 'are'} {there_are}."
        f"{enough}"
    )


def _alone(arm: ArmSummary) -> str:
    return (
        f"{arm.label}: {plural(arm.sent, 'request')} on "
        f"{plural(arm.connections, 'connection')}, {duration(arm.latency.mean)} on average. "
        "Name a second --arm to compare with."
    )


def _not_reused(arm: ArmSummary) -> str:
    """That a pool reopened about as often as it sent; one request a slot shows nothing.

    Connections that only kab's other arm let go stale don't count.
    """
    chances, reopened = arm.could_reuse, arm.reopened - len(arm.reasons.caused_by_interleaving)
    if not arm.traits.reuses or not chances or reopened < _NOT_REUSED * chances:
        return ""
    how_much = "Hardly anything" if arm.reuse else "Nothing"
    return (
        f"{how_much} was reused, so there is no effect of reuse to measure: {arm.label} opened "
        f"{plural(arm.connections, 'connection')} for {plural(arm.sent, 'request')}."
    )


def _errors(arms: Sequence[ArmSummary]) -> str:
    """What is to be said before anything else: what failed, and answers that are errors."""
    said = []
    failed, sent = sum(arm.failed for arm in arms), sum(arm.sent for arm in arms)
    if failed > SAME * sent:
        said = [f"{failed:,} of {plural(sent, 'request')} failed; this is about the others."]
    found = prevailing_error(arms)
    if found is not None:
        answered = sum(sum(arm.status_codes.values()) for arm in arms)
        most = f"{found[0]} in {found[1]:,} of {answered:,}"
        said.append(f"Most responses were errors ({most}): this measures error responses.")
    return " ".join(said)


def prevailing_error(arms: Sequence[ArmSummary]) -> tuple[int, int] | None:
    """The most frequent error status and its count, where most responses were errors."""
    counts = Counter[int]()
    for arm in arms:
        counts.update(arm.status_codes)
    bad = {status: count for status, count in counts.items() if status >= ERROR_FROM}
    if sum(bad.values()) <= _MOST * counts.total():
        return None
    return max(bad.items(), key=lambda it: it[1])
