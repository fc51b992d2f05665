"""Run ⇄ versioned JSON. The format is a contract (docs/json-format.md): additions only.

What is derived is written too, for whoever reads the file with jq; kab itself reads back what was
measured and computes the rest again.
"""

from __future__ import annotations

import json
import reprlib
import textwrap
from array import array
from dataclasses import asdict
from math import nan
from typing import TYPE_CHECKING, Any

from keepalive_bench.errors import ResultsFileError, UsageError
from keepalive_bench.plan.document import Document, plan_document, plan_from
from keepalive_bench.results import column_codec as codec
from keepalive_bench.results.check import FaultError, check_document, known_members
from keepalive_bench.results.columns import ConnectionColumns, ExchangeColumns
from keepalive_bench.results.consistency import check_run, check_tables
from keepalive_bench.results.exchange import ENDINGS, Answer, Failure
from keepalive_bench.results.run import Environment, LostProcess, PoolCounters, Run, RunInfo, WarmUp
from keepalive_bench.results.text import chunk_of, parsed
from keepalive_bench.units import json_in_log, printable, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from keepalive_bench.results.columns import Handshake

SCHEMA_VERSION = 1
_LONGEST_REASON = 200
_NONE = "is no results file of kab's, or a damaged one"
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
_LATER = {"min_rtt_s"}
"""Columns that files of the first release lack."""
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
        "run_info": _run_info(run.run_info),
        "warmup": {label: _warmup(warmup) for label, warmup in run.warmup.items()},
        **{name: value for name, value in derived.items() if name != "connections"},
    }
    yield "{\n"
    for name, value in head.items():
        yield f"{_member(name, value)},\n"
    exchanges, connections = run.exchanges, run.connections
    columns = exchanges.columns()
    columns.setdefault("queued_s", array("f", [nan]) * len(exchanges))  # it is no open load
    yield from _table_lines("exchanges", columns, _exchange_tables(exchanges), ",\n")
    setups = {f"{name}_s": column for name, column in run.setups().items()}
    columns = {**connections.columns(), **setups, **by_connection["columns"]}
    tables = {**_connection_tables(connections), "reasons": by_connection["reasons"]}
    yield from _table_lines("connections", columns, tables)
    yield "}\n"


def read_run(lines: Iterable[str], name: str = "The file") -> Run:
    """The run in a results file, which is called `name` where something is wrong with it.

    Lines may come in pieces. Memory is bounded, whatever is in them.

    Raises:
        ResultsFileError: it is none, is damaged, too large, or newer than this program.
    """
    chunks: list[bytes] = []
    try:
        document = parsed(lines, chunks)
        _check_version(document, name)
        check_document(document)
        run = _run(document, chunks)
        check_run(run)
    except ResultsFileError:
        raise
    except FaultError as error:
        raise ResultsFileError(f"{name} {_NONE}: {error}.") from error
    except UsageError as error:
        why = printable(textwrap.shorten(str(error), _LONGEST_REASON, placeholder=" …"))
        raise ResultsFileError(f"{name} {_NONE}. {why}") from error
    except KeyError as error:
        what = f"{quoted(str(error.args[0]))} is missing"
        raise ResultsFileError(f"{name} {_NONE}: {what}.") from error
    except (LookupError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise ResultsFileError(f"{name} {_NONE}.") from error
    except RecursionError:
        raise ResultsFileError(f"{name} {_NONE}: it is nested too deep.") from None
    return run


def _check_version(document: Any, name: str) -> None:  # noqa: ANN401  # whatever JSON can hold
    if not isinstance(document, dict):
        raise FaultError("it is no JSON object")
    if "schema_version" not in document:
        raise FaultError("it has no schema_version")
    version = document["schema_version"]
    if version != SCHEMA_VERSION or isinstance(version, bool | float):
        shown = printable(reprlib.repr(version))
        is_newer = isinstance(version, int) and version > SCHEMA_VERSION
        advice = " A newer kab wrote it: update kab." if is_newer else ""
        raise ResultsFileError(
            f"{name} has schema version {shown}; this kab reads version {SCHEMA_VERSION}.{advice}"
        )


def _run(document: Document, chunks: list[bytes]) -> Run:
    plan = plan_from(document["plan"])
    labels = plan.experiment.labels
    exchanges = ExchangeColumns(labels, queued=plan.experiment.load.is_open)
    connections = ConnectionColumns(labels)
    table = document["exchanges"]
    exchanges.failures.extend(known_members(Failure, value) for value in table["failures"])
    exchanges.answers.extend(known_members(Answer, value) for value in table["answers"])
    _fill(exchanges, table, chunks)
    table = document["connections"]
    connections.peers.extend(table["peers"])
    connections.attempts.extend(table["attempts"])
    connections.unasked.extend(table["unasked"])
    connections.handshakes.extend(_handshakes(table))
    _fill(connections, table, chunks)
    check_tables(document, labels)
    return Run(
        plan=plan,
        environment=known_members(Environment, document["environment"]),
        run_info=_read_course(document["run_info"]),
        warmup={label: _read_warmup(document["warmup"][label]) for label in labels},
        exchanges=exchanges,
        connections=connections,
        counters={
            label: known_members(PoolCounters, document["arms"][label]["urllib3"])
            for label in labels
        },
    )


def _handshakes(table: Document) -> Iterator[Handshake]:
    """What TLS handshakes settled on; files of the first release don't say which resumed one."""
    ciphers = table["ciphers"]
    resumed = table.get("resumed", [False] * len(ciphers))
    return ((*pair, again) for pair, again in zip(ciphers, resumed, strict=True))


def _run_info(run_info: RunInfo) -> Document:
    return {**asdict(run_info), "lost": [process._asdict() for process in run_info.lost]}


def _read_course(document: Document) -> RunInfo:
    """How a run went; files of earlier versions know of one process only."""
    lost = tuple(known_members(LostProcess, process) for process in document.get("lost", ()))
    return known_members(RunInfo, {**document, "lost": lost})


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
        failures=tuple(known_members(Failure, failure) for failure in document["failures"]),
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
        "ciphers": [[version, cipher] for version, cipher, _ in connections.handshakes.values],
        "resumed": [resumed for _, _, resumed in connections.handshakes.values],
    }


def _table_lines(
    name: str, columns: Mapping[str, codec.Column], tables: Document, end: str = "\n"
) -> Iterator[str]:
    rows = len(next(iter(columns.values())))
    encoding = codec.encoding_for(rows)
    head = {"encoding": encoding, "count": rows, **tables}
    yield f'  "{name}": {{\n'
    for key, value in head.items():
        yield f'    "{key}": {_json(value)},\n'
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
        if name in _LATER and name not in values:
            codec.fill_plain(column, [None] * document["count"])
        elif document["encoding"] == codec.PLAIN:
            codec.fill_plain(column, values[name])
        else:
            packed = values[name]
            codec.fill_packed(column, (chunk_of(part, chunks) for part in packed["chunks"]))
        if len(column) != document["count"]:
            raise ValueError(f"column {name} has {len(column)} rows of {document['count']}")


def _member(name: str, value: Any) -> str:  # noqa: ANN401  # whatever JSON can hold
    return f'  "{name}": ' + _json(value, indent=2).replace("\n", "\n  ")


def _json(value: Any, indent: int | None = None) -> str:  # noqa: ANN401  # the same
    return json_in_log(json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False))
