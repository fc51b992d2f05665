"""Which requests of two arms belong together, and what each half of such a pair took."""

from __future__ import annotations

from array import array
from itertools import groupby, islice
from operator import itemgetter, lt
from statistics import fmean, median
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.analysis.blocks import attempted_blocks, blocks_of, thinned_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.analysis.blocks import Blocks
    from keepalive_bench.plan.experiment import Experiment
    from keepalive_bench.results.columns import ExchangeColumns

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


def pair(exchanges: ExchangeColumns, experiment: Experiment, arm: str, against: str) -> Pairs:
    """Put two arms' exchanges together.

    One request at a time, requests of the same index are a pair; several at a time, the requests
    of a round are, or as many of one arm after the other. Of arms that don't take turns, time may
    have ended one sooner: then as many of the other's are taken from all of its time.
    """
    latencies = exchanges.latency_s
    own, other = (blocks_of(exchanges, experiment, label) for label in (arm, against))
    if own.keys == other.keys and all(map(lt, own.keys, islice(own.keys, 1, None))):
        alone = _alone(latencies, own.rows), _alone(latencies, other.rows)
        if all(all(half.typical) for half in alone) and not exchanges.failures.values:
            return Pairs(*alone, 0)
    keys, other_keys = (attempted_blocks(exchanges, experiment, label) for label in (arm, against))
    due = len(keys | other_keys)
    if not experiment.is_paired and len(keys) != len(other_keys):
        due = min(len(keys), len(other_keys))
        own, other = thinned_out(own, keys, due), thinned_out(other, other_keys, due)
    halves = _no_half(), _no_half()
    for groups in _matched(_groups(own), _groups(other)):
        both = [[latencies[row] for row in rows] for rows in groups]
        typical = [median(values) if values else 0.0 for values in both]
        if not all(typical):
            continue
        for half, rows, values, middle in zip(halves, groups, both, typical, strict=True):
            half.typical.append(middle)
            half.mean.append(fmean(values))
            half.rows.extend(rows)
    return Pairs(*halves, due - len(halves[0].typical))


def _alone(latencies: array[float], rows: array[int]) -> Half:
    """Halves of one request each."""
    times = array("d", map(latencies.__getitem__, rows))
    return Half(times, times, rows)


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
