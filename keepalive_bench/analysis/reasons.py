"""From a run's columns to the records that reasons are found from, and the reasons to columns.

A run may have a million connections that serve one request each: for those, no objects are made.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping
from functools import cached_property
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
    Owner,
    common_silence,
    died_under_request,
    reason_for,
    reason_for_one_more,
)
from keepalive_bench.results.exchange import ENDINGS
from keepalive_bench.results.table import NONE, optional

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.connections.reason_kinds import ReasonKind
    from keepalive_bench.plan.plan import Arm
    from keepalive_bench.results.columns import ConnectionColumns, ExchangeColumns
    from keepalive_bench.results.run import Run

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


class History:
    """What was before each connection of a run: found out once, for all of its arms."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.previous = _previous(run.connections)
        """By row: the row of the connection whose place each took; `NONE`: there was none."""
        self.last = _last_exchanges(run)
        """By row: the row of the last exchange on each; `NONE`: there was none."""

    @cached_property
    def survived_s(self) -> dict[str, float]:
        """The longest time that a connection of each arm was idle and then carried a request.

        0 where none was used twice.
        """
        exchanges = self.run.exchanges
        until_s = map(add, exchanges.began_s, exchanges.latency_s)
        columns = (exchanges.arm, exchanges.connection, exchanges.started_s, until_s)
        free_since = array("d", [inf]) * len(self.run.connections)
        longest_s = [0.0] * len(exchanges.arms)
        for arm, connection, started, until, failure in zip(
            *columns, exchanges.failure, strict=True
        ):
            if connection == NONE:
                continue
            if failure == NONE:
                longest_s[arm] = max(longest_s[arm], started - free_since[connection])
            free_since[connection] = until
        return dict(zip(exchanges.arms, longest_s, strict=True))


def _previous(connections: ConnectionColumns) -> array[int]:
    previous = array("i")
    before: dict[tuple[int, int], int] = {}
    for row, place in enumerate(zip(connections.arm, connections.slot, strict=True)):
        previous.append(before.get(place, NONE))
        before[place] = row
    return previous


def _last_exchanges(run: Run) -> array[int]:
    """One that was interrupted says nothing of what the server did."""
    exchanges, last = run.exchanges, array("i", [NONE]) * len(run.connections)
    cut_off = exchanges.cut_off
    for row, connection in enumerate(exchanges.connection):
        if connection != NONE and exchanges.failure[row] not in cut_off:
            last[connection] = row
    return last


class Reasons(Mapping[int, Reason]):
    """The reason for each connection of an arm, by row.

    Codes are kept; evidence is found anew when somebody asks for it.
    """

    def __init__(self, history: History, arm: Arm, opened: bytes) -> None:
        self._history, self._run, self._arm = history, history.run, arm
        self._owner = _owner(history, arm, opened)
        self.column = array("b", [NONE]) * len(opened)
        """For each connection of the run, of any arm: which of the codes it has, or `NONE`."""
        self.caused_by_interleaving = array("i")
        """The rows of those that had to be opened only because of kab's other arm."""
        numbers: dict[str, int] = {}
        for row in compress(range(len(opened)), opened):
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

    @property
    def previous(self) -> array[int]:
        """For each connection of the run: the row of the one whose place it took, or `NONE`."""
        return self._history.previous

    @property
    def survived_s(self) -> float:
        """The longest time that a connection was idle and then carried a request."""
        return self._history.survived_s[self._arm.label]

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
        if code not in self.codes:
            return array("i")
        own, number = set(self.caused_by_interleaving), self.codes.index(code)
        found = compress(range(len(self.column)), map(number.__eq__, self.column))
        return array("i", (row for row in found if row not in own))

    def _explain(self, row: int) -> Reason:
        previous, slot = self.previous[row], self._run.connections.slot[row]
        if previous == NONE:
            # A slot is a new one where all before it are taken.
            return Reason(reason_for_one_more(slot, self._owner), {"slot": slot})
        exchange = self._history.last[previous]
        kind, evidence = reason_for(self._before(previous, exchange, row), self._owner)
        return Reason(kind, evidence, previous, None if exchange == NONE else exchange)

    def _before(self, previous: int, exchange: int, row: int) -> Before:
        connections = self._run.connections
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
        exchanges.answers.value(answer),
    )


def _owner(history: History, arm: Arm, opened: bytes) -> Owner:
    """What the rules are to know of an arm, or of the pools of its processes taken together."""
    run, experiment = history.run, history.run.plan.experiment
    if arm.is_single_use:
        return Owner(experiment.concurrency * experiment.processes, is_single_use=True)
    kept = experiment.pool_size_of(arm) * experiment.processes
    connections, last = run.connections, history.last
    rows = array("i", compress(range(len(opened)), opened))
    closed = [
        FoundClosed(connections.exchanges[row], optional(connections.idle_s[row]) or 0.0)
        for row in rows
        if connections.ending[row] in _SILENT
    ]
    if not closed:
        return Owner(kept)
    raced = [
        connections.exchanges[row]
        for row in rows
        if connections.ending[row] not in _SILENT and last[row] != NONE
        if connections.exchanges[row] and died_under_request(_exchange(run.exchanges, last[row]))
    ]
    survived_s, most_served = history.survived_s[arm.label], max(connections.exchanges)
    return Owner(kept, silence=common_silence(closed, raced, survived_s, most_served))


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
