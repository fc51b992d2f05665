"""What runs differ in besides what they measured: field by field, and what of it matters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keepalive_bench.analysis.comparison import SAME, distance
from keepalive_bench.analysis.verdict import ERROR_FROM
from keepalive_bench.compare.change import Difference
from keepalive_bench.plan.document import harmless

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterator, Mapping, Sequence

    from keepalive_bench.compare.change import Part, Source
    from keepalive_bench.results.run import Run

_STATUS_CODES, _BODIES = "status_codes", "mean_body_bytes"
Key = tuple["Part", str]
"""What it is of, and what it is called there."""


def differences(bases: Sequence[Source], new: Source) -> Iterator[Difference]:
    """What was asked for, by what machine, and what was answered, where the new run has another."""
    *earlier, later = ({**_asked(it), **dict(_answered(it))} for it in (*bases, new))
    for place in dict.fromkeys(place for facts in (*earlier, later) for place in facts):
        part, name = place
        new_one, values = later.get(place), tuple(it.get(place) for it in earlier)
        if any(_is_unlike(place, value, new_one) for value in values):
            is_asked = part == "plan" and name not in harmless()
            matters = is_asked or (part == "answers" and name.endswith(_STATUS_CODES))
            yield Difference(part, name, values, new_one, matters)


def _asked(source: Source) -> dict[Key, Any]:
    """The plan, with what is within its members beside the others; and who carried it out."""
    found: dict[Key, Any] = {}
    for name, value in source.plan.items():
        within = value.items() if isinstance(value, dict) else ()
        inner: dict[Key, Any] = {("plan", f"{name}.{key}"): it for key, it in within}
        found |= inner if isinstance(value, dict) else {("plan", name): value}
    run = source.run
    found |= {("environment", name): it for name, it in run.environment._asdict().items()}
    return {**found, ("run_info", "interrupted"): run.run_info.interrupted}


def _answered(source: Source) -> Iterator[tuple[Key, Any]]:
    """Other answers take other times; that there are more errors is for the verdict to say."""
    for arm in source.analysis.arms:
        codes = {f"{it}": n for it, n in arm.status_codes.items() if it < ERROR_FROM}
        if codes:
            yield ("answers", f"{arm.label}.{_STATUS_CODES}"), codes
        if arm.mean_body is not None:
            yield ("answers", f"{arm.label}.{_BODIES}"), arm.mean_body


def _is_unlike(place: Key, one: Any, other: Any) -> bool:  # noqa: ANN401  # as JSON has it
    if place[0] != "answers":
        return bool(one != other)
    if one is None or other is None:  # an arm that the other run lacks, or that nobody answered
        return False
    if isinstance(one, dict):
        return distance(one, other) > SAME
    return bool(abs(one - other) > SAME * max(one, other))


def is_same(one: Run, other: Run) -> bool:
    """Whether two files hold one run: no two begin and last alike to the last digit."""
    return (
        one.run_info == other.run_info
        and one.plan.experiment == other.plan.experiment
        and _bytes_of(one.exchanges.columns()) == _bytes_of(other.exchanges.columns())
        and _bytes_of(one.connections.columns()) == _bytes_of(other.connections.columns())
    )


def _bytes_of(columns: Mapping[str, array[Any]]) -> dict[str, bytes]:
    """What columns can be compared by: NaN, which stands for "not measured", equals nothing."""
    return {name: column.tobytes() for name, column in columns.items()}
