"""How long connections were idle, and how much of that kab itself caused."""

from __future__ import annotations

from array import array
from itertools import compress
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.analysis.rows import of_arm

if TYPE_CHECKING:
    from keepalive_bench.model.run import Run


class Idle(NamedTuple):
    """An idle time, in seconds."""

    total_s: float
    by_kab_s: float
    """The part of it in which kab ran other arms."""


def idle_between(run: Run, arm: str, last_row: int, opened: int) -> Idle:
    """From the end of an exchange to the opening of the connection that replaced its own."""
    exchanges = run.exchanges
    began = exchanges.began_s[last_row] + exchanges.latency_s[last_row]
    ended = max(began, run.connections.opened_s[opened])
    number = exchanges.arms.index(arm)
    busy = 0.0
    reached = began
    for row in range(last_row + 1, len(exchanges)):
        start = exchanges.began_s[row]
        if start >= ended:
            break
        if exchanges.arm[row] != number:
            stop = min(ended, start + exchanges.latency_s[row])
            busy += max(0.0, stop - max(start, reached))
            reached = max(reached, stop)
    return Idle(ended - began, busy)


def longest_survived(run: Run, arm: str) -> float:
    """The longest time that a connection of an arm was idle and then carried another request.

    0 where none was used twice.
    """
    exchanges, mask = run.exchanges, of_arm(run.exchanges, arm)
    columns = (exchanges.connection, exchanges.began_s, exchanges.latency_s, exchanges.failure)
    free_since = array("d", [inf]) * len(run.connections)
    longest = 0.0
    for connection, began, latency, failure in compress(zip(*columns, strict=True), mask):
        if connection < 0:
            continue
        if failure < 0:
            longest = max(longest, began - free_since[connection])
        free_since[connection] = began + latency
    return longest
