"""How likely it is that ends which nothing ties to a limit lie as if one did."""

from __future__ import annotations

from bisect import bisect_left
from itertools import chain, pairwise
from math import exp, inf, lgamma, log, log1p
from operator import add
from typing import TYPE_CHECKING

from keepalive_bench.connections.lives import AT_ONCE_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from keepalive_bench.connections.lives import Ends

CHANCE, SMALL_CHANCE = 0.01, 0.003
"""What is less likely is no chance; the smaller one where the data chose what to ask."""
SEVERAL, MANY = 2, 3
"""Events that may show a limit, and that hardly agree by chance."""
_TINY = 1e-9
_NEAREST = 100
"""Of the pauses that are nearest to a time, so many say enough."""


def in_turn(rows: Iterable[tuple[Ends, int]]) -> int:
    """How many lived one after the other: those that lived at once may have ended by one event.

    The most intervals that don't overlap: the one that ends first is always among them (J.
    Kleinberg and E. Tardos, "Algorithm Design" (2005), section 4.1).
    """
    lives = sorted((each.ended_s(row), each.opened_s[row]) for each, row in rows)
    count, until_s = 0, -inf
    for ended_s, opened_s in lives:
        if opened_s >= until_s:
            count, until_s = count + 1, ended_s
    return count


def moments(ends: Sequence[Ends], age_s: Sequence[float]) -> int:
    """At how many times they ended: several that end together may do so by one event."""
    opened_s = chain.from_iterable(each.opened_s for each in ends)
    times = sorted(map(add, opened_s, age_s))
    return 1 + len([it for it, later in pairwise(times) if later - it > AT_ONCE_S])


def of_one_time(share: float, count: int) -> float:
    """The probability that times which are spread evenly all lie within a share of them.

    The range of a uniform sample: H. A. David and H. N. Nagaraja, "Order Statistics" (2003),
    section 2.3; this is its leading term, an upper bound.
    """
    return count * min(1.0, share) ** (count - 1)


def between(least: float, most: float, count: int, others: int) -> float:
    """The probability that ends at any time all come past a share of it, but for some others.

    Or that they come before a second share, too, where that is less likely. Whichever the others
    are: so it is multiplied by the number of ways to choose them.
    """
    lasting, together = max(1 - least, _TINY), max(most - least, _TINY)
    one_by_one = min(log(lasting), log(together) + log(count) / max(1, count - 1))
    ways = lgamma(count + others + 1) - lgamma(count + 1) - lgamma(others + 1)
    return exp(min(0.0, (count - 1) * one_by_one + ways))


def only_after_the_longest(
    found: Sequence[float], idle: Sequence[float], least_s: float, events: int
) -> float:
    """The probability that ends at any time are found after the longest pauses alone."""
    beyond = sum(found) + sum(idle[bisect_left(idle, least_s) :])
    chance = (beyond / (sum(found) + sum(idle))) ** (events - 1)
    if idle[-1] < least_s:
        chance = min(chance, _most_likely(found, idle) ** (events / len(found)))
    return chance


def _most_likely(found: Sequence[float], idle: Sequence[float]) -> float:
    """That of just these pauses, of two sorted lists, if ends come at the most likely rate.

    One by one they are survived with a probability that falls exponentially with their length.
    Those nearest to each other are looked at; all would make it smaller.
    """
    ended, spared = found[:_NEAREST], sum(idle[-_NEAREST:])
    rates = (2.0**power / ended[0] for power in range(-10, 11))
    return max(exp(sum(log1p(-exp(-rate * it)) for it in ended) - rate * spared) for rate in rates)
