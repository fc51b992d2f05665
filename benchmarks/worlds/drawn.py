"""Runs that were never sent: latencies that were drawn, as kab would have recorded them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench import Exchange, Experiment, Plan, Run, Target
from keepalive_bench.engine.benchmark import describe_environment
from keepalive_bench.results.columns import ConnectionColumns, ExchangeColumns
from keepalive_bench.results.exchange import Connection, Outcome
from keepalive_bench.results.measured import PoolCounters, RunInfo, WarmUp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ENVIRONMENT = describe_environment()
_PEER = "127.0.0.1:80"


class Record:
    """What is noted of an experiment, in the order in which it happened."""

    def __init__(self, experiment: Experiment) -> None:
        self.plan = Plan(Target("http://127.0.0.1/"), experiment=experiment)
        self.exchanges = ExchangeColumns(experiment.labels)
        self.connections = ConnectionColumns(experiment.labels)

    def open(self, arm: str, slot: int = 0, opened_s: float = 0.0) -> int:
        """Open a connection; its row."""
        return self.connections.append(Connection(arm, slot, opened_s, _PEER))

    def send(self, arm: str, index: int, number: int, outcome: Outcome) -> None:
        """Note an exchange of a round, which was answered."""
        if outcome.connection is not None:
            self.connections.answered(outcome.connection)
        self.exchanges.append(Exchange(arm, index, number, outcome._replace(status=200)))

    def run(self) -> Run:
        """All of it."""
        labels = self.plan.experiment.labels
        return Run(
            plan=self.plan,
            environment=_ENVIRONMENT,
            run_info=RunInfo(started_at="", wall_s=1.0, cpu_s=0.0, gc_collections=0),
            warmup=dict.fromkeys(labels, WarmUp()),
            exchanges=self.exchanges,
            connections=self.connections,
            counters=dict.fromkeys(labels, PoolCounters()),
        )


def run_of(experiment: Experiment, latencies_s: Mapping[str, Sequence[float]]) -> Run:
    """Each arm's requests one after the other on the clock, on connections that aren't told."""
    record, now_s = Record(experiment), 0.0
    for label, values in latencies_s.items():
        for index, latency_s in enumerate(values):
            outcome = Outcome(now_s, latency_s)
            record.send(label, index, index // experiment.block_size, outcome)
            now_s += latency_s
    return record.run()


def in_pairs(pooled: Sequence[float], unpooled: Sequence[float]) -> Run:
    """One request at a time: all pooled ones on one connection, each unpooled one on its own."""
    record = Record(Experiment(requests=len(pooled), seed=1))
    now_s, kept = 0.0, record.open("pooled")
    for index, latencies in enumerate(zip(pooled, unpooled, strict=True)):
        for arm, latency_s in zip(("pooled", "unpooled"), latencies, strict=True):
            row = kept if arm == "pooled" else record.open(arm, opened_s=now_s)
            record.send(arm, index, index, Outcome(now_s, latency_s, row))
            now_s += latency_s
    return record.run()
