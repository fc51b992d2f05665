"""A probe for other programs: CSV, a row for each connection, and OpenMetrics."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, get_args

from keepalive_bench.probe.metrics import PROBE_METRICS
from keepalive_bench.probe.probed import Persistence
from keepalive_bench.report.openmetrics import (
    Family,
    Sample,
    estimate_samples,
    exposition_lines,
    status_samples,
)
from keepalive_bench.report.rows_csv import table_lines
from keepalive_bench.stats.intervals import Estimate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.probe.probed import Probed
    from keepalive_bench.probe.record import Seen
    from keepalive_bench.probe.report import ProbeReport

_NEVER_OPEN = "it never was"
COLUMNS: dict[str, tuple[str, str]] = {
    "connection": ("Which connection, from 1, in the order in which they were begun", ""),
    "part": ("What it was opened for", ""),
    "name": ("What was tried", "it was opened for something else"),
    "opened_s": ("When it was open, from the beginning of the probe", _NEVER_OPEN),
    "peer": ("The address and port it leads to", _NEVER_OPEN),
    "round_trip_s": ("The shortest round trip that the system measured", "it doesn't tell"),
    "connect_s": ("How long TCP's handshake took", _NEVER_OPEN),
    "tls_s": ("How long TLS's handshake took", "there was none"),
    "requests": ("How many requests were sent on it", ""),
    "answered": ("Those of them that got a response", ""),
    "reused_after_s": ("How long it had been idle before its last request", "it was its first"),
    "status": ("The status of the last response", "there was none"),
    "closes": ("Whether that said that the connection ends", ""),
    "end": ("How it ended while it was idle: a word of the JSON's `ended.kind`", "it didn't"),
    "idle_s": (
        "How long it had been idle when it ended, or kab closed it",
        "a request was its last",
    ),
    "age_s": ("How old it was at last", _NEVER_OPEN),
    "failure": ("Why there was no connection, or no response to its last request", "there was"),
    "message": ("What the cause itself said", "there was no failure"),
}
"""What each column means, and when it is empty."""


def csv_lines(report: ProbeReport) -> Iterator[str]:
    """The header, and a line for each connection."""
    probed = report.probed
    wall_s = probed.record.info.wall_s
    rows = (_row(number, it, wall_s) for number, it in enumerate(probed.record.connections, 1))
    return table_lines(COLUMNS, rows)


def _row(number: int, it: Seen, wall_s: float) -> tuple[str | float | None, ...]:
    last = it.exchanges[-1] if it.exchanges else None
    answered = it.answered
    failure = it.failure or (last.failure if last else None)
    return (
        *(number, it.part, it.name or None, it.opened_s, it.peer),
        *(it.round_trip_s, it.connect_s, it.tls_s, it.requests, it.carried),
        last.idle_s if last else None,
        answered[-1].status if answered else None,
        "true" if it.closes else "false",
        it.ended.kind if it.ended else None,
        it.watched_s or (it.idle_until(wall_s) if it.part == "watched" else None),
        it.age_s if it.opened_s is not None else None,
        failure.kind if failure else None,
        failure.message if failure else None,
    )


def openmetrics_lines(report: ProbeReport) -> Iterator[str]:
    """The file's lines. What is not known is left out."""
    return exposition_lines(_families(report), {"url": report.probed.record.asked.url})


def _families(report: ProbeReport) -> Iterator[Family]:
    probed = report.probed
    info = probed.record.info
    versions = {"version": info.kab, "python": info.python, "openssl": info.openssl}
    yield Family("kab_probe_info", "The program that probed.", [Sample(1, versions)])
    began = Sample(datetime.fromisoformat(info.started_at).timestamp(), {})
    yield Family("kab_probe_start_timestamp_seconds", "When the probe began.", [began])
    for metric in PROBE_METRICS:
        unit = "_seconds" if metric.unit == "seconds" else ""
        value = metric.of(probed)
        if isinstance(value, Estimate):
            name = f"kab_probe_{metric.path}{unit}"
            is_exact = value.low == value.high  # then, its ends say nothing more
            told = Estimate(value.estimate) if is_exact else value
            yield Family(name, f"{metric.meaning}.", estimate_samples({}, told))
    yield Family("kab_probe_persistence", "Whether connections are kept.", _persistence(probed))
    statuses = status_samples({}, report.requirements)
    yield Family("kab_requirement", "Requirements, 1 by status.", statuses)


def _persistence(probed: Probed) -> Iterator[Sample]:
    for word in get_args(Persistence):
        yield Sample(int(probed.persistence == word), {"persistence": word})
