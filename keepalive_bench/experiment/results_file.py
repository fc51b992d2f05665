"""Run ⇄ versioned JSON. The format is a contract (docs/json-format.md): additions only.

What is derived is written too, for whoever reads the file with jq; kab itself reads back what was
measured and computes the rest again.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from keepalive_bench.errors import ResultsFileError
from keepalive_bench.experiment import column_codec as codec
from keepalive_bench.experiment.plan_document import Document, plan_document, plan_from
from keepalive_bench.model.columns import ConnectionColumns, ExchangeColumns
from keepalive_bench.model.exchange import ENDINGS, Answer, Failure
from keepalive_bench.model.run import Course, Environment, PoolCounters, Run, WarmUp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

SCHEMA_VERSION = 1
_OPTIONAL = {
    "connection",
    "failure",
    "failed",
    "answer",
    "status",
    "cipher",
    "ending",
    "data",
    "previous",
}
Table = ExchangeColumns | ConnectionColumns


def document_lines(run: Run, derived: Document) -> Iterator[str]:
    """The file's lines: what is measured, with `derived` in its place before the raw columns.

    Its member `connections` has what is derived for each of them: tables, and `columns`.
    """
    by_connection = derived["connections"]
    head = {
        "schema_version": SCHEMA_VERSION,
        "plan": plan_document(run.plan),
        "environment": asdict(run.environment),
        "course": asdict(run.course),
        "warmup": {label: _warmup(warmup) for label, warmup in run.warmup.items()},
        **{name: value for name, value in derived.items() if name != "connections"},
    }
    yield "{\n"
    for name, value in head.items():
        yield f"{_member(name, value)},\n"
    exchanges, connections = run.exchanges, run.connections
    yield from _table_lines("exchanges", exchanges.columns(), _exchange_tables(exchanges), ",\n")
    setups = {f"{name}_s": column for name, column in run.setups().items()}
    columns = {**connections.columns(), **setups, **by_connection["columns"]}
    tables = {**_connection_tables(connections), "reasons": by_connection["reasons"]}
    yield from _table_lines("connections", columns, tables)
    yield "}\n"


def read_run(lines: Iterable[str]) -> Run:
    """The run in a results file.

    Raises:
        ResultsFileError: it is none, is damaged, or is newer than this program.
    """
    chunks: list[bytes] = []
    try:
        document = json.loads("".join(_without_chunks(lines, chunks)))
        version = document["schema_version"]
        if version != SCHEMA_VERSION:
            raise ResultsFileError(
                f"The results file has schema version {version!r}; this kab reads version "
                f"{SCHEMA_VERSION}."
            )
        return _run(document, chunks)
    except (LookupError, TypeError, ValueError, OverflowError, AttributeError) as error:
        if isinstance(error, ResultsFileError):
            raise
        raise ResultsFileError("That is no results file of kab's, or a damaged one.") from error
    except RecursionError:
        raise ResultsFileError("That is no results file of kab's: it is nested too deep.") from None


def _run(document: Document, chunks: list[bytes]) -> Run:
    plan = plan_from(document["plan"])
    labels = plan.experiment.labels
    exchanges, connections = ExchangeColumns(labels), ConnectionColumns(labels)
    table = document["exchanges"]
    exchanges.failures.extend(Failure(**value) for value in table["failures"])
    exchanges.answers.extend(Answer(**value) for value in table["answers"])
    _fill(exchanges, table, chunks)
    table = document["connections"]
    connections.peers.extend(table["peers"])
    connections.attempts.extend(table["attempts"])
    connections.unasked.extend(table["unasked"])
    connections.ciphers.extend((version, cipher) for version, cipher in table["ciphers"])
    _fill(connections, table, chunks)
    _check_numbers(exchanges, connections)
    return Run(
        plan=plan,
        environment=Environment(**document["environment"]),
        course=Course(**document["course"]),
        warmup={label: _read_warmup(document["warmup"][label]) for label in labels},
        exchanges=exchanges,
        connections=connections,
        counters={label: PoolCounters(**document["arms"][label]["urllib3"]) for label in labels},
    )


def _warmup(warmup: WarmUp) -> Document:
    return {
        "requests": warmup.requests,
        "failed": len(warmup.failures),
        "connections": warmup.connections,
        "failures": [failure._asdict() for failure in warmup.failures],
    }


def _read_warmup(document: Document) -> WarmUp:
    return WarmUp(
        requests=document["requests"],
        connections=document["connections"],
        failures=tuple(Failure(**failure) for failure in document["failures"]),
    )


def _exchange_tables(exchanges: ExchangeColumns) -> Document:
    return {
        "arms": list(exchanges.arms),
        "failures": [failure._asdict() for failure in exchanges.failures.values],
        "answers": [answer._asdict() for answer in exchanges.answers.values],
    }


def _connection_tables(connections: ConnectionColumns) -> Document:
    return {
        "arms": list(connections.arms),
        "peers": connections.peers.values,
        "attempts": connections.attempts.values,
        "endings": list(ENDINGS),
        "unasked": connections.unasked.values,
        "ciphers": [list(pair) for pair in connections.ciphers.values],
    }


def _table_lines(
    name: str, columns: Mapping[str, codec.Column], tables: Document, end: str = "\n"
) -> Iterator[str]:
    rows = len(next(iter(columns.values())))
    encoding = codec.encoding_for(rows)
    head = {"encoding": encoding, "count": rows, **tables}
    yield f'  "{name}": {{\n'
    for key, value in head.items():
        yield f'    "{key}": {json.dumps(value, ensure_ascii=False)},\n'
    yield '    "columns": {\n'
    for number, (key, column) in enumerate(columns.items(), start=1):
        comma = "," if number < len(columns) else ""
        if encoding == codec.PLAIN:
            values = codec.plain_values(column, optional=key in _OPTIONAL)
            yield f'      "{key}": {json.dumps(values)}{comma}\n'
        else:
            yield f'      "{key}": {{"type": "{codec.number_type(column)}", "chunks": [\n'
            separator = ""
            for chunk in codec.packed_chunks(column):
                yield f'{separator}"{chunk}"'
                separator = ",\n"
            yield f"\n      ]}}{comma}\n"
    yield f"    }}\n  }}{end}"


def _fill(table: Table, document: Document, chunks: list[bytes]) -> None:
    values = document["columns"]
    for name, column in table.columns().items():
        if document["encoding"] == codec.PLAIN:
            codec.fill_plain(column, values[name])
        else:
            packed = values[name]
            codec.fill_packed(column, (_chunk(part, chunks) for part in packed["chunks"]))
        if len(column) != document["count"]:
            raise ValueError(f"column {name} has {len(column)} rows of {document['count']}")


def _check_numbers(exchanges: ExchangeColumns, connections: ConnectionColumns) -> None:
    """Refuse numbers that stand for nothing."""
    for column, values in (
        (exchanges.arm, exchanges.arms),
        (exchanges.connection, connections),
        (exchanges.failure, exchanges.failures.values),
        (exchanges.answer, exchanges.answers.values),
        (connections.arm, connections.arms),
        (connections.peer, connections.peers.values),
        (connections.cipher, connections.ciphers.values),
        (connections.failed, connections.attempts.values),
    ):
        if column and not -1 <= min(column) <= max(column) < len(values):
            raise ValueError("a column has the number of something that isn't there")


def _without_chunks(lines: Iterable[str], chunks: list[bytes]) -> Iterator[str]:
    """A file's lines, with each packed string that has a line of its own decoded and set aside."""
    inside = False
    for line in lines:
        text = line.strip()
        inside = text.endswith('"chunks": [') or (inside and not text.startswith("]"))
        if not (inside and text.startswith(f'"{codec.MARK}')):  # a parameter can begin so, too
            yield line
            continue
        string, comma, _ = text.partition(",")
        chunks.append(codec.decoded(string.strip('"')))
        yield f"{len(chunks) - 1}{comma}\n"


def _chunk(part: int | str, chunks: list[bytes]) -> bytes | str:
    """A packed string: set aside already, or still in place where lines were joined since."""
    if isinstance(part, str):
        return part
    chunk, chunks[part] = chunks[part], b""
    return chunk


def _member(name: str, value: Any) -> str:  # noqa: ANN401  # whatever JSON can hold
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    return f'  "{name}": ' + text.replace("\n", "\n  ")
