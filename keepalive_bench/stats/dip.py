"""Hartigans' dip: how far values are from having a single mode.

J. A. Hartigan and P. M. Hartigan, "The Dip Test of Unimodality", The Annals of Statistics 13
(1985), 70-84. A distribution with one mode has a distribution function that is convex before it and
concave after it. The dip is the largest distance between the empirical distribution function and
the nearest one of that shape.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import accumulate, groupby, pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class _Steps(NamedTuple):
    """An empirical distribution function, in values counted."""

    at: list[float]
    below: list[int]
    """Its height before each step."""
    upto: list[int]
    """Its height after it."""


def dip(ordered: Sequence[float]) -> float:
    """The dip of sorted values, from 1/(2n) to 1/4; 0 of values that are all the same.

    As the authors do it: the stretch that holds the mode is narrowed until the greatest convex
    minorant and the least concave majorant of the function over it are no farther apart than the
    function is from them outside of it.
    """
    steps = _steps(ordered)
    first, last, found = 0, len(steps.at) - 1, 1.0
    if first == last:
        return 0.0
    while first < last:
        under = _hull(steps.at, steps.below, first, last, turn=1)
        over = _hull(steps.at, steps.upto, first, last, turn=-1)
        distance, low, high = _widest(steps, under, over)
        if distance <= found:
            break
        found = max([found, *_left(steps, under, low), *_right(steps, over, high)])
        if (low, high) == (first, last):
            break
        first, last = low, high
    return found / (2 * len(ordered))


def _steps(ordered: Sequence[float]) -> _Steps:
    counts = [(value, len(list(same))) for value, same in groupby(ordered)]
    upto = list(accumulate(count for _, count in counts))
    return _Steps([value for value, _ in counts], [0, *upto[:-1]], upto)


def _hull(at: list[float], height: list[int], first: int, last: int, *, turn: int) -> list[int]:
    """The corners of a convex (turn 1) or concave (-1) line under or over points."""
    corners: list[int] = []
    for point in range(first, last + 1):
        while len(corners) > 1:
            one, two = corners[-2:]
            before = (height[two] - height[one]) * (at[point] - at[one])
            after = (height[point] - height[one]) * (at[two] - at[one])
            if turn * (after - before) > 0:
                break
            corners.pop()
        corners.append(point)
    return corners


def _line(at: list[float], height: list[int], one: int, two: int, point: int) -> float:
    """The height at a point of the line from a corner to the next."""
    share = (at[point] - at[one]) / (at[two] - at[one])
    return height[one] + (height[two] - height[one]) * share


def _widest(steps: _Steps, under: list[int], over: list[int]) -> tuple[float, int, int]:
    """How far apart the two lines are at most, and between which corners that is."""
    at, widest = steps.at, (0.0, under[0], under[-1])
    for corner in under:
        place = max(1, bisect_left(over, corner))
        line = _line(at, steps.upto, over[place - 1], over[place], corner)
        widest = max(widest, (line - steps.below[corner], corner, over[place]), key=_distance)
    for corner in over:
        place = min(len(under) - 1, bisect_right(under, corner))
        line = _line(at, steps.below, under[place - 1], under[place], corner)
        widest = max(widest, (steps.upto[corner] - line, under[place - 1], corner), key=_distance)
    return widest


def _distance(candidate: tuple[float, int, int]) -> float:
    return candidate[0]


def _left(steps: _Steps, under: list[int], low: int) -> Iterator[float]:
    """How far the function is above the convex line before the mode."""
    for one, two in pairwise(under):
        if two <= low:
            for point in range(one, two + 1):
                yield steps.upto[point] - _line(steps.at, steps.below, one, two, point)


def _right(steps: _Steps, over: list[int], high: int) -> Iterator[float]:
    """How far it is below the concave line after it."""
    for one, two in pairwise(over):
        if one >= high:
            for point in range(one, two + 1):
                yield _line(steps.at, steps.upto, one, two, point) - steps.below[point]
