"""A line for each response, and for each connection."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from keepalive_bench.connections.reason_kinds import BY_DESIGN
from keepalive_bench.results.exchange import INTERRUPTED, QUEUED
from keepalive_bench.units import duration, plural, printable, size

if TYPE_CHECKING:
    from keepalive_bench.analysis.reasons import Reason
    from keepalive_bench.plan.plan import Plan
    from keepalive_bench.results.columns import ConnectionColumns
    from keepalive_bench.results.exchange import Connection, EndingKind, Exchange
    from keepalive_bench.results.run import Run

_SEEN = 80
_ENDINGS: dict[EndingKind, str] = {
    "announced": "as its last response had said",
    "cut": "its last body was not read to the end",
    "data": "found with bytes that nobody had asked for",
    "discarded": "thrown away, the pool was full",
    "failed": "given up after a failed request",
    "fin": "found closed",
    "leftover": "bytes behind its last response",
    "retired": "closed by kab, as this arm does",
    "rst": "found reset",
}


def exchange_line(plan: Plan, exchange: Exchange) -> str:
    """Status, type, length, connection, latency, phases and parameters of one response.

    Secrets in these parameters are starred.
    """
    outcome = exchange.outcome
    answer = outcome.answer
    opened = outcome.phases.connect is not None and outcome.connection is not None
    connection = "-" if outcome.connection is None else f"{outcome.connection}"
    parts = [
        f"{exchange.arm} #{exchange.index}",
        str(outcome.status or "-"),
        printable(answer.content_type or "-") if answer else "-",
        size(outcome.body_bytes),
        f"connection {connection}{' (new)' if opened else ''}",
        duration(outcome.latency_s),
        " ".join(
            f"{name} {duration(_as_kept(value))}"
            for name, value in ((QUEUED, outcome.queued_s), *outcome.phases._asdict().items())
            if value is not None
        ),
        printable(plan.request.variation.shown(exchange.index, plan.experiment.token)),
    ]
    if outcome.failure is not None:
        failed = "" if outcome.failure.kind == INTERRUPTED else "failed: "
        parts.append(f"{failed}{outcome.failure.kind} ({printable(outcome.failure.message)})")
    return "  ".join(part for part in parts if part)


def _as_kept(seconds: float) -> float:
    """A phase as a run keeps it, in single precision: a stored one reads the same to the digit."""
    return array("f", [seconds])[0]


def connection_line(connections: ConnectionColumns, row: int, reason: Reason) -> str:
    """When and why a connection was opened, how many requests it served, how and when it ended."""
    connection = connections[row]
    resumed = ", session resumed" if connection.resumed else ""
    again = connection.retransmissions
    place = "" if reason.previous is None else f" in place of {reason.previous}"
    parts = [
        f"connection {row}",
        f"{connection.arm} to {printable(connection.peer)}",
        f"opened at {duration(connection.opened_s)}{place}: {because(reason)}",
        f"{printable(connection.tls_version)}{resumed}" if connection.tls_version else "",
        f"SYN sent again {plural(again, 'time')}" if again else "",
        plural(connection.exchanges, "response"),
        ended(connection),
    ]
    return "  ".join(part for part in parts if part)


def because(reason: Reason) -> str:
    """Why a connection was opened, in few words."""
    seen = reason.evidence.get("seen")
    return f"{reason.code} ({printable(str(seen))[:_SEEN]})" if seen else reason.code


def ended(connection: Connection) -> str:
    """When and how a connection ended, in few words."""
    ending = connection.ending
    if ending is None:
        return "open to the end"
    idle = "" if ending.idle_s is None else f" after {duration(ending.idle_s)} idle"
    return f"ended at {duration(connection.ended_s)}: {_ENDINGS[ending.kind]}{idle}"


def why(run: Run, reason: Reason) -> str:
    """Why a connection was opened, and what became of the one before it."""
    if reason.previous is None or reason.kind is BY_DESIGN:
        return because(reason)
    before = ended(run.connections[reason.previous])
    return f"{because(reason)}; connection {reason.previous} before it {before}"
