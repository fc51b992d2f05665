"""How a number changed from one run to another, independent one.

A change is a ratio, and its interval is made of logarithms: so the way back has the inverse one.
"""

from __future__ import annotations

from math import exp, expm1, log
from typing import TYPE_CHECKING

from keepalive_bench.compare.change import Figure
from keepalive_bench.stats.intervals import Estimate, difference_interval

if TYPE_CHECKING:
    from keepalive_bench.requirements.quantity import Evidence

_LARGEST = 700.0
"""A greater logarithm's number is none."""


def relative(base: Evidence, new: Evidence) -> Figure:
    """The change of what is above 0: new ÷ base − 1.

    Each run's own interval says how sure its number is, autocorrelation included; the two are put
    together as independent ones (`difference_interval`), which is wider than what pairs within one
    run allow. An order statistic's logarithm is the logarithms' order statistic, so quantiles stay
    as exact as they are.
    """
    before, after, lacking = _numbers(base, new)
    if before is None or after is None or before <= 0 or after <= 0:
        return Figure(before, after, Estimate(None), lacking)
    change = after / before - 1
    ends = base.low, base.high, new.low, new.high
    if lacking or any(end is None or end <= 0 for end in ends):
        return Figure(before, after, Estimate(change), lacking)
    logs = [log(end) for end in ends if end is not None]
    low, high = difference_interval((logs[0], log(before), logs[1]), (logs[2], log(after), logs[3]))
    return Figure(before, after, Estimate(change, _back(low), _back(high)))


def ratio(change: Estimate) -> Estimate:
    """A relative change as new ÷ base."""
    return Estimate(*(None if end is None else 1 + end for end in change))


def _back(logarithm: float) -> float:
    return expm1(logarithm) if logarithm < _LARGEST else exp(_LARGEST)


def _numbers(base: Evidence, new: Evidence) -> tuple[float | None, float | None, str]:
    before, after = base.value, new.value
    if isinstance(before, str) or isinstance(after, str):
        raise TypeError("a word has no change")
    told = {f"in {name}, {it.lacking}": None for name, it in (("BASE", base), ("NEW", new))}
    lacking = "; ".join(text for text in told if not text.endswith(", "))
    return before, after, lacking
