"""What a program's use of an origin comes to: every number, and what anybody needs to know of it.

Columns of tables, names in requirements and docs/trace.md are made of these tables; the document
has the members that they read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.analysis.metrics import Metric
from keepalive_bench.connections.program_reasons import PROGRAM_REASONS
from keepalive_bench.connections.reason_kinds import REASON_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from keepalive_bench.trace.usage import OriginUsage, Usage

_UNREUSED = "no request reused a connection, and was answered"
_UNOPENED = "no request opened a connection, and was answered"
_STATISTICS = {"mean_s": "mean", "p50_s": "median", "p95_s": "95th percentile"}
_TITLES = {
    "latency_reused.p50_s": "latency, reused",
    "latency_opened.p50_s": "latency, opened",
}


def _opened(origin: OriginUsage) -> Mapping[str, int]:
    """How many connections were opened for which reason."""
    found: dict[str, int] = {}
    for it in origin.openings:
        found[it.reason] = found.get(it.reason, 0) + it.connections
    return found


def _latencies(which: str, of: str, lacking: str) -> Iterator[Metric[OriginUsage]]:
    for name, statistic in _STATISTICS.items():
        path = f"latency_{which}.{name}"
        yield Metric(
            path=path,
            unit="seconds",
            meaning=f"Latency of requests {of}: the {statistic}",
            title=_TITLES.get(path, ""),
            block="times",
            better="lower",
            lacking=lacking,
        )


ORIGIN_METRICS: tuple[Metric[OriginUsage], ...] = (
    Metric(
        path="requests",
        unit="count",
        meaning="Requests that were sent",
        title="requests",
        block="requests",
    ),
    Metric(
        path="failed",
        unit="count",
        meaning="Requests that got no response",
        title="failed",
        block="outcomes",
        better="lower",
        shown="where there are any",
    ),
    Metric(
        path="connections",
        unit="count",
        meaning="TCP connections that were really opened",
        title="connections",
        block="connections",
        better="lower",
    ),
    Metric(
        path="failed_connections",
        unit="count",
        meaning="Attempts to connect that led to no usable connection",
        title="failed to connect",
        block="outcomes",
        better="lower",
        shown="where there are any",
    ),
    Metric(
        path="would_do",
        unit="count",
        meaning="How many connections would have done",
        title="would do",
        block="connections",
    ),
    Metric(
        path="reused",
        unit="count",
        meaning="Requests that were sent on a connection that was open already",
        better="higher",
    ),
    Metric(
        path="reuse",
        unit="share",
        meaning="Share of the requests that reused a connection",
        title="reuse",
        block="connections",
        better="higher",
        lacking="no request was sent",
    ),
    *_latencies("reused", "on a connection that was open already", _UNREUSED),
    *_latencies("opened", "that had to open a connection, which is part of it", _UNOPENED),
    Metric(
        path="setup_s",
        unit="seconds",
        meaning="What opening a connection took on average",
        title="set-up",
        better="lower",
        lacking="no set-up was measured",
    ),
    Metric(
        path="avoidable",
        unit="count",
        meaning="Connections that were opened for reasons that a client can avoid",
        better="lower",
    ),
    Metric(
        path="saving_s",
        unit="seconds",
        meaning="What avoiding these saves at least, added up over threads",
        title="saving at least",
        better="lower",
        lacking="the set-up of these connections was not measured",
    ),
    Metric(
        path="opened.<code>",
        unit="count",
        meaning="Connections opened for [that reason](findings.md#reasons-for-connections)",
        read=_opened,
        keys=tuple(kind.code for kind in (*PROGRAM_REASONS, *REASON_KINDS)),
        is_sparse=True,
        better="lower",
    ),
)
"""In the order of the table's columns within each block."""
TOTAL_METRICS: tuple[Metric[Usage], ...] = (
    Metric(
        path="processes",
        unit="count",
        meaning="How many processes were traced",
        read=lambda usage: len(usage.processes),
    ),
    Metric(
        path="untraced",
        unit="count",
        meaning="How many processes are known that could not be traced",
        read=lambda usage: len(usage.untraced),
        better="lower",
    ),
    Metric(
        path="lost",
        unit="count",
        meaning="How many records were lost, in all processes",
        read=lambda usage: sum(it.lost for it in usage.processes),
        better="lower",
    ),
)
"""What the whole program has."""
