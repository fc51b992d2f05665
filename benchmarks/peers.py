"""kab beside what people send requests with: requests per second, processor time, and honesty.

On one nginx, in turns, in random order. The tables go into docs/performance.md, unless it is a
quick run or a peer is missing (`make peers` installs those that aren't Debian's).
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter

from document import PERFORMANCE, write_between_marks
from peer_clients import AUTOCANNON, CLIENTS, MODES, REQUESTS, THREADS
from peer_server import peer_server
from peer_tables import claims_table, dispatcher, speed_table, truth_table
from peer_visits import Effort, Visits, measured
from processes import finished, kab
from wan_tables import system

from keepalive_bench.units import plural

THOROUGH, QUICK = Effort(rounds=27, every=3, quick=False), Effort(rounds=2, every=2, quick=True)
_BOTH_ARMS, _QUICK_BOTH_ARMS, _AT_MOST_S = 10_000, 800, 120.0
_OF_PYTHON = "from importlib.metadata import version as of; print(of('{}'))"


def main() -> int:
    """Measure and report; 1 when a target is missed, 0 also where it can't run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run: its figures are noise")
    parser.add_argument("--seed", type=int, default=None, help="of the random order")
    arguments = parser.parse_args()
    if sys.platform != "linux":
        print("This benchmark can't run here: only Linux tells what a server's processor time is.")
        return 0
    random = Random(arguments.seed)  # noqa: S311  # not for secrets
    effort, began = QUICK if arguments.quick else THOROUGH, perf_counter()
    with peer_server(len(CLIENTS) * len(MODES) + 1) as server:
        visits = measured(server, effort, random)
        effect = effect_told_by_kab(server.url(-1), quick=arguments.quick)
    text = page(visits, effort, effect)
    print(f"{text}\n{perf_counter() - began:.0f} s")
    if visits.absent:
        print(f"Without {', '.join(visits.absent)} the documentation stays as it is.")
    elif not arguments.quick:
        write_between_marks("peers", text, PERFORMANCE)
    return 1 if any(claim.fails for claim in dispatcher(visits)) else 0


def effect_told_by_kab(url: str, *, quick: bool) -> str:
    """What it says of reuse, when it is called as it is meant to be: with both arms."""
    requests = str(_QUICK_BOTH_ARMS if quick else _BOTH_ARMS)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "results.json"
        command = (kab(), "run", url, "-n", requests, "-c", str(THREADS), "--json", str(path))
        finished(command, _AT_MOST_S)
        speedup = json.loads(path.read_text("utf-8"))["comparisons"][0]["speedup"]
    return "{estimate:.2f}× ({low:.2f} – {high:.2f})".format_map(speedup)


def page(visits: Visits, effort: Effort, effect: str) -> str:
    """All of it, in Markdown."""
    rounds = plural(len(range(0, effort.rounds, effort.every)), "round")
    return "\n".join(
        (
            f"Medians of {rounds}; {THREADS} requests at a time of each process, or as it says.",
            f"{versions()}\n",
            speed_table(visits),
            f"The targets, in {effort.rounds} rounds (of requests and locust in {rounds}):\n",
            claims_table(dispatcher(visits)),
            "What each says of its connections, and what nginx counted, of one call each:\n",
            truth_table(visits, effect),
        )
    )


def versions() -> str:
    """What was measured, as a sentence."""
    told = [f"Python {platform.python_version()}", f"urllib3 {version('urllib3')}"]
    if REQUESTS.is_installed:
        python = REQUESTS.words[0]
        told += [
            f"{name} {_first_line(python, '-c', _OF_PYTHON.format(name))}"
            for name in ("requests", "locust")
        ]
    if AUTOCANNON.is_installed:
        told.append(_first_line(AUTOCANNON.words[0], "--version"))
    return f"{', '.join(told)}; hey, wrk, ab and nginx as {system()} has them."


def _first_line(*command: str) -> str:
    return subprocess.check_output(command, text=True).splitlines()[0]


if __name__ == "__main__":
    sys.exit(main())
