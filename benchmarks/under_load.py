"""Whether kab says so where a median under load isn't the server's, but its own.

Against a server that answers after a scripted time, and notes what its answers really took. A
median that is more than 5 % above that has to be told (`client-bound`, or `machine-busy`).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import NamedTuple

from document import table, write_between_marks

from keepalive_bench import Arm, Experiment, Plan, Target, analyse, benchmark

SERVER = Path(__file__).parent / "delay_server.py"
TRUSTED = 0.05
_SAYING = {"client-bound", "machine-busy"}
_DELAYS_S, _SECONDS = (0.01, 0.02, 0.05, 0.1), 4.0
_SHARED = ((1, 8), (1, 64), (2, 32), (4, 16), (8, 8))
"""Processes, and threads in each: but for the first, 64 requests at once."""


_KABS = ("median", "off", "kab's own", "said")


class Cell(NamedTuple):
    """A run, and what it was against."""

    delay_s: float
    processes: int
    threads: int
    """In each process."""
    truth_s: float
    """The server's own median."""
    median_s: float
    own_s: float | None
    """kab's own part of it, as far as it was told."""
    said: frozenset[str]

    @property
    def off(self) -> float:
        """By how much the median is too long, as a share of the truth."""
        return self.median_s / self.truth_s - 1

    @property
    def is_honest(self) -> bool:
        """Whether it is right, or kab says that it may not be."""
        return self.off <= TRUSTED or bool(self.said)


def main() -> int:
    """Measure and report; 1 where a wrong median was passed over in silence."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run: its figures are noise")
    quick = parser.parse_args().quick
    grid = [(0.01, _SHARED[0])] if quick else list(product(_DELAYS_S, _SHARED))
    cells = [measured(delay, *how, 0.3 if quick else _SECONDS) for delay, how in grid]
    silent = sum(not cell.is_honest for cell in cells)
    needless = sum(cell.off <= TRUSTED and "client-bound" in cell.said for cell in cells)
    wrong = sum(cell.off > TRUSTED for cell in cells)
    head = ("delay", "processes", "threads each", "server's own", *_KABS)
    text = (
        f"Times in milliseconds.\n\n{table(head, shown(cells))}\n"
        f"Of {len(cells)} medians {wrong} are more than {TRUSTED:.0%} off, {silent} of them in "
        f"silence: {'MISSED' if silent else 'MET'}. `client-bound`\nis told of {needless} "
        "that aren't."
    )
    print(text)
    if not quick:
        write_between_marks("under_load", text)
    return 1 if silent else 0


def measured(delay_s: float, processes: int, threads: int, seconds: float) -> Cell:
    """One run against a server of its own."""
    command = [sys.executable, str(SERVER), str(delay_s)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        if server.stdin is None or server.stdout is None:
            raise RuntimeError("pipes were asked for")
        experiment = Experiment(
            requests=int(seconds / delay_s) * processes * threads,
            processes=processes,
            concurrency=threads,
            arms=(Arm("pooled"),),
        )
        target = Target(f"http://127.0.0.1:{server.stdout.readline().strip()}/")
        analysis = analyse(benchmark(Plan(target, experiment=experiment)))
        server.stdin.close()
        truth_s = float(server.stdout.readline())
    findings = {finding.code: finding.evidence for finding in analysis.findings}
    own_s = findings.get("client-bound", {}).get("own_s")
    return Cell(
        delay_s,
        processes,
        threads,
        truth_s,
        analysis.first.latency.p50 or 0.0,
        None if own_s is None else float(own_s),
        frozenset(_SAYING & findings.keys()),
    )


def shown(cells: list[Cell]) -> list[list[str]]:
    """The table's rows; times in milliseconds."""
    return [
        [
            f"{1000 * cell.delay_s:.0f}",
            str(cell.processes),
            str(cell.threads),
            f"{1000 * cell.truth_s:.2f}",
            f"{1000 * cell.median_s:.2f}",
            f"{cell.off:+.1%}",
            "–" if cell.own_s is None else f"{1000 * cell.own_s:.2f}",
            ", ".join(sorted(cell.said)) or "–",
        ]
        for cell in cells
    ]


if __name__ == "__main__":
    sys.exit(main())
