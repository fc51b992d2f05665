"""What differs between places: what was asked, who answered, and what became of connections."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from keepalive_bench.plan.document import harmless, plan_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from keepalive_bench.places.place import Place
    from keepalive_bench.plan.plan import Arm


_LIBRARIES = ("kab", "python", "urllib3", "openssl")
"""As a run's environment calls them."""


Of = Literal["plan", "library", "facts"]


class Difference(NamedTuple):
    """Something that isn't the same at all places."""

    of: Of
    """What differs: the plan, a library, or what came of it (`places[].facts`)."""
    kind: str
    """Which option, which library, or which of these facts."""
    places: dict[str, tuple[str, ...]]
    """Each value, and the names of the places that have it."""
    missing: tuple[str, ...]
    """The names of those that have none."""


def differences(places: Sequence[Place]) -> tuple[Difference, ...]:
    """What differs, what was asked first; places of which nothing was answered tell nothing."""
    measured = [it for it in places if it.is_measured]
    if len(measured) < 2:  # noqa: PLR2004  # it takes two to differ
        return ()
    found = (*_asked(measured), *_made_with(measured), *_met(measured))
    return tuple(found)


def _asked(places: Sequence[Place]) -> Iterator[Difference]:
    """What was asked for at one place and not at another, of what matters."""
    plans = {it.name: dict(_options(plan_document(it.plan))) for it in places}
    for it in places:
        plans[it.name]["arms"] = ", ".join(map(_arm, it.plan.experiment.arms))
    for option in dict.fromkeys(option for plan in plans.values() for option in plan):
        values = {name: it.get(option) for name, it in plans.items()}
        yield from _difference(
            "plan",
            option,
            {name: () if it is None else (_said(it),) for name, it in values.items()},
        )


def _arm(arm: Arm) -> str:
    return (
        arm.label if arm.label == arm.kind or arm.value is not None else f"{arm.label} ({arm.kind})"
    )


def _options(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in document.items():
        if name in harmless():
            continue
        if isinstance(value, dict):
            yield from ((f"{name}.{inner}", it) for inner, it in value.items())
        else:
            yield name, value


def _said(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _made_with(places: Sequence[Place]) -> Iterator[Difference]:
    """Which versions of what measures were there."""
    for library in _LIBRARIES:
        versions = {it.name: (f"{getattr(it.environment, library)}",) for it in places}
        yield from _difference("library", library, versions)


def _met(places: Sequence[Place]) -> Iterator[Difference]:
    """Who answered, and what became of connections and requests."""
    kinds = dict.fromkeys(kind for it in places for kind in it.facts)
    for kind in kinds:
        yield from _difference("facts", kind, {it.name: it.facts.get(kind, ()) for it in places})


def _difference(of: Of, kind: str, values: Mapping[str, Sequence[str]]) -> Iterator[Difference]:
    """The difference in one thing, if there is one."""
    if len({frozenset(it) for it in values.values()}) == 1:
        return
    by_value: dict[str, list[str]] = {}
    for name, several in values.items():
        for value in several:
            by_value.setdefault(value, []).append(name)
    everywhere = {value for value, names in by_value.items() if len(names) == len(values)}
    yield Difference(
        of,
        kind,
        {value: tuple(names) for value, names in by_value.items() if value not in everywhere},
        tuple(name for name, several in values.items() if not several),
    )
