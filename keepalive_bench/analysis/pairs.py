"""Which requests of two arms belong together."""

from __future__ import annotations

from array import array
from heapq import merge
from itertools import compress, groupby, islice, repeat
from math import isnan, nan
from operator import add, itemgetter, lt
from statistics import fmean, median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.analysis.arm_view import ArmView, Blocks


class Times(NamedTuple):
    """Of one arm's halves of the pairs, or of a part of their requests; a number for each pair."""

    typical: array[float]
    """Seconds: a request's latency, or the median one of a block; NaN where the part has none."""
    mean: array[float]
    """The same, but a block's mean: its median says nothing of what all of it took."""
    mask: bytes | bytearray
    """The exchanges that it is about: a byte for each row of the run's table."""


class Half(NamedTuple):
    """One arm's halves of the pairs that both arms answered."""

    all: Times
    reusing: Times
    """Of the requests whose connection had served one before. Of an arm that keeps no connection,
    that is no condition: of all."""


class Pairs(NamedTuple):
    """Pairs of requests, or of blocks; what failed has no place in them."""

    own: Half
    other: Half
    left_out: int
    """Pairs of which an arm, or both, has no answer, or took no time at all."""

    @property
    def number(self) -> int:
        """How many there are."""
        return len(self.own.all.typical)

    @property
    def reusing(self) -> int:
        """Of how many both halves reused a connection, in each arm that keeps any."""
        both = map(add, self.own.reusing.typical, self.other.reusing.typical)
        return self.number - sum(map(isnan, both))


def pair(own: ArmView, other: ArmView) -> Pairs:
    """Put two arms' exchanges together.

    One request at a time, requests of the same index are a pair; several at a time, the requests
    of a round are, or as many of one arm after the other. Of arms that don't take turns, time may
    have ended one sooner: then as many of the other's are taken from all of its time.
    """
    experiment, exchanges = own.plan.experiment, own.exchanges
    if not exchanges.failures.values and _are_alike(own, other):
        return Pairs(_whole(own), _whole(other), 0)
    blocks, other_blocks = own.blocks, other.blocks
    keys, other_keys = (set(it.block_keys(it.in_time)) for it in (own, other))
    due = len(keys | other_keys)
    if not experiment.is_paired and len(keys) != len(other_keys):
        due = min(len(keys), len(other_keys))
        blocks = blocks.thinned_out(keys, due)
        other_blocks = other_blocks.thinned_out(other_keys, due)
    halves = own_half, other_half = [_empty(len(exchanges)) for _ in range(2)]
    for groups in _matched(blocks, other_blocks):
        both = [[exchanges.latency_s[row] for row in rows] for rows in groups]
        if not all(values and median(values) for values in both):
            continue
        for half, view, rows in zip(halves, (own, other), groups, strict=True):
            _add(half.all, rows, exchanges.latency_s)
            _add(half.reusing, [row for row in rows if view.reused[row]], exchanges.latency_s)
    return Pairs(own_half, other_half, due - len(own_half.all.typical))


def _empty(rows: int) -> Half:
    return Half(*(Times(array("d"), array("d"), bytearray(rows)) for _ in range(2)))


def _add(times: Times, rows: list[int], latency_s: array[float]) -> None:
    values = [latency_s[row] for row in rows]
    if not (values and median(values)):  # of a part that took no time at all, there is no ratio
        rows, values = [], [nan]
    times.typical.append(median(values))
    times.mean.append(fmean(values))
    for row in rows:
        times.mask[row] = 1  # type: ignore[index]  # of these, it is a bytearray


def _are_alike(own: ArmView, other: ArmView) -> bool:
    """Whether both have one request in each block, in order, and all took some time."""
    keys = own.block_keys(own.timed)
    return (
        keys == other.block_keys(other.timed)
        and all(map(lt, keys, islice(keys, 1, None)))
        and all(own.latencies)
        and all(other.latencies)
    )


def _whole(view: ArmView) -> Half:
    """All of an arm, one request at a time."""
    latencies, reused = view.latencies, view.reused
    every = Times(latencies, latencies, view.timed)
    if reused == view.timed:
        return Half(every, every)
    each = zip(latencies, compress(reused, view.timed), strict=True)
    kept = array("d", (latency if it else nan for latency, it in each))
    return Half(every, Times(kept, kept, reused))


def _matched(own: Blocks, other: Blocks) -> Iterator[tuple[list[int], list[int]]]:
    """The rows of both halves of each pair, none where an arm has none."""
    both = (zip(it.keys, repeat(half), it.rows) for half, it in enumerate((own, other)))
    for _, rows in groupby(merge(*both), itemgetter(0)):
        halves: tuple[list[int], list[int]] = ([], [])
        for _, half, row in rows:
            halves[half].append(row)
        yield halves
