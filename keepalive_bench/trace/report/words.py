"""The words and numbers of what a program did with its connections, once; dialects set them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.report import TextColumn, TextTable
from keepalive_bench.report.run_tables import in_unit
from keepalive_bench.trace.findings import finding_of
from keepalive_bench.trace.metrics import ORIGIN_METRICS
from keepalive_bench.trace.naming import origin_names, site_name, some_of
from keepalive_bench.units import MISSING, clipped, duration, plural, printable, share

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.analysis import Finding
    from keepalive_bench.analysis.metrics import Block, Metric
    from keepalive_bench.trace.report import TraceReport
    from keepalive_bench.trace.usage import ConnectionUsage, OriginUsage, ProcessUsage, Usage

_GROUPS: tuple[tuple[Block, ...], ...] = (("requests", "connections"), ("times",), ("outcomes",))
_SUMMED = {"requests", "failed", "connections", "failed_connections", "would_do", "saving_s"}
"""What several origins have together."""
_MOST_NAMED = 5
ENDINGS = {
    "open": "open to the end",
    "found-fin": "found closed",
    "found-rst": "found reset",
    "found-data": "found with bytes that nobody had asked for",
    "found-closed": "found closed",
    "announced": "closed as its last response had said",
    "failed": "given up after a failed request",
    "pool-full": "thrown away, the pool was full",
    "unread": "closed, its last response was not read",
    "evicted": "closed, its pool was thrown away",
    "client-closed": "closed with its client",
    "connection-closed": "closed by the program",
    "collected": "closed as nobody had it any more",
    "expired": "closed by the client, idle for too long",
    "never-kept": "closed by the library, which keeps none like it",
}
SMALL_PRINT = (
    "Latencies are medians; set-up is a mean. What is saved is at least the set-up of the "
    "connections that can be avoided, added up over threads."
)


class OriginPart(NamedTuple):
    """An origin, and why connections to it were opened."""

    name: str
    heading: str
    """The name, and how many connections there are."""
    findings: tuple[Finding, ...]
    """What can be avoided first; then the most."""
    more: str
    """What is left out of these; empty: nothing."""


def origin_table(usage: Usage, most: int | None = None) -> TextTable:
    """A row for each origin, the worst first; `most`: so many rows, and one for all others."""
    names = origin_names(usage.origins)
    shown = usage.origins if most is None or len(names) <= most + 1 else usage.origins[:most]
    others = usage.origins[len(shown) :]
    named = names[: len(shown)]
    columns = [(it, [it.of(origin) for origin in shown]) for it in ORIGIN_METRICS if it.title]
    if others:
        named.append(f"({plural(len(others), 'other origin')})")
        for metric, values in columns:
            values.append(_together(metric, others))
    groups = tuple(
        tuple(
            (TextColumn(metric.title, _cells(metric, values)),)
            for metric, values in columns
            if metric.block in blocks
        )
        for blocks in _GROUPS
    )
    return TextTable("Origins", TextColumn("origin", tuple(named)), groups).without_empty_columns()


def _together(metric: Metric[OriginUsage], origins: Sequence[OriginUsage]) -> float | None:
    if metric.path == "reuse":
        requests = sum(it.requests for it in origins)
        return sum(it.reused for it in origins) / requests if requests else None
    values = [getattr(it, metric.path) or 0 for it in origins] if metric.path in _SUMMED else []
    return sum(values) if values else None


def _cells(metric: Metric[OriginUsage], values: Sequence[object]) -> tuple[str, ...]:
    """Empty where all are, if they are shown where there are any only."""
    if metric.shown == "where there are any" and not any(values):
        return ("",) * len(values)
    return tuple(_cell(metric, it) for it in values)


def _cell(metric: Metric[OriginUsage], value: object) -> str:
    if not isinstance(value, int | float):
        return MISSING
    return share(value) if metric.unit == "share" else in_unit(metric.unit, value)


def origin_parts(
    report: TraceReport, most_origins: int | None = None, most_findings: int | None = None
) -> Iterator[OriginPart]:
    """Why connections were opened, origin by origin; of what is left out, how much it is."""
    origins = report.usage.origins
    names = origin_names(origins)
    both = [it for it in zip(names, origins, strict=True) if it[1].openings]
    for name, origin in both[:most_origins]:
        ordered = sorted(origin.openings, key=lambda it: not it.is_avoidable)
        openings = ordered[:most_findings]
        rest = ordered[len(openings) :]
        count = sum(it.connections for it in rest)
        more = f"{plural(len(rest), 'more reason')} for {plural(count, 'connection')}"
        yield OriginPart(
            name=name,
            heading=f"{name}: {plural(origin.connections, 'connection')}",
            findings=tuple(finding_of(it, "", report.folder) for it in openings),
            more=more if rest else "",
        )


def explained_origins(usage: Usage) -> int:
    """How many origins have something to explain."""
    return sum(bool(it.openings) for it in usage.origins)


def traced(usage: Usage) -> str:
    """How many processes were traced, and which Pythons they are."""
    count = len(usage.processes)
    if not count:
        return "No process was traced."
    pythons = [
        f"Python {printable(it)}" for it in dict.fromkeys(it.python for it in usage.processes)
    ]
    running = sum(it.is_running for it in usage.processes)
    still = f"; {running:,} still running, or killed" if running else ""
    started = f", from {_moment(usage.started_at)}" if usage.started_at else ""
    return f"Traced: {processes(count)} ({some_of(pythons, _MOST_NAMED)}){started}{still}."


def processes(count: int) -> str:
    """`1 process`, `2 processes`."""
    return plural(count, "process") if count == 1 else f"{count:,} processes"


def _moment(started_at: str) -> str:
    return f"{started_at[:10]} {started_at[11:19]} UTC"


def not_seen(usage: Usage, *, all_of_it: bool = False) -> Iterator[str]:
    """What isn't in the figures, as far as that is known: a sentence each."""
    most = None if all_of_it else _MOST_NAMED
    by_why = Counter(it.why for it in usage.untraced)
    for why, count in by_why.most_common(most):
        pids = [f"{it.pid}" for it in usage.untraced if it.why == why]
        yield f"Not traced: {processes(count)} ({some_of(pids, _MOST_NAMED)}): {clipped(why)}."
    for it in [it for it in usage.processes if it.lost][:most]:
        yield f"Lost: {plural(it.lost, 'record')} of process {it.pid}."
    if usage.damaged:
        damaged = [clipped(it) for it in usage.damaged]
        yield f"Damaged: {some_of(damaged, len(damaged) if all_of_it else _MOST_NAMED)}."
    troubles = Counter(trouble for it in usage.processes for trouble in it.troubles)
    for trouble, count in troubles.most_common(most):
        times = "" if count == 1 else f" ({count:,} times)"
        yield f"The tracer itself failed, the program didn't notice: {clipped(trouble)}{times}."


PROCESS_WORDS = ("process", "parent", "Python", "requests", "connections", "records lost", "state")


def process_words(process: ProcessUsage) -> tuple[str, ...]:
    """What `PROCESS_WORDS` says of one."""
    return (
        f"{process.pid}",
        f"{process.parent}",
        printable(process.python),
        f"{process.requests:,}",
        f"{process.connections:,}",
        f"{process.lost:,}",
        "running, or killed" if process.is_running else "ended",
    )


CONNECTION_WORDS = (
    *("connection", "process", "origin", "opened at", "set-up", "requests", "ended", "reason"),
    "where",
)


def connection_words(
    connection: ConnectionUsage, number: int, origin: str, folder: str
) -> tuple[str, ...]:
    """What `CONNECTION_WORDS` says of one."""
    site = connection.site
    return (
        f"{number}",
        f"{connection.process}",
        origin,
        duration(connection.opened_s),
        duration(connection.setup_s),
        f"{connection.requests:,}",
        ended(connection),
        printable(connection.reason),
        MISSING if site is None else site_name(site, folder),
    )


def ended(connection: ConnectionUsage) -> str:
    """When and how a connection ended."""
    how = ENDINGS.get(connection.ending, printable(connection.ending))
    return how if connection.ended_s is None else f"at {duration(connection.ended_s)}: {how}"


def names_of_connections(usage: Usage) -> dict[tuple[str, str | None], str]:
    """What their origins are called."""
    names = origin_names(usage.origins)
    found = {(it.origin, it.via): name for it, name in zip(usage.origins, names, strict=True)}
    for it in usage.connections:
        if (it.origin, it.via) not in found:
            found[it.origin, it.via] = printable(it.origin)
    return found


def connection_line(connection: ConnectionUsage, number: int, origin: str, folder: str) -> str:
    """One connection in a line: process, when and why it was opened, what it carried, its end."""
    it = connection
    where = "" if it.site is None else f", {site_name(it.site, folder)}"
    parts = (
        f"connection {number}",
        f"process {it.process}",
        origin,
        f"opened at {duration(it.opened_s)}: {printable(it.reason)}{where}",
        "" if it.setup_s is None else f"set-up {duration(it.setup_s)}",
        plural(it.requests, "request"),
        ended(it) if it.ended_s is None else f"ended {ended(it)}",
    )
    return "  ".join(part for part in parts if part)
