"""The words and numbers of what a program did with its connections, once; dialects set them."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.connections.reason_kinds import FIRST_USE
from keepalive_bench.report import TextColumn, TextTable
from keepalive_bench.report.run_tables import in_unit
from keepalive_bench.trace.findings import first_use, remedy, sentence, told, uncapitalised
from keepalive_bench.trace.metrics import ORIGIN_METRICS
from keepalive_bench.trace.naming import origin_names, site_name, some_of
from keepalive_bench.trace.tracer._kab_tracer.layout import LIMIT_REACHED, RECORDS_LOST
from keepalive_bench.units import MISSING, clipped, duration, plural, printable, share

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.analysis import Severity
    from keepalive_bench.analysis.metrics import Block, Metric
    from keepalive_bench.trace.report import TraceReport
    from keepalive_bench.trace.usage import (
        ConnectionUsage,
        Opening,
        OriginUsage,
        ProcessUsage,
        Usage,
    )

_GROUPS: tuple[tuple[Block, ...], ...] = (("requests", "connections"), ("times",), ("outcomes",))
_SUMMED = {"requests", "failed", "connections", "failed_connections", "would_do", "saving_s"}
"""What several origins have together."""
_MOST_NAMED, _MOST_PLACES = 5, 2
ENDINGS = {
    "open": "open to the end",
    "found-fin": "found closed",
    "found-rst": "found reset",
    "found-data": "found with unsolicited data",
    "found-closed": "found closed",
    "announced": "closed, as its last response announced",
    "failed": "given up after a failed request",
    "pool-full": "thrown away: the pool was full",
    "unread": "closed with an unread response",
    "evicted": "closed with its pool",
    "client-closed": "closed with its client",
    "connection-closed": "closed by the program",
    "collected": "closed by garbage collection",
    "expired": "closed by the client: idle for too long",
    "never-kept": "closed by the library, which keeps none like it",
}
SMALL_PRINT = (
    "Latencies are medians; set-up is a mean. Savings are lower bounds: the set-up of connections "
    "that can be avoided, added up over threads."
)


class Explained(NamedTuple):
    """Why connections were opened at one place, and what to do about it."""

    severity: Severity
    text: str
    reason: str
    """Its code."""
    remedy: str
    """What to do, and what that saves; may be empty."""
    code: str
    """A line of code for that; may be empty."""


class OriginPart(NamedTuple):
    """An origin, and why connections to it were opened."""

    name: str
    heading: str
    """The name, and how many connections there are."""
    reasons: tuple[Explained, ...]
    """What can be avoided first; then the most."""
    more: str
    """What is left out of these; empty: nothing."""
    first_use: Explained | None
    """Those connections that there is nothing to say of, in a line."""

    @property
    def all(self) -> Iterator[Explained]:
        """All that are told."""
        yield from self.reasons
        if self.first_use is not None:
            yield self.first_use


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
    if not isinstance(value, int | float) or (metric.unit == "seconds" and not value):
        return MISSING  # of times, also where there is nothing to save
    return share(value) if metric.unit == "share" else in_unit(metric.unit, value)


def origin_parts(
    report: TraceReport, most_origins: int | None = None, most_reasons: int | None = None
) -> Iterator[OriginPart]:
    """Why connections were opened, origin by origin; of what is left out, how much it is."""
    origins = report.usage.origins
    names = origin_names(origins)
    both = [it for it in zip(names, origins, strict=True) if it[1].openings]
    for name, origin in both[:most_origins]:
        to_tell = [it for it in origin.openings if it.reason != FIRST_USE.code]
        to_tell.sort(key=lambda it: not it.is_avoidable)
        rest = [] if most_reasons is None else to_tell[most_reasons:]
        count = sum(it.connections for it in rest)
        more = f"{plural(len(rest), 'more reason')} for {plural(count, 'connection')}"
        yield OriginPart(
            name=name,
            heading=f"{name}: {plural(origin.connections, 'connection')}",
            reasons=tuple(_explained(it, report.folder) for it in to_tell[:most_reasons]),
            more=more if rest else "",
            first_use=_first_use(
                [it for it in origin.openings if it.reason == FIRST_USE.code], report.folder
            ),
        )


def _explained(opening: Opening, folder: str) -> Explained:
    return Explained(
        severity="warning" if opening.is_avoidable else "info",
        text=sentence(told(opening, folder)),
        reason=printable(opening.reason),
        remedy=remedy(opening),
        code=printable(opening.code),
    )


def _first_use(openings: Sequence[Opening], folder: str) -> Explained | None:
    """Connections that nothing could have been reused for, as one."""
    if not openings:
        return None
    count = sum(it.connections for it in openings)
    busy = sum(int(it.evidence.get("busy", 0)) for it in openings)
    were = "was" if count == 1 else "were"
    because = uncapitalised(first_use(count, busy))
    sites = dict.fromkeys(site_name(it.site, folder) for it in openings if it.site is not None)
    where = f" ({some_of(sites, _MOST_PLACES)})" if sites else ""
    said = f"{plural(count, 'connection')} {were} opened because {because}{where}."
    return Explained("info", said, FIRST_USE.code, "", "")


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
        yield f"{_trouble(clipped(trouble))}{times}."


def _trouble(text: str) -> str:
    """What ended the records is no error: a full disk, `--max-records`."""
    why = text.removeprefix(RECORDS_LOST)
    if why == text:
        return f"The tracer itself failed, the program didn't notice: {text}"
    is_over = why == LIMIT_REACHED
    return "Recording ended at --max-records" if is_over else f"Records were lost: {why}"


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


RUN_WORDS = ("opened", "count", "requests", "set-up", "reason", "ended")
RUN_PROSE = {"reason", "ended"}
"""Those columns that may be wrapped."""


class ConnectionRun(NamedTuple):
    """Connections of one process to one origin."""

    heading: str
    rows: tuple[tuple[str, ...], ...]
    """What `RUN_WORDS` says of each; of some that are alike and follow each other, as one."""


def connection_runs(report: TraceReport) -> Iterator[ConnectionRun]:
    """All connections, by process and origin."""
    usage = report.usage
    names = names_of_connections(usage)
    found: dict[tuple[int, str], list[ConnectionUsage]] = {}
    for it in usage.connections:
        found.setdefault((it.process, names[it.origin, it.via]), []).append(it)
    for (process, name), connections in found.items():
        pid = f" {usage.processes[process].pid}" if process < len(usage.processes) else ""
        rows = (
            _run_words([*alike], report.folder) for _, alike in groupby(connections, key=_alike)
        )
        yield ConnectionRun(f"{name}, process{pid}", tuple(rows))


def _alike(it: ConnectionUsage) -> tuple[object, ...]:
    return it.reason, it.site, it.ending, it.ended_s is None


def _run_words(alike: Sequence[ConnectionUsage], folder: str) -> tuple[str, ...]:
    first = alike[0]
    setups = [it.setup_s for it in alike if it.setup_s is not None]
    ends = [it.ended_s for it in alike if it.ended_s is not None]
    how = ENDINGS.get(first.ending, printable(first.ending))
    where = "" if first.site is None else f", {site_name(first.site, folder)}"
    return (
        duration(first.opened_s) if len(alike) == 1 else f"{duration(first.opened_s)} …",
        f"{len(alike):,}",
        f"{sum(it.requests for it in alike):,}",
        duration(sum(setups) / len(setups) if setups else None),
        f"{printable(first.reason)}{where}",
        f"{duration(max(ends))}: {how}" if ends else how,
    )
