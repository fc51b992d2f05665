"""What a requirement on a traced program can be about, and how one stands.

`api.example.com:443: reuse>=90%` is about one origin, `reuse>=90%` about each, and `processes>=2`
about the program. An origin that no request went to meets nothing: a mistyped one never passes.
"""

from __future__ import annotations

from collections import Counter
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple

from keepalive_bench.analysis import Checked
from keepalive_bench.requirements.bounds import shown
from keepalive_bench.requirements.decision import UPWARDS, holds, made_of
from keepalive_bench.requirements.names import Scope, resolve
from keepalive_bench.requirements.selection import parse_selected, selection
from keepalive_bench.trace.findings import finding_of
from keepalive_bench.trace.metrics import ORIGIN_METRICS, TOTAL_METRICS
from keepalive_bench.trace.naming import is_meant, origin_names, some_of
from keepalive_bench.units import plural, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from keepalive_bench.analysis import Finding, Requirement, Status
    from keepalive_bench.requirements.names import AnyMetric, Subject
    from keepalive_bench.trace.usage import Opening, OriginUsage, Usage

_MOST_NAMED = 5
_MOST_FINDINGS = 3
_LOWEST = {">", ">="}
_BY_REUSE = {"connections", "reuse", "reused", "avoidable", "saving_s", "setup_s"}
"""What would be otherwise if fewer connections were opened."""


def trace_scopes() -> tuple[Scope, ...]:
    """Everything that the use of connections has a name for."""
    return (
        Scope(metrics=TOTAL_METRICS, forms=lambda metric: (metric.path,)),
        Scope(steps=("origins",), metrics=ORIGIN_METRICS, forms=_forms),
    )


def _forms(metric: AnyMetric) -> Iterator[str]:
    """The short one first: a time's unit is in its bound."""
    if metric.path.endswith("_s"):
        yield metric.path.removesuffix("_s")
    yield metric.path


def trace_names() -> dict[str, tuple[tuple[str, str], ...]]:
    """All of that for people, by what has it: spellings, and what they mean."""
    program, origin = (
        tuple((", ".join(scope.forms(it)), it.meaning) for it in scope.named)
        for scope in trace_scopes()
    )
    return {
        "Of each origin of a traced program, or of one (api.example.com:443: NAME)": origin,
        "Of a traced program": program,
    }


def trace_requirements(texts: Iterable[str]) -> tuple[Requirement, ...]:
    """The requirements with these texts, each once.

    Raises:
        UsageError: one of them is none; with what is wrong with it, and where in it.
    """
    among = trace_scopes()
    return tuple(parse_selected(text, among) for text in dict.fromkeys(texts))


class _Standing(NamedTuple):
    """How a requirement stands with one origin."""

    name: str
    origin: OriginUsage
    value: float | None
    status: Status


def check_usage(requirement: Requirement, usage: Usage, folder: str = "") -> Checked:
    """Hold a requirement against what a program did.

    `folder`: files beneath it are named from there.
    """
    subject = resolve(requirement.name, trace_scopes())
    if subject is None:
        raise KeyError(requirement.name)
    if not subject.scope.part:
        return _of_program(requirement, subject, usage)
    names = origin_names(usage.origins)
    seen = [both for both in zip(names, usage.origins, strict=True) if both[1].requests]
    selector, _ = selection(requirement.text)
    meant = [it for it in seen if not selector or is_meant(selector, it[1].origin)]
    if not meant:
        why = without_requests(selector, usage, [name for name, _ in seen])
        return Checked(requirement, "missed", None, None, None, why)
    standing = [_standing(requirement, subject, *it) for it in meant]
    statuses = {it.status for it in standing}
    status = next(it for it in ("missed", "undecided", "met") if it in statuses)
    worst = [it for it in standing if it.status == status]
    because = () if status == "met" else tuple(_because(subject, worst, folder))
    value = _worst_value(requirement, worst)
    text = _sentence(requirement, subject, standing, status)
    return Checked(requirement, status, value, None, None, text, because)


def _of_program(requirement: Requirement, subject: Subject, usage: Usage) -> Checked:
    value = _number(subject, usage)
    if not usage.processes and subject.metric.better:  # there is nothing good in that
        return Checked(requirement, "missed", value, None, None, "No process was traced.")
    status: Status = "met" if value is not None and holds(value, requirement) else "missed"
    text = f"{subject.name} is {shown(value or 0, subject.metric.unit)}."
    return Checked(requirement, status, value, None, None, text)


def without_requests(selector: str, usage: Usage, seen: Sequence[str]) -> str:
    """That nothing went there; with what was seen, as a name may be mistyped."""
    if not usage.processes:
        return "No process was traced, so no request was seen."
    if not seen:
        return "No request was seen, to any origin."
    close = get_close_matches(selector.lower(), [it.lower() for it in seen], n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    asked = quoted(selector)
    return f"No request to {asked} was seen.{hint} Requests went to {some_of(seen, _MOST_NAMED)}."


def _standing(
    requirement: Requirement, subject: Subject, name: str, origin: OriginUsage
) -> _Standing:
    value = _number(subject, origin)
    if value is None:
        return _Standing(name, origin, None, "undecided")
    return _Standing(name, origin, value, "met" if holds(value, requirement) else "missed")


def _number(subject: Subject, source: object) -> float | None:
    found: Any = subject.metric.of(source)
    value: float | None = found.get(subject.key, 0) if isinstance(found, dict) else found
    return value


def _worst_value(requirement: Requirement, standing: Sequence[_Standing]) -> float | None:
    values = [it.value for it in standing if it.value is not None]
    if not values:
        return None
    if requirement.operator in UPWARDS:
        return max(values)
    return min(values) if requirement.operator in _LOWEST else values[0]


def _sentence(
    requirement: Requirement, subject: Subject, standing: Sequence[_Standing], status: Status
) -> str:
    """What was found of the origins that decide: of several that meet it, of the worst."""
    told = [it for it in standing if it.status == status]
    if status == "met":
        worst = _worst_value(requirement, told)
        told = [it for it in told if it.value == worst][:1]
    clauses = [_clause(requirement, subject, it) for it in told[:_MOST_NAMED]]
    others = len(standing) - len(clauses)
    unsaid = len(standing) - len([it for it in standing if it.status == status])
    if status == "met" and others:
        clauses.append(f"{plural(others, 'other origin')} {_meet(others)} it, too")
    elif others > unsaid:
        clauses.append(f"so it is with {plural(others - unsaid, 'more origin')}")
    return f"{'; '.join(clauses)}."


def _meet(count: int) -> str:
    return "meets" if count == 1 else "meet"


def _clause(requirement: Requirement, subject: Subject, it: _Standing) -> str:
    metric, name = subject.metric, subject.name.removesuffix("_s")  # the value has a unit
    if it.value is None:
        return f"{name} of {it.name} is unknown: {metric.lacking}"
    value = f"{name} of {it.name} is {shown(it.value, metric.unit, requirement.bound)}"
    return f"{value}{made_of(_why(subject, it.origin))}" if it.status == "missed" else value


def _why(subject: Subject, origin: OriginUsage) -> Counter[str]:
    """How many connections were opened for which reason, of those that it is about."""
    counts = Counter[str]()
    if not subject.key and subject.metric.unit in {"count", "share"}:
        for it in origin.openings:
            counts[it.reason] += it.connections if _is_about(subject, it) else 0
    return +counts


def _because(subject: Subject, worst: Sequence[_Standing], folder: str) -> Iterator[Finding]:
    """Why connections were opened that it is about; the most first, and not more than a few."""
    for it in worst[:_MOST_FINDINGS]:
        openings = [opening for opening in it.origin.openings if _is_about(subject, opening)]
        for opening in openings[:_MOST_FINDINGS]:
            yield finding_of(opening, it.name, folder)


def _is_about(subject: Subject, opening: Opening) -> bool:
    if subject.key:
        return opening.reason == subject.key
    return subject.metric.path in _BY_REUSE and opening.is_avoidable
