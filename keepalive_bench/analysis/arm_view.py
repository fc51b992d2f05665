"""What the parts of the analysis need of an arm's exchanges: each is made once, and kept.

A view is made for an analysis and goes with it, so that a run's columns are all that stays.
"""

from __future__ import annotations

from array import array
from collections import Counter
from functools import cached_property
from itertools import accumulate, compress, islice, pairwise
from math import fsum
from operator import and_, gt, truediv
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from keepalive_bench.results.table import NONE, pick
from keepalive_bench.stats.clusters import clustered_quantile_ends
from keepalive_bench.stats.dependence import dependence, interval_inflation
from keepalive_bench.stats.descriptive import mean, quantile, stdev
from keepalive_bench.stats.intervals import quantile_ends, ratio_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keepalive_bench.plan.plan import Plan
    from keepalive_bench.results.columns import ExchangeColumns
    from keepalive_bench.stats.dependence import Dependence
    from keepalive_bench.stats.intervals import Ends, Interval


Quantile = Literal["p50", "p90", "p95", "p99"]
QUANTILES: tuple[Quantile, ...] = get_args(Quantile)
PERCENTS = tuple(int(name[1:]) for name in QUANTILES)
BOUNDED = ("mean", *QUANTILES)
"""Metrics of latency that can have an interval; a maximum can't."""


class Latency(NamedTuple):
    """Latencies of the exchanges that are timed; a quantile is `None` where too few bear it."""

    mean: float | None = None
    stdev: float | None = None
    min: float | None = None
    p50: float | None = None
    p90: float | None = None
    p95: float | None = None
    p99: float | None = None
    max: float | None = None


def summed_up(ordered: Sequence[float]) -> Latency:
    """Sorted latencies in one value."""
    if not ordered:
        return Latency()
    return Latency(
        mean=mean(ordered),
        stdev=stdev(ordered),
        min=ordered[0],
        max=ordered[-1],
        **{f"p{percent}": quantile(ordered, percent) for percent in PERCENTS},
    )


class Blocks(NamedTuple):
    """The exchanges of an arm that are timed, in the order of the blocks that they belong to."""

    keys: array[int]
    """Which block each belongs to: those of two arms with the same one are a pair."""
    rows: array[int]

    def thinned_out(self, attempted: set[int], wanted: int) -> Blocks:
        """So many of the blocks that were attempted, evenly from all, and numbered from 0."""
        keys = sorted(attempted)
        number_of = {keys[number * len(keys) // wanted]: number for number in range(wanted)}
        numbers = array("q", (number_of.get(key, -1) for key in self.keys))
        kept = bytes(number >= 0 for number in numbers)
        return Blocks(array("I", compress(numbers, kept)), pick(self.rows, kept))


class ArmView:
    """One arm's exchanges. Masks have a byte for each row of the run's table.

    One request at a time, intervals are wider where latencies depend on those before them. Several
    at a time, requests of a block have much in common: the network, and what else the server does.
    Then blocks are what is independent, or nearly.
    """

    def __init__(
        self, label: str, plan: Plan, exchanges: ExchangeColumns, untimed: bytes = b""
    ) -> None:
        """`untimed`: a mask of the exchanges whose times count for nothing; empty: all do."""
        self.label, self.plan, self.exchanges = label, plan, exchanges
        self._untimed = untimed
        self.confidence = plan.decision_rule.confidence
        self._keeps = any(arm.traits.reuses for arm in plan.experiment.arms if arm.label == label)

    @cached_property
    def ended(self) -> bytes:
        """Its exchanges that came to an end of their own, well or not."""
        return self.exchanges.ended_of_arm(self.label)

    @cached_property
    def succeeded(self) -> bytes:
        """Its exchanges that have an answer, and one that counts."""
        if not self.exchanges.failures.values:
            return self.ended
        return bytes(map(and_, self.ended, map((0).__gt__, self.exchanges.failure)))

    @cached_property
    def in_time(self) -> bytes:
        """Those that came to an end of their own, but for what an early end of the run cut."""
        return self._without_untimed(self.ended)

    @cached_property
    def timed(self) -> bytes:
        """Those that succeeded, but for the same: figures of times are theirs."""
        return self._without_untimed(self.succeeded)

    def _without_untimed(self, mask: bytes) -> bytes:
        return bytes(map(gt, mask, self._untimed)) if self._untimed else mask

    @cached_property
    def reused(self) -> bytes | bytearray:
        """Those of the timed ones whose connection had carried an exchange before.

        Of an arm that keeps no connection, all: it has none to reuse.
        """
        if not self._keeps:
            return self.timed
        connections = pick(self.exchanges.connection, self.ended)
        rows = array("I", compress(range(len(self.ended)), self.ended))
        first = dict(zip(reversed(connections), reversed(rows), strict=True))
        first.pop(NONE, None)
        mask = bytearray(self.timed)
        for row in first.values():
            mask[row] = 0
        return mask

    @cached_property
    def latencies(self) -> array[float]:
        """Seconds, of those that are timed, in the order of the table."""
        return pick(self.exchanges.latency_s, self.timed)

    @cached_property
    def ordered(self) -> array[float]:
        """The same, sorted."""
        return array("d", sorted(self.latencies))

    @cached_property
    def latency(self) -> Latency:
        """The same, summed up."""
        return summed_up(self.ordered)

    @property
    def is_alone(self) -> bool:
        """Whether one request at a time is on its way, and is a block by itself."""
        return self.plan.experiment.block_size == 1

    @cached_property
    def blocks(self) -> Blocks:
        """Its blocks; one request at a time, a request is one."""
        mask = self.timed
        keys, rows = self.block_keys(mask), array("I", compress(range(len(mask)), mask))
        if any(map(gt, keys, islice(keys, 1, None))):
            order = sorted(range(len(keys)), key=keys.__getitem__)
            keys, rows = (array("I", map(it.__getitem__, order)) for it in (keys, rows))
        return Blocks(keys, rows)

    @cached_property
    def by_block(self) -> array[float]:
        """Its latencies in the order of the blocks."""
        return array("d", map(self.exchanges.latency_s.__getitem__, self.blocks.rows))

    @cached_property
    def block_sizes(self) -> list[int]:
        """How many of those are in each block that has any."""
        return list(Counter(self.blocks.keys).values())

    @cached_property
    def block_sums(self) -> list[float]:
        """The latencies of each block, added up."""
        edges = accumulate(self.block_sizes, initial=0)
        return [fsum(self.by_block[start:stop]) for start, stop in pairwise(edges)]

    @cached_property
    def dependence(self) -> Dependence:
        """How its latencies, or its blocks' means, depend on those before them.

        Around a line: a drift widens no interval. It is told apart, and figures are of the run's
        time.
        """
        values: Sequence[float] = self.latencies
        if not self.is_alone:
            values = [*map(truediv, self.block_sums, self.block_sizes)]
        return dependence(values, around_trend=True)

    @property
    def interval_inflation(self) -> float:
        """How much wider that makes intervals at the plan's confidence."""
        return self._inflation(self.confidence)

    def _inflation(self, confidence: float) -> float:
        count = len(self.latencies if self.is_alone else self.block_sums)
        return interval_inflation(self.dependence.inefficiency, count, confidence)

    @cached_property
    def quantile_intervals(self) -> dict[str, Interval]:
        """By metric, of the quantiles that the data can bound."""
        found, tail = {}, (1 - self.confidence) / 2
        for percent in PERCENTS:
            if getattr(self.latency, f"p{percent}") is not None:
                low, high = self._ends(percent, tail, self.confidence)
                if low is not None and high is not None:
                    found[f"p{percent}"] = low, high
        return found

    def mean_interval(self) -> Interval | None:
        """The mean's, which takes longer than all else."""
        sums: Sequence[float] = self.latencies if self.is_alone else self.block_sums
        if not all(sums):  # as a logarithm, which nothing hasn't, it is never below 0
            return None
        sizes = array("B", bytes([1]) * len(sums)) if self.is_alone else self.block_sizes
        return ratio_interval(sums, sizes, self.confidence, self.interval_inflation)

    def quantile_ends(self, percent: int) -> Ends:
        """Where a quantile lies at least, and at most: each end by itself, at the confidence.

        An interval leaves half of the doubt to either side; an end that decides something alone has
        all of it. Of nothing, neither is known.
        """
        tail = 1 - self.confidence
        return self._ends(percent, tail, 1 - 2 * tail) if self.ordered else (None, None)

    def _ends(self, percent: int, tail: float, confidence: float) -> Ends:
        if self.is_alone:
            return quantile_ends(self.ordered, percent, tail, self._inflation(confidence))
        by_block, sizes = self.by_block, self.block_sizes
        return clustered_quantile_ends(by_block, sizes, self.ordered, percent, tail)

    def block_keys(self, mask: bytes) -> array[int]:
        """Which block each exchange in a mask belongs to.

        Where arms don't take turns, as many requests as make a block are one, by their index; the
        last one is the larger by what is left.
        """
        experiment = self.plan.experiment
        if experiment.rounds > 1:
            return pick(self.exchanges.round, mask)
        size = experiment.block_size
        last = max(1, experiment.requests // size) - 1
        indexes = compress(self.exchanges.index, mask)
        return array("I", (min(index // size, last) for index in indexes))
