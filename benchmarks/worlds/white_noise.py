"""Is noise that doesn't last called autocorrelated, or does one request more widen an interval?

Every latency is lognormal, independent of all others; the arms differ by a factor of 2.
"""

from __future__ import annotations

from functools import partial
from math import exp, log
from typing import TYPE_CHECKING

from keepalive_bench import Experiment, analyse
from keepalive_bench.analysis.arm_view import ArmView
from keepalive_bench.analysis.effects import typical_effect
from keepalive_bench.analysis.pairs import pair
from worlds.drawn import run_of
from worlds.world import Bounds, World

if TYPE_CHECKING:
    from random import Random

    from keepalive_bench import Run
    from worlds.world import Counted

_SPREAD = 0.2
"""Standard deviation of a latency's logarithm."""
_LEVELS_S = {"pooled": 0.01, "unpooled": 0.02}
_THREADS = 4
_TOLD, _WIDER = "called autocorrelated", "wider interval with one request more"


def _drawn(requests: int, concurrency: int, random: Random) -> Run:
    experiment = Experiment(requests=requests, concurrency=concurrency, seed=1)
    latencies_s = {
        label: [level_s * exp(random.gauss(0, _SPREAD)) for _ in range(requests)]
        for label, level_s in _LEVELS_S.items()
    }
    return run_of(experiment, latencies_s)


def _told(requests: int, concurrency: int, random: Random) -> Counted:
    findings = analyse(_drawn(requests, concurrency, random)).findings
    return {_TOLD: float(any(it.code == "autocorrelated" for it in findings))}


def _wider(requests: int, random: Random) -> Counted:
    """By how much the speed-up's interval is wider, as a logarithm, than with one pair less."""
    return {_WIDER: _width(requests + 1, random) - _width(requests, random)}


def _width(requests: int, random: Random) -> float:
    run = _drawn(requests, 1, random)
    pairs = pair(*(ArmView(label, run.plan, run.exchanges) for label in _LEVELS_S))
    _, low, high = typical_effect(pairs, run.plan).speedup
    return log(high / low) if low is not None and high is not None else 0.0


_SELDOM = {_TOLD: Bounds(most=0.06)}
_BLOCK = Experiment(concurrency=_THREADS).block_size

WORLDS = (
    *(
        World(f"{requests} requests", partial(_told, requests, 1), runs, _SELDOM)
        for requests, runs in ((8, 1_000), (20, 800), (50, 600), (200, 300))
    ),
    *(
        World(f"{blocks} blocks", partial(_told, blocks * _BLOCK, _THREADS), runs, _SELDOM)
        for blocks, runs in ((12, 300),)
    ),
    World("7 requests, and 8", partial(_wider, 7), 4_000, {_WIDER: Bounds(most=0.0)}),
)
