"""Who goes when: pure, and the same again for the same seed."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.model.experiment import Experiment


@dataclass(frozen=True)
class Block:
    """Requests of one arm that are sent without a pause."""

    round: int
    arm: str
    indexes: range


def schedule(experiment: Experiment) -> Iterator[Block]:
    """The blocks of a run: within a round the arms are in random order, drawn from the seed."""
    random, count = Random(experiment.seed), experiment.rounds  # noqa: S311  # not for secrets
    labels = experiment.labels
    for number in range(count):
        first = number * experiment.requests // count
        after = (number + 1) * experiment.requests // count
        order = random.sample(labels, len(labels)) if experiment.is_paired else labels
        for label in order:
            yield Block(number, label, range(first, after))
