"""How often identical arms are called different: by kab, and by running a tool twice.

Each experiment sends the same requests in both designs, in random order, to the embedded server.
That has a core of its own: it serves each connection in a thread, and when the system puts the
threads of the two arms' connections on different cores, the arms are not the same.

Of normal noise that is new in each request, the paired interval is 0.82 times as wide, √(2 ÷ 0.955)
standard errors against √π: E. L. Lehmann, "Theory of Point Estimation" (1983), section 5.4. What
halves of a pair share makes it narrower, and heavy tails wider.

The table goes into docs/evidence.md, unless it is a quick run.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass, field
from math import log
from random import Random
from statistics import NormalDist, correlation, median
from typing import TYPE_CHECKING

from cores import move_to, move_to_last_core
from document import table, write_between_marks
from pairing import Figure, ratio, report

from keepalive_bench import Arm, DecisionRule, Experiment, Plan, Target, analyse, benchmark
from keepalive_bench.server import ServerProcess, ServerSettings

if TYPE_CHECKING:
    from keepalive_bench import Run
    from keepalive_bench.plan.experiment import Order
    from keepalive_bench.stats.intervals import Interval

REQUESTS, EXPERIMENTS, QUICK_EXPERIMENTS = 50, 2_000, 20
AT_MOST_FALSE, AT_MOST_WIDE = 0.06, 0.6
_RESAMPLES = 1_000
_CONFIDENCE = 0.95
_FALSE = {"faster", "slower"}
_ARMS = (Arm("pooled", "a"), Arm("pooled", "b"))


@dataclass
class Design:
    """What one way to compare said about arms that are the same."""

    false: int = 0
    widths: list[float] = field(default_factory=list)
    misses: list[float] = field(default_factory=list)
    """How far off 1 each interval's middle is, in halves of its width."""
    likenesses: list[float] = field(default_factory=list)
    """How the logarithms of the two arms' i-th latencies correlate, in each experiment."""

    def count(self, interval: Interval, *, false: bool) -> None:
        """Count one experiment."""
        self.false += false
        low, high = (log(end) for end in interval)
        self.widths.append(high - low)
        self.misses.append(abs(low + high) / (high - low))

    @property
    def too_narrow(self) -> float:
        """How much wider the intervals would have to be for the confidence that they claim."""
        return sorted(self.misses)[round(_CONFIDENCE * (len(self.misses) - 1))]

    def row(self, name: str) -> tuple[str, ...]:
        """Its line in the table."""
        count = len(self.widths)
        low, high = wilson(self.false, count)
        return (
            name,
            f"{count:,}",
            f"{self.false:,}",
            f"{100 * self.false / count:.1f} %",
            f"{100 * low:.1f} … {100 * high:.1f} %",
            f"{median(self.widths):.3f}",
            f"{self.too_narrow:.2f}×",
        )


def main() -> int:
    """Experiment and report; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run: its figures are noise")
    parser.add_argument("--seed", type=int, default=None, help="of the orders and resamples")
    parser.add_argument("--minutes", type=float, default=10, help="stop there, however many it is")
    arguments = parser.parse_args()
    most = QUICK_EXPERIMENTS if arguments.quick else EXPERIMENTS
    random = Random(arguments.seed)  # noqa: S311  # not for secrets
    began = time.perf_counter()
    own_cores = move_to_last_core()
    with ServerProcess(ServerSettings()) as server:
        move_to(own_cores)
        paired, sequential = experiments(server.url, most, 60 * arguments.minutes, random)
    count = len(paired.widths)
    print(f"{count:,} experiments of {REQUESTS} requests in {time.perf_counter() - began:.0f} s")
    widths = ratio(paired.widths, sequential.widths)
    figure = Figure("kab ÷ run twice", widths, AT_MOST_WIDE)
    page = _page(paired, sequential, figure)
    print(f"\n{page}")
    narrow = report("Width of the ratio's interval, within an experiment:", [figure])
    if not arguments.quick:
        write_between_marks("aa", page)
    return 0 if narrow and _is_honest(paired) else 1


def experiments(url: str, most: int, seconds: float, random: Random) -> tuple[Design, Design]:
    """Both designs, once each per experiment, which of them first by lot."""
    paired, sequential = Design(), Design()
    deadline = time.perf_counter() + seconds
    while len(paired.widths) < most and time.perf_counter() < deadline:
        for design in random.sample((paired, sequential), 2):
            if design is paired:
                _paired(paired, _run(url, "paired", random))
            else:
                _twice(sequential, _run(url, "sequential", random), random)
    return paired, sequential


def _run(url: str, order: Order, random: Random) -> Run:
    return benchmark(
        Plan(
            Target(url),
            experiment=Experiment(
                requests=REQUESTS, arms=_ARMS, order=order, seed=random.getrandbits(32)
            ),
            decision_rule=DecisionRule(confidence=_CONFIDENCE, margin=0.0),
        )
    )


def _arms(run: Run) -> list[list[float]]:
    """The latencies of each arm, in the order of the requests."""
    latencies, indexes = run.exchanges.latency_s, run.exchanges.index
    return [
        [latencies[row] for row in sorted(run.exchanges.rows(arm.label), key=indexes.__getitem__)]
        for arm in _ARMS
    ]


def _paired(design: Design, run: Run) -> None:
    """Let kab judge."""
    analysis = analyse(run)
    design.likenesses.append(correlation(*(list(map(log, arm)) for arm in _arms(run))))
    _, low, high = analysis.comparisons[0].speedup
    if low is None or high is None:
        raise RuntimeError(analysis.verdict.text)
    design.count((low, high), false=analysis.verdict.code in _FALSE)


def _twice(design: Design, run: Run, random: Random) -> None:
    """Judge by the medians of two separate runs: an ordinary bootstrap of their ratio."""
    arms = _arms(run)
    ratios = sorted(
        median(random.choices(arms[1], k=REQUESTS)) / median(random.choices(arms[0], k=REQUESTS))
        for _ in range(_RESAMPLES)
    )
    cut = round(_RESAMPLES * (1 - _CONFIDENCE) / 2)
    low, high = ratios[cut], ratios[-1 - cut]
    design.count((low, high), false=low > 1 or high < 1)


def wilson(hits: int, count: int) -> Interval:
    """A 95 % CI of a share: E. B. Wilson, JASA 22 (1927), 209-212."""
    z = NormalDist().inv_cdf((1 + _CONFIDENCE) / 2)
    share, weight = hits / count, z * z / count
    centre = (share + weight / 2) / (1 + weight)
    half = z * (share * (1 - share) / count + weight / (4 * count)) ** 0.5 / (1 + weight)
    return centre - half, centre + half


def _is_honest(paired: Design) -> bool:
    return paired.false <= AT_MOST_FALSE * len(paired.widths)


def _page(paired: Design, sequential: Design, widths: Figure) -> str:
    head = (
        *("design", "experiments", "false verdicts", "rate", "its 95 % CI", "typical width"),
        "honest at",
    )
    rows = (
        paired.row("pairs in random order, as kab has it"),
        sequential.row("one arm after the other, bootstrap of medians"),
    )
    honest = widths.ratio.median * paired.too_narrow / sequential.too_narrow
    outcome = "MET" if _is_honest(paired) else "MISSED"
    return (
        table(head, rows)
        + f"\nAt most {100 * AT_MOST_FALSE:g} % may be false: {outcome}. Widths are of the ratio's "
        "logarithm; within an\nexperiment, the paired interval is typically "
        f"{widths.ratio.median:.2f}× as wide as the other one, and may be {AT_MOST_WIDE:g}×: "
        f"{widths.verdict}.\n“Honest at” is how much wider a design's intervals would have to be "
        "to be false in 5 % of experiments only.\nOf intervals that are, the paired one is "
        f"{honest:.2f}× as wide as the other one.\nThe two requests of a pair correlate by "
        f"{median(paired.likenesses):.2f} (median of the experiments).\n"
    )


if __name__ == "__main__":
    sys.exit(main())
