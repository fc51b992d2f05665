"""What an arm has."""

from __future__ import annotations

from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING

from keepalive_bench.analysis.arm_summary import REMAINDER, Sizes
from keepalive_bench.analysis.arm_view import BOUNDED, QUANTILES, Latency
from keepalive_bench.analysis.metrics import Metric, Series, rate_lacks
from keepalive_bench.connections.reason_kinds import REASON_KINDS
from keepalive_bench.plan.arm_kinds import ARM_KINDS
from keepalive_bench.results.exchange import PHASES, QUEUED
from keepalive_bench.results.failure_kinds import FAILURE_KINDS
from keepalive_bench.results.run import PoolCounters
from keepalive_bench.stats.intervals import Estimate

if TYPE_CHECKING:
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.analysis.metrics import Better, Value
    from keepalive_bench.analysis.required_requests import Basis
    from keepalive_bench.plan.experiment import Experiment

_PHASE_NAMES = (*PHASES, QUEUED, REMAINDER)
_OUTCOMES: tuple[tuple[str, str, Better, str], ...] = (
    ("succeeded", "", "higher", "Answered to the last byte, whatever the status"),
    ("failed", "failed", "lower", "Sent, or tried, and not answered to the end"),
    (
        "interrupted",
        "interrupted",
        "lower",
        "Cut off a second after the run was stopped: in no other number but `connections`",
    ),
    ("not_sent", "not sent", "lower", "Left out: the run was interrupted, or the arm stopped"),
)
"""What becomes of requests: with what tables call it."""
_REQUESTS = Series("kab_requests_total", "Requests planned, by what became of them.", "outcome")


def _start_lacks(experiment: Experiment) -> str:
    return "" if experiment.load.is_open else "only requests of a --rate have a time to start at"


def _latency(
    name: str, basis: Basis, meaning: str, unknown: str, series: Series | None = None
) -> Metric[ArmSummary]:
    def read(arm: ArmSummary) -> Value:
        value: float | None = getattr(arm.latency, name)
        if name not in BOUNDED:
            return value
        return Estimate(value, *arm.latency_bounds.get(name, (None, None)))

    return Metric(
        path=f"latency_s.{name}",
        unit="seconds",
        read=read,
        meaning=meaning,
        title=f"latency {name}",
        better="lower",
        basis=basis,
        bounds="beside" if name in BOUNDED else None,
        unknown=unknown,
        series=series,
    )


def _phases(arm: ArmSummary, *, name: str) -> Value:
    return {phase: getattr(time, name) for phase, time in arm.phases.items()}


ARM_METRICS: tuple[Metric[ArmSummary], ...] = (
    Metric(
        path="kind",
        needs="",
        unit="word",
        meaning="How it treats connections",
        words=tuple(kind.name for kind in ARM_KINDS),
    ),
    Metric(
        path="requests",
        needs="",
        unit="count",
        meaning="As planned: `succeeded + failed + interrupted + not_sent`",
    ),
    *(
        Metric(
            path=path,
            unit="count",
            needs="",
            meaning=meaning,
            title=title,
            better=better,
            series=_REQUESTS,
        )
        for path, title, better, meaning in _OUTCOMES
    ),
    Metric(
        path="failures.<kind>",
        needs="",
        unit="count",
        read=lambda arm: arm.failure_kinds,
        meaning="How many [failed](findings.md#kinds-of-failures) for that reason",
        better="lower",
        keys=tuple(kind.code for kind in FAILURE_KINDS),
        is_sparse=True,
        series=Series(
            "kab_request_failures_total", "Requests that failed, by kind of failure.", "kind"
        ),
    ),
    Metric(
        path="connections",
        unit="count",
        meaning="TCP connections really opened, as the server counts them; a refused one is none",
        title="connections opened",
        better="lower",
        series=Series("kab_connections_total", "TCP connections really opened."),
    ),
    Metric(
        path="requests_per_connection",
        unit="number",
        meaning="Responses carried ÷ `connections`, without those whose first request was "
        "interrupted",
        title="requests/connection",
        better="higher",
        unknown="no connection",
    ),
    Metric(
        path="reuse",
        unit="share",
        meaning="Exchanges on a connection that an earlier one had used ÷ (`succeeded + failed`)",
        better="higher",
        unknown="none was sent",
        series=Series(
            "kab_reuse_ratio", "Share of requests on a connection that an earlier one had used."
        ),
    ),
    Metric(
        path="reopened",
        unit="count",
        meaning="Connections opened although their slot had had one before; 0 where keep-alive "
        "works",
        title="reopened",
        better="lower",
        series=Series(
            "kab_connections_reopened_total",
            "Connections opened although their slot had had one before.",
        ),
    ),
    Metric(
        path="resumed",
        unit="count",
        meaning="Connections whose TLS handshake took up the session of an earlier one",
        title="sessions resumed",
    ),
    Metric(
        path="reasons.<code>",
        unit="count",
        read=lambda arm: arm.reason_counts,
        meaning="How many connections were opened for that [reason](findings.md); codes that occur "
        "only",
        better="lower",
        keys=tuple(kind.code for kind in REASON_KINDS),
        is_sparse=True,
        series=Series(
            "kab_connection_reasons_total",
            "Why connections were opened: how many, by reason.",
            "reason",
        ),
    ),
    Metric(
        path="status_codes.<status>",
        unit="count",
        meaning="How many answers had that status",
        keys=tuple(map(str, range(100, 1000))),
        is_sparse=True,
        needs="statuses",
    ),
    Metric(
        path="bytes_received",
        unit="bytes",
        meaning="Bytes of body, after dechunking and before decompression",
        series=Series("kab_response_body_bytes_total", "Bytes of body received."),
    ),
    *(
        Metric(
            path=f"body_bytes.{name}",
            unit="bytes",
            meaning="The smallest and the largest body of those that succeeded",
            unknown="none succeeded (`body_bytes` itself)",
            absent="body_bytes",
        )
        for name in Sizes._fields
    ),
    Metric(
        path="requests_per_second",
        unit="rate",
        meaning="`succeeded + failed` ÷ the time that this arm was running (its rounds, from the "
        "first start to the last end of each)",
        title="requests/s",
        better="higher",
        basis="mean",
        bounds="mean",
        unknown="none succeeded, or requests had pauses between them (`--think-time`)",
        lacks=rate_lacks,
        series=Series("kab_requests_per_second", "Requests per second while the arm was running."),
    ),
    *(
        Metric(
            path=f"urllib3.{name}",
            unit="count",
            read=attrgetter(f"counters.{name}"),
            meaning="urllib3's own counts, of connection *objects* and of attempts; they can "
            "differ from the truth above",
        )
        for name in PoolCounters._fields
    ),
    _latency(
        "mean",
        "mean",
        "Latency of those that succeeded: from asking for a connection to the last body byte",
        "none succeeded",
    ),
    _latency("stdev", "nothing", "Sample standard deviation (*n* − 1)", "fewer than 2 succeeded"),
    _latency(
        "min",
        "exact",
        "The shortest that was measured",
        "none succeeded",
        Series("kab_latency_min_seconds", "The shortest."),
    ),
    *(
        _latency(
            name,
            name,
            "Quantiles, by linear interpolation (Hyndman and Fan's definition 7)",
            "fewer than one value is expected beyond it, *n*·(1 − *q*) < 1",
        )
        for name in QUANTILES
    ),
    _latency(
        "max",
        "exact",
        "The longest that was measured",
        "none succeeded",
        Series("kab_latency_max_seconds", "The longest."),
    ),
    *(
        Metric(
            path=f"uncorrected_latency_s.{name}",
            unit="seconds",
            meaning="With `--rate`: the same from when each was really started, which hides a "
            "stall ([why](methodology.md#open-load))",
            title=f"uncorrected {name}",
            better="lower",
            basis="nothing",
            unknown="as above; or no `plan.rate`",
            lacks=_start_lacks,
        )
        for name in Latency._fields
    ),
    Metric(
        path="late_starts.count",
        unit="count",
        needs="",
        meaning="With `--rate`: how many started 1 ms or more after they were to",
        title="late starts",
        better="lower",
        unknown="no `plan.rate`",
        lacking="no request of {arm} was late",
        lacks=_start_lacks,
    ),
    *(
        Metric(
            path=f"late_starts.{name}",
            unit="seconds",
            needs="",
            meaning="How late these were",
            better="lower",
            unknown="none was",
            lacking="no request of {arm} was late",
            lacks=_start_lacks,
        )
        for name in ("mean_s", "max_s")
    ),
    Metric(
        path="phases_s.<phase>.per_request",
        unit="seconds",
        read=partial(_phases, name="per_request"),
        meaning="Total time of the [phase](json-format.md#the-members) ÷ `succeeded`",
        better="lower",
        basis="nothing",
        keys=_PHASE_NAMES,
    ),
    Metric(
        path="phases_s.<phase>.count",
        unit="count",
        read=partial(_phases, name="count"),
        meaning="How many exchanges the phase happened to",
        keys=_PHASE_NAMES,
    ),
    *(
        Metric(
            path=f"phases_s.<phase>.when_happened.{name}",
            unit="seconds",
            read=partial(_phases, name=name),
            meaning="How long the phase took in those",
            better="lower",
            basis="nothing",
            keys=_PHASE_NAMES,
            unknown="it didn't happen, or too few for the quantile",
        )
        for name in ("mean", "p50", "p95")
    ),
)
