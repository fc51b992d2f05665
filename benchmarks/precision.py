"""How often the interval holds the truth in simulated runs that `--precision` ends.

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
from statistics import fmean
from typing import TYPE_CHECKING

from document import table, write_between_marks
from simulation import POOLED, UNPOOLED, Noise, draw, true_log_ratio

from keepalive_bench import Exchange, Experiment, Plan, Target
from keepalive_bench.analysis.comparison import typical_effect
from keepalive_bench.analysis.pairs import pair
from keepalive_bench.analysis.precision import PrecisionRule
from keepalive_bench.model.columns import ExchangeColumns
from keepalive_bench.model.exchange import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNS, QUICK_RUNS = 2_000, 20
MOST = 2_000
"""Requests of each arm in a run that doesn't end earlier."""
_PROCESSES, _BATCH = 2, 50


@dataclass(frozen=True)
class Setting:
    """Runs of one kind."""

    precision: float
    noise: Noise
    same: bool
    """Whether both arms are the same (an A/A experiment), so that the true ratio is 1."""

    @property
    def target(self) -> float | None:
        """The least share of runs whose interval has to hold the truth; `None`: it is told only."""
        if self.noise == SLOW:
            return None
        return 0.92 if self.noise.correlation else 0.93


SLOW = Noise(0.9, 0.25)
"""What a lag-1 correlation doesn't show, and a short run neither."""
SETTINGS = [
    Setting(precision, Noise(correlation), same)
    for correlation in (0.0, 0.2, 0.5)
    for same, precision in ((False, 0.05), (False, 0.03), (False, 0.02), (True, 0.05))
] + [Setting(precision, SLOW, same=False) for precision in (0.05, 0.03, 0.02)]
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
    trips = (POOLED, POOLED) if setting.same else (POOLED, UNPOOLED)
    halves = zip(*draw(MOST, setting.noise, random, trips), strict=True)
    plan = Plan(
        Target("http://127.0.0.1/"),
        experiment=Experiment(requests=MOST, precision=setting.precision, seed=1),
    )
    labels = plan.experiment.labels
    exchanges = ExchangeColumns(labels)
    rule = PrecisionRule(plan, exchanges)
    for index, latencies in enumerate(halves):
        for label, latency_s in zip(labels, latencies, strict=True):
            exchanges.append(Exchange(label, index, index, Outcome(0.0, latency_s)))
        if rule.is_met():
            break
    pairs = pair(exchanges, plan.experiment, *labels)
    _, low, high = typical_effect(pairs, plan).speedup
    true = 0.0 if setting.same else truth
    return pairs.number, low is not None and high is not None and log(low) <= true <= log(high)


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
            f"±{100 * setting.precision:g} %",
            setting.noise.said,
            "the same" if setting.same else "different",
            f"{len(runs):,}",
            f"{fmean(number for number, _ in runs):,.0f}",
            f"{100 * _coverage(runs):.1f}",
            _target(setting, runs),
        )
        for setting, runs in ended.items()
    ]
    return (
        "Coverage, in per cent, of the 95 % interval of the speed-up in runs that end by\n"
        f"`--precision` (or at {MOST:,} requests), by the lag-1 correlation of each arm's own "
        "noise,\nor of that part of its variance that lasts:\n\n" + table(head, rows)
    )


if __name__ == "__main__":
    sys.exit(main())
