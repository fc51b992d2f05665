"""A run of any size that nobody has to wait for: its exchanges are drawn, not sent."""

from __future__ import annotations

from random import Random

from keepalive_bench import Experiment, Plan, Run, Target
from keepalive_bench.engine.benchmark import describe_environment
from keepalive_bench.results.columns import ConnectionColumns, ExchangeColumns
from keepalive_bench.results.exchange import Answer, Connection, Ending, Exchange, Outcome, Phases
from keepalive_bench.results.measured import PoolCounters, RunInfo, WarmUp

_STARTED_AT = "2026-01-02T03:04:05.678+00:00"
_PEER = "127.0.0.1:8000"
_ANSWER = Answer("HTTP/1.1", "application/json")
_TYPICAL_S = {"pooled": 2e-4, "unpooled": 4e-4}
_SPREAD, _BETWEEN_S = 0.3, 1e-5
_CONNECT, _SEND, _RECEIVE = 0.25, 0.05, 0.1
"""Shares of the latency."""


def scripted_run(requests: int, seed: int = 1) -> Run:
    """A run on loopback in which keep-alive works: so many pairs, in random order."""
    random = Random(seed)  # noqa: S311  # not for secrets
    plan = Plan(Target(f"http://{_PEER}/"), experiment=Experiment(requests=requests, seed=seed))
    labels = plan.experiment.labels
    exchanges, connections = ExchangeColumns(labels), ConnectionColumns(labels)
    shared = connections.append(Connection("pooled", 0, 0.0, _PEER))
    now_s = 0.0
    for index in range(requests):
        for arm in random.sample(labels, len(labels)):
            latency_s = _TYPICAL_S[arm] * random.lognormvariate(0, _SPREAD)
            row, fresh = shared, index == 0
            if arm == "unpooled":
                row, fresh = connections.append(Connection(arm, 0, now_s, _PEER)), True
                connections.ended(row, Ending("retired"), now_s + latency_s)
            connections.answered(row)
            phases = _phases(latency_s, fresh=fresh)
            outcome = Outcome(now_s, latency_s, row, 200, 1000, phases, _ANSWER)
            exchanges.append(Exchange(arm, index, index, outcome))
            now_s += latency_s + _BETWEEN_S
    return Run(
        plan=plan,
        environment=describe_environment(),
        run_info=RunInfo(started_at=_STARTED_AT, wall_s=now_s, cpu_s=now_s / 2, gc_collections=0),
        warmup=dict.fromkeys(labels, WarmUp(requests=1, connections=1)),
        exchanges=exchanges,
        connections=connections,
        counters={arm: PoolCounters(len(connections.rows(arm)), requests) for arm in labels},
    )


def _phases(latency_s: float, *, fresh: bool) -> Phases:
    connect, send, receive = _CONNECT if fresh else 0.0, _SEND, _RECEIVE
    return Phases(
        connect=connect * latency_s if fresh else None,
        send=send * latency_s,
        wait=(1 - connect - send - receive) * latency_s,
        receive=receive * latency_s,
    )
