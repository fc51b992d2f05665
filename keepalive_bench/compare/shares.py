"""Whether something happens more, or less, often in one run than in another."""

from __future__ import annotations

from math import exp, lgamma
from typing import NamedTuple

_LIKELY = 0.5
_NEGLIGIBLE = 1e-12


class Share(NamedTuple):
    """How often something happened, of how many times it could."""

    hits: int
    chances: int


def trend(base: Share, new: Share, confidence: float) -> int:
    """1: it happens more often in the new run, -1: less often; 0: that can't be told.

    Where one of them has none at all, it began, or ended: provided that, as often as in the other
    one, it would more likely than not have been seen there. (A connection that is closed after
    1,000 requests shows in a run of 2,000 and not in one of 50.) Else by Fisher's exact test.
    """
    if not base.chances or not new.chances:
        return 0
    if not base.hits and new.hits:
        return 1 if _would_show(new, base.chances) else 0
    if base.hits and not new.hits:
        return -1 if _would_show(base, new.chances) else 0
    tail = (1 - confidence) / 2
    if new.hits * base.chances > base.hits * new.chances:
        return 1 if tail_of(new, base) <= tail else 0
    return -1 if tail_of(base, new) <= tail else 0


def _would_show(share: Share, chances: int) -> bool:
    return (1 - share.hits / share.chances) ** chances <= _LIKELY


def tail_of(more: Share, fewer: Share) -> float:
    """How probable it is that so many of all hits, or more, fall to `more` by chance alone.

    R. A. Fisher, "The Logic of Inductive Inference", Journal of the Royal Statistical Society 98
    (1935): all hits and all chances given, the number that falls to one of two runs that are alike
    is hypergeometric. `more` has the greater share, so terms fall from the first one on.
    """
    hits, total, probability = more.hits + fewer.hits, more.chances + fewer.chances, 0.0
    whole = _log_ways(total, hits)
    for number in range(more.hits, min(hits, more.chances) + 1):
        other = hits - number
        ways = _log_ways(more.chances, number) + _log_ways(fewer.chances, other)
        term = exp(ways - whole)
        probability += term
        if term <= probability * _NEGLIGIBLE:
            break
    return min(probability, 1.0)


def _log_ways(count: int, chosen: int) -> float:
    return lgamma(count + 1) - lgamma(chosen + 1) - lgamma(count - chosen + 1)
