"""How often kab's verdicts and intervals are right, in simulated worlds whose truth is known.

The tables go into docs/evidence.md, unless it is a quick run.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from math import sqrt
from pkgutil import iter_modules
from random import Random
from typing import TYPE_CHECKING, NamedTuple

import worlds
from document import table, write_between_marks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from concurrent.futures import Future

    from worlds.world import Bounds, World

QUICK_SHARE = 400
_PROCESSES, _BATCHES = 2, 20
Tallies = dict[str, list[float]]
"""What was counted in each run that had it, by what is counted."""


class Question(NamedTuple):
    """A module of `worlds`: what is asked, and where it is tried."""

    asked: str
    worlds: Sequence[World]


class Rate(NamedTuple):
    """What the runs of a world come to."""

    mean: float
    error: float
    """Its standard error."""
    runs: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Rate:
        """The mean of what was counted."""
        mean = sum(values) / len(values)
        spread = sum((value - mean) ** 2 for value in values)
        return cls(mean, sqrt(spread) / len(values), len(values))

    def meets(self, bounds: Bounds) -> bool:
        """Whether it lies within."""
        return bounds.least <= self.mean <= bounds.most


def main() -> int:
    """Simulate and report; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run: its figures are noise")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is drawn")
    parser.add_argument("--only", default="", metavar="QUESTION", help="one module of worlds")
    arguments = parser.parse_args()
    began = time.perf_counter()
    questions = {name: it for name, it in _questions().items() if arguments.only in {"", name}}
    share = QUICK_SHARE if arguments.quick else 1
    found = _simulate_all(questions, share, arguments.seed)
    page = "\n".join(
        f"**{question.asked}**\n\n{_table(question.worlds, found[name])}"
        for name, question in questions.items()
    )
    print(f"{page}\n{time.perf_counter() - began:.0f} s")
    if not arguments.quick and not arguments.only:
        write_between_marks("verdicts", page)
    missed = any(
        not rate.meets(world.bounds[counted])
        for name, question in questions.items()
        for world in question.worlds
        for counted, rate in found[name][world.name].items()
        if counted in world.bounds
    )
    return 1 if missed else 0


def _questions() -> dict[str, Question]:
    """Every module of `worlds` that has any, by its name; its docstring says what is asked."""
    found = {}
    for it in iter_modules(worlds.__path__):
        module = import_module(f"worlds.{it.name}")
        if hasattr(module, "WORLDS"):
            found[it.name] = Question((module.__doc__ or "").partition("\n")[0], module.WORLDS)
    return found


Rates = dict[str, dict[str, Rate]]
"""By world, and by what is counted."""


def _simulate_all(questions: Mapping[str, Question], share: int, seed: int) -> dict[str, Rates]:
    """All worlds of all questions, in batches that keep the processes equally busy."""
    tallies: dict[tuple[str, str], Tallies] = defaultdict(lambda: defaultdict(list))
    jobs: list[tuple[tuple[str, str], Future[Tallies]]] = []
    with ProcessPoolExecutor(_PROCESSES) as processes:
        for name, question in questions.items():
            for world in question.worlds:
                for numbers in _batches(max(1, world.runs // share)):
                    job = processes.submit(_simulate, world, numbers, f"{seed}/{name}")
                    jobs.append(((name, world.name), job))
        for key, job in jobs:
            for counted, values in job.result().items():
                tallies[key][counted] += values
    rates: dict[str, Rates] = {name: {} for name in questions}
    for (name, world_name), found in tallies.items():
        rates[name][world_name] = {it: Rate.of(values) for it, values in found.items() if values}
    return rates


def _batches(runs: int) -> Iterator[range]:
    size = max(1, runs // _BATCHES)
    for start in range(0, runs, size):
        yield range(start, min(start + size, runs))


def _simulate(world: World, numbers: Iterable[int], seed: str) -> Tallies:
    found: Tallies = {}
    for number in numbers:
        random = Random(f"{seed}/{world.name}/{number}")  # noqa: S311  # not for secrets
        for counted, value in world.simulate(random).items():
            values = found.setdefault(counted, [])
            if value is not None:
                values.append(value)
    return found


def _table(asked: Sequence[World], rates: Rates) -> str:
    """A row for each world, a column for whatever is counted in any."""
    found = [(world, rates[world.name]) for world in asked if rates[world.name]]
    counted = list(dict.fromkeys(it for _, its_rates in found for it in its_rates))
    rows = []
    for world, its_rates in found:
        runs = max(rate.runs for rate in its_rates.values())
        cells = [_cell(world.bounds.get(it), its_rates.get(it), runs) for it in counted]
        rows.append((world.name, f"{runs:,}", *cells))
    return table(("world", "runs", *counted), rows)


def _cell(bounds: Bounds | None, rate: Rate | None, runs: int) -> str:
    """Per cent, with the standard error, and the bound that is set for it."""
    if rate is None:
        return "–"
    of = f" of {rate.runs:,}" if rate.runs < runs else ""
    text = f"{100 * rate.mean:.1f} ± {100 * rate.error:.1f}{of}"
    if bounds is None:
        return text
    return f"{text} ({bounds.said} {'MET' if rate.meets(bounds) else 'MISSED'})"


if __name__ == "__main__":
    sys.exit(main())
