"""Whether a level shifts somewhere in a series, and where. Floats in, floats out."""

from __future__ import annotations

from array import array
from itertools import accumulate, chain, repeat
from math import exp, fsum, log, sqrt
from operator import mul, sub
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.stats.dependence import centred_ranks, dependence_of, detrended
from keepalive_bench.stats.descriptive import in_blocks

if TYPE_CHECKING:
    from collections.abc import Sequence

LEAST_FOR_CHANGE = 20
"""Of fewer values, none is told."""
_MOST_BLOCKS = 2_000
"""Of more values, the medians of as many blocks stand for all."""
_REMOVED = 2
"""Parameters that are fitted, and taken off: two levels, or a line's two."""

_ONE_PARAMETER = 2.0
"""What it costs by Akaike's criterion."""


class ChangePoint(NamedTuple):
    """Where values change their level."""

    at: int
    """How many values come before it."""
    is_gradual: bool
    """Whether a line fits the values better than two levels do, which take a parameter more."""


def change_point(values: Sequence[float], level: float) -> ChangePoint | None:
    """The place that parts values best into two levels; `None` where chance alone would, too.

    Chance would in a share `level` of all cases at the most. The test is A. N. Pettitt's, "A
    Non-Parametric Approach to the Change-Point Problem", Journal of the Royal Statistical Society C
    28 (1979), with the approximate significance given there: how far the ranks, added up from the
    first on, get away from 0. Where values depend on those before them, that is farther by the root
    of their inefficiency: of what the two levels leave over, or a line, if that fits better by H.
    Akaike's criterion (IEEE Transactions on Automatic Control 19, 1974). `None` of fewer than 20.
    """
    if len(values) < LEAST_FOR_CHANGE:
        return None
    blocks = in_blocks(values, _MOST_BLOCKS)
    ranks = centred_ranks([*map(median, blocks)])
    sums, count = [*accumulate(ranks)], len(ranks)
    at = max(range(1, count), key=lambda before: abs(sums[before - 1]))
    before, after = sums[at - 1] / at, -sums[at - 1] / (count - at)
    around = array("d", map(sub, ranks, chain(repeat(before, at), repeat(after))))
    line = detrended(ranks)
    is_gradual = _squares(line) < exp(_ONE_PARAMETER / count) * _squares(around)
    inefficiency = dependence_of(line if is_gradual else around, _REMOVED).inefficiency
    farthest = abs(sums[at - 1]) / sqrt(inefficiency)
    if farthest <= sqrt(-log(level / 2) / 2 * _squares(ranks) * count / (count - 1)):
        return None
    return ChangePoint(sum(map(len, blocks[:at])), is_gradual)


def _squares(values: Sequence[float]) -> float:
    return fsum(map(mul, values, values))
