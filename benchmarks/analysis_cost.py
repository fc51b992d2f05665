"""What the analysis of a run costs: its time beside that of measuring, memory, and how both grow.

Each run is made in a process of its own, so that the peak of memory is that run's.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from dataclasses import dataclass
from math import log
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from document import table
from nginx import nginx_on_a_core_of_its_own
from scripted import scripted_run

from keepalive_bench import Experiment, Plan, Run, Target, analyse, benchmark
from keepalive_bench.report.document import derived_document
from keepalive_bench.results.file import document_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


AT_MOST_TIME, AT_MOST_MB = 0.05, 250
REQUESTS, QUICK_REQUESTS = 100_000, 1_000
SIZES, QUICK_SIZES, MILLION = (10_000, 100_000), (1_000, 5_000), 1_000_000
_MB = 1_000_000
_Made = TypeVar("_Made")


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one run took. Times in seconds; peaks of memory, in bytes, only ever grow."""

    requests: int
    failed: int
    made_s: float
    analysis_s: float
    written_s: float
    at_first: int
    made: int
    analysed: int
    written: int


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What it took to read a results file back, in a process of its own."""

    took_s: float
    at_first: int
    peak: int


def main() -> int:
    """Measure and report; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run: its figures are noise")
    parser.add_argument("--million", action="store_true", help="how it grows up to a million")
    arguments = parser.parse_args()
    sizes = QUICK_SIZES if arguments.quick else SIZES
    with nginx_on_a_core_of_its_own() as url:
        measured, _ = cost(QUICK_REQUESTS if arguments.quick else REQUESTS, url)
    met = report(measured)
    growth([cost(requests) for requests in (*sizes, *[MILLION] * arguments.million)])
    return 0 if met else 1


def cost(requests: int, url: str = "") -> tuple[Cost, Reading]:
    """Of a run against a server, or of a scripted one."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.json"
        return _alone(_made, requests, url, path), _alone(_read, path)


def _alone(function: Callable[..., _Made], *arguments: object) -> _Made:
    """Call a function in a process of its own."""
    pool = get_context("spawn").Pool(1)
    try:
        return pool.apply(function, arguments)
    finally:
        pool.close()  # not terminated: it ends as a process does that has nothing more to do
        pool.join()


def _made(requests: int, url: str, path: Path) -> Cost:
    """Make a run, analyse it and write it; the times and the peaks."""
    at_first, began = _peak(), time.perf_counter()
    run = _measured(requests, url) if url else scripted_run(requests)
    made, made_s = _peak(), time.perf_counter() - began
    analysis = analyse(run)
    analysed, analysed_s = _peak(), time.perf_counter() - began
    with path.open("w", encoding="utf-8") as stream:
        stream.writelines(document_lines(run, derived_document(analysis)))
    return Cost(
        requests=requests,
        failed=sum(arm.failed + arm.not_sent for arm in analysis.arms),
        made_s=made_s,
        analysis_s=analysed_s - made_s,
        written_s=time.perf_counter() - began - analysed_s,
        at_first=at_first,
        made=made,
        analysed=analysed,
        written=_peak(),
    )


def _measured(requests: int, url: str) -> Run:
    return benchmark(Plan(Target(url), experiment=Experiment(requests=requests)))


def _read(path: Path) -> Reading:
    at_first, began = _peak(), time.perf_counter()
    with path.open(encoding="utf-8") as stream:
        Run.of_lines(stream)
    return Reading(took_s=time.perf_counter() - began, at_first=at_first, peak=_peak())


def _peak() -> int:
    """The most memory that this process ever held, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def report(measured: Cost) -> bool:
    """Print what the targets are about; whether both are met."""
    share, peak = measured.analysis_s / measured.made_s, measured.written / _MB
    time_met, memory_met = share <= AT_MOST_TIME, peak <= AT_MOST_MB
    print(
        f"\n{measured.requests:,} requests per arm on loopback, measured in {measured.made_s:.1f} s"
        f" and analysed in {measured.analysis_s:.2f} s ({measured.failed:,} failed):\n"
    )
    print(
        f"  analysis ÷ measuring           {share:7.1%}    at most {AT_MOST_TIME:.0%}"
        f"      {_verdict(met=time_met)}\n"
        f"  peak of memory, file written   {peak:4.0f} MB    at most {AT_MOST_MB} MB"
        f"  {_verdict(met=memory_met)}"
    )
    return time_met and memory_met


def _verdict(*, met: bool) -> str:
    return "MET" if met else "MISSED"


def growth(costs: Sequence[tuple[Cost, Reading]]) -> None:
    """Print how time and memory grow with the number of requests, of scripted runs."""
    head = ("requests per arm", "run made", "analysed", "file written", "read back")
    print("\nHow it grows, of scripted runs. Seconds:\n")
    print(table(head, [_times(*each) for each in costs]))
    print("Peak of memory until then, and bytes an exchange above that before it began:\n")
    print(table(head, [_peaks(*each) for each in costs]))
    (first, _), (last, _) = costs[0], costs[-1]
    exponent = log(last.analysis_s / first.analysis_s) / log(last.requests / first.requests)
    print(f"The time of the analysis grows as the requests to the power of {exponent:.2f}.")


def _times(made: Cost, reading: Reading) -> tuple[str, ...]:
    seconds = (made.made_s, made.analysis_s, made.written_s, reading.took_s)
    return (f"{made.requests:,}", *(f"{value:.2f}" for value in seconds))


def _peaks(made: Cost, reading: Reading) -> tuple[str, ...]:
    peaks = [(peak, made.at_first) for peak in (made.made, made.analysed, made.written)]
    return (
        f"{made.requests:,}",
        *(
            f"{peak / _MB:.0f} MB, {(peak - at_first) / (2 * made.requests):.0f}"
            for peak, at_first in (*peaks, (reading.peak, reading.at_first))
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
