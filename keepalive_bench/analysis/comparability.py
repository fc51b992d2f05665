"""Whether two arms were answered alike, so that their times mean the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from keepalive_bench.units import plural, size

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keepalive_bench.analysis.analysis import ArmSummary
    from keepalive_bench.stats.intervals import Estimate

K = TypeVar("K", int, str)
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
    arms, one, two = (first, other), first.label, other.label
    if abs(first.failed / first.sent - other.failed / other.sent) > SAME:
        failed = [f"{arm.failed:,} of {plural(arm.sent, 'request')}" for arm in arms]
        return f"The arms didn't fail alike ({one} in {failed[0]}, {two} in {failed[1]})"
    means = [arm.mean_body or 0.0 for arm in arms]
    if abs(means[0] - means[1]) <= SAME * max(means):
        return ""
    sizes = [*map(size, means)]
    return f"The arms' answers differ in size ({one} {sizes[0]} on average, {two} {sizes[1]})"


def distance(one: Mapping[K, int], other: Mapping[K, int]) -> float:
    """How far apart two counts are: the total variation distance of their shares, 0 to 1."""
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
