"""Whether what a results file says fits together: ranges, positions, counts."""

from __future__ import annotations

from collections import Counter
from itertools import repeat
from math import isnan
from operator import add, gt
from typing import TYPE_CHECKING, Any

from keepalive_bench.typed_json import FaultError

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterable, Sized

    from keepalive_bench.results.columns import ConnectionColumns, ExchangeColumns
    from keepalive_bench.results.run import Run
    from keepalive_bench.results.table import Table

_ROUNDED, _ROUNDED_S = 1 + 1e-6, 1e-9
"""Phases are kept to 24 bits, and so may add up to a little more than they were."""


def check_run(run: Run) -> None:
    """Check that a run could have been measured.

    Raises:
        FaultError: it has numbers that none can have, or that contradict each other.
    """
    _check_columns("exchanges", run.exchanges)
    _check_columns("connections", run.connections)
    _check_positions(run.exchanges.connection, run.connections)
    _check_arms(run.exchanges, run.connections)
    _check_starts(run.exchanges)
    _check_phases(run.exchanges)
    _check_counts(run)


def _check_columns(name: str, table: Table[Any]) -> None:
    """Refuse numbers that a column can't have, or that stand for nothing."""
    for column, numbers in table.kept:
        if not column.can_have(numbers):
            raise FaultError(f"the column {column.name} of {name} has a number that it can't have")
        if column.of:
            _check_positions(numbers, getattr(table, column.of))


def _check_positions(column: array[int], values: Sized) -> None:
    if column and not -1 <= min(column) <= max(column) < len(values):
        raise FaultError("a column has the number of something that isn't there")


def _check_arms(exchanges: ExchangeColumns, connections: ConnectionColumns) -> None:
    """Each arm has connections of its own."""
    for arm, row in zip(exchanges.arm, exchanges.connection, strict=True):
        if row >= 0 and connections.arm[row] != arm:
            raise FaultError("an exchange is on a connection of another arm")


def _check_starts(exchanges: ExchangeColumns) -> None:
    """Of an open load, each answer says how late its request started."""
    late = exchanges.queued_s
    if late is None:
        return
    pairs = zip(exchanges.failure, late, strict=True)
    if any(failure < 0 and isnan(queued_s) for failure, queued_s in pairs):
        raise FaultError("an answer has no queued_s, though the plan has a rate")


def _check_phases(exchanges: ExchangeColumns) -> None:
    """The phases of an exchange took no longer than all of it did."""
    took: Iterable[float] = repeat(0.0, len(exchanges))
    for column in (exchanges.queued_s, *exchanges.phases.values()):
        if column is not None and not all(map(isnan, column)):
            took = map(add, took, (0.0 if value != value else value for value in column))  # noqa: PLR0124  # NaN isn't itself
    if any(map(gt, took, (value * _ROUNDED + _ROUNDED_S for value in exchanges.latency_s))):
        raise FaultError("an exchange has phases that took longer than it did")


def _check_counts(run: Run) -> None:
    """Refuse more exchanges than there were to be."""
    labels, exchanges = run.plan.experiment.labels, run.exchanges
    due = run.run_info.requests
    if due is not None and due.keys() != set(labels):
        raise FaultError("run_info.requests are not those of the plan's arms")
    counts = Counter(exchanges.arm)
    if any(counts[number] > run.requests_due(label) for number, label in enumerate(labels)):
        raise FaultError("an arm has more exchanges than it had requests")
    if any(index >= run.plan.experiment.requests for index in exchanges.index):
        raise FaultError("an exchange has an index beyond the plan's requests")
