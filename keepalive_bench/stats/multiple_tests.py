"""Several tests at once, of which one may err no more often than a single one would."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def holm(probabilities: Sequence[float], level: float) -> list[bool]:
    """Which hypotheses are rejected so that any true one is, in all, at most at a level.

    The smallest probability is held against level ÷ count, the next against level ÷ (count − 1),
    and so on until one isn't below: S. Holm, "A Simple Sequentially Rejective Multiple Test
    Procedure", Scandinavian Journal of Statistics 6 (1979).
    """
    rejected, count = [False] * len(probabilities), len(probabilities)
    for rank, place in enumerate(sorted(range(count), key=probabilities.__getitem__)):
        if probabilities[place] > level / (count - rank):
            break
        rejected[place] = True
    return rejected
