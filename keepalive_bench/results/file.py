"""A run → versioned JSON, and its schema. The format is a contract (docs/json-format.md).

What is derived is written too, for whoever reads the file with jq; kab itself (`results/reader.py`)
reads back what was measured and computes the rest again.
"""

from __future__ import annotations

import json
from array import array
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Any

from keepalive_bench.plan.document import plan_document
from keepalive_bench.results import column_codec as codec
from keepalive_bench.results.columns import DERIVED_COLUMNS, ConnectionColumns, ExchangeColumns
from keepalive_bench.results.exchange import ENDINGS, Answer, Counted, Failure
from keepalive_bench.results.measured import (  # noqa: TC001  # the types are read at run time
    Environment,
    Label,
    Measured,
    PoolCounters,
    RunInfo,
    WarmUp,
)
from keepalive_bench.results.table import NONE
from keepalive_bench.typed_json import (
    Count,
    Document,
    Schema,
    object_schema,
    schema_of,
    to_json,
)
from keepalive_bench.units import json_in_log

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from keepalive_bench.results.table import ColumnKind

SCHEMA_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class StoredExchanges:
    """What the table of exchanges has beside its columns."""

    encoding: codec.Encoding
    """`plain` or `base64`, see [below](#two-encodings)."""
    count: Count
    """Rows."""
    arms: tuple[Label, ...]
    """Labels; the column `arm` has positions in this list, from 0."""
    failures: tuple[Failure, ...]
    answers: tuple[Answer, ...]
    counted: tuple[Counted, ...] = ()  # earlier versions don't write it
    """What answers say in the fields of `plan.count_by`, each at most 100 characters, `null` where
    one isn't sent; an empty list stands for more than are kept."""


@dataclass(frozen=True, kw_only=True)
class StoredConnections:
    """What the table of connections has beside its columns; reasons are derived."""

    encoding: codec.Encoding
    """`plain` or `base64`; it may differ from that of the exchanges."""
    count: Count
    """Rows."""
    arms: tuple[Label, ...]
    """Labels; the column `arm` has positions in this list."""
    peers: tuple[str, ...]
    """Addresses with port; the column `peer` has positions in this list."""
    attempts: tuple[str, ...]
    """Addresses tried in vain before, with why; the column `failed` has positions in this list."""
    endings: tuple[str, ...]
    """Ways in which kab saw connections end; the column `ending` has positions in this list."""
    unasked: tuple[str, ...]
    """What servers sent that nobody had asked for; the column `data` has positions in this list."""
    ciphers: tuple[tuple[str, str], ...]
    """`[TLS version, cipher]`; the column `cipher` has positions in this list."""
    resumed: tuple[bool, ...]
    """Whether handshakes with that position in `ciphers` resumed a session; a pair is there twice
    when some did and some didn't."""
    reasons: tuple[str, ...] = ()
    """Codes of [reasons](findings.md); the column `reason` has positions in this list."""


@dataclass(frozen=True, kw_only=True)
class StoredArm:
    """What is read of an arm: all else is derived."""

    urllib3: PoolCounters


@dataclass(frozen=True, kw_only=True)
class StoredRun:
    """What is read of a file, besides the plan and the columns."""

    environment: Environment
    run_info: RunInfo
    warmup: dict[Label, WarmUp]
    arms: dict[Label, StoredArm]
    exchanges: StoredExchanges
    connections: StoredConnections


def stored_columns() -> dict[str, tuple[ColumnKind[Any], ...]]:
    """The columns of the two raw tables, derived ones included."""
    return {
        "exchanges": ExchangeColumns.declared,
        "connections": (*ConnectionColumns.declared, *DERIVED_COLUMNS),
    }


def table_schemas() -> dict[str, Schema]:
    """The JSON Schemas of the two raw tables."""
    heads = {"exchanges": StoredExchanges, "connections": StoredConnections}
    return {name: _table_schema(heads[name], it) for name, it in stored_columns().items()}


def _table_schema(head: type, columns: Iterable[ColumnKind[Any]]) -> Schema:
    members = {column.name: codec.column_schema(column) for column in columns}
    plain, packed = (
        {"properties": {"columns": {"additionalProperties": {"type": kind}}}}
        for kind in ("array", "object")
    )
    return {
        **object_schema({**schema_of(head)["properties"], "columns": object_schema(members)}),
        "if": {"properties": {"encoding": {"const": codec.PLAIN}}},
        "then": plain,
        "else": packed,
    }


def document_lines(run: Measured, derived: Document | None = None) -> Iterator[str]:
    """The file's lines: what is measured, with `derived` in its place before the raw columns.

    Its member `connections` has what is derived for each of them: tables, and `columns`. Without,
    the file has what kab reads, and no more.
    """
    setups = run.setups() if derived else {}
    derived = derived or _underived(run)
    by_connection = derived["connections"]
    head = {
        "schema_version": SCHEMA_VERSION,
        "plan": plan_document(run.plan),
        "environment": run.environment,
        "run_info": run.run_info,
        "warmup": run.warmup,
        **{name: value for name, value in derived.items() if name != "connections"},
    }
    yield "{\n"
    for name, value in head.items():
        yield f"{_member(name, to_json(value))},\n"
    exchanges, connections = run.exchanges, run.connections
    columns = exchanges.columns()
    columns.setdefault("counted", array("h", [NONE]) * len(exchanges))  # by nothing
    columns.setdefault("queued_s", array("f", [nan]) * len(exchanges))  # it is no open load
    yield from _table_lines("exchanges", columns, _stored_exchanges(exchanges), ",\n")
    setup_columns = {f"{name}_s": column for name, column in setups.items()}
    columns = {**connections.columns(), **setup_columns, **by_connection["columns"]}
    stored = _stored_connections(connections, by_connection["reasons"])
    yield from _table_lines("connections", columns, stored)
    yield "}\n"


def _underived(run: Measured) -> Document:
    return {
        "arms": {label: {"urllib3": it} for label, it in run.counters.items()},
        "connections": {"reasons": (), "columns": {}},
    }


def _stored_exchanges(exchanges: ExchangeColumns) -> StoredExchanges:
    return StoredExchanges(
        encoding=codec.encoding_for(len(exchanges)),
        count=len(exchanges),
        arms=exchanges.arms,
        failures=tuple(exchanges.failures.values),
        answers=tuple(exchanges.answers.values),
        counted=tuple(exchanges.counted_values.values),
    )


def _stored_connections(
    connections: ConnectionColumns, reasons: Iterable[str]
) -> StoredConnections:
    handshakes = connections.handshakes.values
    return StoredConnections(
        encoding=codec.encoding_for(len(connections)),
        count=len(connections),
        arms=connections.arms,
        peers=tuple(connections.peers.values),
        attempts=tuple(connections.attempts.values),
        endings=ENDINGS,
        unasked=tuple(connections.unasked.values),
        ciphers=tuple((version, cipher) for version, cipher, _ in handshakes),
        resumed=tuple(resumed for _, _, resumed in handshakes),
        reasons=tuple(reasons),
    )


def _table_lines(
    name: str,
    columns: Mapping[str, array[Any]],
    stored: StoredExchanges | StoredConnections,
    end: str = "\n",
) -> Iterator[str]:
    known = {column.name: column for column in stored_columns()[name]}
    yield f'  "{name}": {{\n'
    for key, value in to_json(stored).items():
        yield f'    "{key}": {_json(value)},\n'
    yield '    "columns": {\n'
    for number, (key, numbers) in enumerate(columns.items(), start=1):
        comma = "," if number < len(columns) else ""
        if stored.encoding == codec.PLAIN:
            values = codec.plain_values(known[key], numbers)
            yield f'      "{key}": {json.dumps(values)}{comma}\n'
        else:
            yield f'      "{key}": {{"type": "{codec.number_type(known[key])}", "chunks": [\n'
            separator = ""
            for chunk in codec.packed_chunks(numbers):
                yield f'{separator}"{chunk}"'
                separator = ",\n"
            yield f"\n      ]}}{comma}\n"
    yield f"    }}\n  }}{end}"


def _member(name: str, value: Any) -> str:  # noqa: ANN401  # whatever JSON can hold
    return f'  "{name}": ' + _json(value, indent=2).replace("\n", "\n  ")


def _json(value: Any, indent: int | None = None) -> str:  # noqa: ANN401  # the same
    return json_in_log(json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False))
