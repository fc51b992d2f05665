"""How often kab's intervals hold the truth, in simulated runs whose truth is known.

The table goes into docs/methodology.md, unless it is a quick run.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from math import log
from random import Random
from typing import TYPE_CHECKING

from document import table, write_between_marks
from simulation import POOLED, UNPOOLED, Noise, draw, true_log_ratio, true_mean, true_quantile

from keepalive_bench.analysis.inference.dependence import dependence, widening
from keepalive_bench.analysis.inference.intervals import (
    Interval,
    difference_interval,
    mean_interval,
    quantile_interval,
    signed_rank_interval,
    widened,
)
from keepalive_bench.analysis.inference.stats import hodges_lehmann, mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

RUNS = {50: 6_000, 200: 3_000, 1_000: 2_000}
"""By requests; where fewer are sent, more runs cost the same."""
QUICK_SHARE = 500
TARGETS = {0.0: 0.93, 0.2: 0.92, 0.5: 0.92}
"""By the correlation of an arm's noise from one request to the next."""
CONFIDENCE = 0.95
PERCENTS, SAVED_PERCENTS = (50, 90, 95, 99), (50, 90, 95)
METRICS = (
    "speed-up",
    *(f"saving p{percent}" for percent in SAVED_PERCENTS),
    *(f"pooled p{percent}" for percent in PERCENTS),
    "saving mean",
)
TOLD_ONLY = "saving mean"
_MEAN_EVERY = 8
"""A bootstrap costs more than all the rest, so only so many runs are given one."""
_SELDOM = 0.02
"""What fewer runs show than that has no coverage to speak of."""
_PROCESSES, _BATCH = 2, 250

Pair = tuple[Interval, Interval]
"""An interval without the widening, and with it."""


@dataclass(frozen=True)
class Setting:
    """Runs of one kind."""

    requests: int
    correlation: float


@dataclass
class Tally:
    """Of one figure: how often it had an interval, and how often that held the truth."""

    runs: int = 0
    shown: int = 0
    plain: int = 0
    widened: int = 0

    def count(self, truth: float, intervals: Pair | None) -> None:
        """Count one run."""
        self.runs += 1
        if intervals is not None:
            (low, high), (lower, higher) = intervals
            self.shown += 1
            self.plain += low <= truth <= high
            self.widened += lower <= truth <= higher

    def add(self, other: Tally) -> None:
        """Count another one's runs, too."""
        self.runs += other.runs
        self.shown += other.shown
        self.plain += other.plain
        self.widened += other.widened

    @property
    def is_shown(self) -> bool:
        """Whether it has an interval often enough to say how good that is."""
        return self.shown > _SELDOM * self.runs

    @property
    def cell(self) -> str:
        """Coverage as kab shows it, and without the widening."""
        if not self.is_shown:
            return "–"
        return f"{100 * self.widened / self.shown:.1f} ({100 * self.plain / self.shown:.1f})"


def main() -> int:
    """Simulate and report; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run: its figures are noise")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is drawn")
    arguments = parser.parse_args()
    began = time.perf_counter()
    tallies = _simulate_all(QUICK_SHARE if arguments.quick else 1, arguments.seed)
    page = _page(tallies)
    print(f"{page}\n{time.perf_counter() - began:.0f} s")
    if not arguments.quick:
        write_between_marks("coverage", page)
    return 1 if any(_missed(setting, found) for setting, found in tallies.items()) else 0


def _simulate_all(share: int, seed: int) -> dict[Setting, dict[str, Tally]]:
    """All settings, in batches that keep the processes equally busy."""
    truth = _truth()
    settings = [Setting(count, lag) for lag in TARGETS for count in RUNS]
    tallies = {setting: {name: Tally() for name in METRICS} for setting in settings}
    with ProcessPoolExecutor(_PROCESSES) as processes:
        jobs = [
            (setting, processes.submit(simulate, setting, numbers, truth, seed))
            for setting in settings
            for numbers in _batches(RUNS[setting.requests] // share)
        ]
        for setting, job in jobs:
            for name, tally in job.result().items():
                tallies[setting][name].add(tally)
    return tallies


def _batches(runs: int) -> Iterator[range]:
    for start in range(0, runs, _BATCH):
        yield range(start, min(start + _BATCH, runs))


def simulate(
    setting: Setting, numbers: range, truth: Mapping[str, float], seed: int
) -> dict[str, Tally]:
    """Runs of one kind, and how their intervals fared."""
    tallies = {name: Tally() for name in METRICS}
    for number in numbers:
        random = Random(f"{seed}/{setting}/{number}")  # noqa: S311  # not for secrets
        pooled, unpooled = draw(setting.requests, Noise(setting.correlation), random)
        for name, intervals in _paired(pooled, unpooled, with_mean=not number % _MEAN_EVERY):
            tallies[name].count(truth[name], intervals)
    return tallies


def _paired(
    pooled: Sequence[float], unpooled: Sequence[float], *, with_mean: bool
) -> Iterator[tuple[str, Pair | None]]:
    """What kab's analysis shows of the arms' pairs, and of the pooled arm alone."""
    ratios = [log(other / own) for own, other in zip(pooled, unpooled, strict=True)]
    factor = widening(dependence(ratios).inefficiency, len(ratios), CONFIDENCE)
    yield (
        "speed-up",
        _both(signed_rank_interval(ratios, CONFIDENCE), hodges_lehmann(ratios), factor),
    )
    own, other = sorted(pooled), sorted(unpooled)
    for percent in SAVED_PERCENTS:
        found = [difference_interval(own, other, percent, CONFIDENCE, by) for by in (1.0, factor)]
        yield f"saving p{percent}", _pair(*found)
    alone = widening(dependence(pooled).inefficiency, len(pooled), CONFIDENCE)
    for percent in PERCENTS:
        found = [quantile_interval(own, percent, CONFIDENCE, by) for by in (1.0, alone)]
        yield f"pooled p{percent}", _pair(*found)
    if with_mean:
        differences = [there - here for here, there in zip(pooled, unpooled, strict=True)]
        plain = mean_interval(differences, CONFIDENCE, 1.0)
        yield "saving mean", _both(plain, mean(differences), factor)


def _both(plain: Interval | None, estimate: float | None, factor: float) -> Pair | None:
    if plain is None or estimate is None:
        return None
    return plain, widened(plain, estimate, factor)


def _pair(plain: Interval | None, wide: Interval | None) -> Pair | None:
    """Where the wider one is shown; the plain one is there, too, then."""
    return None if plain is None or wide is None else (plain, wide)


def _truth() -> dict[str, float]:
    truth = {
        "speed-up": true_log_ratio(),
        "saving mean": true_mean(UNPOOLED) - true_mean(POOLED),
    }
    for percent in PERCENTS:
        pooled, unpooled = true_quantile(POOLED, percent), true_quantile(UNPOOLED, percent)
        truth |= {f"pooled p{percent}": pooled, f"saving p{percent}": unpooled - pooled}
    return truth


def _missed(setting: Setting, tallies: Mapping[str, Tally]) -> list[str]:
    return [
        name
        for name, tally in tallies.items()
        if name != TOLD_ONLY
        and tally.is_shown
        and tally.widened < TARGETS[setting.correlation] * tally.shown
    ]


def _page(tallies: Mapping[Setting, Mapping[str, Tally]]) -> str:
    head = ("lag 1", "requests", "runs", *METRICS, "at least")
    rows = [
        (
            f"{setting.correlation:g}",
            f"{setting.requests:,}",
            f"{found['speed-up'].runs:,}",
            *(tally.cell for tally in found.values()),
            f"{100 * TARGETS[setting.correlation]:.0f} {_outcome(_missed(setting, found))}",
        )
        for setting, found in tallies.items()
    ]
    return (
        "Coverage, in per cent, of 95 % intervals as kab shows them (in brackets: without the\n"
        "widening), by the lag-1 correlation of each arm's own noise:\n\n"
        + table(head, rows)
        + f"\n“–”: fewer than {100 * _SELDOM:g} % of the runs bound that quantile. The saving of "
        f"the mean is from every {_MEAN_EVERY}th run,\nand has no target.\n"
    )


def _outcome(missed: Sequence[str]) -> str:
    return f"MISSED: {', '.join(missed)}" if missed else "MET"


if __name__ == "__main__":
    sys.exit(main())
