"""What the ends of all connections to one origin have in common: the rules of `kab run` read it."""

from __future__ import annotations

from array import array
from collections import Counter
from typing import TYPE_CHECKING

from keepalive_bench.connections.deaths import died_under_request, hung
from keepalive_bench.connections.lives import AT_ONCE_S, Ends, EndsByKind
from keepalive_bench.connections.patterns import Pattern, closing_statuses, pattern_of
from keepalive_bench.results.failure_kinds import CLOSED_BEFORE_RESPONSE
from keepalive_bench.trace.analysis.failures import GIVEN_UP

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keepalive_bench.trace.analysis.lives import Life, Route

SILENT = {"found-fin": "fin", "found-rst": "rst", "found-closed": "fin"}
"""Endings that nobody announced, as `kab run` calls them."""
BY_OTHERS = {*SILENT, "found-data", "announced", "failed"}
"""Endings that somebody else than the program brought about."""


def pattern_at(route: Route, lives: Iterable[Life], start_s: float) -> Pattern:
    """What the ends of connections on one route have in common, in all processes."""
    ends, closed = EndsByKind(*(Ends() for _ in EndsByKind._fields)), Counter[int]()
    longest_s = array("d")
    for life in lives:
        if life.survived_s:
            longest_s.append(life.survived_s)
        if life.ending not in BY_OTHERS or not life.exchanges or life.code == GIVEN_UP:
            continue
        idle_s = _note_end(life, ends, start_s)
        if idle_s is not None and idle_s < AT_ONCE_S and life.status is not None:
            closed[life.status] += 1
    if not any(map(len, ends)):
        return Pattern()
    pattern = pattern_of(ends, route.uses(array("d", sorted(longest_s))))
    return pattern._replace(closing_statuses=closing_statuses(closed, route.statuses))


def age_s(life: Life) -> float:
    """How old a connection was when its last exchange ended."""
    until_s = life.used_until_s
    if life.ended_s is not None:
        until_s = min(until_s, life.ended_s)
    return max(0.0, until_s - life.opened_s)


def idle_s(life: Life) -> float:
    """How long it had been idle when it ended."""
    return 0.0 if life.ended_s is None else max(0.0, life.ended_s - life.used_until_s)


def _note_end(life: Life, ends: EndsByKind, start_s: float) -> float | None:
    """Note how a connection ended; return how long after its last answer at least that was."""
    this = life.served, life.opened_s - start_s, age_s(life)
    if life.ending in SILENT:
        ends.closed.add(*this, idle_s(life), survived_s=life.survived_s)
        return 0.0
    if life.ending == "announced":
        ends.announced.add(*this)
        return 0.0
    last = life.last
    if life.ending != "failed" or last is None or last.after_idle_s is None:
        return None
    if hung(last):
        ends.hung.add(*this, last.after_idle_s)
    elif died_under_request(last):
        is_cut = last.failure == CLOSED_BEFORE_RESPONSE.code
        (ends.cut if is_cut else ends.reset).add(*this, last.after_idle_s)
    return None
