"""How often does a sweep name the right value, and never one that isn't?

30 rounds of each value, whose times vary by 10 %. From 4 on, no value is better than another: 4 is
right. With --block, some requests wait with 4 all the same, and none does with more.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from keepalive_bench import Arm, Experiment, Load
from keepalive_bench.analysis.arm_view import ArmView
from keepalive_bench.analysis.arms import summarise
from keepalive_bench.results.exchange import Ending, Outcome, Phases
from keepalive_bench.sweep import sweep_of
from worlds.drawn import Record
from worlds.world import Bounds, World

if TYPE_CHECKING:
    from random import Random

    from keepalive_bench import Run
    from keepalive_bench.plan.experiment import Swept
    from keepalive_bench.plan.load import Traffic
    from worlds.world import Counted

_ROUNDS, _THREADS, _VARIATION = 30, 8, 0.1
_MORE_THREADS = 32
"""Than any pool has places for."""
_RIGHT = 4
Slowness = Mapping[int, float]
"""How many times as long a round takes with each value."""


def by_times(random: Random, option: Swept, slowness: Slowness, right: int = _RIGHT) -> Counted:
    """What is named where times decide: of a sweep over the concurrency, or one that blocks."""
    return _named(_timed(random, option, slowness), right)


def by_counts(random: Random, full: Mapping[int, float], right: int = _RIGHT) -> Counted:
    """What is named of pools of which each is full in a share of its rounds."""
    return _named(_thrown_away(random, full), right)


def _named(run: Run, right: int) -> Counted:
    views = {it: ArmView(it, run.plan, run.exchanges) for it in run.plan.experiment.labels}
    sweep = sweep_of(run, summarise(run, views), views)
    if sweep is None:
        raise ValueError("the run is no sweep")
    value, text = sweep.recommendation.value, sweep.recommendation.text
    says_smallest = "is the smallest" in text
    return {
        "wrong smallest": says_smallest and value != right,
        "too small": value is not None and value < right,
        "right one named": value == right,
    }


def _timed(random: Random, option: Swept, slowness: Slowness) -> Run:
    """Bursts whose requests all take as long."""
    record = _record(option, tuple(slowness), _THREADS, block=option == "maxsize")
    for label, slower in zip(map(str, slowness), slowness.values(), strict=True):
        waits = option == "maxsize" and int(label) <= _RIGHT
        rows = [record.open(label, slot) for slot in range(min(int(label), _THREADS))]
        for number in range(_ROUNDS):
            took_s = 0.01 * slower * max(0.1, random.gauss(1, _VARIATION))
            for place in range(_THREADS):
                outcome = Outcome(
                    began_s=float(number),
                    latency_s=took_s,
                    connection=rows[place % len(rows)],
                    phases=Phases(pool_wait=0.001 if waits and place == 0 else None),
                )
                record.send(label, number * _THREADS + place, number, outcome)
    return record.run()


def _thrown_away(random: Random, full: Mapping[int, float]) -> Run:
    """In some of a value's rounds, a connection is thrown away, and opened again after it."""
    record = _record("maxsize", tuple(full), _MORE_THREADS, traffic="steady")
    for label, share in zip(map(str, full), full.values(), strict=True):
        row = record.open(label)
        for number in range(_ROUNDS):
            for place in range(_THREADS):
                index = number * _THREADS + place
                record.send(label, index, number, Outcome(float(number), 0.01, row))
            if random.random() < share:
                record.connections.ended(row, Ending("discarded"), number + 0.5)
                row = record.open(label, opened_s=number + 0.6)
    return record.run()


def _record(
    option: Swept,
    values: tuple[int, ...],
    threads: int,
    *,
    traffic: Traffic = "bursts",
    block: bool = False,
) -> Record:
    return Record(
        Experiment(
            requests=_ROUNDS * _THREADS,
            arms=tuple(Arm("pooled", f"{value}", value) for value in values),
            concurrency=max(values) if option == "concurrency" else threads,
            sweep=option,
            order="paired",
            load=Load(traffic=traffic),
            block=block,
            seed=1,
        )
    )


_NEVER_WRONG = {"wrong smallest": Bounds(most=0.05), "too small": Bounds(most=0.05)}
_STEP = {1: 3.0, 2: 1.3, 4: 1.0, 8: 1.0, 16: 1.0}
_SMALLER_STEP = {**_STEP, 2: 1.17}
_OPTIONS: tuple[tuple[Swept, str], ...] = (
    ("concurrency", "--concurrency"),
    ("maxsize", "--block"),
)
WORLDS = [
    *(
        World(
            f"{words}: 2 is {100 * slowness[2] - 100:.0f} % slower than 4",
            partial(by_times, option=option, slowness=slowness),
            200,
            {**_NEVER_WRONG, **({"right one named": Bounds(0.8)} if slowness is _STEP else {})},
        )
        for option, words in _OPTIONS
        for slowness in (_STEP, _SMALLER_STEP)
    ),
    World(
        "--concurrency: all but 16 are 16 % slower",
        partial(
            by_times,
            option="concurrency",
            slowness={1: 1.16, 2: 1.16, 4: 1.16, 8: 1.16, 16: 1.0},
            right=16,
        ),
        200,
        _NEVER_WRONG,
    ),
    World(
        "connections are thrown away in 5 % of the rounds with 4, and with 8",
        partial(by_counts, full={2: 0.9, 4: 0.05, 8: 0.05}),
        600,
        {"wrong smallest": Bounds(most=0.05)},
    ),
    World(
        "connections are thrown away in 50 % of the rounds with 2, in none with 4",
        partial(by_counts, full={1: 0.9, 2: 0.5, 4: 0.0, 8: 0.0}),
        200,
        {**_NEVER_WRONG, "right one named": Bounds(0.8)},
    ),
]
