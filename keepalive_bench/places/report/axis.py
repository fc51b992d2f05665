"""The axis that all places share, so that the eye can go from one to the other."""

from __future__ import annotations

from math import ceil, floor, log, log10
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.report.histogram import reach

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_BESIDE = 0.03
"""How much of the axis is left free at either end."""
_EDGE = 0.99
"""Where what is slower than the axis lies."""
_WANTED, _APART, _FAR_APART = (1, 5, 2), 0.09, 0.2
"""Of a power of ten, the most wanted ticks first; so near to each other they may be, and where
there is little room."""
_FIRST = (5, 3, 2, 1)
"""Of a power of ten, with what an axis may begin."""
_STEPS, _MOST_STEPS = (1, 2, 5, 10), 8


class Tick(NamedTuple):
    """A labelled place on the axis."""

    latency_s: float
    is_minor: bool
    """Whether it is left out where there is little room."""

    @property
    def words(self) -> str:
        """In milliseconds: the axis says that once."""
        return f"{1e3 * self.latency_s:,.12g}"


class Axis(NamedTuple):
    """Latencies from the left to the right; logarithmic where some would be lost beside others."""

    low_s: float
    high_s: float
    first_s: float
    """The first tick, at or before the least that is shown."""
    logarithmic: bool

    def share(self, latency_s: float) -> float:
        """How far from the left a latency lies."""
        if self.logarithmic:
            part = log(max(latency_s, self.low_s) / self.low_s) / log(self.high_s / self.low_s)
        else:
            part = latency_s / self.high_s
        return part if part <= 1 else _EDGE

    def ticks(self) -> Iterator[Tick]:
        """From the left to the right."""
        if not self.logarithmic:
            yield from self._equal_steps()
            return
        many, few = self._chosen(_APART), self._chosen(_FAR_APART)
        yield from (Tick(it, it not in few) for it in sorted(many))

    def _chosen(self, apart: float) -> list[float]:
        """The first tick, and others so far from it and each other, the most wanted first."""
        powers = range(floor(log10(self.low_s)), ceil(log10(self.high_s)) + 1)
        chosen = [self.first_s]
        for wanted in (float(f"{digit}e{power}") for digit in _WANTED for power in powers):
            is_free = all(abs(self.share(wanted) - self.share(it)) >= apart for it in chosen)
            if self.first_s < wanted <= self.high_s and is_free:
                chosen.append(wanted)
        return chosen

    def _equal_steps(self) -> Iterator[Tick]:
        power = floor(log10(self.high_s / _MOST_STEPS))
        step = next(
            it
            for it in (float(f"{digit}e{power}") for digit in _STEPS)
            if it * _MOST_STEPS >= self.high_s
        )
        for number in range(int(self.high_s / step) + 1):
            yield Tick(number * step, number % 2 == 1)


def axis_of(spreads: Sequence[Sequence[float]], least_s: float) -> Axis:
    """The axis for some arms, at one place or several, and for something as small as `least_s`.

    It takes sorted latencies, one of each arm at least.
    """
    low_s, high_s, is_logarithmic = reach(spreads, from_zero=True)
    if not is_logarithmic:
        return Axis(0.0, high_s * (1 + _BESIDE), 0.0, logarithmic=False)
    first_s = _at_most(min(low_s, least_s))
    beside = (high_s / first_s) ** _BESIDE
    return Axis(first_s / beside, high_s * beside, first_s, logarithmic=True)


def _at_most(latency_s: float) -> float:
    """The largest that an axis may begin with, of those that aren't above a latency."""
    power = floor(log10(latency_s))
    wanted = (float(f"{digit}e{it}") for it in (power, power - 1) for digit in _FIRST)
    return next(it for it in wanted if it <= latency_s)
