"""Where connections have to be opened again, do both ratios hold the truth, and which one leads?

A request takes a round trip of lognormal noise, opening a connection two more. The unpooled arm
always opens one, the pooled one for some requests only; of identical arms, both do.
"""

from __future__ import annotations

from functools import partial
from math import exp, sqrt
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench import Experiment
from keepalive_bench.analysis.arm_view import ArmView
from keepalive_bench.analysis.effects import (
    has_heavy_tails,
    leading,
    mean_ratio,
    typical_effect,
)
from keepalive_bench.analysis.pairs import pair
from keepalive_bench.plan.plan import Arm
from keepalive_bench.results.exchange import Outcome
from worlds.drawn import Record
from worlds.world import Bounds, World

if TYPE_CHECKING:
    from random import Random

    from worlds.world import Counted

_SPREAD, _CONNECT = 0.1, 2.0
_TAIL_SHARE, _TAIL = 0.03, 20.0
"""How many requests are slow, and how much longer they take, on average; of both arms alike."""
_SPEEDUP, _MEAN_RATIO = "speed-up held", "ratio of means held"
_MEAN_LEADS, _FALSE = "all requests lead", "called different"
_COVERED = Bounds(least=0.92)
_AMPLY = Bounds(least=0.90)
"""Of means, whose bootstrap is a little too narrow for few and skewed values (Hesterberg, 2015)."""


class Kind(NamedTuple):
    """How an arm's connections and its noise are."""

    opened: float = 0.0
    """The share of requests that open one, by chance."""
    every: int = 0
    """Or each n-th does."""
    correlation: float = 0.0
    tails: bool = False

    def opens(self, index: int, random: Random) -> bool:
        """Whether a request does; the first always does."""
        if self.every:
            return index % self.every == 0
        return not index or random.random() < self.opened

    def share(self, requests: int) -> float:
        """The share of requests that do, in the long run."""
        return 1 / self.every if self.every else (1 + self.opened * (requests - 1)) / requests


def _record(requests: int, kind: Kind, *, alike: bool, random: Random) -> Record:
    arms = (Arm("pooled"), Arm("pooled", "other") if alike else Arm("unpooled"))
    record, now_s = Record(Experiment(requests=requests, seed=1, arms=arms)), 0.0
    labels = record.plan.experiment.labels
    rows, noise = dict.fromkeys(labels, 0), dict.fromkeys(labels, 0.0)
    for index in range(requests):
        for label in labels:
            is_new = kind.opens(index, random) if label != "unpooled" else True
            if is_new:
                rows[label] = record.open(label, opened_s=now_s)
            fresh = random.gauss(0, _SPREAD * sqrt(1 - kind.correlation**2))
            noise[label] = kind.correlation * noise[label] + fresh
            latency_s = exp(noise[label]) + (_CONNECT if is_new else 0.0)
            if kind.tails and random.random() < _TAIL_SHARE:
                latency_s += random.expovariate(1 / _TAIL)
            record.send(label, index, index, Outcome(now_s, latency_s, rows[label]))
            now_s += latency_s
    return record


def _compared(requests: int, kind: Kind, random: Random, *, alike: bool = False) -> Counted:
    record = _record(requests, kind, alike=alike, random=random)
    plan, exchanges = record.plan, record.exchanges
    views = [ArmView(label, plan, exchanges) for label in plan.experiment.labels]
    pairs = pair(*views)
    effect = typical_effect(pairs, plan)
    ratio = mean_ratio(exchanges, pairs, plan, effect.interval_inflation)
    tails = has_heavy_tails(exchanges, pairs, plan, effect, ratio)
    leads = leading(effect.speedup, ratio, has_heavy_tails=tails, can_be_told=True)
    if alike:
        low, high = (effect.speedup if leads == "speedup" else ratio)[1:]
        return {_FALSE: None if low is None or high is None else float(not low <= 1 <= high)}
    mean = exp(_SPREAD**2 / 2)
    typical = _TYPICAL
    found: dict[str, float | None] = {_MEAN_LEADS: float(leads == "mean_ratio")}
    for name, it, truth in (
        (_SPEEDUP, effect.speedup, typical),
        (_MEAN_RATIO, ratio, (mean + _CONNECT) / (mean + kind.share(requests) * _CONNECT)),
    ):
        _, low, high = it
        found[name] = None if low is None or high is None else float(low <= truth <= high)
    return found


_TYPICAL = 3.0 / 1.0
"""The median of both: of symmetric noise that hardly bends the logarithm."""


def _world(
    requests: int, kind: Kind, said: str, bounds: dict[str, Bounds], *, alike: bool = False
) -> World:
    simulate = partial(_compared, requests, kind, alike=alike)
    return World(f"{said}, {requests}", simulate, 800, bounds)


_BOTH = {_SPEEDUP: _COVERED, _MEAN_RATIO: _AMPLY}
WORLDS = (
    *(
        _world(requests, kind, said, _BOTH)
        for requests in (50, 200)
        for kind, said in (
            (Kind(every=10), "each 10th opens one"),
            (Kind(every=2), "each 2nd opens one"),
            (Kind(opened=0.1), "one in ten does, by chance"),
            (Kind(opened=0.33, correlation=0.5), "one in three; noise of lag 1 0.5"),
        )
    ),
    _world(200, Kind(every=200), "only the first does", {_SPEEDUP: _COVERED}),
    *(
        _world(requests, kind, said, {_FALSE: Bounds(most=0.06)}, alike=True)
        for requests in (50, 200)
        for kind, said in (
            (Kind(), "identical arms"),
            (Kind(opened=0.1), "identical arms, one in ten opens one"),
            (Kind(tails=True), "identical arms, 3 in 100 slow"),
            (Kind(opened=0.33, tails=True), "identical arms, one in three, 3 in 100 slow"),
        )
    ),
)
