"""How the whole of `kab run` grows, from a hundred requests of an arm to a million.

Each size against the same command with one request, which is its start-up, in random order. The
table goes into docs/performance.md, unless it is a quick run.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from math import log
from random import Random
from statistics import linear_regression, median
from typing import TYPE_CHECKING, NamedTuple

from document import PERFORMANCE, table, write_between_marks
from nginx import nginx_on_a_core_of_its_own
from processes import finished, kab

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ARMS = ("pooled", "unpooled")
THREADS = 8
REPEATED = {100: 15, 1_000: 9, 10_000: 5, 100_000: 3, 1_000_000: 1}
QUICK = {300: 2, 3_000: 1}
AT_MOST_EXPONENT = 1.05
_LEAST_S, _AT_MOST_S = 1e-4, 3600.0
_MB = 1_000_000


class Run(NamedTuple):
    """What the command took beyond its start-up, and the most memory that it held."""

    took_s: float
    peak_bytes: int


Runs = dict[tuple[str, int], list[Run]]
"""By arm and number of requests."""


def main() -> int:
    """Measure and report; 1 when it grows faster than what is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run: its figures are noise")
    parser.add_argument("--seed", type=int, default=None, help="of the random order")
    arguments = parser.parse_args()
    random = Random(arguments.seed)  # noqa: S311  # not for secrets
    with nginx_on_a_core_of_its_own() as url:
        runs = measured(url, QUICK if arguments.quick else REPEATED, random)
    exponents = {arm: exponent(runs, arm) for arm in ARMS}
    text = page(runs, exponents)
    print(text)
    if not arguments.quick:
        write_between_marks("growth", text, PERFORMANCE)
    return 0 if all(grown <= AT_MOST_EXPONENT for grown in exponents.values()) else 1


def measured(url: str, repeated: Mapping[int, int], random: Random) -> Runs:
    """Each size of each arm so many times, in an order that is drawn."""
    calls = [(arm, size) for arm in ARMS for size, times in repeated.items() for _ in range(times)]
    runs: Runs = defaultdict(list)
    for arm, size in random.sample(calls, len(calls)):
        command = (kab(), "run", url, "--arm", arm, "-c", str(THREADS), "-n")
        took = {
            requests: finished((*command, str(requests)), _AT_MOST_S)
            for requests in random.sample((1, size), 2)
        }
        whole = took[size]
        runs[arm, size].append(Run(whole.wall_s - took[1].wall_s, whole.peak_bytes))
    return runs


def exponent(runs: Runs, arm: str) -> float:
    """The slope of a least-squares line through the logarithms of size and time."""
    times_s = {size: _typical_s(found) for (of, size), found in runs.items() if of == arm}
    slope, _ = linear_regression([log(size) for size in times_s], [*map(log, times_s.values())])
    return slope


def _typical_s(found: Sequence[Run]) -> float:
    """The median; on a busy machine, a start-up may take longer than a few requests with theirs."""
    return max(median(run.took_s for run in found), _LEAST_S)


def page(runs: Runs, exponents: Mapping[str, float]) -> str:
    """The table, and what it comes to, in Markdown."""
    columns = ("seconds", "µs a request", "peak of memory, MB")
    head = ("requests", *(f"{arm}: {column}" for arm in ARMS for column in columns))
    sizes = sorted({size for _, size in runs})
    rows = [
        (f"{size:,}", *(cell for arm in ARMS for cell in _cells(runs[arm, size], size)))
        for size in sizes
    ]
    told = ", ".join(f"{grown:.3f} ({arm})" for arm, grown in exponents.items())
    is_met = all(grown <= AT_MOST_EXPONENT for grown in exponents.values())
    return (
        f"{table(head, rows)}\nThe time grows as the requests to the power of {told}; "
        f"at most {AT_MOST_EXPONENT}: {'MET' if is_met else 'MISSED'}.\n"
    )


def _cells(found: Sequence[Run], size: int) -> tuple[str, str, str]:
    took_s = _typical_s(found)
    peak = median(run.peak_bytes for run in found)
    return f"{took_s:.3g}", f"{1e6 * took_s / size:.0f}", f"{peak / _MB:.0f}"


if __name__ == "__main__":
    sys.exit(main())
