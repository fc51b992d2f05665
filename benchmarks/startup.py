"""What starting kab costs beside importing what it is made of: processor time of processes."""

from __future__ import annotations

import argparse
import sys
from random import Random
from typing import TYPE_CHECKING

from nginx import nginx_on_a_core_of_its_own
from pairing import Figure, in_turns, ratio, report
from processes import finished, kab

if TYPE_CHECKING:
    from collections.abc import Callable

VERSION_TARGET, RUN_TARGET = 1.15, 1.7
PAIRS, QUICK_PAIRS = 40, 2
_AT_MOST_S = 60.0


def main() -> int:
    """Measure and report; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run: its figures are noise")
    parser.add_argument("--seed", type=int, default=None, help="of the random order")
    arguments = parser.parse_args()
    pairs = QUICK_PAIRS if arguments.quick else PAIRS
    random = Random(arguments.seed)  # noqa: S311  # not for secrets
    with nginx_on_a_core_of_its_own() as url:
        figures = startup(url, pairs, random)
    met = report(f"Start-up, {pairs} rounds of whole processes in random order:", figures)
    return 0 if met else 1


def startup(url: str, pairs: int, random: Random) -> list[Figure]:
    """Each command, and the imports that it can't do without."""
    one_request = ("run", url, "-n", "1", "--arm", "pooled", "--warmup", "0", "--quiet")
    subjects = {
        "version": _timed(kab(), "--version"),
        "click": _timed(sys.executable, "-c", "import click"),
        "one request": _timed(kab(), *one_request),
        "imports": _timed(sys.executable, "-c", "import urllib3, click, rich"),
    }
    for run in subjects.values():
        run()  # writes bytecode that isn't there yet
    seconds = in_turns(subjects, pairs, random)
    return [
        Figure(
            "kab --version ÷ import click",
            ratio(seconds["version"], seconds["click"]),
            VERSION_TARGET,
        ),
        Figure(
            "kab run, one request ÷ import urllib3, click, rich",
            ratio(seconds["one request"], seconds["imports"]),
            RUN_TARGET,
        ),
    ]


def _timed(*command: str) -> Callable[[], float]:
    """What runs a command to its end and returns its processor time, in seconds."""
    return lambda: finished(command, _AT_MOST_S).cpu_s


if __name__ == "__main__":
    sys.exit(main())
