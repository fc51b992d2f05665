"""From a run's columns to the records that reasons are found from, and the reasons to columns.

A run may have a million connections that serve one request each: for those, no objects are made.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping
from itertools import compress
from math import inf, isnan
from operator import add
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.connections.reason_kinds import BY_DESIGN
from keepalive_bench.connections.rules import (
    FOUND_IDLE,
    Before,
    FoundClosed,
    Idle,
    LastExchange,
    Opened,
    Silence,
    common_silence,
    died_under_request,
    reason_for,
)
from keepalive_bench.results.exchange import ENDINGS
from keepalive_bench.results.table import optional

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.connections.reason_kinds import ReasonKind
    from keepalive_bench.plan.plan import Arm
    from keepalive_bench.results.columns import ExchangeColumns
    from keepalive_bench.results.run import Run

NONE = -1
"""In a column: no such row."""
_SILENT = {ENDINGS.index("fin"), ENDINGS.index("rst")}


class Reason(NamedTuple):
    """Why a connection was opened."""

    kind: ReasonKind
    evidence: dict[str, object]
    previous: int | None = None
    """The row of the connection whose place it took."""
    exchange: int | None = None
    """The row of the exchange after which that one was of no more use."""

    @property
    def code(self) -> str:
        """Its kind's."""
        return self.kind.code

    @property
    def is_caused_by_interleaving(self) -> bool:
        """Whether only kab's other arm, in between, let the connection before go stale."""
        return bool(self.evidence.get("interleaved"))


class Reasons(Mapping[int, Reason]):
    """The reason for each connection of an arm, by row.

    Codes are kept; evidence is found anew when somebody asks for it.
    """

    def __init__(self, run: Run, arm: Arm) -> None:
        self._run, self._arm, experiment = run, arm, run.plan.experiment
        kept = experiment.concurrency if arm.is_single_use else experiment.pool_size_of(arm)
        self._kept = kept * experiment.processes
        self._last = _last_exchanges(run, arm)
        self._silence = Silence() if arm.is_single_use else _silence(run, arm, self._last)
        self.previous = _previous(run, arm)
        """For each connection of the run: the row of the one whose place it took, or `NONE`."""
        self.column = array("b", [NONE]) * len(run.connections)
        """For each connection of the run, of any arm: which of the codes it has, or `NONE`."""
        self.caused_by_interleaving = array("i")
        """The rows of those that had to be opened only because of kab's other arm."""
        numbers: dict[str, int] = {}
        for row in _connections(run, arm):
            if arm.is_single_use and self.previous[row] != NONE:
                self.column[row] = numbers.setdefault(BY_DESIGN.code, len(numbers))
                continue
            reason = self._explain(row)
            self.column[row] = numbers.setdefault(reason.code, len(numbers))
            if reason.is_caused_by_interleaving:
                self.caused_by_interleaving.append(row)
        self.codes = tuple(numbers)
        seen = Counter(self.column).most_common()
        self.counts = {self.codes[it]: count for it, count in seen if it != NONE}
        """How many connections have which code, the most frequent first."""

    def __getitem__(self, row: int) -> Reason:
        if not 0 <= row < len(self.column) or self.column[row] == NONE:
            raise KeyError(row)
        return self._explain(row)

    def __iter__(self) -> Iterator[int]:
        return compress(range(len(self.column)), map(NONE.__ne__, self.column))

    def __len__(self) -> int:
        return sum(self.counts.values())

    def rows(self, code: str) -> array[int]:
        """The connections opened for a reason, but for those that are `caused_by_interleaving`."""
        own, number = set(self.caused_by_interleaving), self.codes.index(code)
        found = compress(range(len(self.column)), map(number.__eq__, self.column))
        return array("i", (row for row in found if row not in own))

    def _explain(self, row: int) -> Reason:
        previous, slot = self.previous[row], self._run.connections.slot[row]
        before = None if previous == NONE else self._before(previous, row)
        opened = Opened(slot, self._kept, self._arm.is_single_use, before)
        kind, evidence = reason_for(opened, self._silence)
        if before is None:
            return Reason(kind, evidence)
        exchange = self._last[previous]
        return Reason(kind, evidence, previous, None if exchange == NONE else exchange)

    def _before(self, previous: int, row: int) -> Before:
        connections, exchange = self._run.connections, self._last[previous]
        served, ending = connections.exchanges[previous], connections.ending_of(previous)
        if exchange == NONE:
            return Before(served, ending, None, None)
        idle = None
        if ending is not None and ending.kind in FOUND_IDLE:
            idle = _idle_between(self._run, self._arm.label, exchange, row)
        return Before(served, ending, _exchange(self._run.exchanges, exchange), idle)


def _exchange(exchanges: ExchangeColumns, row: int) -> LastExchange:
    failure, answer = exchanges.failure[row], exchanges.answer[row]
    return LastExchange(
        None if failure == NONE else exchanges.failures.values[failure].kind,
        not isnan(exchanges.phases["wait"][row]),
        None if answer == NONE else exchanges.answers.values[answer],
    )


def _silence(run: Run, arm: Arm, last: array[int]) -> Silence:
    connections = run.connections
    rows = array("i", _connections(run, arm))
    closed = [
        FoundClosed(connections.exchanges[row], optional(connections.idle_s[row]) or 0.0)
        for row in rows
        if connections.ending[row] in _SILENT
    ]
    if not closed:
        return Silence()
    raced = [
        connections.exchanges[row]
        for row in rows
        if connections.ending[row] not in _SILENT and last[row] != NONE
        if connections.exchanges[row] and died_under_request(_exchange(run.exchanges, last[row]))
    ]
    survived_s = longest_survived(run, arm.label)
    return common_silence(closed, raced, survived_s, max(connections.exchanges))


def _connections(run: Run, arm: Arm) -> Iterator[int]:
    return compress(range(len(run.connections)), run.connections.of_arm(arm.label))


def _previous(run: Run, arm: Arm) -> array[int]:
    """The row of the connection that each had its slot from; `NONE`: it was the first there."""
    previous = array("i", [NONE]) * len(run.connections)
    before: dict[int, int] = {}
    for row in _connections(run, arm):
        slot = run.connections.slot[row]
        previous[row] = before.get(slot, NONE)
        before[slot] = row
    return previous


def _last_exchanges(run: Run, arm: Arm) -> array[int]:
    """The row of the last exchange on each connection; `NONE`: there was none.

    One that was interrupted says nothing of what the server did.
    """
    exchanges, last = run.exchanges, array("i", [NONE]) * len(run.connections)
    mask = exchanges.ended_of_arm(arm.label)
    rows, on = compress(range(len(mask)), mask), compress(exchanges.connection, mask)
    for row, connection in zip(rows, on, strict=True):
        if connection != NONE:
            last[connection] = row
    return last


def _idle_between(run: Run, arm: str, last_row: int, opened: int) -> Idle:
    """From the end of an exchange to the opening of the connection that replaced its own.

    A pause that was asked for isn't kab's doing, though other arms ran in it.
    """
    exchanges = run.exchanges
    began = exchanges.began_s[last_row] + exchanges.latency_s[last_row]
    until = max(began, run.connections.opened_s[opened])
    others, number = _others(run, arm, last_row, (began, until))
    idle, load = until - began, run.plan.experiment
    pause = load.pause_before(number) if number is not None else load.load.think_s[0]
    return Idle(idle, min(others, max(0.0, idle - pause)))


def _others(
    run: Run, arm: str, last_row: int, span: tuple[float, float]
) -> tuple[float, int | None]:
    """How long other arms ran in a span, with the pauses of their own within a block.

    And the index of the arm's own next request, where it is met on the way.
    """
    exchanges, (reached, until) = run.exchanges, span
    number, busy, block, own = exchanges.arms.index(arm), 0.0, None, None
    for row in range(last_row + 1, len(exchanges)):
        start = exchanges.began_s[row]
        if start >= until:
            break
        if exchanges.arm[row] == number:
            own = exchanges.index[row]
            continue
        stop = min(until, start + exchanges.latency_s[row])
        here = exchanges.arm[row], exchanges.round[row]
        busy += max(0.0, stop - (reached if here == block else max(start, reached)))
        reached, block = max(reached, stop), here
    return busy, own


def longest_survived(run: Run, arm: str) -> float:
    """The longest time that a connection of an arm was idle and then carried another request.

    0 where none was used twice.
    """
    exchanges, mask = run.exchanges, run.exchanges.of_arm(arm)
    until_s = map(add, exchanges.began_s, exchanges.latency_s)
    columns = (exchanges.connection, exchanges.started_s, until_s, exchanges.failure)
    free_since = array("d", [inf]) * len(run.connections)
    longest = 0.0
    for connection, started, until, failure in compress(zip(*columns, strict=True), mask):
        if connection < 0:
            continue
        if failure < 0:
            longest = max(longest, started - free_since[connection])
        free_since[connection] = until
    return longest
