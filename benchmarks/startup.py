"""What starting kab costs beside importing what it is made of, as ratios of whole processes."""

from __future__ import annotations

import argparse
import sys
from random import Random

from nginx import nginx_on_a_core_of_its_own
from pairing import Figure, in_turns, ratio, report
from processes import kab, timed

VERSION_TARGET = 1.3
PAIRS, QUICK_PAIRS = 40, 2


def main() -> int:
    """Measure and report; 1 when the target is missed."""
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
        "version": timed(kab(), "--version"),
        "click": timed(sys.executable, "-c", "import click"),
        "one request": timed(kab(), *one_request),
        "imports": timed(sys.executable, "-c", "import urllib3, click, rich"),
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
        ),
    ]


if __name__ == "__main__":
    sys.exit(main())
