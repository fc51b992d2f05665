"""Which requests of two arms belong together, and how many times faster one half of a pair is."""

from __future__ import annotations

from array import array
from heapq import merge
from itertools import groupby, islice, repeat
from math import exp, log, sqrt
from operator import itemgetter, lt
from statistics import fmean, median
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.stats.dependence import (
    dependence,
    first_order_inefficiency,
    interval_inflation,
)
from keepalive_bench.stats.descriptive import hodges_lehmann
from keepalive_bench.stats.intervals import Estimate, signed_rank_interval, widened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.analysis.arm_view import ArmView, Blocks
    from keepalive_bench.plan.plan import Plan


_LARGEST_LOG = 690.0
"""Of a ratio: 1e300 is near what a number can be."""


class Half(NamedTuple):
    """One arm's halves of the pairs that both arms answered; a row of each for each pair."""

    typical: array[float]
    """Seconds: a request's latency, or the median one of a block."""
    mean: array[float]
    """The same, but a block's mean: its median says nothing of what all of it took."""
    mask: bytes | bytearray
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
        halves = tuple(Half(it.latencies, it.latencies, it.timed) for it in (own, other))
        return Pairs(halves[0], halves[1], 0)
    blocks, other_blocks = own.blocks, other.blocks
    keys, other_keys = (set(it.block_keys(it.in_time)) for it in (own, other))
    due = len(keys | other_keys)
    if not experiment.is_paired and len(keys) != len(other_keys):
        due = min(len(keys), len(other_keys))
        blocks = blocks.thinned_out(keys, due)
        other_blocks = other_blocks.thinned_out(other_keys, due)
    masks = [bytearray(len(exchanges)) for _ in range(2)]
    one, two = (Half(array("d"), array("d"), mask) for mask in masks)
    for groups in _matched(blocks, other_blocks):
        both = [[exchanges.latency_s[row] for row in rows] for rows in groups]
        typical = [median(values) if values else 0.0 for values in both]
        if not all(typical):
            continue
        for half, mask, rows, values, middle in zip(
            (one, two), masks, groups, both, typical, strict=True
        ):
            half.typical.append(middle)
            half.mean.append(fmean(values))
            for row in rows:
                mask[row] = 1
    return Pairs(one, two, due - len(one.typical))


def _are_alike(own: ArmView, other: ArmView) -> bool:
    """Whether both have one request in each block, in order, and all took some time."""
    keys = own.block_keys(own.timed)
    return (
        keys == other.block_keys(other.timed)
        and all(map(lt, keys, islice(keys, 1, None)))
        and all(own.latencies)
        and all(other.latencies)
    )


def _matched(own: Blocks, other: Blocks) -> Iterator[tuple[list[int], list[int]]]:
    """The rows of both halves of each pair, none where an arm has none."""
    both = (zip(it.keys, repeat(half), it.rows) for half, it in enumerate((own, other)))
    for _, rows in groupby(merge(*both), itemgetter(0)):
        halves: tuple[list[int], list[int]] = ([], [])
        for _, half, row in rows:
            halves[half].append(row)
        yield halves


class Effect(NamedTuple):
    """How many times faster an arm is, typically; and how sure that is."""

    speedup: Estimate
    correlation: float
    interval_inflation: float


def typical_effect(pairs: Pairs, plan: Plan) -> Effect:
    """The typical ratio: the Hodges-Lehmann estimate of the pairs' log ratios.

    As logarithms, halving and doubling weigh the same. Noise that both halves of a pair share
    cancels, and one slow request moves it little. A run that goes on until the interval is narrow
    ends where the autocorrelation looks low by chance, so that is taken a standard error higher
    (Bartlett's, √((1 − r²)/n)).
    """
    confidence, count = plan.decision_rule.confidence, pairs.number
    halves = zip(pairs.own.typical, pairs.other.typical, strict=True)
    ratios = array("d", (log(theirs / ours) for ours, theirs in halves))
    correlation, inefficiency = dependence(ratios)
    if plan.experiment.precision is not None and count:
        assumed = max(correlation, 0.0)
        assumed += sqrt((1 - min(assumed, 1.0) ** 2) / count)
        inefficiency = max(inefficiency, first_order_inefficiency(assumed))
    factor = interval_inflation(inefficiency, count, confidence)
    ordered = sorted(ratios)  # once: what is sorted is quick to sort again
    typical, interval = hodges_lehmann(ordered), signed_rank_interval(ordered, confidence)
    if typical is None:
        return Effect(Estimate(None), correlation, factor)
    found = Estimate(exp(typical))
    if interval is not None:
        low, high = widened(interval, typical, factor)
        if max(-low, high) <= _LARGEST_LOG:  # or it says nothing
            found = Estimate(exp(typical), exp(low), exp(high))
    return Effect(found, correlation, factor)
