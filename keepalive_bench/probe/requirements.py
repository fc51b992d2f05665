"""What a requirement on a probe can be about, and how one stands: `idle_timeout>=60s`.

What was found lies between two ends, of which one may be unknown: where nothing was closed up to
130 s, the timeout is that long at least, and `idle_timeout>=60s` is met.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keepalive_bench.analysis import Checked
from keepalive_bench.probe.metrics import PROBE_METRICS
from keepalive_bench.requirements.bounds import shown
from keepalive_bench.requirements.decision import UPWARDS, holds
from keepalive_bench.requirements.expression import parse
from keepalive_bench.requirements.names import Scope
from keepalive_bench.stats.intervals import Estimate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from keepalive_bench.analysis import Requirement, Status
    from keepalive_bench.analysis.metrics import Metric
    from keepalive_bench.probe.probed import Probed

_LIMITS = {
    "idle_timeout": "none was closed up to then",
    "silent_drop": "none was lost up to then",
    "lifetime": "none ended up to then",
    "request_limit": "none ended up to then",
}
"""What it means that only the low end is known."""
_OTHERS = {"idle_timeout": "some were closed then, and others are kept for longer"}
"""What it means of a number that is known."""
_WORST_FIRST: tuple[Status, ...] = ("missed", "undecided", "met")


def probe_scope() -> Scope:
    """Everything that a probe has a name for."""
    return Scope(metrics=PROBE_METRICS, forms=lambda metric: (metric.path,))


def probe_names() -> dict[str, tuple[tuple[str, str], ...]]:
    """All of that for people: names, and what they mean."""
    return {
        "Of an endpoint (kab probe)": tuple((it.path, it.meaning) for it in PROBE_METRICS),
    }


def probe_requirements(texts: Iterable[str]) -> tuple[Requirement, ...]:
    """The requirements with these texts, each once.

    Raises:
        UsageError: one of them is none; with what is wrong with it, and where in it.
    """
    return tuple(parse(text, (probe_scope(),)) for text in dict.fromkeys(texts))


def check_probe(requirement: Requirement, probed: Probed) -> Checked:
    """Hold a requirement against what a probe came to."""
    metric = next(it for it in PROBE_METRICS if it.path == requirement.name)
    value = metric.of(probed)
    found = value if isinstance(value, str | Estimate) else Estimate(None)
    spans = tuple(_of_backends(probed)) if metric.path == "idle_timeout" else ()
    return check_estimate(requirement, metric, found, spans)


def check_estimate(
    requirement: Requirement,
    metric: Metric[Any],
    found: Estimate | str,
    spans: tuple[Estimate, ...] = (),
) -> Checked:
    """Hold a requirement against a word, or against a number and the ends that it lies between.

    `spans`: those of each backend, where they differ: all of them have to meet it.
    """
    if isinstance(found, str):
        word_status: Status = "met" if holds(found, requirement) else "missed"
        text = f"{requirement.name} is {found}."
        return Checked(requirement, word_status, found, None, None, text)
    statuses = {_status(requirement, it) for it in spans or [found]}
    status = next(it for it in _WORST_FIRST if it in statuses)
    text = _sentence(requirement, metric, found, status, because="backends differ" if spans else "")
    is_exact = found.low == found.high
    low, high = (None, None) if is_exact else (found.low, found.high)
    return Checked(requirement, status, found.estimate, low, high, text)


def _of_backends(probed: Probed) -> Iterator[Estimate]:
    """The idle timeout of each backend, where they differ: all of them have to meet it."""
    found = probed.idle_timeout
    if found.backends_differ:
        yield from (Estimate(None, it.least_s, it.most_s) for it in found.closings)
        if found.open:
            yield Estimate(None, found.looked_s)


def _status(requirement: Requirement, found: Estimate) -> Status:
    """Whatever lies between both ends meets it, or misses it; or it is undecided."""
    low, high = found.low, found.high
    if requirement.operator in {"==", "!="}:
        return _equality(requirement, low, high)
    for_it, against = (high, low) if requirement.operator in UPWARDS else (low, high)
    if against is not None and not holds(against, requirement):
        return "missed"
    return "met" if for_it is not None and holds(for_it, requirement) else "undecided"


def _equality(requirement: Requirement, low: float | None, high: float | None) -> Status:
    if low is not None and low == high:
        return "met" if holds(low, requirement) else "missed"
    bound = requirement.bound
    is_another = not isinstance(bound, str) and (
        (low is not None and low > bound) or (high is not None and high < bound)
    )
    if not is_another:
        return "undecided"
    return "met" if requirement.operator == "!=" else "missed"


def _sentence(
    requirement: Requirement,
    metric: Metric[Any],
    found: Estimate,
    status: Status,
    because: str,
) -> str:
    name, unit, bound = requirement.name, metric.unit, requirement.bound
    low, high = found.low, found.high
    if low is None and high is None:
        return f"{name} is unknown: {metric.lacking}."
    if high is None and low is not None:
        seen = _LIMITS.get(name, "") if found.estimate is None else _OTHERS.get(name, "")
        return f"{name} is at least {shown(low, unit, bound)}{seen and f': {seen}'}."
    if low is None and high is not None:
        return f"{name} is at most {shown(high, unit, bound)}."
    shown_ends = (shown(it, unit, bound) for it in (low, high) if it is not None)
    ends = " to ".join(dict.fromkeys(shown_ends))
    lies = f", and {shown(bound, unit)} lies between" if status == "undecided" else ""
    return f"{name} is {ends}{lies}{f': {because}' if because else ''}."
