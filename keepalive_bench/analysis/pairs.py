"""Which requests of two arms belong together, and what each half of such a pair took."""

from __future__ import annotations

from array import array
from itertools import groupby, islice
from operator import itemgetter, lt
from statistics import fmean, median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.analysis.arm_view import ArmView, Blocks

Group = tuple[int, list[int]]
"""Which pair it is half of, and the rows of its exchanges."""


class Half(NamedTuple):
    """One arm's halves of the pairs that both arms answered; a row of each for each pair."""

    typical: array[float]
    """Seconds: a request's latency, or the median one of a block."""
    mean: array[float]
    """The same, but a block's mean: its median says nothing of what all of it took."""
    rows: array[int]
    """All exchanges that are in them."""


class Pairs(NamedTuple):
    """Pairs of requests, or of blocks; what failed has no place in them."""

    own: Half
    other: Half
    left_out: int
    """Pairs of which an arm, or both, has no answer, or took no time at all."""

    @property
    def number(self) -> int:
        """How many there are."""
        return len(self.own.typical)


def pair(own: ArmView, other: ArmView) -> Pairs:
    """Put two arms' exchanges together.

    One request at a time, requests of the same index are a pair; several at a time, the requests
    of a round are, or as many of one arm after the other. Of arms that don't take turns, time may
    have ended one sooner: then as many of the other's are taken from all of its time.
    """
    experiment, exchanges = own.plan.experiment, own.exchanges
    blocks, other_blocks = own.blocks, other.blocks
    if blocks.keys == other_blocks.keys and _increase(blocks.keys):  # one request each, in order
        alone = own.by_block, other.by_block
        if all(map(all, alone)) and not exchanges.failures.values:
            ours, theirs = alone
            mine = Half(ours, ours, blocks.rows)
            return Pairs(mine, Half(theirs, theirs, other_blocks.rows), 0)
    keys, other_keys = own.attempted_blocks(), other.attempted_blocks()
    due = len(keys | other_keys)
    if not experiment.is_paired and len(keys) != len(other_keys):
        due = min(len(keys), len(other_keys))
        blocks = blocks.thinned_out(keys, due)
        other_blocks = other_blocks.thinned_out(other_keys, due)
    halves = _no_half(), _no_half()
    for groups in _matched(_groups(blocks), _groups(other_blocks)):
        both = [[exchanges.latency_s[row] for row in rows] for rows in groups]
        typical = [median(values) if values else 0.0 for values in both]
        if not all(typical):
            continue
        for half, rows, values, middle in zip(halves, groups, both, typical, strict=True):
            half.typical.append(middle)
            half.mean.append(fmean(values))
            half.rows.extend(rows)
    return Pairs(*halves, due - len(halves[0].typical))


def _increase(keys: array[int]) -> bool:
    return all(map(lt, keys, islice(keys, 1, None)))


def _no_half() -> Half:
    return Half(array("d"), array("d"), array("I"))


def _groups(blocks: Blocks) -> Iterator[Group]:
    """An arm's halves, in order; the rows of exchanges that succeeded."""
    for number, group in groupby(zip(*blocks, strict=True), itemgetter(0)):
        yield number, [row for _, row in group]


def _matched(own: Iterator[Group], other: Iterator[Group]) -> Iterator[tuple[list[int], list[int]]]:
    """The rows of both halves of each pair, none where an arm has none."""
    one, two = next(own, None), next(other, None)
    while one is not None or two is not None:
        if two is None or (one is not None and one[0] < two[0]):
            yield one[1] if one else [], []
            one = next(own, None)
        elif one is None or two[0] < one[0]:
            yield [], two[1]
            two = next(other, None)
        else:
            yield one[1], two[1]
            one, two = next(own, None), next(other, None)
