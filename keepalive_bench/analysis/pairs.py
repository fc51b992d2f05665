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
    mask: bytes
    """All exchanges that are in them: a byte for each row of the run's table."""


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
    if not exchanges.failures.values and _are_alike(own, other):
        halves = tuple(Half(it.latencies, it.latencies, it.succeeded) for it in (own, other))
        return Pairs(halves[0], halves[1], 0)
    blocks, other_blocks = own.blocks, other.blocks
    keys, other_keys = (set(it.block_keys(it.ended)) for it in (own, other))
    due = len(keys | other_keys)
    if not experiment.is_paired and len(keys) != len(other_keys):
        due = min(len(keys), len(other_keys))
        blocks = blocks.thinned_out(keys, due)
        other_blocks = other_blocks.thinned_out(other_keys, due)
    halves, masks = (_no_half(), _no_half()), [bytearray(len(exchanges)) for _ in range(2)]
    for groups in _matched(_groups(blocks), _groups(other_blocks)):
        both = [[exchanges.latency_s[row] for row in rows] for rows in groups]
        typical = [median(values) if values else 0.0 for values in both]
        if not all(typical):
            continue
        for half, mask, rows, values, middle in zip(
            halves, masks, groups, both, typical, strict=True
        ):
            half.typical.append(middle)
            half.mean.append(fmean(values))
            for row in rows:
                mask[row] = 1
    one, two = (half._replace(mask=bytes(mask)) for half, mask in zip(halves, masks, strict=True))
    return Pairs(one, two, due - len(one.typical))


def _are_alike(own: ArmView, other: ArmView) -> bool:
    """Whether both have one request in each block, in order, and all took some time."""
    keys = own.block_keys(own.succeeded)
    return (
        keys == other.block_keys(other.succeeded)
        and all(map(lt, keys, islice(keys, 1, None)))
        and all(own.latencies)
        and all(other.latencies)
    )


def _no_half() -> Half:
    return Half(array("d"), array("d"), b"")


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
