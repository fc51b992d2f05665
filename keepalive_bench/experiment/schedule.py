"""Who goes when: pure, and the same again for the same seed."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from keepalive_bench.model.experiment import Experiment


@dataclass(frozen=True)
class Block:
    """Requests of one arm that are sent without another arm's in between."""

    round: int
    arm: str
    indexes: range
    seconds: float | None = None
    """When it ends at the latest, from its start; `None`: when all are sent."""
    in_beats: bool = False
    """Whether every thread sends one request, and waits for all others before the next."""


def schedule(experiment: Experiment) -> Iterator[Block]:
    """The blocks of a run: within a round the arms are in random order, drawn from the seed."""
    random, count = Random(experiment.seed), experiment.rounds  # noqa: S311  # not for secrets
    labels, seconds, requests = experiment.labels, _share(experiment), experiment.requests
    grain, in_beats = experiment.grain, experiment.load.in_beats
    after = 0
    for number in range(count):
        first, after = after, requests * (number + 1) // count
        if grain > 1 and number + 1 < count:
            after = after // grain * grain  # no burst is parted
        order = random.sample(labels, len(labels)) if experiment.is_paired else labels
        for label in order:
            yield Block(number, label, range(first, after), seconds, in_beats)


def _share(experiment: Experiment) -> float | None:
    """The time of each arm, where arms that run one after the other share a duration."""
    if experiment.duration_s is None or experiment.is_paired:
        return None
    return experiment.duration_s / len(experiment.arms)


def until(blocks: Iterable[Block], is_over: Callable[[], bool]) -> Iterator[Block]:
    """The blocks up to the end of the round in which it is over; of one round, all."""
    number = 0
    for block in blocks:
        if block.round != number and is_over():
            return
        number = block.round
        yield block
