"""Comparisons that a busy machine doesn't decide: random order, ratios within a round, a median.

What is compared runs once a round, in an order drawn anew each time, and only times of one round
are divided by each other: a machine that slows down for a while slows both.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from statistics import median, quantiles
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from random import Random

_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Spread:
    """A median, the interval that holds the true one, and the quartiles of what it stands for."""

    median: float
    interval: tuple[float, float]
    quartiles: tuple[float, float]


@dataclass(frozen=True)
class Figure:
    """A ratio that was measured, and what it may be at most; `None`: it is only told."""

    name: str
    ratio: Spread
    target: float | None = None

    @property
    def verdict(self) -> str:
        """Whether the median keeps to the target."""
        if self.target is None:
            return ""
        return "MET" if self.ratio.median <= self.target else "MISSED"


def in_turns(
    subjects: Mapping[str, Callable[[], float]], rounds: int, random: Random
) -> dict[str, list[float]]:
    """Run every subject once a round; the seconds that each returned, by round."""
    seconds: dict[str, list[float]] = {name: [] for name in subjects}
    for _ in range(rounds):
        for name in random.sample(list(subjects), len(subjects)):
            seconds[name].append(subjects[name]())
    return seconds


def ratio(times: Sequence[float], others: Sequence[float]) -> Spread:
    """What one subject's times are of another's, round by round."""
    return spread([time / other for time, other in zip(times, others, strict=True)])


def spread(values: Sequence[float]) -> Spread:
    """The median, a 95 % CI for it that assumes no distribution, and the quartiles.

    The interval lies between two order statistics (the sign test, turned round): W. J. Conover,
    "Practical Nonparametric Statistics", 3rd edition, section 3.2.
    """
    ordered = sorted(values)
    cut = _ranks_beyond(len(ordered))
    lower, _, upper = quantiles(ordered, n=4, method="inclusive")
    return Spread(median(ordered), (ordered[cut], ordered[-1 - cut]), (lower, upper))


def _ranks_beyond(count: int) -> int:
    """How many values at each end the interval leaves out (none of fewer than 6)."""
    rank, tail = 0, 1 / 2**count
    while tail + comb(count, rank + 1) / 2**count <= (1 - _CONFIDENCE) / 2:
        rank += 1
        tail += comb(count, rank) / 2**count
    return rank if rank < count / 2 else 0


def report(title: str, figures: Sequence[Figure]) -> bool:
    """Print a table; whether every target is met."""
    width = max(len(figure.name) for figure in figures)
    print(f"\n{title}\n")
    print(f"  {'':{width}}  ratio   95 % CI         quartiles       at most")
    for figure in figures:
        ratio_ = figure.ratio
        target = "" if figure.target is None else f"{figure.target:.2f}  {figure.verdict}"
        line = (
            f"  {figure.name:{width}}  {ratio_.median:.3f}   {_range(ratio_.interval)}   "
            f"{_range(ratio_.quartiles)}   {target}"
        )
        print(line.rstrip())
    return all(figure.verdict != "MISSED" for figure in figures)


def _range(bounds: tuple[float, float]) -> str:
    return f"{bounds[0]:.3f} … {bounds[1]:.3f}"
