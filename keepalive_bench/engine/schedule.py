"""Who goes when: pure, and the same again for the same seed."""

from __future__ import annotations

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
    began_s: float | None = None
    """When it begins, where several processes have to agree on that; `None`: at once."""
    over_s: float | None = None
    """When the run is over, from its start, where arms take turns; `None`: when all are sent."""
    rested_s: float | None = None
    """When the arm's last request before it ended, in whatever process."""

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


def schedule(experiment: Experiment) -> Iterator[Block]:
    """The blocks of a run: within a round the arms are in random order, drawn from the seed."""
    random, count = Random(experiment.seed), experiment.rounds  # noqa: S311  # not for secrets
    labels, requests = experiment.labels, experiment.requests
    seconds, over_s = _share(experiment)
    burst_size, in_bursts = experiment.burst_size, experiment.load.in_closed_bursts
    after = 0
    for number in range(count):
        first, after = after, requests * (number + 1) // count
        if burst_size > 1 and number + 1 < count:
            after = after // burst_size * burst_size  # no burst is parted
        order = random.sample(labels, len(labels)) if experiment.is_paired else labels
        for label in order:
            yield Block(
                number, label, range(first, after), seconds, in_bursts, first, over_s=over_s
            )


def _share(experiment: Experiment) -> tuple[float | None, float | None]:
    """A duration as each arm's own time, of those that run one after the other; or as all arms'."""
    if experiment.duration_s is None or experiment.is_paired:
        return None, experiment.duration_s
    return experiment.duration_s / len(experiment.arms), None


def until(blocks: Iterable[Block], is_over: Callable[[], bool]) -> Iterator[Block]:
    """The blocks up to the end of the round in which it is over; of one round, all."""
    number = 0
    for block in blocks:
        if block.round != number and is_over():
            return
        number = block.round
        yield block
