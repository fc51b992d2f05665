"""What kab adds to the requests that it measures, as ratios: against a real nginx, on loopback.

Loopback is the worst case: a request takes a tenth of a millisecond there, so that each
microsecond of kab's own shows as one per cent.
"""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from random import Random
from typing import TYPE_CHECKING, Protocol

import lean
import processes
from nginx import nginx_on_a_core_of_its_own
from pairing import Figure, in_turns, ratio, report

import keepalive_bench
from keepalive_bench import Arm, Experiment, Plan, Target
from keepalive_bench.engine.engine import Engine
from keepalive_bench.engine.interrupts import Interrupts
from keepalive_bench.engine.pacing import RunClock
from keepalive_bench.engine.schedule import schedule
from keepalive_bench.net.arms import arm_context, open_arm
from keepalive_bench.net.pools import open_pool
from keepalive_bench.net.tracer import Tracer
from keepalive_bench.results.columns import ConnectionColumns, ExchangeColumns

if TYPE_CHECKING:
    from collections.abc import Callable

TRACING_TARGET, COMMAND_TARGET = 1.06, 1.12
BLOCK = 100
_TIMEOUT = int(lean.TIMEOUT_S * 1_000_000_000)


class Loop(Protocol):
    """Sends a number of requests, one after the other, on a connection that stays open."""

    def __call__(self, requests: int) -> None:
        """Send them."""
        ...


@dataclass(frozen=True)
class Effort:
    """How much is measured."""

    rounds: int
    pairs: int
    requests: int


THOROUGH, QUICK = Effort(200, 25, 10_000), Effort(6, 2, 300)


def main() -> int:
    """Measure and report; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run: its figures are noise")
    parser.add_argument("--seed", type=int, default=None, help="of the random order")
    arguments = parser.parse_args()
    effort = QUICK if arguments.quick else THOROUGH
    random = Random(arguments.seed)  # noqa: S311  # not for secrets
    with nginx_on_a_core_of_its_own() as url:
        met = report(
            f"A request ÷ lean urllib3; {effort.rounds} rounds, blocks of {BLOCK}, one process:",
            per_request(url, effort.rounds, random),
        )
        met &= report(
            f"The command ÷ a lean script; {effort.pairs} rounds, {effort.requests} requests each:",
            whole_command(url, effort, random),
        )
    return 0 if met else 1


def per_request(url: str, rounds: int, random: Random) -> list[Figure]:
    """Loops in one process, taking turns."""
    with ExitStack() as stack:
        loops = {
            "lean": _lean_loop(url, stack, lean.TIMEOUT_S),
            "lean, no timeout": _lean_loop(url, stack, None),
            "tracing": _traced_loop(url, stack),
            "arm": _arm_loop(url, stack),
            "kab": _engine_loop(url, stack),
            "http.client": _plain_loop(url, stack),
        }
        for loop in loops.values():
            loop(BLOCK)  # connections, imports, caches
        seconds = in_turns({name: _timed(loop) for name, loop in loops.items()}, rounds, random)
    base = seconds["lean"]
    return [
        Figure("traced urllib3", ratio(seconds["tracing"], base), TRACING_TARGET),
        Figure("… as kab's pooled arm, with outcomes", ratio(seconds["arm"], base)),
        Figure("… in the engine, with the columns", ratio(seconds["kab"], base)),
        Figure("lean urllib3 without a timeout", ratio(seconds["lean, no timeout"], base)),
        Figure("http.client", ratio(seconds["http.client"], base)),
    ]


def _timed(loop: Loop) -> Callable[[], float]:
    def run() -> float:
        began = time.perf_counter()
        loop(BLOCK)
        return time.perf_counter() - began

    return run


def _lean_loop(url: str, stack: ExitStack, timeout_s: float | None) -> Loop:
    pool = stack.enter_context(lean.open_pool(url, timeout_s))
    return lambda requests: lean.fetch(pool, requests)


def _plan(url: str, requests: int) -> Plan:
    return Plan(Target(url), experiment=Experiment(requests=requests, arms=(Arm("pooled"),)))


def _traced_loop(url: str, stack: ExitStack) -> Loop:
    """The lean loop, on a pool whose connections are traced, phases and endings included."""
    plan, clock = _plan(url, BLOCK), time.perf_counter_ns
    connections = ConnectionColumns(plan.experiment.labels)
    tracer = Tracer("pooled", connections, plan.network, clock, clock())
    pool = stack.enter_context(open_pool(arm_context(plan, "", clock), tracer, single_use=False))

    def loop(requests: int) -> None:
        for index in range(requests):
            trace = tracer.trace
            trace.begin(clock(), _TIMEOUT)
            lean.fetch_one(pool, index)
            trace.phases(clock())

    return loop


def _arm_loop(url: str, stack: ExitStack) -> Loop:
    """The pooled arm by itself: each exchange traced, and reported as an outcome."""
    plan = _plan(url, BLOCK)
    shared = arm_context(plan, f"kab/{keepalive_bench.__version__}", time.perf_counter_ns)
    arm = plan.experiment.arms[0]
    transport = stack.enter_context(
        closing(open_arm(arm, shared, ConnectionColumns(plan.experiment.labels)))
    )

    def loop(requests: int) -> None:
        for index in range(requests):
            outcome = transport.exchange(f"/?kab={index}")
            if outcome.failure is not None:
                raise RuntimeError(outcome.failure)

    return loop


def _engine_loop(url: str, stack: ExitStack) -> Loop:
    """The same arm in the engine, with the schedule, the varied query and the columns."""
    plan = _plan(url, BLOCK)
    clock = time.perf_counter_ns
    shared = arm_context(plan, f"kab/{keepalive_bench.__version__}", clock)
    arm, labels = plan.experiment.arms[0], plan.experiment.labels
    transport = stack.enter_context(closing(open_arm(arm, shared, ConnectionColumns(labels))))
    exchanges = ExchangeColumns(labels)

    def loop(requests: int) -> None:
        engine = Engine(plan, {arm.label: transport}, exchanges.append, RunClock(0))
        engine.run(schedule(replace(plan.experiment, requests=requests)), Interrupts())

    return loop


def _plain_loop(url: str, stack: ExitStack) -> Loop:
    target = Target(url)
    connection = stack.enter_context(
        closing(HTTPConnection(target.host, target.port, timeout=lean.TIMEOUT_S))
    )

    def loop(requests: int) -> None:
        for index in range(requests):
            connection.request("GET", f"/?kab={index}")
            response = connection.getresponse()
            while response.read(lean.CHUNK):
                pass

    return loop


def whole_command(url: str, effort: Effort, random: Random) -> list[Figure]:
    """`kab run` against the lean loop as a script, as whole processes.

    Start-up is taken off by running each with one request too, in the same round, and subtracting:
    what is left is everything that more requests cost, analysis and results file included.
    """
    options = ("--arm", "pooled", "--quiet", "--json", "/dev/null", "-n")
    command = (processes.kab(), "run", url, *options)
    script = (sys.executable, lean.__file__, url, "--requests")
    many, one = str(effort.requests), "1"
    seconds = in_turns(
        {
            "kab": processes.timed(*command, many),
            "kab, one": processes.timed(*command, one),
            "lean": processes.timed(*script, many),
            "lean, one": processes.timed(*script, one),
        },
        effort.pairs,
        random,
    )
    without_startup = ratio(
        _differences(seconds["kab"], seconds["kab, one"]),
        _differences(seconds["lean"], seconds["lean, one"]),
    )
    return [
        Figure("kab run without start-up", without_startup, COMMAND_TARGET),
        Figure("kab run with start-up", ratio(seconds["kab"], seconds["lean"])),
    ]


def _differences(values: list[float], others: list[float]) -> list[float]:
    return [value - other for value, other in zip(values, others, strict=True)]


if __name__ == "__main__":
    sys.exit(main())
