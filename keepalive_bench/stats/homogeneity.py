"""Whether groups of counts are alike: Pearson's chi-square test of homogeneity."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def heterogeneity(groups: Sequence[Mapping[str, int]]) -> float:
    """How much groups of counts differ, as a standard normal deviate: above 3.1, p < 0.001.

    Pearson's chi-square over all values and groups (Agresti, "Categorical Data Analysis", section
    3.2), made normal by Wilson and Hilferty's cube root (Abramowitz and Stegun, 26.4.14). Groups
    without a count are left out; 0 where there is nothing to compare.
    """
    totals = [total for group in groups if (total := sum(group.values()))]
    filled = [group for group in groups if sum(group.values())]
    names = {name for group in filled for name, count in group.items() if count}
    if min(len(filled), len(names)) <= 1:
        return 0.0
    freedom = (len(filled) - 1) * (len(names) - 1)
    everything, square = sum(totals), 0.0
    for name in names:
        share = sum(group.get(name, 0) for group in filled) / everything
        for group, total in zip(filled, totals, strict=True):
            expected = share * total
            square += (group.get(name, 0) - expected) ** 2 / expected
    spread = 2 / (9 * freedom)
    root: float = (square / freedom) ** (1 / 3)
    return (root - (1 - spread)) / sqrt(spread)
