"""Does the interval of a quantile's saving hold the truth, and is it narrow where noise is common?

Latencies are in milliseconds. Missing intervals are counted apart; a width is told as a share of
what the arms' own intervals would make of it, had they nothing in common.
"""

from __future__ import annotations

from functools import lru_cache, partial
from math import exp, hypot, log, sqrt
from statistics import NormalDist, fmean
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench import Experiment
from keepalive_bench.analysis.arm_view import ArmView
from keepalive_bench.analysis.pairs import pair
from keepalive_bench.analysis.savings import quantile_savings
from worlds.drawn import run_of
from worlds.world import Bounds, World

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from worlds.world import Counted

    Latencies = Sequence[float]

_NORMAL = NormalDist()
_BISECTIONS = 60
_REGIMES = "regimes that both are in"
_BUSY, _STAY, _SLOWER = 0.3, 20, 1.3
"""Of the time, how much is busy; for how many pairs on end, on average; how much slower it is."""


class Process(NamedTuple):
    """How the latencies of both arms come about."""

    name: str
    draw: Callable[[int, Random], tuple[Latencies, Latencies]]
    saving: Callable[[float], float]
    """The truth, by the quantile's share."""
    is_common: bool = False
    """Whether most of the noise is common to both arms, and of a size in both."""


def _series(count: int, correlation: float, random: Random) -> list[float]:
    """Autoregressive of first order, with a standard deviation of 1."""
    level, fresh, found = random.gauss(0, 1), sqrt(1 - correlation * correlation), []
    for _ in range(count):
        found.append(level)
        level = correlation * level + fresh * random.gauss(0, 1)
    return found


def _apart(correlation: float) -> Process:
    """Each arm has noise of its own."""

    def draw(count: int, random: Random) -> tuple[Latencies, Latencies]:
        own, other = (
            [level * exp(0.2 * it) for it in _series(count, correlation, random)]
            for level in (10, 30)
        )
        return own, other

    name = f"AR({correlation:g}) in each arm" if correlation else "white noise"
    return Process(name, draw, lambda share: 20 * exp(0.2 * _NORMAL.inv_cdf(share)))


def _added(correlation: float) -> Process:
    def draw(count: int, random: Random) -> tuple[Latencies, Latencies]:
        shared = _series(count, correlation, random)
        own, other = (
            [level + 3 * it + random.gauss(0, 1.5) for it in shared] for level in (30, 70)
        )
        return own, other

    return Process(f"AR({correlation:g}) added to both", draw, lambda _: 40.0, is_common=True)


def _multiplied(correlation: float, levels: tuple[int, int], *, is_common: bool) -> Process:
    def draw(count: int, random: Random) -> tuple[Latencies, Latencies]:
        shared = _series(count, correlation, random)
        own, other = (
            [level * exp(0.2 * it + random.gauss(0, 0.1)) for it in shared] for level in levels
        )
        return own, other

    def saving(share: float) -> float:
        return (levels[1] - levels[0]) * exp(hypot(0.2, 0.1) * _NORMAL.inv_cdf(share))

    name = f"AR({correlation:g}) multiplies {levels[0]} and {levels[1]} ms"
    return Process(name, draw, saving, is_common)


def _regimes() -> Process:
    """The system is busy at times, and both arms slower."""

    def draw(count: int, random: Random) -> tuple[Latencies, Latencies]:
        leave = 1 / _STAY
        enter, busy, factors = leave * _BUSY / (1 - _BUSY), random.random() < _BUSY, []
        for _ in range(count):
            factors.append(_SLOWER if busy else 1.0)
            busy = random.random() >= leave if busy else random.random() < enter
        own, other = (
            [level * it * exp(random.gauss(0, 0.1)) for it in factors] for level in (100, 140)
        )
        return own, other

    return Process(_REGIMES, draw, lambda it: 40 * _regime(it), is_common=True)


@lru_cache
def _regime(share: float) -> float:
    """The quantile of a mixture of two lognormal distributions, by bisection."""
    low, high = -1.0, 2.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        quiet, slower = (_NORMAL.cdf((middle - log(factor)) / 0.1) for factor in (1, _SLOWER))
        below = (1 - _BUSY) * quiet + _BUSY * slower
        low, high = (middle, high) if below < share else (low, middle)
    return exp(high)


_PROCESSES = (
    _apart(0.0),
    _apart(0.5),
    _added(0.9),
    _multiplied(0.9, (100, 140), is_common=True),
    _multiplied(0.5, (10, 30), is_common=False),
    _regimes(),
)


def _judged(number: int, requests: int, random: Random) -> Counted:
    process, experiment = _PROCESSES[number], Experiment(requests=requests, seed=1)
    latencies = process.draw(requests, random)
    run = run_of(experiment, dict(zip(experiment.labels, latencies, strict=True)))
    own, other = (ArmView(label, run.plan, run.exchanges) for label in experiment.labels)
    savings = quantile_savings(own, other, pair(own, other))
    metrics = [f"p{percent}" for percent in _percents(requests)]
    held: dict[str, float | None] = {}
    widths: list[float] = []
    for metric in metrics:
        _, low, high = savings[metric]
        if low is None or high is None:
            held[f"{metric} held"] = None
            continue
        held[f"{metric} held"] = float(low <= process.saving(int(metric[1:]) / 100) <= high)
        ends = (it.quantile_intervals.get(metric) for it in (own, other))
        known = [end[1] - end[0] for end in ends if end is not None]
        widths += [(high - low) / hypot(*known)] if len(known) > 1 else []
    missing = [*held.values()].count(None) / len(metrics)
    return {"missing": missing, **held, "width": fmean(widths) if widths else None}


def _percents(requests: int) -> tuple[int, ...]:
    return (50, 90, 95) if requests >= _ENOUGH_FOR_P95 else (50, 90)


_ENOUGH_FOR_P95 = 72
_RUNS = {50: 1_500, 200: 1_000}
_MORE_RUNS = 4_000
"""Where the rate is so near to its bound that fewer don't tell."""
_HELD = {f"p{percent} held": Bounds(least=0.92) for percent in (50, 90, 95)}
_NARROW = {"width": Bounds(most=0.5)}

WORLDS = tuple(
    World(
        f"{process.name}, {requests} requests",
        partial(_judged, number, requests),
        _MORE_RUNS if process.name == _REGIMES and requests >= _ENOUGH_FOR_P95 else runs,
        _HELD | (_NARROW if process.is_common and requests >= _ENOUGH_FOR_P95 else {}),
    )
    for number, process in enumerate(_PROCESSES)
    for requests, runs in _RUNS.items()
)
