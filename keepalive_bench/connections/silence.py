"""What the connections that were closed without a word have in common."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from itertools import compress
from math import isnan
from typing import TYPE_CHECKING

from keepalive_bench.connections.idle import longest_survived
from keepalive_bench.connections.reasons import NONE
from keepalive_bench.results.exchange import ENDINGS
from keepalive_bench.results.masks import of_arm
from keepalive_bench.results.table import optional

if TYPE_CHECKING:
    from keepalive_bench.results.columns import ExchangeColumns
    from keepalive_bench.results.run import Run

_SILENT = {ENDINGS.index("fin"), ENDINGS.index("rst")}
_DIED_UNDER_REQUEST = {"reset", "closed-before-response"}
_TIMES_SEEN = 2


@dataclass(frozen=True)
class Silence:
    """What is known of an arm's connections that were closed without a word."""

    limit: int | None
    """How many responses each carried, where that was always the same, seen twice at least, and no
    connection of the run carried more."""
    survived_s: float
    """The longest time that a connection of the arm was idle and then used again."""
    goes_by_time: bool
    """Whether several were found closed, all idle for longer, and numbers of requests don't tell
    why."""


def find_silence(run: Run, arm: str, last: array[int]) -> Silence:
    """What they have in common; `last` has the row of the last exchange on each connection."""
    connections, exchanges = run.connections, run.exchanges
    rows = array("i", compress(range(len(connections)), of_arm(connections, arm)))
    found = [row for row in rows if connections.ending[row] in _SILENT]
    if not found:
        return Silence(limit=None, survived_s=0.0, goes_by_time=False)
    died = [
        connections.exchanges[row]
        for row in rows
        if connections.ending[row] not in _SILENT and last[row] != NONE
        if connections.exchanges[row] and died_under_request(exchanges, last[row])
    ]
    counts = {connections.exchanges[row] for row in found}
    shortest_s = min(optional(connections.idle_s[row]) or 0.0 for row in found)
    survived_s = longest_survived(run, arm)
    is_constant = len(counts.union(died)) == 1 and len(found) + len(died) >= _TIMES_SEEN
    # Where a connection of any arm carried more, there is no such limit.
    is_limit = is_constant and max(connections.exchanges) <= max(counts)
    varies = len(counts) > 1 or (is_constant and not is_limit)
    return Silence(
        limit=next(iter(counts)) if is_limit else None,
        survived_s=survived_s,
        goes_by_time=varies and shortest_s > survived_s,
    )


def died_under_request(exchanges: ExchangeColumns, row: int) -> bool:
    """Whether its connection ended after an exchange's request was sent, before any answer."""
    wait_s = exchanges.phases["wait"][row]
    return failure_kind(exchanges, row) in _DIED_UNDER_REQUEST and isnan(wait_s)


def failure_kind(exchanges: ExchangeColumns, row: int) -> str | None:
    """How an exchange failed; `None`: it didn't."""
    number = exchanges.failure[row]
    return None if number == NONE else exchanges.failures.values[number].kind
