"""Which of an arm's exchanges belong together: a block of a round, or as many one after another."""

from __future__ import annotations

from array import array
from collections import Counter
from itertools import compress, islice
from operator import gt
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.analysis.rows import pick, succeeded

if TYPE_CHECKING:
    from keepalive_bench.model.columns import ExchangeColumns
    from keepalive_bench.model.experiment import Experiment


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
    mask, size = succeeded(exchanges, arm), experiment.block_size
    rows = array("I", compress(range(len(mask)), mask))
    if experiment.rounds > 1:
        keys = pick(exchanges.round, mask)
    else:
        last = max(1, experiment.requests // size) - 1
        indexes = compress(exchanges.index, mask)
        keys = array("I", (min(index // size, last) for index in indexes))
    if any(map(gt, keys, islice(keys, 1, None))):
        order = sorted(range(len(keys)), key=keys.__getitem__)
        keys, rows = (array("I", map(it.__getitem__, order)) for it in (keys, rows))
    return Blocks(keys, rows)
