"""How often the interval holds the truth in simulated runs that `--precision` ends.

The table goes into docs/evidence.md, unless it is a quick run.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from math import log
from random import Random
from statistics import fmean
from typing import TYPE_CHECKING

from document import table, write_between_marks
from simulation import POOLED, UNPOOLED, Noise, draw, draw_blocks, true_log_ratio

from keepalive_bench import Exchange, Experiment, Plan, Target
from keepalive_bench.analysis.arm_view import ArmView
from keepalive_bench.analysis.effects import typical_effect
from keepalive_bench.analysis.pairs import pair
from keepalive_bench.analysis.required_requests import PrecisionRule
from keepalive_bench.results.columns import ExchangeColumns
from keepalive_bench.results.exchange import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNS, QUICK_RUNS = 2_000, 4
MOST = 2_000
MOST_IN_BLOCKS = 6_000
"""Requests of each arm in a run that doesn't end earlier."""
_BETWEEN = 0.05
_PROCESSES, _BATCH = 2, 50


@dataclass(frozen=True)
class Setting:
    """Runs of one kind."""

    precision: float
    noise: Noise
    same: bool
    """Whether both arms are the same (an A/A experiment), so that the true ratio is 1."""
    concurrency: int = 1
    """Above 1, pairs are of blocks, whose levels differ by 5 %."""

    @property
    def target(self) -> float | None:
        """The least share of runs whose interval has to hold the truth; `None`: it is told only."""
        if self.noise == SLOW:
            return None
        return 0.92 if self.noise.correlation or self.concurrency > 1 else 0.93

    @property
    def said(self) -> tuple[str, ...]:
        """What the table says of it."""
        several = "" if self.concurrency == 1 else f"blocks of {self.experiment.block_size}"
        return (
            f"±{100 * self.precision:g} %",
            several or self.noise.said,
            "the same" if self.same else "different",
        )

    @property
    def experiment(self) -> Experiment:
        """What kab would have been asked for."""
        most = MOST if self.concurrency == 1 else MOST_IN_BLOCKS
        return Experiment(
            requests=most, precision=self.precision, concurrency=self.concurrency, seed=1
        )


SLOW = Noise(0.9, 0.25)
"""What a lag-1 correlation doesn't show, and a short run neither."""
SETTINGS = [
    Setting(precision, Noise(correlation), same)
    for correlation in (0.0, 0.2, 0.5)
    for same, precision in ((False, 0.05), (False, 0.03), (False, 0.02), (True, 0.05))
]
SETTINGS += [Setting(precision, SLOW, same=False) for precision in (0.05, 0.03, 0.02)]
SETTINGS += [Setting(precision, Noise(), same=True, concurrency=4) for precision in (0.05, 0.02)]
Ended = tuple[int, bool]
"""After how many pairs a run ended, and whether its interval holds the truth."""


def main() -> int:
    """Simulate and report; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run: its figures are noise")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is drawn")
    arguments = parser.parse_args()
    began, truth = time.perf_counter(), true_log_ratio()
    runs = QUICK_RUNS if arguments.quick else RUNS
    with ProcessPoolExecutor(_PROCESSES) as processes:
        jobs = {
            setting: [
                processes.submit(simulate, setting, numbers, truth, arguments.seed)
                for numbers in _batches(runs)
            ]
            for setting in SETTINGS
        }
        ended = {
            setting: [run for job in batches for run in job.result()]
            for setting, batches in jobs.items()
        }
    page = _page(ended)
    print(f"{page}\n{time.perf_counter() - began:.0f} s")
    if not arguments.quick:
        write_between_marks("precision", page)
    return 1 if any(_outcome(*it) == "MISSED" for it in ended.items()) else 0


def _batches(runs: int) -> Iterator[range]:
    for start in range(0, runs, _BATCH):
        yield range(start, min(start + _BATCH, runs))


def simulate(setting: Setting, numbers: range, truth: float, seed: int) -> list[Ended]:
    """Runs of one kind, each until kab's own rule ends it."""
    return [
        _run(setting, truth, Random(f"{seed}/{setting}/{number}"))  # noqa: S311  # not for secrets
        for number in numbers
    ]


def _run(setting: Setting, truth: float, random: Random) -> Ended:
    plan = Plan(Target("http://127.0.0.1/"), experiment=setting.experiment)
    labels, size = plan.experiment.labels, plan.experiment.block_size
    exchanges = ExchangeColumns(labels)
    rule = PrecisionRule(plan, exchanges)
    halves = _drawn(setting, random)
    for number in range(plan.experiment.rounds):
        for label, latencies in zip(labels, halves, strict=True):
            for index in range(number * size, (number + 1) * size):
                outcome = Outcome(0.0, latencies[index])
                exchanges.append(Exchange(label, index, number, outcome))
        if rule.is_met():
            break
    pairs = pair(*(ArmView(label, plan, exchanges) for label in labels))
    _, low, high = typical_effect(pairs, plan).speedup
    true = 0.0 if setting.same else truth
    return pairs.number, low is not None and high is not None and log(low) <= true <= log(high)


def _drawn(setting: Setting, random: Random) -> tuple[list[float], list[float]]:
    trips = (POOLED, POOLED) if setting.same else (POOLED, UNPOOLED)
    if setting.concurrency == 1:
        return draw(MOST, setting.noise, random, trips)
    experiment = setting.experiment
    return draw_blocks(experiment.rounds, experiment.block_size, _BETWEEN, random, trips)


def _coverage(ended: list[Ended]) -> float:
    return fmean(holds for _, holds in ended)


def _outcome(setting: Setting, ended: list[Ended]) -> str:
    if setting.target is None:
        return ""
    return "MET" if _coverage(ended) >= setting.target else "MISSED"


def _target(setting: Setting, ended: list[Ended]) -> str:
    if setting.target is None:
        return "–"
    return f"{100 * setting.target:.0f} {_outcome(setting, ended)}"


def _page(ended: dict[Setting, list[Ended]]) -> str:
    head = ("precision", "lag 1", "arms", "runs", "pairs, mean", "coverage", "at least")
    rows = [
        (
            *setting.said,
            f"{len(runs):,}",
            f"{fmean(number for number, _ in runs):,.0f}",
            f"{100 * _coverage(runs):.1f}",
            _target(setting, runs),
        )
        for setting, runs in ended.items()
    ]
    return (
        "Coverage, in per cent, of the 95 % CI of the speed-up in runs that end by\n"
        f"`--precision` (or at {MOST:,} requests; of blocks, {MOST_IN_BLOCKS:,}), by the lag-1 "
        "correlation of each arm's own\nnoise, or of that part of its variance that lasts; or of "
        f"several requests at a time, whose blocks differ by {100 * _BETWEEN:g} %:\n\n"
        + table(head, rows)
    )


if __name__ == "__main__":
    sys.exit(main())
