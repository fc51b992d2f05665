"""Is the mean right where `--duration` ends a run in the middle of a round?

One answer in twenty takes 400 ms longer than the others, and time is over after some 16 rounds.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from heapq import heapreplace
from itertools import count
from typing import TYPE_CHECKING

from keepalive_bench import Exchange, Experiment, Load, Plan, Run, Target
from keepalive_bench.analysis.arm_view import ArmView
from keepalive_bench.analysis.untimed import untimed
from keepalive_bench.engine.benchmark import describe_environment
from keepalive_bench.results.columns import ConnectionColumns, ExchangeColumns
from keepalive_bench.results.exchange import Outcome
from keepalive_bench.results.measured import PoolCounters, RunInfo, WarmUp
from worlds.world import Bounds, Counted, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

_QUICK, _SLOW, _SLOW_S = (0.015, 0.025), 0.05, 0.4
_MEAN_S = sum(_QUICK) / 2 + _SLOW * _SLOW_S
"""An answer takes one of the quick times, evenly spread; and so often so much more."""
_ROUNDS = 16
_LATEST_S = 1.0
"""As the engine has it: how long after its time a round may go on."""
_ENVIRONMENT = describe_environment()


def _latency_s(random: Random) -> float:
    return random.uniform(*_QUICK) + _SLOW_S * (random.random() < _SLOW)


def _in_turns(experiment: Experiment, ends_s: float, random: Random) -> Iterator[Exchange]:
    """Rounds of both arms, up to the one in which time is over; threads meet between blocks."""
    threads, size = experiment.concurrency, experiment.block_size
    now_s = 0.0
    for number in count():
        if now_s >= ends_s:
            return
        for arm in random.sample(experiment.labels, len(experiment.labels)):
            free_s = [now_s] * threads
            for place in range(size):
                if free_s[0] >= ends_s + _LATEST_S:
                    break
                yield _sent(arm, number * size + place, number, free_s, random)
            now_s = max(free_s)


def _one_after_the_other(
    experiment: Experiment, ends_s: float, random: Random
) -> Iterator[Exchange]:
    """Each arm has an equal part of the time, and starts no request after it."""
    now_s, part_s = 0.0, ends_s / len(experiment.labels)
    for arm in experiment.labels:
        free_s = [now_s] * experiment.concurrency
        for index in count():
            if free_s[0] >= now_s + part_s:
                break
            yield _sent(arm, index, 0, free_s, random)
        now_s = max(free_s)


def _sent(arm: str, index: int, number: int, free_s: list[float], random: Random) -> Exchange:
    """The next request, by the thread that is free first: `free_s` says when each is, as a heap."""
    began_s, latency_s = free_s[0], _latency_s(random)
    heapreplace(free_s, began_s + latency_s)
    return Exchange(arm, index, number, Outcome(began_s, latency_s))


def _simulate(
    random: Random,
    experiment: Experiment,
    sent: Callable[[Experiment, float, Random], Iterator[Exchange]],
) -> Counted:
    experiment = replace(experiment, seed=random.getrandbits(32))  # it draws what is left out
    labels, ends_s = experiment.labels, experiment.duration_s or 0.0
    exchanges = ExchangeColumns(labels)
    for exchange in sent(experiment, ends_s, random):
        exchanges.append(exchange)
    wall_s = max(it.outcome.began_s + it.outcome.latency_s for it in exchanges)
    run = Run(
        plan=Plan(Target("http://127.0.0.1/"), experiment=experiment),
        environment=_ENVIRONMENT,
        run_info=RunInfo(
            started_at="",
            wall_s=max(wall_s, ends_s),
            cpu_s=0.0,
            gc_collections=0,
            requests={label: exchanges.arm.count(exchanges.arms.index(label)) for label in labels},
        ),
        warmup=dict.fromkeys(labels, WarmUp()),
        exchanges=exchanges,
        connections=ConnectionColumns(labels),
        counters=dict.fromkeys(labels, PoolCounters()),
    )
    return {
        "mean of pooled ÷ the true one": _mean(run, untimed(run).mask),
        "with what time cut": _mean(run, b""),
    }


def _mean(run: Run, mask: bytes) -> float | None:
    mean_s = ArmView(run.plan.experiment.labels[0], run.plan, run.exchanges, mask).latency.mean
    return None if mean_s is None else mean_s / _MEAN_S


_WITHIN = {"mean of pooled ÷ the true one": Bounds(0.99, 1.01)}


def _world(
    name: str,
    runs: int,
    experiment: Experiment,
    sent: Callable[[Experiment, float, Random], Iterator[Exchange]] = _in_turns,
) -> World:
    return World(name, partial(_simulate, experiment=experiment, sent=sent), runs, _WITHIN)


WORLDS = (
    _world("in turns", 20_000, Experiment(duration_s=1.28)),
    _world("in turns, 4 at a time", 1_500, Experiment(duration_s=4.0, concurrency=4)),
    _world(
        "in turns, bursts of 4",
        3_000,
        Experiment(duration_s=3.2, concurrency=4, load=Load(traffic="bursts")),
    ),
    _world(
        "one after the other",
        10_000,
        Experiment(duration_s=1.28, order="sequential"),
        _one_after_the_other,
    ),
    _world(
        "one after the other, 4 at a time",
        5_000,
        Experiment(duration_s=1.28, concurrency=4, order="sequential"),
        _one_after_the_other,
    ),
)
