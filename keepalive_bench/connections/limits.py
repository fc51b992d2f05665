"""Which limit ended connections: of requests, or of age; or none that shows.

A server that ends connections by a limit ends all of them there, and none that stays below it. So
a limit fits where what ended lies at or beyond it and what went on below.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from itertools import compress
from operator import add, eq
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.connections.chance import (
    CHANCE,
    MANY,
    SEVERAL,
    in_turn,
    moments,
    of_one_time,
)
from keepalive_bench.connections.lives import AT_ONCE_S, CLOCKS_S, SURELY_LATER_S, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keepalive_bench.connections.lives import Ends, Uses

_NEARLY_ALL = 0.8
_LEAST_AGE_S = 0.5
"""No server has a lower maximum."""
_AGES_ALIKE, _WIDER = 1.1, 1.2


class CountFit(NamedTuple):
    """Whether a limit of requests fits."""

    limit: int | None = None
    """How many responses each of several carried, that nobody's connection exceeded."""
    is_sure: bool = False
    """Whether a restart, or a limit of kept connections, hardly ends connections just so."""
    within_s: float = 0.0
    """How soon after a response such closes may come, as some came at once."""


def request_limit(ends: Sequence[Ends], idle: Span | None, uses: Uses) -> CountFit:
    """How many responses each of several carried, that nobody's connection exceeded.

    The first are those that were found closed, soon enough; the others died under a request.
    """
    closed, soon_s = ends[0], max(AT_ONCE_S, uses.longest_idle_s)
    if idle is not None and idle.least_s < AT_ONCE_S and any(closed.is_exact):
        return CountFit()
    rows = [
        (each, row)
        for each in ends
        for row, served in enumerate(each.served)
        if served and (each is not closed or each.idle_s[row] <= soon_s or not each.is_exact[row])
    ]
    if not rows:
        return CountFit()
    limit = max(each.served[row] for each, row in rows)
    alike = [(each, row) for each, row in rows if each.served[row] == limit]
    is_constant = len(alike) == len(rows)
    is_usual = len(alike) >= max(MANY, _NEARLY_ALL * len(rows))
    has_died = any(each is not closed for each, _ in alike)
    is_shown = is_constant or (is_usual and not has_died)
    events = in_turn(alike)
    if not is_shown or uses.most_served > limit or events < SEVERAL:
        return CountFit()
    after = sorted(
        closed.idle_s[row] for each, row in alike if each is closed and closed.is_exact[row]
    )
    # A server that has its number closes at once, or always as late.
    prompt = bisect_right(after, after[0] + AT_ONCE_S) if after else 0
    if prompt < _NEARLY_ALL * len(after):
        return CountFit()
    is_known = events == len(alike) or len(after) == len(alike)
    within_s = AT_ONCE_S if after and after[0] < SURELY_LATER_S else 0.0
    return CountFit(limit, events >= MANY and is_known, within_s)


def max_age(
    ends: Sequence[Ends], survived_s: float, *, limit: int | None = None
) -> tuple[Span | None, bool]:
    """How old connections were that a maximum age can have ended, and whether that is no chance.

    The first are those that were found closed; the others ended with their last exchange.
    """
    first, *others = ends
    lowest = array("d", first.age_s)
    highest = array("d", map(add, first.age_s, first.idle_s))
    for row in compress(range(len(first)), first.is_exact):
        lowest[row] = highest[row]
    for each in others:
        lowest.extend(each.age_s)
        highest.extend(each.age_s)
    if not highest or min(highest) < _LEAST_AGE_S - SURELY_LATER_S:
        return None, False
    least, most = min(highest), max(lowest)
    if max(most, survived_s) > _AGES_ALIKE * least + AT_ONCE_S:
        return None, False
    apart = max(0.0, most - least)
    if limit is not None and apart > least / limit:
        return None, False  # one of that age would have carried another number
    soonest, latest = min(lowest), max(highest)
    # Connections that were used in step differ in age just as in idle time.
    is_of_age = max(first.idle_s, default=0.0) - min(first.idle_s, default=0.0) > _WIDER * apart
    if is_of_age and all(map(eq, lowest, highest)):
        times = moments(ends, highest)
    else:
        times = in_turn((each, row) for each in ends for row in range(len(each)))
    latest = max(latest, survived_s, soonest + CLOCKS_S / 2)
    chance = of_one_time((latest - soonest) / max(soonest, CLOCKS_S), times)
    is_shown = times >= SEVERAL and chance <= CHANCE
    return Span(min(least, most), max(highest)), is_shown


def announced_max_age(ends: Ends, uses: Uses) -> tuple[Span | None, bool]:
    """The same of those whose last answers announced the end, at the first request after that age.

    If any answer could be the last one, that all of them are the only ones at or after the first
    of their ages would be a chance of their share of all answers, for each but the first.
    """
    if not ends or min(ends.age_s) < max(_LEAST_AGE_S, uses.kept_age_s):
        return None, False
    answers = len(uses.idle_s) + len(uses.longest_s)
    chance = min(1.0, len(ends) / max(1, answers)) ** (
        in_turn((ends, row) for row in range(len(ends))) - 1
    )
    is_shown = len(set(ends.served)) > 1 and chance <= CHANCE
    return Span(min(ends.age_s), max(ends.age_s)), is_shown
