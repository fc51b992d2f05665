"""What an arm has: what became of its requests and connections, and how fast it was."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, get_args

from keepalive_bench.analysis.arm_summary import Sizes
from keepalive_bench.analysis.metrics import Block, Metric, Series, rate_lacks, up_to_all
from keepalive_bench.analysis.metrics.times import TIME_METRICS
from keepalive_bench.connections.reason_kinds import BESIDE_OTHERS, FIRST_USE, REASON_KINDS
from keepalive_bench.plan.arms import ARM_KINDS
from keepalive_bench.results.failure_kinds import FAILURE_KINDS
from keepalive_bench.results.measured import PoolCounters

if TYPE_CHECKING:
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.analysis.metrics import Better, Span
    from keepalive_bench.plan.experiment import Experiment
    from keepalive_bench.typed_json import Document

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


def _is_single_use(experiment: Experiment, label: str) -> bool:
    return any(arm.is_single_use for arm in experiment.arms if arm.label == label)


def _kinds(experiment: Experiment, label: str) -> tuple[str, ...]:
    return tuple(arm.kind for arm in experiment.arms if arm.label == label)


def _requests(experiment: Experiment, _: str) -> Span:
    return 0 if experiment.may_end_early else experiment.requests, experiment.requests


def _connections(experiment: Experiment, _: str) -> Span:
    """Where anything was answered, there was one."""
    return 1, experiment.requests


def _reopened(experiment: Experiment, _: str) -> Span:
    return 0, experiment.requests - 1


def _requests_per_connection(experiment: Experiment, label: str) -> Span:
    return 0, 1 if _is_single_use(experiment, label) else experiment.requests


def _reuse(experiment: Experiment, label: str) -> Span:
    return 0, 0 if _is_single_use(experiment, label) else 1


def _reuse_lacks(experiment: Experiment) -> str:
    if experiment.requests > experiment.processes:
        return ""
    return "the first request of a pool has nothing to reuse, and there is no second one (-n)"


def _why_opened(arm: Document) -> dict[str, int]:
    reasons: dict[str, int] = arm["reasons"]
    return reasons


def why_reopened(arm: Document) -> dict[str, int]:
    """The reasons of the connections that took the place of another one."""
    others = {FIRST_USE.code, *BESIDE_OTHERS}
    return {code: count for code, count in _why_opened(arm).items() if code not in others}


def _why_failed(arm: Document) -> dict[str, int]:
    kinds: dict[str, int] = arm["failures"]
    return kinds


ARM_METRICS: tuple[Metric[ArmSummary], ...] = (
    Metric(
        path="kind",
        needs="",
        unit="word",
        meaning="How it treats connections",
        words=tuple(kind.name for kind in ARM_KINDS),
        words_of=_kinds,
    ),
    Metric(
        path="requests",
        needs="",
        unit="count",
        meaning="As planned: `succeeded + failed + interrupted + not_sent`",
        spans=_requests,
    ),
    *(
        Metric(
            path=path,
            unit="count",
            needs="",
            meaning=meaning,
            title=title,
            block="outcomes",
            shown="where there are any",
            better=better,
            spans=up_to_all,
            why=_why_failed if path == "failed" else None,
            series=_REQUESTS,
        )
        for path, title, better, meaning in _OUTCOMES
    ),
    Metric(
        path="untimed",
        unit="count",
        needs="",
        meaning="Of those that succeeded, in the round that time, or Ctrl-C, cut: they are in "
        "[no figure of times](methodology.md#when-time-is-over)",
        spans=up_to_all,
        title="untimed",
        block="outcomes",
        shown="where there are any",
    ),
    Metric(
        path="failures.<kind>",
        needs="",
        unit="count",
        read=lambda arm: arm.failure_kinds,
        meaning="How many [failed](findings.md#kinds-of-failures) for that reason",
        better="lower",
        spans=up_to_all,
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
        title="connections",
        block="connections",
        better="lower",
        spans=_connections,
        why=_why_opened,
        series=Series("kab_connections_total", "TCP connections really opened."),
    ),
    Metric(
        path="requests_per_connection",
        unit="number",
        meaning="Responses carried ÷ `connections`, without those whose first request was "
        "interrupted",
        title="requests/connection",
        is_detail=True,
        block="requests",
        better="higher",
        unknown="no connection",
        spans=_requests_per_connection,
        why=_why_opened,
        is_of_counts=True,
    ),
    Metric(
        path="reuse",
        unit="share",
        meaning="Of the requests that [could have reused](methodology.md#what-a-connection-is) a "
        "connection, the share that did: 1 where keep-alive works",
        heading="reuse",
        better="higher",
        unknown="none could have",
        lacking="no request of {arm} could have reused a connection",
        lacks=_reuse_lacks,
        spans=_reuse,
        why=why_reopened,
        is_of_counts=True,
        series=Series(
            "kab_reuse_ratio", "Share that reused one of requests that could have reused one."
        ),
    ),
    Metric(
        path="reopened",
        unit="count",
        meaning="Connections opened although their slot had had one before; 0 where keep-alive "
        "works",
        title="reopened",
        is_detail=True,
        block="connections",
        better="lower",
        spans=_reopened,
        why=why_reopened,
        series=Series(
            "kab_connections_reopened_total",
            "Connections opened although their slot had had one before.",
        ),
    ),
    Metric(
        path="resumed",
        unit="count",
        meaning="Connections whose TLS handshake took up the session of an earlier one",
        spans=up_to_all,
        title="resumed TLS sessions",
        block="connections",
        shown="with TLS",
    ),
    Metric(
        path="reasons.<code>",
        unit="count",
        read=lambda arm: arm.reason_counts,
        meaning="How many connections were opened for that [reason](findings.md); codes that occur "
        "only",
        better="lower",
        spans=up_to_all,
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
        spans=up_to_all,
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
        block="rates",
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
    *TIME_METRICS,
)
SENT: Metric[ArmSummary] = Metric(
    path="sent",
    unit="count",
    meaning="Requests answered or failed",
    title="requests",
    block="requests",
)
"""What tables have besides: the sum of two in the document."""
_BLOCKS: tuple[Block, ...] = get_args(Block)
ROWS = tuple(
    metric
    for block in _BLOCKS
    for metric in (SENT, *ARM_METRICS)
    if metric.title and metric.block == block
)
"""What tables of arms have a row for, in their order."""
