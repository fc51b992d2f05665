"""What a requirement on two runs can be about: docs/compare.md is this table for people.

Each name of an arm that is counted, or has an interval, and the speed-up; with `.change` behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

from keepalive_bench.analysis.sweep import RECOMMENDED
from keepalive_bench.compare.verdict import CODES
from keepalive_bench.requirements.arm_names import ARM_MEMBERS, TOTALS
from keepalive_bench.requirements.quantity import Evidence, Nameable, exact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from keepalive_bench.analysis.analysis import ArmSummary
    from keepalive_bench.compare.change import Change, Figure
    from keepalive_bench.plan.experiment import Arm
    from keepalive_bench.requirements.arm_names import Member
    from keepalive_bench.requirements.quantity import Kind

SUFFIX = ".change"
_NO_CHANGE = {"word", "seconds"}
"""Words don't change by a number; single times (`max`) change from run to run by chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeQuantity(Nameable):
    """Something about two runs."""

    is_signed: bool = True
    find: Callable[[Change], Evidence]


Named = tuple[tuple[str, ...], ChangeQuantity]
"""Something, and all its spellings."""


def change_names(arms: tuple[Arm, ...]) -> dict[str, ChangeQuantity]:
    """Everything that two runs of these arms have a name for, by each of its spellings."""
    found: dict[str, ChangeQuantity] = {}
    for spellings, quantity in _all(arms):
        for spelling in spellings:
            found.setdefault(spelling, quantity)
    return found


def _all(arms: tuple[Arm, ...]) -> Iterator[Named]:
    name = "verdict.code"
    yield (
        ("verdict", name),
        ChangeQuantity(name=name, kind="word", basis="verdict", words=CODES, find=_verdict),
    )
    for field in TOTALS:
        name = f"{field}{SUFFIX}"
        yield (name,), ChangeQuantity(name=name, kind="count", find=partial(_total, field=field))
    for option in RECOMMENDED:
        name = f"recommendation.{option}{SUFFIX}"
        find = partial(_recommended, option=option)
        yield (name,), ChangeQuantity(name=name, kind="count", find=find)
    for number, arm in enumerate(arms[1:]):
        yield from _comparison(number, arm.label)
    pooled = next((arm for arm in arms if arm.traits.reuses), None)
    if pooled is not None:
        yield from _arm(pooled.label, ("",))
    for arm in arms:
        yield from _arm(arm.label, (f"{arm.label}.", f"arms.{arm.label}."))


def _arm(label: str, prefixes: tuple[str, ...]) -> Iterator[Named]:
    for path, member in ARM_MEMBERS.items():
        kind = _kind(member)
        if kind is not None:
            short = path.removeprefix("latency_s.")
            spellings = (f"{before}{it}{SUFFIX}" for before in prefixes for it in (short, path))
            name = f"arms.{label}.{path}{SUFFIX}"
            find = partial(_of_arm, label=label, short=short, member=member)
            yield (
                tuple(spellings),
                ChangeQuantity(name=name, kind=kind, basis=member.basis, find=find),
            )


def _kind(member: Member) -> Kind | None:
    """What the change of an arm's number is measured in; `None`: it has no name."""
    if member.basis == "exact":
        return None if member.kind in _NO_CHANGE else member.kind
    return None if member.basis == "nothing" else "change"


def _comparison(number: int, other: str) -> Iterator[Named]:
    place = f"comparisons[{number}]"
    spellings = (f"speedup.{other}", f"{place}.speedup", *["speedup"][: number == 0])
    yield (
        tuple(f"{it}{SUFFIX}" for it in spellings),
        ChangeQuantity(
            name=f"{place}.speedup{SUFFIX}",
            kind="change",
            basis="ranks",
            find=partial(_speedup, other=other),
        ),
    )


def _verdict(change: Change) -> Evidence:
    return exact(change.verdict.code)


def _total(change: Change, *, field: str) -> Evidence:
    totals = [
        sum(getattr(arm, field) for arm in source.analysis.arms)
        for source in (change.base, change.new)
    ]
    return _apart(change) or exact(totals[1] - totals[0])


def _recommended(change: Change, *, option: str) -> Evidence:
    found = change.recommendation
    if found is None or found.option != option:
        return exact(None, f"the runs are no sweeps over {option}")
    return _apart(change) or exact(found.change, "one of the sweeps recommends nothing")


def _of_arm(change: Change, *, label: str, short: str, member: Member) -> Evidence:
    arm = next((it for it in change.arms if it.label == label), None)
    lacking = _apart(change)
    if lacking is not None:
        return lacking
    if arm is None:
        return exact(None, f"one of the runs has no arm {label}")
    if member.basis != "exact":
        return _evidence(arm.figures[short])
    base, new = member.read(arm.base), member.read(arm.new)
    if isinstance(base.value, int) and isinstance(new.value, int):
        return exact(new.value - base.value)
    if isinstance(base.value, float) and isinstance(new.value, float):
        return exact(float(_ratio(new.value, arm.new) - _ratio(base.value, arm.base)))
    return exact(None, base.lacking or new.lacking)


def _ratio(value: float, arm: ArmSummary) -> Fraction:
    """A ratio of an arm's counts before it was rounded: no other one of them is as near.

    So a difference is rounded once, as its bound is, and equals it where the two are equal.
    """
    return Fraction(value).limit_denominator(max(arm.sent, arm.connections))


def _speedup(change: Change, *, other: str) -> Evidence:
    found = next((it.speedup for it in change.comparisons if it.against == other), None)
    if found is None:
        return _apart(change) or exact(None, f"one of the runs doesn't compare with {other}")
    return _apart(change) or _evidence(found)


def _apart(change: Change) -> Evidence | None:
    """Nothing is known of a change between runs that can't be compared."""
    is_apart = change.verdict.code == "not-comparable"
    return exact(None, change.verdict.text.rstrip(".)").replace(". (", "; ")) if is_apart else None


def _evidence(figure: Figure) -> Evidence:
    return Evidence(*figure.change, lacking=figure.lacking)
