"""Latencies whose truth is known: heavy tails, and a drift and a jitter that the arms share.

The pooled arm's answer takes a round trip and the server's own time; the unpooled arm's takes two
round trips more. So the arms' shapes differ, and their log ratios are skewed, as in reality.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from math import exp, hypot, log, sqrt
from random import Random
from statistics import NormalDist, median
from typing import NamedTuple

from keepalive_bench.stats.descriptive import hodges_lehmann

POOLED, UNPOOLED = 1.0, 3.0
"""Round trips, which are the unit of time."""
_TAIL, _SERVER = 2.5, 0.3
"""The server's time is 0.3 × a Lomax variable: P(X > x) = (1 + x)**-2.5, of infinite skewness."""
_DRIFT = 0.5
"""Everything is half as slow again at the end of a run."""
_JITTER = 0.1
"""Standard deviation of the logarithm of what the two requests of a pair share."""
_FINE, _RATIO_FINE = 100, 300
_BISECTIONS = 30
_MANY_BLOCKS = 10_000
_NORMAL = NormalDist()


class Noise(NamedTuple):
    """What an arm's own noise is like before it is given its heavy tail."""

    correlation: float = 0.0
    """Of the part that lasts, at lag 1."""
    share: float = 1.0
    """Of the variance, how much lasts; the rest is white."""

    @property
    def said(self) -> str:
        """As a table has it."""
        if self.share == 1:
            return f"{self.correlation:g}"
        return f"{self.correlation:g} of {100 * self.share:g} %"


def draw(
    requests: int,
    noise: Noise,
    random: Random,
    round_trips: tuple[float, float] = (POOLED, UNPOOLED),
) -> tuple[list[float], list[float]]:
    """The latencies of a run, of the pooled and of the unpooled arm."""
    shared = [
        _drift((number + 0.5) / requests) * exp(random.gauss(0, _JITTER))
        for number in range(requests)
    ]
    pooled, unpooled = (
        [
            common * (trips + _server_time(_NORMAL.cdf(-value)))
            for common, value in zip(shared, _drawn(requests, noise, random), strict=True)
        ]
        for trips in round_trips
    )
    return pooled, unpooled


def draw_blocks(
    rounds: int,
    size: int,
    between: float,
    random: Random,
    round_trips: tuple[float, float] = (POOLED, UNPOOLED),
) -> tuple[list[float], list[float]]:
    """The latencies of blocks of several requests at a time, one after the other, of both arms.

    Blocks share the run's drift and a jitter with the other arm's of the same round; besides, each
    has a level of its own, whose logarithm has `between` for its standard deviation.
    """
    pooled: list[float] = []
    unpooled: list[float] = []
    for number in range(rounds):
        common = _drift((number + 0.5) / rounds) * exp(random.gauss(0, _JITTER))
        for arm, trips in zip((pooled, unpooled), round_trips, strict=True):
            level = common * exp(random.gauss(0, between))
            arm.extend(level * (trips + _server_time(1 - random.random())) for _ in range(size))
    return pooled, unpooled


def _drawn(requests: int, noise: Noise, random: Random) -> list[float]:
    """Normal noise: a first-order autoregressive part, and white noise."""
    correlation, share = noise
    lasting = [random.gauss(0, 1)]
    fresh = sqrt(1 - correlation * correlation)
    for _ in range(requests - 1):
        lasting.append(correlation * lasting[-1] + fresh * random.gauss(0, 1))
    if share == 1:
        return lasting
    white = sqrt(1 - share)
    return [sqrt(share) * value + white * random.gauss(0, 1) for value in lasting]


def _drift(share: float) -> float:
    return 1 + _DRIFT * share


def _server_time(beyond: float) -> float:
    """What a share of all requests exceeds."""
    return _SERVER * (float(beyond ** (-1 / _TAIL)) - 1)


def _exceeding(time: float) -> float:
    """The share of requests whose server time exceeds this."""
    return float((1 + max(time, 0.0) / _SERVER) ** -_TAIL)


def true_log_ratio() -> float:
    """What the Hodges-Lehmann estimate estimates: the median of averages of two log ratios."""
    times = [_server_time(share) for share in _midpoints(_RATIO_FINE)]
    pairs = product(times, times)
    typical = hodges_lehmann([log((UNPOOLED + one) / (POOLED + other)) for one, other in pairs])
    if typical is None:
        raise ValueError("there are no ratios")
    return typical


def true_block_log_ratio(size: int) -> float:
    """What the Hodges-Lehmann estimate estimates where medians of blocks are pairs.

    By simulation: its own error is a hundredth of what a run of some ten rounds has.
    """
    random = Random(f"blocks of {size}")  # noqa: S311  # not for secrets
    ratios = []
    for _ in range(_MANY_BLOCKS):
        halves = draw_blocks(1, size, 0.0, random)
        ratios.append(log(median(halves[1]) / median(halves[0])))
    typical = hodges_lehmann(ratios)
    if typical is None:
        raise ValueError("there are no ratios")
    return typical


@lru_cache
def true_quantile(trips: float, percent: int, between: float = 0.0) -> float:
    """The quantile of an arm's latencies over a whole run, drift and jitter included."""
    shared, share = _shared(between), 1 - percent / 100
    alone = trips + _server_time(share)
    low, high = min(shared) * alone, max(shared) * alone
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        beyond = sum(_exceeding(middle / common - trips) for common in shared) / len(shared)
        low, high = (middle, high) if beyond > share else (low, middle)
    return high


@lru_cache
def _shared(between: float) -> list[float]:
    spread = hypot(_JITTER, between)
    jitters = [exp(spread * _NORMAL.inv_cdf(share)) for share in _midpoints(_FINE)]
    return [_drift(share) * jitter for share, jitter in product(_midpoints(_FINE), jitters)]


def true_mean(trips: float, between: float = 0.0) -> float:
    """The mean of an arm's latencies: that of a Lomax variable is 1 ÷ (tail − 1)."""
    spread = hypot(_JITTER, between)
    return (trips + _SERVER / (_TAIL - 1)) * (1 + _DRIFT / 2) * exp(spread**2 / 2)


def _midpoints(count: int) -> list[float]:
    return [(number + 0.5) / count for number in range(count)]
