"""How a number changed from one run to another, independent one; and how often something happens.

A change is a ratio, and its interval is made of logarithms: so the way back has the inverse one.
"""

from __future__ import annotations

from math import exp, expm1, lgamma, log
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.compare.change import MetricChange
from keepalive_bench.stats.intervals import Estimate, difference_interval

if TYPE_CHECKING:
    from keepalive_bench.requirements.lookup import Evidence

_LARGEST = 700.0
"""A greater logarithm's number is none."""
_LIKELY = 0.5
_NEGLIGIBLE = 1e-12


def relative(base: Evidence, new: Evidence) -> MetricChange:
    """The change of what is above 0: new ÷ base − 1.

    Each run's own interval says how sure its number is, autocorrelation included; the two are put
    together as independent ones (`difference_interval`), which is wider than what pairs within one
    run allow. An order statistic's logarithm is the logarithms' order statistic, so quantiles stay
    as exact as they are.
    """
    before, after = base.value, new.value
    if isinstance(before, str) or isinstance(after, str):
        raise TypeError("a word has no change")
    told = [f"in {name}, {it.lacking}" for name, it in (("BASE", base), ("NEW", new)) if it.lacking]
    lacking = "; ".join(told)
    if before is None or after is None or before <= 0 or after <= 0:
        return MetricChange(before, after, Estimate(None), lacking)
    change = after / before - 1
    ends = base.low, base.high, new.low, new.high
    if lacking or any(end is None or end <= 0 for end in ends):
        return MetricChange(before, after, Estimate(change), lacking)
    logs = [log(end) for end in ends if end is not None]
    low, high = difference_interval((logs[0], log(before), logs[1]), (logs[2], log(after), logs[3]))
    return MetricChange(before, after, Estimate(change, _back(low), _back(high)))


def ratio(change: Estimate) -> Estimate:
    """A relative change as new ÷ base."""
    return Estimate(*(None if end is None else 1 + end for end in change))


def _back(logarithm: float) -> float:
    return expm1(logarithm) if logarithm < _LARGEST else exp(_LARGEST)


class Occurrences(NamedTuple):
    """How often something happened, of how many times it could."""

    hits: int
    chances: int


def trend(base: Occurrences, new: Occurrences, confidence: float) -> int:
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


def _would_show(it: Occurrences, chances: int) -> bool:
    return (1 - it.hits / it.chances) ** chances <= _LIKELY


def tail_of(more: Occurrences, fewer: Occurrences) -> float:
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
