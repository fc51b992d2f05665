"""What the parts of the analysis need of an arm's exchanges: each is made once, and kept.

A view is made for an analysis and goes with it, so that a run's columns are all that stays.
"""

from __future__ import annotations

from array import array
from collections import Counter
from functools import cached_property
from itertools import accumulate, compress, islice, pairwise
from math import fsum
from operator import gt, truediv
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.results.masks import ended, pick, succeeded
from keepalive_bench.stats.dependence import dependence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keepalive_bench.plan.plan import Plan
    from keepalive_bench.results.columns import ExchangeColumns
    from keepalive_bench.stats.dependence import Dependence


class Blocks(NamedTuple):
    """The exchanges of an arm that succeeded, in the order of the blocks that they belong to."""

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
    """One arm's exchanges. Masks have a byte for each row of the run's table."""

    def __init__(self, label: str, plan: Plan, exchanges: ExchangeColumns) -> None:
        self.label, self.plan, self.exchanges = label, plan, exchanges

    @cached_property
    def ended(self) -> bytes:
        """Its exchanges that came to an end of their own, well or not."""
        return ended(self.exchanges, self.label)

    @cached_property
    def succeeded(self) -> bytes:
        """Its exchanges that have an answer, and one that counts."""
        if not self.exchanges.failures.values:
            return self.ended
        return succeeded(self.exchanges, self.label)

    @cached_property
    def latencies(self) -> array[float]:
        """Seconds, of those that succeeded, in the order of the table."""
        return pick(self.exchanges.latency_s, self.succeeded)

    @cached_property
    def ordered(self) -> array[float]:
        """The same, sorted."""
        return array("d", sorted(self.latencies))

    @property
    def is_alone(self) -> bool:
        """Whether one request at a time is on its way, and is a block by itself."""
        return self.plan.experiment.block_size == 1

    @cached_property
    def blocks(self) -> Blocks:
        """Its blocks; one request at a time, a request is one."""
        mask = self.succeeded
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
