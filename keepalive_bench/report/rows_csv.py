"""Every exchange as a row of CSV (RFC 4180)."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from keepalive_bench.results.column_codec import short_floats
from keepalive_bench.results.columns import ExchangeColumns
from keepalive_bench.results.exchange import PHASES, QUEUED
from keepalive_bench.units import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from keepalive_bench.analysis import Analysis
    from keepalive_bench.results.run import Run

_AT_ONCE = 4096
_FORMULA = ("=", "+", "-", "@")
_STORED = {column.name: (column.meaning, column.none) for column in ExchangeColumns.declared}
_NO_CONNECTION = "there was none"


def _stored(*names: str) -> dict[str, tuple[str, str]]:
    return {name: _STORED[name] for name in names}


COLUMNS: dict[str, tuple[str, str]] = {
    "arm": ("The arm's label", ""),
    **_stored("index", "round", "began_s", "latency_s"),
    "connection": (
        "Which connection, from 0, in the order in which they were opened",
        _NO_CONNECTION,
    ),
    "slot": ("Which of the places that the arm had connections open at, at once", _NO_CONNECTION),
    "reused": (
        "`true` on a connection that an earlier exchange had used, `false` on a new one",
        _NO_CONNECTION,
    ),
    "reason": (
        "Why the connection had to be opened: a code of [findings.md](findings.md)",
        "it was not opened for this exchange",
    ),
    **_stored("status", "body_bytes"),
    "failure": (
        (
            "[Why it failed](json-format.md#why-an-exchange-failed); or `interrupted`: kab cut it "
            "off when the run was stopped, which is no failure"
        ),
        "it succeeded",
    ),
    "message": ("What the cause itself said", "it succeeded"),
    **_stored(*(f"{name}_s" for name in (*PHASES, QUEUED))),
    "resumed": (
        (
            "`true` where the TLS handshake for this exchange took up an earlier session, `false` "
            "where it was a full one"
        ),
        "there was none for it",
    ),
}
"""What each means, and when it is empty. They are only ever added at the end."""
Cell = str | int | float | None


class _Echo:
    """What `csv` writes to: it hands back what it is given."""

    @staticmethod
    def write(text: str) -> str:
        return text


def csv_lines(run: Run, analysis: Analysis) -> Iterator[str]:
    """The header, and a line for each exchange, in the order in which they ended.

    A line is made when it is asked for: a million of them take no room.
    """
    writer = csv.writer(_Echo())
    timed = [*run.exchanges.phases.values(), run.exchanges.queued_s]
    yield writer.writerow(COLUMNS)
    opened = bytearray(len(run.connections))
    for start in range(0, len(run.exchanges), _AT_ONCE):
        rows = range(start, min(start + _AT_ONCE, len(run.exchanges)))
        parts = (
            [None] * len(rows) if column is None else short_floats(column[rows.start : rows.stop])
            for column in timed
        )
        for row, *durations in zip(rows, *parts, strict=True):
            resumed = _resumed(run, row, opened)
            yield writer.writerow((*_exchange(run, analysis, row, opened), *durations, resumed))


def table_lines(heads: Iterable[str], rows: Iterable[Iterable[Cell]]) -> Iterator[str]:
    """A header, and a line for each row; texts in it do no harm."""
    writer = csv.writer(_Echo())
    yield writer.writerow(heads)
    for row in rows:
        yield writer.writerow(_harmless(it) if isinstance(it, str) else it for it in row)


def _exchange(run: Run, analysis: Analysis, row: int, opened: bytearray) -> tuple[Cell, ...]:
    """All that is known of an exchange but its phases; `opened` marks connections met before."""
    exchanges, connections = run.exchanges, run.connections
    connection, number = exchanges.connection[row], exchanges.failure[row]
    slot = reused = reason = failure = None
    if connection >= 0:
        slot = connections.slot[connection]
        reused = "true" if opened[connection] else "false"
        reason = None if opened[connection] else _reason(run, analysis, connection)
        opened[connection] = True
    if number >= 0:
        failure = exchanges.failures.values[number]
    return (
        exchanges.arms[exchanges.arm[row]],
        exchanges.index[row],
        exchanges.round[row],
        exchanges.began_s[row],
        exchanges.latency_s[row],
        None if connection < 0 else connection,
        slot,
        reused,
        reason,
        exchanges.status[row] or None,
        exchanges.body_bytes[row],
        failure.kind if failure else None,
        _harmless(failure.message) if failure else None,
    )


def _resumed(run: Run, row: int, opened: bytearray) -> str | None:
    """Whether the TLS handshake for this exchange took up a session; nothing without one."""
    connection = run.exchanges.connection[row]
    if connection < 0 or opened[connection]:
        return None
    handshake = run.connections.handshake_of(connection)
    return None if handshake is None else ("true" if handshake[2] else "false")


def _reason(run: Run, analysis: Analysis, connection: int) -> str:
    reasons = analysis.arms[run.connections.arm[connection]].reasons
    return reasons.codes[reasons.column[connection]]


def _harmless(text: str) -> str:
    """Text from outside, on one line, and no formula where a spreadsheet opens the file.

    The apostrophe in front is what OWASP's "CSV Injection" recommends; spreadsheets hide it.
    """
    shown = printable(text)
    return f"'{shown}" if shown.lstrip().startswith(_FORMULA) else shown
