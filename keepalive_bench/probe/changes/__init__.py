"""What changed from one probe to another: longer or shorter, as far as both know."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast, get_args

from keepalive_bench.analysis.metrics import Metric
from keepalive_bench.probe.metrics import PROBE_METRICS
from keepalive_bench.probe.requirements import check_estimate
from keepalive_bench.requirements.bounds import shown
from keepalive_bench.requirements.expression import parse
from keepalive_bench.requirements.names import Scope
from keepalive_bench.stats.intervals import Estimate
from keepalive_bench.units import plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from keepalive_bench.analysis import Checked, Requirement
    from keepalive_bench.probe.probed import Probed

ChangeCode = Literal["worse", "better", "no-difference", "inconclusive", "not-comparable"]
Way = Literal["higher", "lower", "same", "unknown"]
_OFF_S, _OFF = 0.05, 0.01
"""Times are that exact: the larger of both, and twice of it from one probe to another."""
_JUDGED = ("idle_timeout", "silent_drop", "lifetime", "request_limit")
"""What makes a probe better or worse."""
_WORDS: dict[Way, str] = {
    "higher": "higher",
    "lower": "lower",
    "same": "no difference",
    "unknown": "not known",
}


class ProbeSource(NamedTuple):
    """A stored probe, and what it comes to."""

    name: str
    """What it was read from."""
    probed: Probed


class NumberChange(NamedTuple):
    """One number of both probes, each with the ends that it lies between."""

    name: str
    unit: str
    base: Estimate
    new: Estimate
    way: Way
    """Whether the new one is higher or lower; `unknown`: what is known of both doesn't tell."""


class ProbeVerdict(NamedTuple):
    """What a change comes to."""

    code: ChangeCode
    text: str


class ProbeChange(NamedTuple):
    """What changed from one probe to another."""

    base: ProbeSource
    new: ProbeSource
    numbers: tuple[NumberChange, ...]
    verdict: ProbeVerdict
    requirements: tuple[Checked, ...] = ()
    strict: bool = False
    forced: bool = False


VERDICT: Metric[ProbeChange] = Metric(
    path="verdict",
    unit="word",
    meaning="[Whether it got better or worse](probe.md#comparing-two-probes), in a word",
    read=lambda it: it.verdict.code,
    words=get_args(ChangeCode),
)


def compare_probes(
    base: ProbeSource,
    new: ProbeSource,
    requirements: Iterable[str],
    *,
    forced: bool,
    strict: bool,
) -> ProbeChange:
    """What changed.

    Raises:
        UsageError: a requirement is none.
    """
    required = [parse(it, (*change_scopes(),)) for it in dict.fromkeys(requirements)]
    numbers = tuple(_numbers(base.probed, new.probed))
    verdict = _verdict(base, new, numbers, forced=forced)
    change = ProbeChange(base, new, numbers, verdict, strict=strict, forced=forced)
    checked = tuple(check_change(it, change) for it in required)
    return change._replace(requirements=checked)


def _numbers(base: Probed, new: Probed) -> Iterator[NumberChange]:
    for metric in PROBE_METRICS:
        before, after = metric.of(base), metric.of(new)
        if isinstance(before, Estimate) and isinstance(after, Estimate):
            yield NumberChange(
                metric.path, metric.unit, before, after, _way(metric.unit, before, after)
            )


def _way(unit: str, base: Estimate, new: Estimate) -> Way:
    """Higher where all of the new interval lies above all of the base's, and the other way round.

    Where neither found an end up to the same time, there is no difference as far as both looked.
    """
    if (base.low, base.high) == (None, None) or (new.low, new.high) == (None, None):
        return "unknown"
    (base_low, base_high), (new_low, new_high) = map(_ends, (base, new))
    off = 0.0
    if unit == "seconds":
        off = 2 * max(_OFF_S, _OFF * max(it for it in (base_low, new_low)))
    if new_low > base_high + off:
        return "higher"
    if new_high < base_low - off:
        return "lower"
    if inf in {base_high, new_high}:
        both_open = base_high == new_high and abs(base_low - new_low) <= off
        return "same" if both_open else "unknown"
    return "same"


def _ends(it: Estimate) -> tuple[float, float]:
    return (0.0 if it.low is None else it.low), (inf if it.high is None else it.high)


def _verdict(
    base: ProbeSource, new: ProbeSource, numbers: Sequence[NumberChange], *, forced: bool
) -> ProbeVerdict:
    before, after = base.probed.record.asked.url, new.probed.record.asked.url
    if before != after and not forced:
        text = f"These probes are of {before} and of {after}: --force compares them all the same."
        return ProbeVerdict("not-comparable", text)
    judged = [it for it in numbers if it.name in _JUDGED]
    worse = [it for it in judged if it.way == "lower"]
    better = [it for it in judged if it.way == "higher"]
    known = [it for it in judged if it.way != "unknown" and not is_open(it)]
    if worse:
        return ProbeVerdict("worse", f"{_clauses(worse)}.")
    if better:
        return ProbeVerdict("better", f"{_clauses(better)}.")
    if not known:
        return ProbeVerdict("inconclusive", "No limit is known of both probes.")
    names = ", ".join(it.name.replace("_", " ") for it in known)
    return ProbeVerdict(
        "no-difference", f"No difference in {plural(len(known), 'limit')}: {names}."
    )


def is_open(it: NumberChange) -> bool:
    """Whether neither probe found an end: as far as they looked, which tells little."""
    return all(end.low is not None and end.high is None for end in (it.base, it.new))


def _clauses(several: Sequence[NumberChange]) -> str:
    said = [f"{it.name.replace('_', ' ')} went {_moved(it)}" for it in several]
    return f"{said[0][0].upper()}{'; '.join(said)[1:]}"


def _moved(it: NumberChange) -> str:
    return f"from {told(it.base, it.unit)} to {told(it.new, it.unit)}"


def told(found: Estimate, unit: str) -> str:
    """A number with what is known of its ends, for people."""
    kind = cast("Any", unit)
    if found.low is None and found.high is None:
        return "unknown"
    if found.high is None and found.low is not None:
        return f"at least {shown(found.low, kind)}"
    value = found.estimate if found.estimate is not None else found.high
    return shown(cast("float", value), kind)


def way_words(it: NumberChange) -> str:
    """How a number changed, for people."""
    return "none found in either" if it.way == "same" and is_open(it) else _WORDS[it.way]


def relative(it: NumberChange) -> Estimate:
    """New ÷ base − 1 of a time, new − base of a count, with the ends that it lies between."""
    (base_low, base_high), (new_low, new_high) = map(_ends, (it.base, it.new))
    if it.way == "unknown" and (it.base.low is None or it.new.low is None):
        return Estimate(None)
    if it.unit == "count":
        ends = (new_low - base_high, new_high - base_low)
    else:
        ends = (
            -inf if base_high == 0 else new_low / base_high - 1,
            inf if base_low == 0 else new_high / base_low - 1,
        )
    low, high = (None if it in {inf, -inf} else it for it in ends)
    middle = None if low is None or high is None else (low + high) / 2
    return Estimate(middle, low, high)


def change_scopes() -> Iterator[Scope]:
    """Everything that two probes have a name for."""
    yield Scope(metrics=(VERDICT,), forms=lambda metric: (metric.path,))
    numbers = (it for it in PROBE_METRICS if it.unit != "word")
    changes = tuple(
        replace(it, unit="change" if it.unit == "seconds" else it.unit, is_signed=True)
        for it in numbers
    )
    yield Scope(metrics=changes, forms=lambda metric: (metric.path,), suffix=".change")


def check_change(requirement: Requirement, change: ProbeChange) -> Checked:
    """Hold a requirement against what changed."""
    if requirement.name == VERDICT.path:
        return check_estimate(requirement, VERDICT, change.verdict.code)
    name = requirement.name.removesuffix(".change")
    _, scope = change_scopes()
    metric = next(it for it in scope.metrics if it.path == name)
    number = next(it for it in change.numbers if it.name == name)
    return check_estimate(requirement, metric, relative(number))
