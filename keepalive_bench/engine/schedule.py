"""Who goes when: the same again for the same seed, but for what depends on the time."""

from __future__ import annotations

from collections.abc import Generator
from itertools import repeat
from math import inf
from random import Random
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from keepalive_bench.plan.experiment import Experiment


class Block(NamedTuple):
    """Requests of one arm that are sent without another arm's in between."""

    round: int
    arm: str
    indexes: range
    seconds: float | None = None
    """When it ends at the latest, from its start; `None`: when all are sent."""
    in_bursts: bool = False
    """Whether every thread sends one request, and waits for all others before the next."""
    first: int = 0
    """The index that positions in the block count from."""
    over_s: float | None = None
    """When the run is over, from its start, where arms take turns; `None`: when all are sent."""
    began_s: float = 0.0
    """When it begins; this and the next are `timed`, of blocks with a pacing."""
    rested_s: float = -inf
    """When the arm's last request before it ended, in whatever process; of a first one, never."""

    def share_of(self, process: int, processes: int) -> Block:
        """What one of several processes sends of it: every n-th index.

        So which process sent a request can be told by its index alone.
        """
        start, stop = self.indexes.start, self.indexes.stop
        first_own = start + (process - start) % processes
        return self._replace(indexes=range(first_own, stop, processes))

    def bursts(self, size: int) -> Iterator[Block]:
        """Its bursts, of so many requests, each as a block of its own; without bursts, itself."""
        starts = self.indexes[::size] if self.in_bursts else ()
        for start in starts:
            indexes = range(start, min(start + size, self.indexes.stop))
            yield self._replace(indexes=indexes, first=start)
        if not self.in_bursts:
            yield self


class BlockEnd(NamedTuple):
    """What there is to know of a block that is over, for the times of the next ones."""

    sent_any: bool
    """Whether any of its requests was sent."""
    lasts_to_s: float
    """When the next one begins, at the earliest."""
    rested_s: float
    """When the arm's last request ended, be it in a block before."""

    def merged(self, other: BlockEnd) -> BlockEnd:
        """What there is to know of two processes' shares."""
        return BlockEnd(
            self.sent_any or other.sent_any,
            max(self.lasts_to_s, other.lasts_to_s),
            max(self.rested_s, other.rested_s),
        )


NOT_SENT = BlockEnd(sent_any=False, lasts_to_s=0.0, rested_s=-inf)
Blocks = Generator[Block, BlockEnd | None, None]
"""Blocks that are told what came of each; `None`: it was passed over, or has no pacing."""


def schedule(experiment: Experiment) -> Blocks:
    """The blocks of a run: within a round the arms are in random order, drawn from the seed."""
    random, count = Random(experiment.seed), experiment.rounds  # noqa: S311  # not for secrets
    labels, requests = experiment.labels, experiment.requests
    seconds, over_s = None, experiment.duration_s
    if over_s is not None and not experiment.is_paired:  # each arm has a time of its own
        seconds, over_s = over_s / len(experiment.arms), None
    burst_size, in_bursts = experiment.burst_size, experiment.load.in_closed_bursts
    after = 0
    for number in range(count):
        first, after = after, requests * (number + 1) // count
        if burst_size > 1 and number + 1 < count:
            after = after // burst_size * burst_size  # no burst is parted
        order = random.sample(labels, len(labels)) if experiment.is_paired else labels
        for label in order:
            if experiment.processes > 1 and not experiment.is_paired and label != labels[0]:
                yield Block(number, label, range(first, first))  # all end the arm before, first
            yield Block(number, label, range(first, after), seconds, in_bursts, first, over_s)


def until(blocks: Iterable[Block], is_over: Callable[[], bool]) -> Blocks:
    """The blocks up to the end of the round in which it is over; of one round, all."""
    number = 0
    for block in blocks:
        if block.round != number and is_over():
            return
        number = block.round
        yield block


def timed(
    blocks: Iterable[Block],
    experiment: Experiment,
    now_s: Callable[[], float],
    leads_s: Iterator[float] = repeat(0.0),  # noqa: B008  # it has no state
) -> Blocks:
    """The blocks, or the bursts of those that have some, each with when it begins.

    `leads_s` are how long before that it is told, each time.
    """
    burst_sizes = {
        arm.label: experiment.processes * experiment.threads_of(arm) for arm in experiment.arms
    }
    lasts_to_s, rested_s = 0.0, dict.fromkeys(experiment.labels, -inf)
    for block in blocks:
        ends_s = inf if block.seconds is None else now_s() + block.seconds
        for burst in block.bursts(burst_sizes[block.arm]):
            told_s = now_s()
            if told_s >= ends_s:
                break
            end = yield burst._replace(
                seconds=None if block.seconds is None else ends_s - told_s,
                began_s=max(told_s + next(leads_s), lasts_to_s),
                rested_s=rested_s[block.arm],
            )
            if end is not None:
                lasts_to_s, rested_s[block.arm] = end.lasts_to_s, end.rested_s
            if end is None or not end.sent_any:
                break
