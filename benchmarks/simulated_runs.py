"""Simulated runs, analysed by kab's own code: the intervals of each figure, and what is true."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import exp
from random import Random
from typing import TYPE_CHECKING

from simulation import (
    POOLED,
    UNPOOLED,
    Noise,
    draw,
    draw_blocks,
    true_block_log_ratio,
    true_log_ratio,
    true_mean,
    true_quantile,
)
from worlds.drawn import run_of

from keepalive_bench import Experiment, Run, analyse
from keepalive_bench.analysis.arm_view import PERCENTS, ArmView
from keepalive_bench.analysis.effects import typical_effect
from keepalive_bench.analysis.pairs import pair
from keepalive_bench.analysis.savings import quantile_savings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keepalive_bench.stats.intervals import Estimate, Interval

PLAIN = "unwidened"
_LABELS = ("pooled", "unpooled")
_TRIPS = dict(zip(_LABELS, (POOLED, UNPOOLED), strict=True))
_THREADS = 4
_MANY_ROUNDS = 20
"""Of fewer blocks, one in twenty of which a p95 is about, hardly any is like that."""
_WHITE = Noise()


@dataclass(frozen=True)
class Setting:
    """Runs of one kind."""

    requests: int
    noise: Noise = _WHITE
    concurrency: int = 1
    between: float = 0.0
    """Of blocks: how much one differs from another."""

    @property
    def target(self) -> float | None:
        """The least share of intervals that have to hold the truth; `None`: it is told only."""
        if self.noise.share < 1 or (self.block_size > 1 and self.rounds < _MANY_ROUNDS):
            return None
        return 0.92 if self.noise.correlation or self.between else 0.93

    @property
    def experiment(self) -> Experiment:
        """What kab would have been asked for."""
        return Experiment(requests=self.requests, concurrency=self.concurrency, seed=1)

    @property
    def block_size(self) -> int:
        """Requests of a block."""
        return self.experiment.block_size

    @property
    def rounds(self) -> int:
        """How many blocks each arm has."""
        return self.requests // self.block_size

    @property
    def said(self) -> tuple[str, str]:
        """What a table says of it."""
        if self.concurrency == 1:
            return self.noise.said, f"{self.requests:,}"
        return f"{100 * self.between:g} %", f"{self.rounds}"


def settings() -> list[Setting]:
    """All that are tried."""
    noises = [Noise(0.0), Noise(0.2), Noise(0.5), Noise(0.9, 0.25)]
    alone = [Setting(requests, noise) for noise in noises for requests in (50, 200, 1_000)]
    kinds = ((0.0, 12), (0.05, 12), (0.1, 12), (0.1, 40))
    block = Setting(1, concurrency=_THREADS).block_size
    return alone + [
        Setting(rounds * block, concurrency=_THREADS, between=between) for between, rounds in kinds
    ]


def truth(setting: Setting) -> Mapping[str, float]:
    """What is true of each figure; of the speed-up and the requests/s, as ratios."""
    return _truth(setting.block_size, setting.between)


@lru_cache
def _truth(block_size: int, between: float) -> Mapping[str, float]:
    typical = true_log_ratio() if block_size == 1 else true_block_log_ratio(block_size)
    mean = {arm: true_mean(trips, between) for arm, trips in _TRIPS.items()}
    found = {
        "speed-up": exp(typical),
        PLAIN: exp(typical),
        "saving mean": mean["unpooled"] - mean["pooled"],
        "requests/s": mean["unpooled"] / mean["pooled"],
        "pooled mean": mean["pooled"],
    }
    for percent in PERCENTS:
        own, other = (true_quantile(trips, percent, between) for trips in _TRIPS.values())
        found |= {f"pooled p{percent}": own, f"unpooled p{percent}": other}
        found[f"saving p{percent}"] = other - own
    return found


def figures(setting: Setting, seed: str, *, in_full: bool) -> dict[str, Interval | None]:
    """A run's intervals as kab has them; in full, those of means, too."""
    run = _drawn(setting, Random(seed))  # noqa: S311  # not for secrets
    own, other = views = [ArmView(label, run.plan, run.exchanges) for label in _LABELS]
    pairs = pair(own, other)
    effect = typical_effect(pairs, run.plan)
    savings = quantile_savings(own, other, pairs)
    found = {
        "speed-up": _ends(effect.speedup),
        PLAIN: _unwidened(effect.speedup, effect.interval_inflation),
        **{f"saving {metric}": _ends(saving) for metric, saving in savings.items()},
    }
    for view in views:
        for percent in PERCENTS:
            found[f"{view.label} p{percent}"] = view.quantile_intervals.get(f"p{percent}")
    if in_full:
        analysis = analyse(run)
        (comparison,) = analysis.comparisons
        found["saving mean"] = _ends(comparison.saving_s["mean"])
        found["requests/s"] = _ends(comparison.requests_per_second)
        found["pooled mean"] = analysis.arms[0].latency_bounds.get("mean")
    return found


def _ends(estimate: Estimate) -> Interval | None:
    _, low, high = estimate
    return None if low is None or high is None else (low, high)


def _unwidened(ratio: Estimate, factor: float) -> Interval | None:
    middle, low, high = ratio
    if middle is None or low is None or high is None:
        return None
    return middle * (low / middle) ** (1 / factor), middle * (high / middle) ** (1 / factor)


def _drawn(setting: Setting, random: Random) -> Run:
    halves = (
        draw(setting.requests, setting.noise, random)
        if setting.concurrency == 1
        else draw_blocks(setting.experiment.rounds, setting.block_size, setting.between, random)
    )
    return run_of(setting.experiment, dict(zip(_LABELS, halves, strict=True)))
