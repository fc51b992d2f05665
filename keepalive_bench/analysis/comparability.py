"""Whether two arms were answered alike, so that their times mean the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.units import plural, size

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keepalive_bench.analysis.analysis import ArmSummary
    from keepalive_bench.stats.intervals import Estimate

SAME = 0.05
"""Arms whose answers differ by no more than a twentieth are comparable."""


def incomparable(first: ArmSummary, other: ArmSummary, speedup: Estimate) -> str | None:
    """Why the times of two arms can't be compared, in a sentence; `None`: they can."""
    silent = [arm.name for arm in (first, other) if not arm.succeeded]
    if silent:
        return f"Nothing was measured of {' and '.join(silent)}."
    if speedup.estimate is None:
        return f"No request of {first.label} and {other.label} makes a pair that both answered."
    differing = _unlike(first, other)
    return f"{differing}, so their times can't be compared." if differing else None


def _unlike(first: ArmSummary, other: ArmSummary) -> str:
    """In what the arms' answers differ so much that their times mean different things."""
    if distance(first.status_codes, other.status_codes) > SAME:
        return differently(first, other)
    if abs(_failing(first) - _failing(other)) > SAME:
        return _failed(first, other)
    return _sizes(first, other) if _sizes_differ(first, other) else ""


def _failing(arm: ArmSummary) -> float:
    return arm.failed / arm.sent


def _failed(first: ArmSummary, other: ArmSummary) -> str:
    one, two = (f"{arm.failed:,} of {plural(arm.sent, 'request')}" for arm in (first, other))
    return f"The arms didn't fail alike ({first.label} in {one}, {other.label} in {two})"


def _sizes_differ(first: ArmSummary, other: ArmSummary) -> bool:
    """Whether the arms' bodies differ on average by more than a twentieth."""
    means = [arm.mean_body or 0.0 for arm in (first, other)]
    return abs(means[0] - means[1]) > SAME * max(means)


def _sizes(first: ArmSummary, other: ArmSummary) -> str:
    one, two = (size(arm.mean_body or 0.0) for arm in (first, other))
    return f"The arms' answers differ in size ({first.label} {one} on average, {other.label} {two})"


def distance(one: Mapping[int, int], other: Mapping[int, int]) -> float:
    """How far apart two counts of status codes are: total variation distance of their shares."""
    all_one, all_other = (max(1, sum(counts.values())) for counts in (one, other))
    codes = one.keys() | other.keys()
    return 0.5 * sum(abs(one.get(it, 0) / all_one - other.get(it, 0) / all_other) for it in codes)


def differently(first: ArmSummary, other: ArmSummary) -> str:
    """How their status codes differ: the beginning of a sentence."""
    return (
        f"The arms were answered differently ({first.label} {_statuses(first)}; "
        f"{other.label} {_statuses(other)})"
    )


def _statuses(arm: ArmSummary) -> str:
    return ", ".join(f"{count:,} × {status}" for status, count in arm.status_codes.items())
