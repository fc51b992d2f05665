"""Does a restart, or a chance failure, make a run worse than one of the same system?"""

from __future__ import annotations

from functools import partial
from math import exp
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench import Exchange, Experiment, Plan, Run, Target
from keepalive_bench.analysis import Analysis
from keepalive_bench.analysis.arm_view import ArmView
from keepalive_bench.analysis.arms import summarise
from keepalive_bench.analysis.verdict import Verdict
from keepalive_bench.compare import compare_runs
from keepalive_bench.compare.change import Source
from keepalive_bench.engine.benchmark import describe_environment
from keepalive_bench.plan.document import plan_document
from keepalive_bench.plan.plan import Arm
from keepalive_bench.results.columns import ConnectionColumns, ExchangeColumns
from keepalive_bench.results.exchange import Answer, Connection, Ending, Failure, Outcome
from keepalive_bench.results.measured import PoolCounters, RunInfo, WarmUp
from worlds.world import Bounds, World

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from keepalive_bench.compare.change import Change
    from worlds.world import Counted

_POOLED_S, _UNPOOLED_S, _SPREAD = 0.01, 0.03, 0.3
_KEPT, _LAST = Answer("HTTP/1.1"), Answer("HTTP/1.1", connection="close")
_LOST = Failure("closed-before-response", "no answer")
_EFFECTS = ("fails", "errs", "closes", "says close")
_AT_ONCE, _ANNOUNCED = 0.5, 0.5
"""How many of the systems are such."""
_NO_VERDICT = Verdict("not-measured", "")
_ENVIRONMENT = describe_environment()


class _System(NamedTuple):
    """What is measured, and how: incidents come as they happen, a limit ends connections always."""

    requests: int
    threads: int = 1
    expected: float = 0.0
    """Incidents of a run, on average: their number has a Poisson distribution."""
    cluster: int = 1
    """To how many requests each happens: one after the other, or one of each thread."""
    effect: str = ""
    limit: int | None = None
    """After so many responses a connection is closed."""
    is_limit_announced: bool = True


def _same_system(expected: float, cluster: int, random: Random) -> Counted:
    """Two runs of one system, where incidents do one thing: in a row, or at once."""
    threads = cluster if random.random() < _AT_ONCE else 1
    requests = 10 * threads if threads > 1 else 100
    effect = random.choice(_EFFECTS)
    system = _System(requests, threads, expected, cluster, effect)
    found = _compared(system, system, random)
    return {f"called {code}": float(found.verdict.code == code) for code in ("worse", "better")}


def _new_limit(requests: int, expected: float, random: Random) -> Counted:
    """A server that begins to close connections after 10 requests, saying so or not."""
    system = _System(requests, expected=expected, effect=random.choice(_EFFECTS))
    limited = system._replace(limit=10, is_limit_announced=random.random() < _ANNOUNCED)
    return {"found": float(_compared(system, limited, random).verdict.code == "worse")}


def _more_often(random: Random) -> Counted:
    """Incidents that come one by one, and hadn't before."""
    system = _System(100)
    new = system._replace(expected=20.0, effect=random.choice(_EFFECTS))
    return {"found": float(_compared(system, new, random).verdict.code == "worse")}


def _compared(base: _System, new: _System, random: Random) -> Change:
    runs = [_drawn(system, random) for system in (base, new)]
    before, after = (Source("", it, _analysed(it), plan_document(it.plan)) for it in runs)
    return compare_runs([before], after)


class _View(ArmView):
    """As the analysis has it, without what takes longest, and no verdict on two runs reads."""

    def mean_interval(self) -> None:
        """None."""


def _analysed(run: Run) -> Analysis:
    views = {it: _View(it, run.plan, run.exchanges) for it in run.plan.experiment.labels}
    arms = summarise(run, views)
    return Analysis(run.plan, run.run_info, run.warmup, arms, (), _NO_VERDICT, ())


def _drawn(system: _System, random: Random) -> Run:
    """One run; one request at a time, two arms take turns."""
    kinds = ("pooled", "unpooled") if system.threads == 1 else ("pooled",)
    experiment = Experiment(
        arms=tuple(map(Arm, kinds)),
        requests=system.requests,
        concurrency=system.threads,
        seed=1,
    )
    is_hit = _hits(system, random)
    drawn = _Drawn(experiment, system, random)
    for index in range(system.requests):
        for kind in kinds:
            drawn.send(kind, index, is_hit)
    return drawn.run()


def _hits(system: _System, random: Random) -> Callable[[int, float, float], bool]:
    """Which requests an incident hits: those with an index, or under way at a moment."""
    in_all_s = system.requests / system.threads * _POOLED_S
    indexes, moments_s = set[int](), list[float]()
    until = random.expovariate(1)
    while until < system.expected:
        first = random.randrange(system.requests)
        indexes.update(range(first, first + system.cluster))
        moments_s.append(random.uniform(0, in_all_s))
        until += random.expovariate(1)
    if system.threads == 1:
        return lambda index, *_: index in indexes
    return lambda _, began_s, until_s: any(began_s <= it < until_s for it in moments_s)


class _Drawn:
    """A run that was never sent: each thread sends its next request when its last one is done."""

    def __init__(self, experiment: Experiment, system: _System, random: Random) -> None:
        self.system, self.random, self.experiment = system, random, experiment
        labels = experiment.labels
        self.exchanges, self.connections = ExchangeColumns(labels), ConnectionColumns(labels)
        self.now_s = [0.0] * system.threads
        self.open: dict[int, int] = {}
        """By thread: the row of the pooled arm's connection."""

    def send(self, kind: str, index: int, is_hit: Callable[[int, float, float], bool]) -> None:
        """Send one request, on the pooled arm's connection, or a new one."""
        thread = index % self.system.threads
        began_s = self.now_s[thread]
        row = self.open.get(thread) if kind == "pooled" else None
        if row is None:
            opened_s = began_s + 0.001
            connection = Connection(kind, thread, opened_s, "127.0.0.1:80")
            row = self.connections.append(connection)
        typical_s = _POOLED_S if kind == "pooled" else _UNPOOLED_S
        latency_s = 0.001 + typical_s * exp(self.random.gauss(0, _SPREAD))
        self.now_s[thread] = until_s = began_s + latency_s
        effect = self.system.effect if is_hit(index, began_s, until_s) else ""
        ending = self._ending(kind, row, effect)
        is_last = ending is not None and ending.kind == "announced"
        outcome = Outcome(
            began_s=began_s,
            latency_s=latency_s,
            connection=row,
            status=503 if effect == "errs" else 200,
            body_bytes=100,
            answer=_LAST if is_last else _KEPT,
        )
        if effect == "fails":
            outcome = Outcome(began_s, latency_s, connection=row, failure=_LOST)
        else:
            self.connections.answered(row)
        number = index if self.experiment.rounds > 1 else 0
        self.exchanges.append(Exchange(kind, index, number, outcome))
        if ending is not None:
            self.connections.ended(row, ending, until_s)
        if kind == "pooled":
            self.open.pop(thread, None) if ending else self.open.update({thread: row})

    def _ending(self, kind: str, row: int, effect: str) -> Ending | None:
        """How a connection ends after its next response; `None`: it doesn't."""
        if kind != "pooled":
            return Ending("retired")
        if effect == "fails":
            return Ending("failed")
        carried = self.connections.exchanges[row] + 1
        is_limited = carried == self.system.limit
        if effect == "says close" or (is_limited and self.system.is_limit_announced):
            return Ending("announced")
        if effect == "closes" or is_limited:
            return Ending("fin", 0.02, self.random.uniform(0.0, 0.02) if effect else 0.001)
        return None

    def run(self) -> Run:
        """What was sent so far."""
        labels, until_s = self.experiment.labels, max(self.now_s)
        return Run(
            plan=Plan(Target("http://127.0.0.1/"), experiment=self.experiment),
            environment=_ENVIRONMENT,
            run_info=RunInfo(
                started_at=f"{self.random.random()}", wall_s=until_s, cpu_s=0.0, gc_collections=0
            ),
            warmup=dict.fromkeys(labels, WarmUp()),
            exchanges=self.exchanges,
            connections=self.connections,
            counters=dict.fromkeys(labels, PoolCounters()),
        )


_SELDOM = {"called worse": Bounds(most=0.05), "called better": Bounds(most=0.05)}
_FOUND = {"found": Bounds(least=0.95)}

WORLDS = [
    *(
        World(
            f"the same system, {expected:g} incidents expected, each of {cluster} requests",
            partial(_same_system, expected, cluster),
            350,
            _SELDOM,
        )
        for cluster in (1, 10, 32)
        for expected in (0.1, 0.7, 1.0, 2.0)
    ),
    World("a new limit of 10 in 50 requests", partial(_new_limit, 50, 0.0), 200, _FOUND),
    World("the same in 200, 1 incident expected", partial(_new_limit, 200, 1.0), 200, _FOUND),
    World("20 incidents expected in 100 requests, 0 before", _more_often, 200, _FOUND),
]
