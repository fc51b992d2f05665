"""How many requests would tell two arms apart, or show that there is nothing to tell."""

from __future__ import annotations

from math import ceil, log, log1p, log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keepalive_bench.analysis.analysis import Estimate

_FINEST = 0.01
"""Nobody is asked for more requests than 1 % takes."""
_SMALLEST = 2.0**-1022
"""What was rounded to 0 has no logarithm, and counts as the smallest normal float."""


def required_requests(requests: int, ratio: Estimate, margin: float) -> int:
    """Requests with which an interval as wide as 1 ÷ √n would exclude 1, or lie in the margin.

    Each end comes nearer to the estimate in proportion, as a logarithm. What an end has to leave
    behind lies on its own side: 1 the one, the margin both.
    """
    estimate, low, high = ratio
    if estimate is None or low is None or high is None:
        return 0
    bottom, middle, top = (log(max(it, _SMALLEST)) for it in (low, estimate, high))
    bound, below, above = log1p(margin), middle - bottom, top - middle
    to_one = below if middle > 0 else above
    by_one = to_one / max(abs(middle), _FINEST)
    by_margin = max(above / max(bound - middle, _FINEST), below / max(bound + middle, _FINEST))
    needed = requests * min(by_one, by_margin) ** 2
    step: int = 10 ** max(0, ceil(log10(max(needed, 1))) - 2)
    return max(requests + 1, ceil(needed / step) * step)


def least_pairs(confidence: float) -> int:
    """How many pairs can tell two arms apart.

    Of one fewer, all agree by chance alone in more than 1 − confidence of cases: 2 ÷ 2**n.
    """
    pairs = 1
    while 2 / 2**pairs > 1 - confidence:
        pairs += 1
    return pairs
