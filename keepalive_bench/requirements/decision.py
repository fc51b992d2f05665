"""Met, missed or undecided: what was found, held against a bound."""

from __future__ import annotations

from itertools import islice
from operator import eq, ge, gt, le, lt, ne
from typing import TYPE_CHECKING

from keepalive_bench.analysis import Checked
from keepalive_bench.requirements.bounds import shown
from keepalive_bench.units import percent, printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keepalive_bench.analysis import Requirement, Status
    from keepalive_bench.requirements.lookup import Evidence
    from keepalive_bench.requirements.names import Subject

UPWARDS = {"<", "<="}
"""What demands that something is low: how far up it may lie decides."""
_HOLDS = {"==": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
WITH_ENOUGH = {"faster", "slower", "better", "worse", "no-difference"}
"""Verdicts that it takes enough requests to come to; fewer are inconclusive."""
_MOST_NAMED = 5
"""Reasons, the most frequent ones; the others are counted together."""


def decide(
    requirement: Requirement,
    subject: Subject,
    found: Evidence,
    confidence: float,
    *,
    too_few: str,
) -> Checked:
    """How a requirement stands: exactly what was counted, what was estimated by all its interval.

    It's undecided where only a part of the interval meets it, or where there is none; and where
    there is no value, which never meets anything. `too_few` is said where no other reason is known.
    """
    if not found.lacking and None in {found.value, found.low, found.high}:
        found = found._replace(lacking=too_few)
    low, high = (found.low, found.high) if subject.metric.basis != "exact" else (None, None)
    status = _status(requirement, subject, found)
    said = _of_ends if found.one_sided else _sentence
    text = said(requirement, subject, found, status, confidence)
    return Checked(requirement, status, found.value, low, high, text)


def _status(requirement: Requirement, subject: Subject, found: Evidence) -> Status:
    if _is_open(requirement, found):
        return "undecided"
    if subject.metric.basis in {"exact", "verdict"} and found.value is not None:
        # Only what a sweep recommends has ends, too: a smaller value may be enough.
        ends = (found.value, found.low, found.high)
        ways = {holds(it, requirement) for it in ends if it is not None}
        return "undecided" if len(ways) > 1 else "met" if ways.pop() else "missed"
    if not found.one_sided and (found.value is None or found.lacking):
        return "undecided"
    # What is at most something is known by its high end; that it isn't, by its low one.
    for_it, against = found.low, found.high
    if requirement.operator in UPWARDS:
        for_it, against = against, for_it
    if against is not None and not holds(against, requirement):
        return "missed"
    return "met" if for_it is not None and holds(for_it, requirement) else "undecided"


def _is_open(requirement: Requirement, found: Evidence) -> bool:
    """Whether a verdict was left open that more requests would have made this one, or another."""
    if found.value == "not-comparable":  # a build doesn't pass because its plan was changed
        return requirement.bound in {"better", "worse"}
    return found.value == "inconclusive" and requirement.bound in WITH_ENOUGH


def holds(value: float | str, requirement: Requirement) -> bool:
    """Whether a value meets a requirement."""
    return bool(_HOLDS[requirement.operator](value, requirement.bound))


def _sentence(
    requirement: Requirement,
    subject: Subject,
    found: Evidence,
    status: Status,
    confidence: float,
) -> str:
    if found.value is None:
        return f"{subject.spoken} is unknown: {found.lacking}."
    bound = requirement.bound
    value = f"{subject.spoken} is {shown(found.value, subject.metric.unit, bound)}"
    if _is_open(requirement, found):
        return f"{value}: whether it is {bound} isn't known."
    if subject.metric.basis in {"exact", "verdict"}:
        because = {"undecided": f", but {found.lacking}", "missed": made_of(found.why), "met": ""}
        return f"{value}{because[status]}."
    if found.lacking:
        return f"{value}, but {found.lacking}."
    ends = " to ".join(
        shown(end, subject.metric.unit, bound) for end in (found.low, found.high) if end is not None
    )
    interval = f"the {percent(confidence)} CI, {ends}"
    if status == "undecided":
        return f"{value}, but {shown(bound, subject.metric.unit)} lies within {interval}."
    return f"{value}, and {'all' if status == 'met' else 'none'} of {interval}, meets this."


def made_of(why: Mapping[str, int]) -> str:
    """What a count is made of: ` (request-limit: 5, idle-timeout: 1)`."""
    named = [f"{printable(code)}: {count:,}" for code, count in islice(why.items(), _MOST_NAMED)]
    others = sum(islice(why.values(), _MOST_NAMED, None))
    named += [f"others: {others:,}"] if others else []
    return f" ({', '.join(named)})" if named else ""


def _of_ends(
    requirement: Requirement,
    subject: Subject,
    found: Evidence,
    status: Status,
    confidence: float,
) -> str:
    """The same where either end decides by itself."""
    bound, kind = requirement.bound, subject.metric.unit
    sure = f"at {percent(confidence)} confidence"
    value = "unknown" if found.value is None else shown(found.value, kind, bound)
    said, joint = f"{subject.spoken} is {value}", "but" if found.value is None else "and"
    is_high = (requirement.operator in UPWARDS) == (status == "met")
    end = found.high if is_high else found.low
    if status != "undecided" and end is not None:
        which = "at most" if is_high else "at least"
        return f"{said}, {joint} {which} {shown(end, kind, bound)} {sure}."
    if found.low is None or found.high is None:
        return f"{said}, but {found.lacking}."
    ends = f"{shown(found.low, kind, bound)} and {shown(found.high, kind, bound)}"
    return f"{said}, but {shown(bound, kind)} lies between {ends}, its bounds {sure}."
