"""What a requirement on several places can be about, and how one stands.

`eu-west: pooled.p95<=50ms` is about one place, `pooled.p95<=50ms` about each, with the names of a
run; and `total.connections<=400` about all together. A place that is lost meets nothing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.analysis import Checked
from keepalive_bench.places.metrics import TOTAL_METRICS
from keepalive_bench.places.sentence import some_of
from keepalive_bench.requirements.bounds import shown
from keepalive_bench.requirements.decision import holds
from keepalive_bench.requirements.names import Scope, scopes
from keepalive_bench.requirements.selection import parse_selected, selection
from keepalive_bench.units import plural, printable, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from keepalive_bench.analysis import Requirement, Status
    from keepalive_bench.analysis.metrics import Metric
    from keepalive_bench.places.metrics import Totals
    from keepalive_bench.places.place import LostPlace, Place
    from keepalive_bench.plan.arms import Arm

_MOST_NAMED = 5
_MOST_FINDINGS = 3
_WORST_FIRST: tuple[Status, ...] = ("missed", "undecided", "met")


def total_scope() -> Scope:
    """What is of all places together."""
    return Scope(metrics=TOTAL_METRICS, forms=lambda metric: (metric.path,))


def total_names() -> dict[str, tuple[tuple[str, str], ...]]:
    """All of that for people: names, and what they mean."""
    rows = tuple((it.path, it.meaning) for it in TOTAL_METRICS)
    return {"Of all places together (kab places); each has the names of a run": rows}


def place_scopes(arms: tuple[Arm, ...]) -> Iterator[Scope]:
    """Everything that places have a name for: all together, and each by the names of its run."""
    yield total_scope()
    for scope in scopes(arms):
        yield scope if scope.steps else replace(scope, steps=("places",))


def place_requirements(texts: Iterable[str], arms: tuple[Arm, ...]) -> tuple[Requirement, ...]:
    """The requirements with these texts, each once, on runs of these arms.

    Raises:
        UsageError: one of them is none; with what is wrong with it, and where in it.
    """
    among = tuple(place_scopes(arms))
    return tuple(parse_selected(text, among) for text in dict.fromkeys(texts))


def demanded_at(name: str, requirements: Iterable[Requirement]) -> tuple[str, ...]:
    """What a place's run is required to be, as requirements on a run."""
    return tuple(
        _on_run(it) for it in requirements if not _is_total(it) and is_meant(name, it.text)
    )


def _is_total(requirement: Requirement) -> bool:
    return any(metric.path == requirement.name for metric in TOTAL_METRICS)


def is_meant(name: str, text: str) -> bool:
    """Whether a requirement, by its text, is about a place that is called so, or about each."""
    return selection(text).selector in {"", name}


def _on_run(requirement: Requirement) -> str:
    return requirement.text[selection(requirement.text).start :].strip()


class _Standing(NamedTuple):
    """How a requirement stands at one place."""

    name: str
    checked: Checked | None
    """`None`: the place is lost."""
    why: str
    """What was found, in a sentence."""

    @property
    def status(self) -> Status:
        return "missed" if self.checked is None else self.checked.status


def check_places(
    requirement: Requirement,
    places: Sequence[Place],
    lost: Sequence[LostPlace],
    among: Totals,
) -> Checked:
    """Hold a requirement against all places: it stands as it does at the worst one."""
    for metric in TOTAL_METRICS:
        if metric.path == requirement.name:
            return _of_all(requirement, metric, among)
    text = _on_run(requirement)
    standing = [*_standings(requirement, text, places, lost)]
    if not standing:
        names = [*(it.name for it in places), *(it.name for it in lost)]
        why = _nowhere(selection(requirement.text).selector, names)
        return Checked(requirement, "missed", None, None, None, why)
    worst = min((it.status for it in standing), key=_WORST_FIRST.index)
    deciding = [it for it in standing if it.status == worst]
    known = [it.checked for it in deciding if it.checked is not None]
    first = known[0] if known else None
    return Checked(
        requirement,
        worst,
        first.value if first else None,
        first.low if first else None,
        first.high if first else None,
        _told(deciding, standing),
        tuple(finding for it in known[:_MOST_FINDINGS] for finding in it.because),
    )


def _standings(
    requirement: Requirement, text: str, places: Sequence[Place], lost: Sequence[LostPlace]
) -> Iterator[_Standing]:
    for place in places:
        if is_meant(place.name, requirement.text):
            checked = next(it for it in place.checked if it.requirement.text == text)
            yield _Standing(place.name, checked, checked.text)
    for gone in lost:
        if is_meant(gone.name, requirement.text):
            yield _Standing(gone.name, None, f"The place is lost. {gone.why}")


def _of_all(requirement: Requirement, metric: Metric[Totals], all_of_it: Totals) -> Checked:
    value = metric.of(all_of_it)
    if not isinstance(value, int | float):
        why = f"{metric.path} is unknown: {metric.lacking}."
        return Checked(requirement, "undecided", None, None, None, why)
    status: Status = "met" if holds(value, requirement) else "missed"
    text = f"{metric.path} is {shown(value, metric.unit, requirement.bound)}."
    return Checked(requirement, status, value, None, None, text)


def _nowhere(selector: str, names: Sequence[str]) -> str:
    """That there is no such place; a name may be mistyped."""
    if not names:
        return "There is no place."
    close = get_close_matches(selector, names, n=1)
    hint = f" Did you mean {printable(close[0])}?" if close else ""
    are = "is" if len(names) == 1 else "are"
    return f"There is no place {quoted(selector)}.{hint} There {are} {printable(some_of(names))}."


def _told(deciding: Sequence[_Standing], among: Sequence[_Standing]) -> str:
    """What was found where it is worst; of many places, at the first few."""
    said = [f"{it.name}: {it.why}" for it in deciding[:_MOST_NAMED]]
    status, left = deciding[0].status, len(deciding) - len(said)
    if left:
        said.append(_counted(status, left, "more"))
    others = Counter(it.status for it in among if it.status != status)
    said += [_counted(it, others[it], "other") for it in _WORST_FIRST if others[it]]
    return printable(" ".join(said))


def _counted(status: Status, count: int, which: str) -> str:
    """How many more or other places a requirement stands so at."""
    places = plural(count, f"{which} place")
    if status == "undecided":
        return f"It is undecided at {places}."
    one, several = {"missed": ("misses", "miss"), "met": ("meets", "meet")}[status]
    return f"{places} {one if count == 1 else several} it."
