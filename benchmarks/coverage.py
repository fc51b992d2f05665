"""How often kab's intervals hold the truth, in simulated runs whose truth is known.

The tables go into docs/evidence.md, unless it is a quick run.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from document import table, write_between_marks
from simulated_runs import PLAIN, Setting, figures, settings, truth

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

RUNS = {50: 4_000}
USUAL_RUNS = 2_000
"""By requests; where fewer are sent, more runs cost the same."""
QUICK_SHARE = 2_000
SEVERAL = ("between blocks", "rounds")
TOLD_ONLY = {"saving mean", "requests/s", "pooled mean", PLAIN}
MEAN_EVERY = 8
"""A bootstrap costs more than all the rest, so only so many runs are given one."""
_SELDOM = 0.02
"""What fewer runs show than that has no coverage to speak of."""
_PROCESSES, _BATCH = 2, 100


@dataclass
class RunCounters:
    """Of one figure: how often it had an interval, and how often that held the truth."""

    runs: int = 0
    shown: int = 0
    held: int = 0

    def add(self, other: RunCounters) -> None:
        """Count another one's runs, too."""
        self.runs += other.runs
        self.shown += other.shown
        self.held += other.held

    @property
    def is_shown(self) -> bool:
        """Whether it has an interval often enough to say how good that is."""
        return self.shown > _SELDOM * self.runs

    @property
    def cell(self) -> str:
        """The share that held the truth."""
        return f"{100 * self.held / self.shown:.1f}" if self.is_shown else "–"


Tallies = dict[str, RunCounters]
"""By figure."""


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


def _simulate_all(share: int, seed: int) -> dict[Setting, Tallies]:
    """All settings, in batches that keep the processes equally busy."""
    tallies: dict[Setting, Tallies] = {setting: {} for setting in settings()}
    with ProcessPoolExecutor(_PROCESSES) as processes:
        jobs = [
            (setting, processes.submit(simulate, setting, numbers, seed))
            for setting in sorted(tallies, key=lambda setting: -setting.requests)
            for numbers in _batches(RUNS.get(setting.requests, USUAL_RUNS) // share)
        ]
        for setting, job in jobs:
            for name, tally in job.result().items():
                tallies[setting].setdefault(name, RunCounters()).add(tally)
    return tallies


def _batches(runs: int) -> Iterator[range]:
    for start in range(0, runs, _BATCH):
        yield range(start, min(start + _BATCH, runs))


def simulate(setting: Setting, numbers: range, seed: int) -> Tallies:
    """Runs of one kind, and how their intervals fared."""
    true = truth(setting)
    tallies: Tallies = {}
    for number in numbers:
        found = figures(setting, f"{seed}/{setting}/{number}", in_full=not number % MEAN_EVERY)
        for name, interval in found.items():
            tally = tallies.setdefault(name, RunCounters())
            tally.runs += 1
            if interval is not None:
                tally.shown += 1
                tally.held += interval[0] <= true[name] <= interval[1]
    return tallies


def _missed(setting: Setting, tallies: Tallies) -> list[str]:
    return [
        name
        for name, tally in tallies.items()
        if setting.target is not None
        and name not in TOLD_ONLY
        and tally.is_shown
        and tally.held < setting.target * tally.shown
    ]


def _page(tallies: Mapping[Setting, Tallies]) -> str:
    alone = {setting: it for setting, it in tallies.items() if setting.concurrency == 1}
    several = {setting: it for setting, it in tallies.items() if setting.concurrency > 1}
    (size,) = {setting.block_size for setting in several}
    return (
        "Coverage, in per cent, of 95 % intervals as kab shows them, by the lag-1 correlation of "
        "each arm's own\nnoise, or of that part of its variance that lasts:\n\n"
        + _table(alone, ("lag 1", "requests"))
        + f"\nThe same of several requests at a time, whose blocks of {size} differ from each "
        "other:\n\n"
        + _table(several, SEVERAL)
        + f"\n“–”: fewer than {100 * _SELDOM:g} % of the runs bound that quantile; of noise that "
        "is partly white, and of few rounds,\nthere is no target. “Unwidened” is the speed-up's "
        "interval without its interval_inflation. What concerns means is from\nevery "
        f"{MEAN_EVERY}th run, and has no target.\n"
    )


def _table(tallies: Mapping[Setting, Tallies], first: Sequence[str]) -> str:
    names = [*next(iter(tallies.values()))]
    names += [
        it for it in {name: None for of in tallies.values() for name in of} if it not in names
    ]
    rows = [
        (
            *setting.said,
            f"{found['speed-up'].runs:,}",
            *(found.get(name, RunCounters()).cell for name in names),
            _target(setting, found),
        )
        for setting, found in tallies.items()
    ]
    return table((*first, "runs", *names, "at least"), rows)


def _target(setting: Setting, tallies: Tallies) -> str:
    if setting.target is None:
        return "–"
    missed = _missed(setting, tallies)
    outcome = f"MISSED: {', '.join(missed)}" if missed else "MET"
    return f"{100 * setting.target:.0f} {outcome}"


if __name__ == "__main__":
    sys.exit(main())
