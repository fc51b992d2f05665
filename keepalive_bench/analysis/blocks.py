"""Which of an arm's exchanges belong together: a block of a round, or as many one after another."""

from __future__ import annotations

from array import array
from collections import Counter
from itertools import compress, islice
from operator import gt
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.results.masks import ended, pick, succeeded

if TYPE_CHECKING:
    from keepalive_bench.plan.experiment import Experiment
    from keepalive_bench.results.columns import ExchangeColumns


class Blocks(NamedTuple):
    """The exchanges of an arm that succeeded, in the order of the blocks that they belong to."""

    keys: array[int]
    """Which block each belongs to: those of two arms with the same one are a pair."""
    rows: array[int]

    @property
    def sizes(self) -> list[int]:
        """How many there are in each block that has any."""
        return list(Counter(self.keys).values())


def blocks_of(exchanges: ExchangeColumns, experiment: Experiment, arm: str) -> Blocks:
    """An arm's blocks; one request at a time, a request is one.

    Where arms don't take turns, as many requests as make a block are one, by their index; the last
    is the larger by what is left.
    """
    mask = succeeded(exchanges, arm)
    keys, rows = _keys(exchanges, experiment, mask), array("I", compress(range(len(mask)), mask))
    if any(map(gt, keys, islice(keys, 1, None))):
        order = sorted(range(len(keys)), key=keys.__getitem__)
        keys, rows = (array("I", map(it.__getitem__, order)) for it in (keys, rows))
    return Blocks(keys, rows)


def attempted_blocks(exchanges: ExchangeColumns, experiment: Experiment, arm: str) -> set[int]:
    """The blocks that an arm has a request of that ended, well or not, by their keys."""
    return set(_keys(exchanges, experiment, ended(exchanges, arm)))


def thinned_out(blocks: Blocks, tried_keys: set[int], wanted: int) -> Blocks:
    """So many of the blocks that were tried, evenly from all of them, and numbered from 0."""
    keys = sorted(tried_keys)
    number_of = {keys[number * len(keys) // wanted]: number for number in range(wanted)}
    numbers = array("q", (number_of.get(key, -1) for key in blocks.keys))
    kept = bytes(number >= 0 for number in numbers)
    return Blocks(array("I", compress(numbers, kept)), pick(blocks.rows, kept))


def _keys(exchanges: ExchangeColumns, experiment: Experiment, mask: bytes) -> array[int]:
    if experiment.rounds > 1:
        return pick(exchanges.round, mask)
    size = experiment.block_size
    last = max(1, experiment.requests // size) - 1
    indexes = compress(exchanges.index, mask)
    return array("I", (min(index // size, last) for index in indexes))
