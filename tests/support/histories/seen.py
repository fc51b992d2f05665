"""What the client of a history recorded, in the terms that its explanations are about."""

from __future__ import annotations

from itertools import compress
from math import isnan
from operator import add
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.results.table import NONE

if TYPE_CHECKING:
    from keepalive_bench.plan.arms import Arm
    from keepalive_bench.results.columns import ExchangeColumns
    from keepalive_bench.results.run import Run

TICK_S = 0.012
"""What the coarsest clock of Linux may be wrong by, and a little more."""
_LONGEST_RTT_S = 0.05
_ERROR = 400


class Span(NamedTuple):
    """The bounds of a time, in seconds."""

    least: float
    most: float


class End(NamedTuple):
    """How a connection ended, as far as the client can tell."""

    row: int
    served: int
    how: str
    """`announced`, `found` or `died`."""
    failure: str | None
    idle_s: float
    """Before it was found so, or before the request under which it died."""
    after: Span
    """After its last answer."""
    age: Span
    at_s: float
    """The latest time at which it can have been."""


class Seen(NamedTuple):
    """What an arm's client recorded."""

    ends: tuple[End, ...]
    survived_s: tuple[float, ...]
    """Pauses after which a connection was used again."""
    used_at_s: float
    """The oldest age at which a connection carried an answer."""
    most_served: int
    """By any connection of the run."""
    fresh: int
    """First requests on connections that were answered, of all arms."""
    fresh_died: int
    kept_after_good: int
    """Answers below 400 that announced no close."""

    @property
    def silent(self) -> tuple[End, ...]:
        """Those that ended without a word."""
        return tuple(it for it in self.ends if it.how != "announced")

    @property
    def announced(self) -> tuple[End, ...]:
        """The others."""
        return tuple(it for it in self.ends if it.how == "announced")


class _Carried(NamedTuple):
    """What exchanges tell of a connection."""

    free_since_s: float
    """When its last answer was there."""
    age: Span = Span(0.0, 0.0)
    """At its last answer but one, and at its last."""
    died: tuple[str, float, float] | None = None
    """The failure that ended it, how long it had been idle before, and what that took."""


def seen_by(run: Run, arm: Arm) -> Seen:
    """Gather what an arm's client recorded."""
    exchanges, connections = run.exchanges, run.connections
    own = exchanges.arms.index(arm.label)
    carried: dict[int, _Carried] = {}
    survived: list[float] = []
    fresh = fresh_died = kept = 0
    until = map(add, exchanges.began_s, exchanges.latency_s)
    rows = zip(exchanges.connection, exchanges.started_s, until, strict=True)
    for row, (on, began_s, until_s) in enumerate(rows):
        before = carried.get(on)
        idle_s = 0.0 if before is None else began_s - before.free_since_s
        if exchanges.failure[row] != NONE:
            fresh_died += before is None
            kind = exchanges.failures.values[exchanges.failure[row]].kind
            died = kind, idle_s, until_s - began_s
            carried[on] = (before or _Carried(began_s))._replace(died=died)
            continue
        fresh += before is None
        last = before.age.most if before else 0.0
        carried[on] = _Carried(until_s, Span(last, until_s - connections.opened_s[on]))
        if exchanges.arm[row] == own:
            survived += [idle_s] if before else []
            kept += exchanges.status[row] < _ERROR and not _announces(exchanges, row)
    opened = list(compress(range(len(connections)), connections.of_arm(arm.label)))
    return Seen(
        ends=tuple(
            _end(run, row, carried.get(row, _Carried(0.0)))
            for row in opened
            if connections.ending[row] != NONE
        ),
        survived_s=tuple(survived),
        used_at_s=max((carried[row].age.most for row in opened if row in carried), default=0.0),
        most_served=max(connections.exchanges, default=0),
        fresh=fresh,
        fresh_died=fresh_died,
        kept_after_good=kept,
    )


def _announces(exchanges: ExchangeColumns, row: int) -> bool:
    answer = exchanges.answers.value(exchanges.answer[row])
    return answer is not None and answer.connection is not None


def _end(run: Run, row: int, carried: _Carried) -> End:
    connections = run.connections
    served, rtt_s = connections.exchanges[row], connections.min_rtt_s[row]
    opened_s, ending = connections.opened_s[row], connections.ending_of(row)
    assert ending is not None
    if ending.kind == "announced":
        at_s = opened_s + carried.age.most
        return End(row, served, "announced", None, 0.0, Span(0.0, 0.0), carried.age, at_s)
    failure, idle_s = None, ending.idle_s or 0.0
    if carried.died is not None:
        failure, idle_s, took_s = carried.died
        rtt_s = _LONGEST_RTT_S if isnan(rtt_s) else rtt_s
        after = Span(max(0.0, idle_s - 2 * rtt_s), idle_s + took_s)
    elif ending.after_s is None:
        after = Span(0.0, idle_s)
    else:
        after = Span(max(0.0, ending.after_s - TICK_S), ending.after_s + TICK_S)
    age = Span(carried.age.most + after.least, carried.age.most + after.most)
    how = "found" if failure is None else "died"
    return End(row, served, how, failure, idle_s, after, age, opened_s + age.most)
