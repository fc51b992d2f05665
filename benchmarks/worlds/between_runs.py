"""Does a change's interval hold it as often as it says, where runs differ by themselves?

Each run's level is lognormal around its system's, and so is each latency around that level. NEW's
system takes a quarter longer; it is compared with the first 3, 5 and 10 of ten BASE runs. With one
BASE file, variation between runs isn't in the interval, as the verdict says; that is told only.
"""

from __future__ import annotations

from functools import partial
from math import exp
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench import Exchange, Experiment, Plan, Target
from keepalive_bench.analysis.arm_view import ArmView
from keepalive_bench.compare.change import figure_change
from keepalive_bench.requirements.lookup import Evidence
from keepalive_bench.results.columns import ExchangeColumns
from keepalive_bench.results.exchange import Outcome
from worlds.world import Bounds, Counted, World

if TYPE_CHECKING:
    from random import Random

_ARM, _LEVEL_S, _SLOWER = "pooled", 0.02, 1.25
_COUNTS = (1, 3, 5, 10)
_NEWS = 4
"""New runs of each draw, all held against the same BASE runs."""
_COVERS, _AT_LEAST = Bounds(0.92, 0.97), Bounds(0.92)


class Kind(NamedTuple):
    """How runs of a system are measured."""

    requests: int
    spread: float = 0.2
    """Standard deviation of the logarithms of a run's latencies."""


def _judged(random: Random, *, between: float, base: Kind, new: Kind) -> Counted:
    """How many intervals of the change of p50 hold the truth, by how many BASE runs there are."""
    earlier = [_median(random, base, between) for _ in range(max(_COUNTS))]
    later = [_median(random, new, between, _SLOWER) for _ in range(_NEWS)]
    return {f"{count} BASE": _share_held(earlier[:count], later) for count in _COUNTS}


def _share_held(earlier: list[Evidence], later: list[Evidence]) -> float | None:
    """Of those that are known: a few requests that resemble each other don't bound a median."""
    found = [figure_change(earlier, it, 0.95) for it in later]
    held = [
        it.low <= _SLOWER - 1 <= it.high
        for it in found
        if it.low is not None and it.high is not None
    ]
    return sum(held) / len(held) if held else None


def _median(random: Random, kind: Kind, between: float, scale: float = 1.0) -> Evidence:
    """What a run says of its median."""
    level_s = scale * _LEVEL_S * exp(random.gauss(0, between))
    exchanges = ExchangeColumns((_ARM,))
    for index in range(kind.requests):
        latency_s = level_s * exp(random.gauss(0, kind.spread))
        exchanges.append(Exchange(_ARM, index, index, Outcome(0.0, latency_s)))
    experiment = Experiment(requests=kind.requests, seed=1)
    view = ArmView(_ARM, Plan(Target("http://127.0.0.1/"), experiment=experiment), exchanges)
    return Evidence(view.latency.p50, *view.quantile_intervals.get("p50", (None, None)))


_USUAL = Kind(50)
_TRIED = (
    *(("as long as BASE", between, _USUAL, _COVERS) for between in (0.0, 0.05, 0.15)),
    ("of 20 requests, BASE of 50", 0.05, Kind(20), _AT_LEAST),
    ("twice as noisy within", 0.05, Kind(50, 0.4), _AT_LEAST),
)
WORLDS = tuple(
    World(
        f"{100 * between:g} % between runs, NEW {how}",
        partial(_judged, between=between, base=_USUAL, new=new),
        1_600 if new == _USUAL else 500,
        {f"{count} BASE": bounds for count in _COUNTS if count > 1},
    )
    for how, between, new, bounds in _TRIED
)
