"""How long connections were idle, and how much of that kab itself caused."""

from __future__ import annotations

from array import array
from itertools import compress
from math import inf
from operator import add
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.results.masks import of_arm

if TYPE_CHECKING:
    from keepalive_bench.results.run import Run


class Idle(NamedTuple):
    """An idle time, in seconds."""

    total_s: float
    by_kab_s: float
    """The part of it in which kab ran other arms."""


def idle_between(run: Run, arm: str, last_row: int, opened: int) -> Idle:
    """From the end of an exchange to the opening of the connection that replaced its own.

    A pause that was asked for isn't kab's doing, though other arms ran in it.
    """
    exchanges = run.exchanges
    began = exchanges.began_s[last_row] + exchanges.latency_s[last_row]
    ended = max(began, run.connections.opened_s[opened])
    others, number = _others(run, arm, last_row, (began, ended))
    idle, load = ended - began, run.plan.experiment
    pause = load.pause_before(number) if number is not None else load.load.think_s[0]
    return Idle(idle, min(others, max(0.0, idle - pause)))


def _others(
    run: Run, arm: str, last_row: int, span: tuple[float, float]
) -> tuple[float, int | None]:
    """How long other arms ran in a span, with the pauses of their own within a block.

    And the index of the arm's own next request, where it is met on the way.
    """
    exchanges, (reached, ended) = run.exchanges, span
    number, busy, block, own = exchanges.arms.index(arm), 0.0, None, None
    for row in range(last_row + 1, len(exchanges)):
        start = exchanges.began_s[row]
        if start >= ended:
            break
        if exchanges.arm[row] == number:
            own = exchanges.index[row]
            continue
        stop = min(ended, start + exchanges.latency_s[row])
        here = exchanges.arm[row], exchanges.round[row]
        busy += max(0.0, stop - (reached if here == block else max(start, reached)))
        reached, block = max(reached, stop), here
    return busy, own


def longest_survived(run: Run, arm: str) -> float:
    """The longest time that a connection of an arm was idle and then carried another request.

    0 where none was used twice.
    """
    exchanges, mask = run.exchanges, of_arm(run.exchanges, arm)
    ended_s = map(add, exchanges.began_s, exchanges.latency_s)
    columns = (exchanges.connection, exchanges.started_s, ended_s, exchanges.failure)
    free_since = array("d", [inf]) * len(run.connections)
    longest = 0.0
    for connection, started, ended, failure in compress(zip(*columns, strict=True), mask):
        if connection < 0:
            continue
        if failure < 0:
            longest = max(longest, started - free_since[connection])
        free_since[connection] = ended
    return longest
