"""What `kab trace` adds to a program: processor time of a request, and of Python's start.

The same loops run with the tracer in and out, by turns, in one process: it is put in before each
traced block and taken out after it. Loopback is the worst case.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import requests
from nginx import nginx_on_a_core_of_its_own
from pairing import Figure, in_turns, ratio, report
from processes import finished
from urllib3 import PoolManager

import keepalive_bench.trace
from keepalive_bench.trace.tracer._kab_tracer.tracing import Tracing

if TYPE_CHECKING:
    from collections.abc import Callable

URLLIB3_TARGET, REQUESTS_TARGET, STARTUP_TARGET = 1.08, 1.15, 1.5
_TRACER = Path(keepalive_bench.trace.__file__).with_name("tracer")
_RECORD_BYTES = 1_000_000_000
_AT_MOST_S = 60.0
_WARM_UP = 100
"""So many requests that nobody times: a class that was patched leaves Python's own caches cold."""


@dataclass(frozen=True)
class Effort:
    """How much is measured."""

    rounds: int
    starts: int


THOROUGH, QUICK = Effort(100, 100), Effort(6, 3)


def main() -> int:
    """Measure and report; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run: its figures are noise")
    parser.add_argument("--seed", type=int, default=None, help="of the random order")
    arguments = parser.parse_args()
    effort = QUICK if arguments.quick else THOROUGH
    random = Random(arguments.seed)  # noqa: S311  # not for secrets
    with tempfile.TemporaryDirectory() as folder, nginx_on_a_core_of_its_own() as url:
        met = report(
            f"A traced request ÷ an untraced one; {effort.rounds} rounds, one process:",
            per_request(url, folder, effort.rounds, random),
        )
        met &= report(
            f"Start-up; {effort.starts} rounds of whole processes:",
            startup(folder, effort.starts, random),
        )
    return 0 if met else 1


def per_request(url: str, folder: str, rounds: int, random: Random) -> list[Figure]:
    """Loops of three kinds, each traced and untraced."""
    loops: dict[str, tuple[Callable[[str, int], float], int, float | None]] = {
        "urllib3, a kept connection": (_with_urllib3, 1_000, URLLIB3_TARGET),
        "requests.Session": (_with_a_session, 200, None),
        "requests.get": (_with_requests_get, 100, REQUESTS_TARGET),
    }
    subjects: dict[str, Callable[[], float]] = {}
    for name, (loop, count, _) in loops.items():
        subjects[name] = _untraced(loop, url, count)
        subjects[f"{name}, traced"] = _traced(loop, url, count, folder)
    for run in subjects.values():
        run()  # imports, caches
    seconds = in_turns(subjects, rounds, random)
    return [
        Figure(name, ratio(seconds[f"{name}, traced"], seconds[name]), target)
        for name, (_, _, target) in loops.items()
    ]


def _untraced(loop: Callable[[str, int], float], url: str, count: int) -> Callable[[], float]:
    return lambda: loop(url, count)


def _traced(
    loop: Callable[[str, int], float], url: str, count: int, folder: str
) -> Callable[[], float]:
    def run() -> float:
        tracing = Tracing(folder, _RECORD_BYTES)
        try:
            return loop(url, count)
        finally:
            tracing.end()

    return run


def _with_urllib3(url: str, count: int) -> float:
    with PoolManager() as http:

        def send(requests_: int) -> None:
            for _ in range(requests_):
                http.request("GET", url)

        return _cpu_s(send, count)


def _with_a_session(url: str, count: int) -> float:
    with requests.Session() as session:
        session.trust_env = False

        def send(requests_: int) -> None:
            for _ in range(requests_):
                session.get(url)

        return _cpu_s(send, count)


def _with_requests_get(url: str, count: int) -> float:
    def send(requests_: int) -> None:
        for _ in range(requests_):
            requests.get(url, timeout=_AT_MOST_S)

    return _cpu_s(send, count)


def _cpu_s(send: Callable[[int], None], count: int) -> float:
    """Processor time of so many requests, after some that nobody times."""
    send(_WARM_UP)
    began = time.process_time()
    send(count)
    return time.process_time() - began


def startup(folder: str, starts: int, random: Random) -> list[Figure]:
    """Python with nothing to do."""
    command = (sys.executable, "-c", "pass")
    plain = {**os.environ, "PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": ""}
    traced = {**plain, "PYTHONPATH": str(_TRACER), "_KAB_TRACE": folder}
    traced["_KAB_TRACE_LIMIT"] = str(_RECORD_BYTES)
    subjects: dict[str, Callable[[], float]] = {
        "plain": lambda: finished(command, _AT_MOST_S, plain).cpu_s,
        "traced": lambda: finished(command, _AT_MOST_S, traced).cpu_s,
    }
    for run in subjects.values():
        run()  # writes bytecode that isn't there yet
    seconds = in_turns(subjects, starts, random)
    return [Figure("python -c pass", ratio(seconds["traced"], seconds["plain"]), STARTUP_TARGET)]


if __name__ == "__main__":
    sys.exit(main())
