"""A results file → its run, or a sentence that says why it holds none.

Whatever is read may be hostile: endless, a small compressed file that becomes a large one, or
numbers that nobody can have measured.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import repeat
from math import isnan
from operator import add, gt
from typing import TYPE_CHECKING, Any

from keepalive_bench.plan.document import plan_from
from keepalive_bench.results import column_codec as codec
from keepalive_bench.results.bounded import (
    MOST_CHARACTERS,
    TOO_LARGE,
    check_version,
    parsed,
    refusing,
)
from keepalive_bench.results.columns import ConnectionColumns, ExchangeColumns
from keepalive_bench.results.exchange import ENDINGS
from keepalive_bench.results.file import SCHEMA_VERSION, StoredRun
from keepalive_bench.results.measured import Measured
from keepalive_bench.typed_json import Document, FaultError, from_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from keepalive_bench.results.table import ColumnTable

MOST_PACKED_BYTES, MOST_CHUNKS = 2**30, 2**20
"""Some ten million exchanges; no file of kab's has that many chunks."""
_PACKED_LINE = re.compile(rf'"({codec.MARK}[A-Za-z0-9+/]*={{0,2}})"(,?)')
_ADDED = {"retransmissions"}
"""Columns that earlier versions don't write: there are no numbers then."""
_ROUNDED, _ROUNDED_S = 1 + 1e-6, 1e-9
"""Phases are kept to 24 bits, and so may add up to a little more than they were."""


def read_run(lines: Iterable[str], name: str = "The file") -> Measured:
    """The run in a results file, which is called `name` where something is wrong with it.

    Lines may come in pieces. Memory is bounded, whatever is in them.

    Raises:
        ResultsFileError: it is none, is damaged, too large, or newer than this program.
    """
    chunks: list[bytes] = []
    with refusing(name):
        document = parsed(_within_limits(lines, chunks))
        check_version(document, name, SCHEMA_VERSION)
        run = _run(document, chunks)
        _check(run)
    return run


def _run(document: Document, chunks: list[bytes]) -> Measured:
    plan = plan_from(document["plan"])
    stored = from_json(StoredRun, document)
    labels = plan.experiment.labels
    for table, arms in (
        ("exchanges", stored.exchanges.arms),
        ("connections", stored.connections.arms),
    ):
        if arms != labels:
            raise FaultError(f"the arms of {table} are not those of the plan")
    if stored.connections.endings != ENDINGS:
        raise FaultError("its list of endings isn't this kab's")
    exchanges = ExchangeColumns(
        labels, queued=plan.experiment.load.is_open, counted=bool(plan.request.count_by)
    )
    if any(len(it) not in {0, len(plan.request.count_by)} for it in stored.exchanges.counted):
        raise FaultError("exchanges.counted are not of the fields of plan.count_by")
    exchanges.failures.extend(stored.exchanges.failures)
    exchanges.answers.extend(stored.exchanges.answers)
    exchanges.counted_values.extend(stored.exchanges.counted)
    _fill(exchanges, document["exchanges"], chunks)
    connections = ConnectionColumns(labels)
    connections.peers.extend(stored.connections.peers)
    connections.attempts.extend(stored.connections.attempts)
    connections.unasked.extend(stored.connections.unasked)
    pairs = zip(stored.connections.ciphers, stored.connections.resumed, strict=True)
    connections.handshakes.extend((*pair, resumed) for pair, resumed in pairs)
    _fill(connections, document["connections"], chunks)
    return Measured(
        plan=plan,
        environment=stored.environment,
        run_info=stored.run_info,
        warmup={label: stored.warmup[label] for label in labels},
        exchanges=exchanges,
        connections=connections,
        counters={label: stored.arms[label].urllib3 for label in labels},
    )


def _fill(table: ColumnTable[Any], document: Document, chunks: list[bytes]) -> None:
    for column, numbers in table.kept:
        if column.name in _ADDED - document["columns"].keys():
            codec.fill_plain(column, numbers, repeat(None, len(table)))
            continue
        stored = document["columns"][column.name]
        if document["encoding"] == codec.PLAIN:
            codec.fill_plain(column, numbers, stored)
        else:
            codec.fill_packed(numbers, (_chunk(part, chunks) for part in stored["chunks"]))
        if len(numbers) != document["count"]:
            raise FaultError(
                f"the column {column.name} has {len(numbers)} rows of {document['count']}"
            )


def _chunk(part: int | str, chunks: list[bytes]) -> bytes:
    """A packed string: set aside already, or still in place where lines were joined since."""
    if isinstance(part, str):
        return codec.decoded(part)
    chunk, chunks[part] = chunks[part], b""
    return chunk


def _within_limits(lines: Iterable[str], chunks: list[bytes]) -> Iterator[str]:
    """A file's lines, with each packed string that has a line of its own decoded and set aside.

    Such a string goes to `chunks`, and only its number stays: see `_chunk`.
    """
    is_packed, characters, packed_bytes = False, 0, 0
    for line in lines:
        text = line.strip()
        is_packed = text.endswith('"chunks": [') or (is_packed and not text.startswith("]"))
        found = _PACKED_LINE.fullmatch(text) if is_packed else None  # a parameter can begin so, too
        kept = line
        if found is not None:
            kept = f"{len(chunks)}{found[2]}\n"
            chunks.append(codec.decoded(found[1]))
            packed_bytes += len(chunks[-1])
        characters += len(kept)
        if (
            characters > MOST_CHARACTERS
            or packed_bytes > MOST_PACKED_BYTES
            or len(chunks) > MOST_CHUNKS
        ):
            raise FaultError(TOO_LARGE)
        yield kept


def _check(run: Measured) -> None:
    """Check that a run could have been measured.

    Raises:
        FaultError: it has numbers that none can have, or that contradict each other.
    """
    _check_columns("exchanges", run.exchanges)
    _check_columns("connections", run.connections)
    _check_connections(run.exchanges, run.connections)
    _check_starts(run.exchanges)
    _check_phases(run.exchanges)
    _check_counts(run)


def _check_columns(name: str, table: ColumnTable[Any]) -> None:
    """Refuse numbers that a column can't have, or that stand for nothing."""
    for column, numbers in table.kept:
        most = len(getattr(table, column.of)) - 1 if column.of else column.most
        if not column.can_have(numbers, most):
            raise FaultError(f"the column {column.name} of {name} has a number out of range")


def _check_connections(exchanges: ExchangeColumns, connections: ConnectionColumns) -> None:
    """Each arm has connections of its own."""
    for arm, row in zip(exchanges.arm, exchanges.connection, strict=True):
        if row >= len(connections):
            raise FaultError("an exchange is on a connection that doesn't exist")
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


def _check_counts(run: Measured) -> None:
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
