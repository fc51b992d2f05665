"""Sweeps for tests: with a server, and written down by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.plans import plan
from support.runs import Script

from keepalive_bench import Arm, benchmark
from keepalive_bench.plan.load import Load
from keepalive_bench.results.exchange import Ending

if TYPE_CHECKING:
    from keepalive_bench import Run
    from keepalive_bench.plan.load import Traffic


def swept(*values: int, traffic: Traffic = "bursts", **options: Any) -> dict[str, Any]:  # noqa: ANN401  # an Experiment's
    """The options of an experiment that sweeps, over maxsize if nothing else is said."""
    return {
        "arms": tuple(Arm("pooled", f"{value}", value) for value in values),
        "sweep": "maxsize",
        "order": "paired",
        "load": Load(traffic=traffic),
        "warmup": 0,
        **options,
    }


def sweep(url: str, *values: int, **options: Any) -> Run:  # noqa: ANN401
    return benchmark(plan(url, **swept(*values, **options)))


def scripted_sweep(*values: int, threads: int = 4, bursts: int = 12) -> Run:
    """What bursts do to pools: a millisecond a request, one more for each connection opened."""
    script = Script(**swept(*values, concurrency=threads, requests=threads * bursts))
    kept: dict[int, list[int]] = {value: [] for value in values}
    for burst in range(bursts):
        for value in values:
            label, idle = f"{value}", kept[value]
            used = []
            for worker in range(threads):
                is_new = not idle
                row = script.open(label, slot=worker) if is_new else idle.pop()
                latency_s = 0.002 if is_new else 0.001
                began_s = 10.0 * burst + value / 8
                script.send(label, latency_s, on=row, round_number=burst, began_s=began_s)
                used.append(row)
            idle += used[:value]
            for row in used[value:]:
                ended_s = script.connections.opened_s[row] + 0.002
                script.connections.ended(row, Ending("discarded"), ended_s)
    return script.run()


def chance_discards() -> Run:
    """Steady traffic of 16 threads: pools of 2 and of 4 are full in rounds, that of 8 in none."""
    script = Script(**swept(2, 4, 8, traffic="steady", concurrency=16, requests=240))
    full = {"2": range(10), "4": range(2), "8": ()}
    for label, rounds in full.items():
        row = script.open(label)
        for number in range(240):
            script.send(label, 0.001, on=row, index=number, round_number=number // 20)
            if number % 20 == 19 and number // 20 in rounds:
                script.connections.ended(row, Ending("discarded"), 1.0)
                row = script.open(label)
    return script.run()
