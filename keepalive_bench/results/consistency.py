"""Whether what a results file says fits together: arms, positions, counts."""

from __future__ import annotations

from collections import Counter
from math import isnan
from typing import TYPE_CHECKING, Any

from keepalive_bench.results.check import FaultError, check_columns
from keepalive_bench.results.column_codec import MISSING
from keepalive_bench.results.exchange import ENDINGS

if TYPE_CHECKING:
    from keepalive_bench.results.columns import ConnectionColumns, ExchangeColumns
    from keepalive_bench.results.run import Run


def check_tables(document: dict[str, Any], labels: tuple[str, ...]) -> None:
    """Check that positions mean what they mean here: the same arms and endings, in that order.

    Raises:
        FaultError: they don't.
    """
    for table in ("exchanges", "connections"):
        if tuple(document[table]["arms"]) != labels:
            raise FaultError(f"the arms of {table} are not those of the plan")
    if tuple(document["connections"]["endings"]) != ENDINGS:
        raise FaultError("its list of endings is not the one that this kab knows")


def check_run(run: Run) -> None:
    """Check that a run could have been measured.

    Raises:
        FaultError: it has numbers that none can have, or that contradict each other.
    """
    check_columns("exchanges", run.exchanges.columns(), MISSING)
    check_columns("connections", run.connections.columns(), MISSING)
    _check_positions(run.exchanges, run.connections)
    _check_arms(run.exchanges, run.connections)
    _check_starts(run.exchanges)
    _check_counts(run)


def _check_positions(exchanges: ExchangeColumns, connections: ConnectionColumns) -> None:
    """Refuse numbers that stand for nothing."""
    for column, values in (
        (exchanges.arm, exchanges.arms),
        (exchanges.connection, connections),
        (exchanges.failure, exchanges.failures.values),
        (exchanges.answer, exchanges.answers.values),
        (connections.arm, connections.arms),
        (connections.peer, connections.peers.values),
        (connections.cipher, connections.handshakes.values),
        (connections.failed, connections.attempts.values),
        (connections.ending, ENDINGS),
        (connections.data, connections.unasked.values),
    ):
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
