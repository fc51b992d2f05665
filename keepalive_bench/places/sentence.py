"""What all places come to, in a few sentences: what a person reads first."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from keepalive_bench.units import duration, enumerated, percent, plural, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from keepalive_bench.analysis.verdict import VerdictCode
    from keepalive_bench.places.place import LostPlace, Place

_MOST_NAMED, _MOST_TOLD = 5, 3
_DECIDED: tuple[VerdictCode, ...] = ("faster", "slower", "no-difference")
_OPEN: dict[VerdictCode, str] = {
    "inconclusive": "Results are inconclusive",
    "not-reused": "Almost no connection was reused",
    "not-comparable": "The arms can't be compared",
    "not-measured": "An arm got no response",
}
"""What is said of places where an effect is neither shown nor excluded."""
_ANYWHERE: set[VerdictCode] = {"not-reused", "not-comparable", "not-measured"}
"""Such a sentence of all places doesn't end in `everywhere`."""


def sentence_of(places: Sequence[Place], lost: Sequence[LostPlace]) -> str:
    """The answer: what reuse is worth at each place; then which places are missing."""
    measured = [it for it in places if it.is_measured]
    is_all = len(measured) == len(places) + len(lost)
    said = (*_worth(measured, is_all=is_all), *_missing(places, lost))
    return printable(" ".join(said))


def some_of(names: Sequence[str]) -> str:
    """Places by name; of many, the first few and how many more there are."""
    left = len(names) - _MOST_NAMED
    shown = [*names[:_MOST_NAMED]]
    return enumerated([*shown, f"{left:,} more"] if left > 0 else shown)


def _worth(measured: Sequence[Place], *, is_all: bool) -> Iterator[str]:
    if not measured:
        yield "Nothing was measured at any place."
    by_subject: dict[str, list[Place]] = defaultdict(list)
    for it in measured:
        by_subject[it.subject].append(it)
    is_all = is_all and len(by_subject) == 1
    not_compared = by_subject.pop("", [])
    for subject, places in by_subject.items():
        yield from _compared(subject, places, is_all=is_all)
    yield from _not_compared(not_compared)


def _compared(subject: str, places: Sequence[Place], *, is_all: bool) -> Iterator[str]:
    """What is known of an effect, and where; the places where it is faster come first."""
    by_code: dict[VerdictCode, list[Place]] = defaultdict(list)
    for it in places:
        by_code[it.verdict.code].append(it)
    is_all = is_all and len(by_code) == 1
    name = subject
    for code in (it for it in _DECIDED if it in by_code):
        yield f"{name} {_effect(code, by_code[code], is_all=is_all)}."
        name = "It"
    for code in (it for it in _OPEN if it in by_code):
        then = ""
        if name == subject and code == "inconclusive":
            then = f": {subject[0].lower()}{subject[1:]} may be faster, or may not"
            name = "It"
        everywhere = "anywhere" if code in _ANYWHERE else "everywhere"
        where = _where(by_code[code], is_all=is_all, everywhere=everywhere)
        yield f"{_OPEN[code]} {where}{then}."


def _effect(code: VerdictCode, places: Sequence[Place], *, is_all: bool) -> str:
    """The end of a sentence that begins with what is compared."""
    if code == "faster":
        known = [it for it in places if (it.saving_s.low or 0.0) > 0]
        others = [it for it in places if it not in known]
        if known:
            also = f". It is faster {_where(others, is_all=False)}, too" if others else ""
            return f"{_saving(known, is_all=is_all and not others)}{also}"
    if code != "no-difference":
        return f"is {code} {_where(places, is_all=is_all)}"
    where = _where(places, is_all=is_all, everywhere="anywhere")
    margins = {it.plan.decision_rule.margin for it in places}
    matters = f"of more than {percent(margins.pop())}" if len(margins) == 1 else "that matters"
    return f"makes no difference {matters} {where}"


def _saving(faster: Sequence[Place], *, is_all: bool) -> str:
    """What it saves where it is faster; in round trips, where these are known."""
    trips = {it.saved_trips for it in faster}
    (alike,) = trips if len(trips) == 1 else (None,)
    if alike is not None:
        everywhere = " everywhere" if is_all and len(faster) > 1 else ""
        each = _each(faster, lambda it: duration(_saved_s(it)), _saved_s, "from")
        return f"is worth {plural(alike, 'round trip')}{everywhere}: {each}"

    def told(place: Place) -> str:
        trips = place.saved_trips
        counted = f" ({plural(trips, 'round trip')})" if trips is not None else ""
        return f"{duration(_saved_s(place))}{counted}"

    return f"saves {_each(faster, told, _saved_s, 'between')}"


def _saved_s(place: Place) -> float:
    return place.saving_s.estimate or 0.0


def _not_compared(places: Sequence[Place]) -> Iterator[str]:
    """What one arm alone takes, and what sweeps recommend."""
    alone = [it for it in places if it.plan.experiment.sweep is None]
    if alone:
        each = _each(alone, lambda it: duration(_latency_s(it)), _latency_s, "between")
        yield f"A typical request takes {each}."
    swept: dict[str, list[Place]] = defaultdict(list)
    for it in places:
        if it.plan.experiment.sweep is not None:
            swept[it.plan.experiment.sweep].append(it)
    for option, several in swept.items():
        yield from _recommended(option, several)


def _latency_s(place: Place) -> float:
    return place.first.latency_s or 0.0


def _recommended(option: str, places: Sequence[Place]) -> Iterator[str]:
    """The value that each place's traffic needs, by value; and where none is known to be enough."""
    by_value: dict[int | None, list[str]] = defaultdict(list)
    for it in places:
        by_value[it.document["recommendation"].get(option)].append(it.name)
    none = by_value.pop(None, [])
    if by_value:
        values = sorted((value, names) for value, names in by_value.items() if value is not None)
        told = "; ".join(f"{value:,} in {some_of(names)}" for value, names in values)
        yield f"Recommended {option}: {told}."
    if none:
        yield f"No {option} can be recommended in {some_of(none)}."


def _each(
    places: Sequence[Place],
    told: Callable[[Place], str],
    value_of: Callable[[Place], float],
    first: str,
) -> str:
    """Something of each of a few places; of more, of those with the least and the most."""
    by_words: dict[str, list[str]] = defaultdict(list)
    for it in sorted(places, key=value_of):
        by_words[told(it)].append(it.name)
    each = [f"{words} in {some_of(names)}" for words, names in by_words.items()]
    if len(each) <= _MOST_TOLD:
        return enumerated(each)
    least, most = each[0], each[-1]
    return f"{first} {least} {'to' if first == 'from' else 'and'} {most}"


def _where(places: Sequence[Place], *, is_all: bool, everywhere: str = "everywhere") -> str:
    if is_all and len(places) > 1:
        return everywhere
    return f"in {some_of([it.name for it in places])}"


def _missing(places: Sequence[Place], lost: Sequence[LostPlace]) -> Iterator[str]:
    """Where responses were errors or requests failed, and which places are missing."""
    silent = [it.name for it in places if not it.is_measured]
    failing = [it for it in places if it.is_measured and any(arm.failed for arm in it.arms)]
    for error in sorted({it.error for it in places if it.error is not None}):
        where = some_of([it.name for it in places if it.error == error])
        yield f"Most responses in {where} were errors ({error})."
    if failing:
        failed, sent = (
            sum(getattr(arm, name) for it in failing for arm in it.arms)
            for name in ("failed", "sent")
        )
        where = some_of([it.name for it in failing])
        yield f"{failed:,} of {plural(sent, 'request')} failed in {where}."
    if silent and len(silent) < len(places):
        yield f"Nothing was measured in {some_of(silent)}."
    if lost:
        count, names = len(places) + len(lost), some_of([it.name for it in lost])
        if count == 1:
            yield f"The only place is lost: {names}."
        elif len(lost) == count:
            all_of_them = "Both" if count == 2 else f"All {count:,}"  # noqa: PLR2004  # a pair
            yield f"{all_of_them} places are lost: {names}."
        else:
            are = "is" if len(lost) == 1 else "are"
            yield f"{len(lost):,} of {plural(count, 'place')} {are} lost: {names}."
