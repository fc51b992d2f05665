"""Is a level that shifts in one arm found, and what does a verdict make of it?

Latencies are lognormal, with a standard deviation of 20 % in each arm, and the arms alike but for
what happens to one of them. So a verdict that one is faster, or slower, is false.
"""

from __future__ import annotations

from functools import partial
from itertools import accumulate
from math import exp, log, sqrt
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench import Experiment, analyse
from keepalive_bench.analysis.arm_view import ArmView
from keepalive_bench.analysis.pairs import pair
from keepalive_bench.analysis.shift import shift_of
from keepalive_bench.analysis.verdict import verdict_of
from worlds.drawn import run_of
from worlds.world import Bounds, World

if TYPE_CHECKING:
    from random import Random

    from keepalive_bench import Run
    from worlds.world import Counted

_SPREAD = 0.2
_THREADS = 4
_WRONG = {"faster", "slower"}
_FOUND, _NEAR, _STEP = "shift found", "and its place, within 10 %", "and called one, not a drift"
_FALSE, _PLAIN = "false verdict", "the same if nobody looked for shifts"


class Happening(NamedTuple):
    """What happens in the course of a run, and of what kind its noise is."""

    shift: float = 0.0
    """By which share the pooled arm is slower after it."""
    at: float = 0.5
    """After which share of the requests."""
    drift: float = 0.0
    """By which share the pooled arm becomes slower, evenly, up to the end."""
    common: float = 0.0
    """By which share both arms do."""
    correlation: float = 0.0
    """Of an arm's noise, at lag 1."""


def _drawn(requests: int, what: Happening, random: Random, concurrency: int = 1) -> Run:
    experiment = Experiment(requests=requests, concurrency=concurrency, seed=1)
    own, other = (_noise(requests, what.correlation, random) for _ in range(2))
    for number in range(requests):
        share = number / requests
        common = log(1 + what.common) * share
        own[number] += common + log(1 + what.drift) * share
        own[number] += log(1 + what.shift) * (share >= what.at)
        other[number] += common
    halves = {"pooled": own, "unpooled": other}
    return run_of(
        experiment, {label: [0.01 * exp(it) for it in noise] for label, noise in halves.items()}
    )


def _noise(requests: int, correlation: float, random: Random) -> list[float]:
    fresh = [random.gauss(0, _SPREAD * sqrt(1 - correlation**2)) for _ in range(requests - 1)]
    return [
        *accumulate(
            fresh, lambda last, new: correlation * last + new, initial=random.gauss(0, _SPREAD)
        )
    ]


def _found(requests: int, what: Happening, random: Random) -> Counted:
    run = _drawn(requests, what, random)
    own, other = (ArmView(label, run.plan, run.exchanges) for label in run.plan.experiment.labels)
    found = shift_of(own, other, pair(own, other))
    if found is None:
        return {_FOUND: 0.0, _NEAR: None, _STEP: None}
    is_near = abs(found.index - what.at * requests) <= requests / 10
    return {
        _FOUND: 1.0,
        _NEAR: float(is_near) if what.shift else None,
        _STEP: float(not found.is_gradual),
    }


def _judged(requests: int, concurrency: int, what: Happening, random: Random) -> Counted:
    analysis = analyse(_drawn(requests, what, random, concurrency))
    (comparison,) = analysis.comparisons
    plain = verdict_of(analysis.arms, [comparison._replace(shift=None)], analysis.plan)
    return {
        _FOUND: float(comparison.shift is not None),
        _FALSE: float(analysis.verdict.code in _WRONG),
        _PLAIN: float(plain.code in _WRONG),
    }


_RARE = {_FOUND: Bounds(most=0.02)}
_SHIFT = Happening(shift=0.15)
_ALARMS = {
    "white noise": Happening(),
    "AR(0.5)": Happening(correlation=0.5),
    "a common drift of 30 %": Happening(common=0.3),
}

WORLDS = (
    *(
        World(f"{name}, {requests} requests", partial(_found, requests, what), runs, _RARE)
        for name, what in _ALARMS.items()
        for requests, runs in ((50, 4_000), (200, 2_000))
    ),
    *(
        World(f"shift of 15 %, {requests} requests", partial(_found, requests, _SHIFT), 600, bounds)
        for requests, bounds in ((50, {}), (200, {_FOUND: Bounds(least=0.5)}))
    ),
    World(
        "a drift of 30 % in one arm, 200 requests",
        partial(_found, 200, Happening(drift=0.3)),
        600,
        {},
    ),
    *(
        World(f"verdict, {name}", partial(_judged, requests, concurrency, what), runs, {})
        for name, requests, concurrency, what, runs in (
            ("no shift, 50 requests", 50, 1, Happening(), 300),
            ("shift of 15 %, 50 requests", 50, 1, _SHIFT, 300),
            ("no shift, 200 requests", 200, 1, Happening(), 200),
            ("shift of 15 %, 200 requests", 200, 1, _SHIFT, 200),
            ("shift of 15 %, 24 blocks", 24 * 40, _THREADS, _SHIFT, 100),
        )
    ),
)
