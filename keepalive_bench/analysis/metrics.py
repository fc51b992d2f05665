"""What an arm, a comparison, a sweep and a run have: each metric once, in the document's order.

The document and its schema, tables, the names in requirements, what two runs have in common,
OpenMetrics and two pages of the documentation are made of these tables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from keepalive_bench.analysis.analysis import (
    BOUNDED,
    REMAINDER,
    Latency,
)
from keepalive_bench.analysis.explanation import NAMED
from keepalive_bench.analysis.metric import Metric, nothing
from keepalive_bench.analysis.sweep import RECOMMENDED
from keepalive_bench.connections.reason_kinds import REASON_KINDS
from keepalive_bench.plan.arm_kinds import ARM_KINDS
from keepalive_bench.results.exchange import PHASES, QUEUED
from keepalive_bench.results.failure_kinds import FAILURE_KINDS
from keepalive_bench.results.run import PoolCounters
from keepalive_bench.stats.intervals import Estimate

if TYPE_CHECKING:
    from collections.abc import Callable

    from keepalive_bench.analysis.analysis import ArmSummary, Comparison, Explanation
    from keepalive_bench.analysis.metric import Better, Unit, Value
    from keepalive_bench.analysis.required_requests import Basis
    from keepalive_bench.analysis.sweep import SweptValue
    from keepalive_bench.plan.experiment import Experiment

Document = Mapping[str, Any]

VERDICTS = (
    "faster",
    "slower",
    "no-difference",
    "inconclusive",
    "not-reused",
    "not-comparable",
    "not-measured",
    "one-arm",
    "sweep",
)
RECOMMENDATIONS = (
    "not-measured",
    "too-few-requests",
    "not-reused",
    "keeps-all",
    "none-waits",
    "fast-enough",
    "none-suffices",
    "fastest",
    "described",
    "inconclusive",
)
TOTALS = ("failed", "interrupted", "not_sent")
"""What by itself is about all arms together."""

PHASE_NAMES = (*PHASES, QUEUED, REMAINDER)
STEPS = ("connect", "tunnel", "tls")
_BASES: dict[str, Basis] = {"mean": "mean", "stdev": "nothing", "min": "exact"}
_BASES |= {"p50": "p50", "p90": "p90", "p95": "p95", "p99": "p99", "max": "exact"}
"""What bounds each figure of latency."""

_OUTCOMES: tuple[tuple[str, str, Better, str], ...] = (
    ("succeeded", "", "higher", "Answered to the last byte, whatever the status"),
    ("failed", "failed", "lower", "Sent, or tried, and not answered to the end"),
    (
        "interrupted",
        "interrupted",
        "lower",
        "Cut off by kab a second after the run was stopped: no failure, and in no other number",
    ),
    ("not_sent", "not sent", "lower", "Left out: the run was interrupted, or the arm stopped"),
)
"""What becomes of requests: with what tables call it."""

NO_INTERVAL = "kab knows no interval of it"
GIVEN = "requests are started at a given --rate"
PAUSED = "requests pause, and how many are possible isn't known"
NO_SWEEP = "the run is no sweep"
SERIES = {
    "kab_requests_total": "Requests planned, by what became of them.",
    "kab_request_failures_total": "Requests that failed, by kind of failure.",
    "kab_response_body_bytes_total": "Bytes of body received.",
    "kab_requests_per_second": "Requests per second while the arm was running.",
    "kab_connections_total": "TCP connections really opened.",
    "kab_connection_reasons_total": "Why connections were opened: how many, by reason.",
    "kab_connections_reopened_total": "Connections opened although their slot had had one before.",
    "kab_reuse_ratio": "Share of requests on a connection that an earlier one had used.",
    "kab_latency_min_seconds": "The shortest.",
    "kab_latency_max_seconds": "The longest.",
    "kab_speedup_ratio": "The other arm's latency by the arm's own, with the ends of its interval.",
    "kab_saving_seconds": "What the arm saves on the other, with the ends of its interval.",
    "kab_connections_discarded_total": "Connections that a full pool threw away.",
    "kab_connections_open_at_once": "Connections that were open at once, at most.",
}
"""What metrics are called where Prometheus is told of them, and its help texts."""
NO_PAIR = "no pair of requests was answered by both arms"
_TOO_SHORT = "the run was too short, or the system doesn't tell"


def rate_lacks(experiment: Experiment) -> str:
    """Why no arm of an experiment has as many requests a second as were possible."""
    if experiment.load.is_open:
        return GIVEN
    return PAUSED if experiment.load.has_pauses else ""


def _start_lacks(experiment: Experiment) -> str:
    return "" if experiment.load.is_open else "only requests of a --rate have a time to start at"


def _latency(name: str, meaning: str, unknown: str, series: str = "") -> Metric[ArmSummary]:
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
        title="" if name in {"min", "stdev"} else name,
        better="lower",
        basis=_BASES[name],
        bounds="beside" if name in BOUNDED else None,
        unknown=unknown,
        series=series,
    )


def _body_size(arm: ArmSummary, *, end: int) -> int | None:
    return arm.body_sizes[end] if arm.body_sizes else None


def _uncorrected(arm: ArmSummary, *, name: str) -> Value:
    value: Value = getattr(arm.uncorrected or Latency(), name)
    return value


def _late_starts(arm: ArmSummary, *, name: str) -> Value:
    value: Value = None if arm.late_starts is None else getattr(arm.late_starts, name)
    return value


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
            series="kab_requests_total",
            label="outcome",
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
        series="kab_request_failures_total",
        label="kind",
    ),
    Metric(
        path="connections",
        unit="count",
        meaning="TCP connections really opened, as the server counts them; a refused one is none",
        title="connections opened",
        better="lower",
        series="kab_connections_total",
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
        series="kab_reuse_ratio",
    ),
    Metric(
        path="reopened",
        unit="count",
        meaning="Connections opened although their slot had had one before; 0 where keep-alive "
        "works",
        title="reopened",
        better="lower",
        series="kab_connections_reopened_total",
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
        series="kab_connection_reasons_total",
        label="reason",
    ),
    Metric(
        path="status_codes.<status>",
        unit="count",
        read=lambda arm: {str(status): count for status, count in arm.status_codes.items()},
        meaning="How many answers had that status",
        keys=tuple(map(str, range(100, 1000))),
        is_sparse=True,
        needs="statuses",
    ),
    Metric(
        path="bytes_received",
        unit="bytes",
        meaning="Bytes of body, after dechunking and before decompression",
        series="kab_response_body_bytes_total",
    ),
    *(
        Metric(
            path=f"body_bytes.{name}",
            unit="bytes",
            read=partial(_body_size, end=end),
            meaning="The smallest and the largest body of those that succeeded",
            unknown="none succeeded (`body_bytes` itself)",
            absent="body_bytes",
        )
        for end, name in enumerate(("min", "max"))
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
        series="kab_requests_per_second",
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
        "Latency of those that succeeded: from asking for a connection to the last body byte",
        "none succeeded",
    ),
    _latency("stdev", "Sample standard deviation (*n* − 1)", "fewer than 2 succeeded"),
    _latency("min", "The shortest that was measured", "none succeeded", "kab_latency_min_seconds"),
    *(
        _latency(
            name,
            "Quantiles, by linear interpolation (Hyndman and Fan's definition 7)",
            "fewer than one value is expected beyond it, *n*·(1 − *q*) < 1",
        )
        for name in ("p50", "p90", "p95", "p99")
    ),
    _latency("max", "The longest that was measured", "none succeeded", "kab_latency_max_seconds"),
    *(
        Metric(
            path=f"uncorrected_latency_s.{name}",
            unit="seconds",
            read=partial(_uncorrected, name=name),
            meaning="With `--rate`: the same from when each was really started, which hides a "
            "stall ([why](methodology.md#open-load))",
            better="lower",
            basis="nothing",
            unknown="as above; or no `plan.rate`",
            lacks=_start_lacks,
        )
        for name in _BASES
    ),
    *(
        Metric(
            path=f"late_starts.{name}",
            unit="count" if name == "count" else "seconds",
            needs="",
            read=partial(_late_starts, name=name),
            meaning=meaning,
            better="lower",
            unknown=unknown,
            lacking="no request of {arm} was late",
            lacks=_start_lacks,
        )
        for name, meaning, unknown in (
            (
                "count",
                "With `--rate`: how many started 1 ms or more after they were to",
                "no `plan.rate`",
            ),
            ("mean_s", "How late these were", "none was"),
            ("max_s", "How late these were", "none was"),
        )
    ),
    Metric(
        path="phases_s.<phase>.per_request",
        unit="seconds",
        read=partial(_phases, name="per_request"),
        meaning="Total time of the [phase](json-format.md#the-members) ÷ `succeeded`",
        better="lower",
        basis="nothing",
        keys=PHASE_NAMES,
    ),
    Metric(
        path="phases_s.<phase>.count",
        unit="count",
        read=partial(_phases, name="count"),
        meaning="How many exchanges the phase happened to",
        keys=PHASE_NAMES,
    ),
    *(
        Metric(
            path=f"phases_s.<phase>.when_happened.{name}",
            unit="seconds",
            read=partial(_phases, name=name),
            meaning="How long the phase took in those",
            better="lower",
            basis="nothing",
            keys=PHASE_NAMES,
            unknown="it didn't happen, or too few for the quantile",
        )
        for name in ("mean", "p50", "p95")
    ),
)


def _estimate(
    path: str,
    unit: Unit,
    read: Callable[[Comparison], Estimate],
    meaning: str,
    series: str = "",
) -> Metric[Comparison]:
    """What has an interval of its own; where the arms can't be compared, there is none of it."""
    name = path.rpartition(".")[2]
    bases: dict[str, Basis] = {"speedup": "ranks", "requests_per_second": "pairs", "mean": "pairs"}
    return Metric(
        path=path,
        unit=unit,
        read=read,
        meaning=meaning,
        better="higher",
        basis=bases.get(name) or _BASES[name],
        bounds="members",
        unknown="either arm has no such figure",
        lacks=rate_lacks if name == "requests_per_second" else nothing,
        is_signed=unit == "seconds",
        series=series,
        label="statistic" if "." in path else "",
    )


def _saving(name: str, meaning: str) -> Metric[Comparison]:
    path = f"saving_s.{name}"
    return _estimate(path, "seconds", lambda it: it.saving[name], meaning, "kab_saving_seconds")


def _explained(
    read: Callable[[Explanation], float | str | Mapping[str, float | None] | None],
) -> Callable[[Comparison], Value]:
    return lambda it: None if it.explanation is None else read(it.explanation)


def _trips(explanation: Explanation, name: str) -> dict[str, float | None]:
    found = explanation.round_trips
    return {step: getattr(found[step], name) if step in found else None for step in STEPS}


COMPARISON_METRICS: tuple[Metric[Comparison], ...] = (
    Metric(path="arm", unit="text", meaning="The first-named arm"),
    Metric(path="against", unit="text", meaning="The other"),
    Metric(
        path="incomparable",
        unit="text",
        read=lambda it: it.incomparable or None,
        meaning="Why their times can't be compared, for people: its wording may change",
        unknown="they can be",
    ),
    Metric(
        path="pairs",
        unit="count",
        meaning="Pairs that both arms answered: of requests at concurrency 1, of blocks above",
    ),
    Metric(
        path="left_out",
        unit="count",
        meaning="Pairs that were sent, and of which an arm, or both, didn't answer its half",
        better="lower",
    ),
    _estimate(
        "speedup",
        "ratio",
        lambda it: it.speedup,
        "The other's latency ÷ the arm's own, typical of a pair: above 1, the first-named arm is "
        "faster",
        "kab_speedup_ratio",
    ),
    _estimate("requests_per_second", "ratio", lambda it: it.throughput, "The arm's ÷ the other's"),
    Metric(
        path="correlation",
        unit="number",
        meaning="Autocorrelation at lag 1 of the pairs' log ratios, of ranks",
        basis="nothing",
        is_signed=True,
    ),
    Metric(
        path="interval_inflation",
        unit="number",
        meaning="How much wider the intervals are for autocorrelation, at that lag and all others",
        basis="nothing",
    ),
    _saving(
        "mean",
        "The difference of the means, over the requests that are in `pairs`: which requests of an "
        "arm failed doesn't move it",
    ),
    *(
        _saving(
            name,
            "The other's figure − the arm's own, from `latency_s`; of p99 only where both can be "
            "bounded",
        )
        for name in ("p50", "p90", "p95", "p99")
    ),
    Metric(
        path="explained.parts_s.<part>",
        unit="seconds",
        read=_explained(lambda it: it.parts),
        meaning="What the other arm spent more on it, a request; they add up to "
        "`saving_s.mean.estimate`. `remainder`: sending, receiving, waiting for a place in the "
        "pool and the client's own work. `explained` is `null` where there are no pairs",
        basis="nothing",
        keys=(QUEUED, *NAMED, REMAINDER),
        absent="explained",
        is_signed=True,
    ),
    Metric(
        path="explained.per_1000_requests_s",
        unit="seconds",
        read=_explained(lambda it: 1000 * sum(it.parts.values())),
        meaning="The saving of a thousand requests",
        basis="nothing",
        is_signed=True,
    ),
    Metric(
        path="explained.tls",
        unit="text",
        read=_explained(lambda it: it.tls),
        meaning="The version that nearly all handshakes settled on",
        unknown="none, or several",
    ),
    Metric(
        path="explained.round_trip_s",
        unit="seconds",
        read=_explained(lambda it: it.round_trip),
        meaning="The network's shortest round trip, as the system measured it at the handshakes "
        "(`TCP_INFO`, on Linux)",
        unknown="it doesn't tell",
        lacking="the system doesn't tell",
    ),
    Metric(
        path="explained.round_trips.<step>.measured",
        unit="number",
        read=_explained(lambda it: _trips(it, "measured")),
        meaning="The step's typical time ÷ `round_trip_s`. The three are `null` where the step "
        "didn't happen, or the round trip is unknown",
        keys=STEPS,
        absent="explained.round_trips.<step>",
        is_nameless=True,
    ),
    Metric(
        path="explained.round_trips.<step>.needed",
        unit="count",
        read=_explained(lambda it: _trips(it, "needed")),
        meaning="How many the protocol needs (RFC 9293; RFC 8446, section 2; RFC 5246, section "
        "7.3)",
        keys=STEPS,
        unknown="unknown",
        is_nameless=True,
    ),
)

SWEEP_METRICS: tuple[Metric[SweptValue], ...] = (
    Metric(
        path="arm",
        unit="text",
        meaning="The label of the arm that has the value: everything else about it is under "
        "`arms`. The smallest value comes first",
    ),
    Metric(
        path="value",
        unit="count",
        meaning="The value; a size in bytes",
        is_nameless=True,
    ),
    Metric(
        path="discarded",
        unit="count",
        meaning="Connections that the pool threw away because it was full",
        better="lower",
        series="kab_connections_discarded_total",
    ),
    Metric(
        path="open_at_once",
        unit="count",
        meaning="Connections that were open at once, at most",
        series="kab_connections_open_at_once",
    ),
    Metric(
        path="waited",
        unit="count",
        meaning="Requests that waited for a connection, in vain or not",
        better="lower",
    ),
    Metric(
        path="requests_per_second",
        unit="rate",
        meaning="The rate while the arm ran, and its interval",
        better="higher",
        basis="pairs",
        bounds="members",
        unknown="fewer than 8 rounds, or unknown",
    ),
)


def _total(document: Document, *, name: str) -> Value:
    total: int = sum(arm[name] for arm in document["arms"].values())
    return total


def _warmups(document: Document, *, name: str) -> Value:
    return {label: arm[name] for label, arm in document["warmup"].items()}


def _recommended(option: str) -> Metric[Document]:
    def lacks(experiment: Experiment) -> str:
        return "" if experiment.sweep == option else f"{NO_SWEEP} over {option}"

    return Metric(
        path=f"recommendation.{option}",
        unit="count",
        meaning="What a [sweep](sweep.md#the-recommendation) over that option recommends; unknown "
        "where it names none",
        lacks=lacks,
    )


_RUN_INFO: tuple[tuple[str, Unit, str, str], ...] = (
    ("wall_s", "seconds", "How long it took", ""),
    ("cpu_s", "seconds", "Processor time of kab in it", ""),
    ("gc_collections", "count", "Garbage collections", ""),
    ("interrupted", "word", "Whether something ended it early", ""),
    (
        "gil_wait_s",
        "seconds",
        "How much later than in an idle interpreter a thread got it",
        "the run was too short to tell",
    ),
    (
        "other_cpu_min",
        "share",
        "What other processes took of the processors, in the calmest third",
        _TOO_SHORT,
    ),
    ("other_cpu_max", "share", "The same in the busiest third", _TOO_SHORT),
    (
        "free_ports",
        "count",
        "Local ports that were free; unknown where there were plenty",
        "there were plenty, or the system doesn't tell",
    ),
    (
        "port_held_s",
        "seconds",
        "How long each stays taken after its connection",
        "there were plenty of ports, or the system doesn't tell",
    ),
)
"""With what says why one of them is unknown."""
RUN_METRICS: tuple[Metric[Document], ...] = (
    *(
        Metric(
            path=name,
            unit="count",
            read=partial(_total, name=name),
            meaning="Requests of all arms",
            better="lower",
        )
        for name in TOTALS
    ),
    Metric(
        path="verdict.code",
        unit="word",
        meaning="[A word](json-format.md#verdict-the-one-sentence)",
        basis="verdict",
        words=VERDICTS,
    ),
    Metric(
        path="recommendation.code",
        unit="word",
        meaning="[A word](sweep.md#the-recommendation); only a sweep has one",
        lacks=lambda experiment: NO_SWEEP if experiment.sweep is None else "",
        words=RECOMMENDATIONS,
    ),
    *map(_recommended, RECOMMENDED),
    Metric(
        path="findings.<finding>",
        unit="count",
        read=lambda document: Counter(finding["code"] for finding in document["findings"]),
        meaning="How often kab [noticed](findings.md) that",
        better="lower",
        is_sparse=True,
    ),
    *(
        Metric(
            path=f"run_info.{name}",
            unit=unit,
            meaning=meaning,
            lacking=lacking,
            words=("true", "false") if unit == "word" else (),
        )
        for name, unit, meaning, lacking in _RUN_INFO
    ),
    *(
        Metric(
            path=f"warmup.<label>.{name}",
            unit="count",
            read=partial(_warmups, name=name),
            meaning="Of an arm's warm-ups",
        )
        for name in ("requests", "failed", "connections")
    ),
)
