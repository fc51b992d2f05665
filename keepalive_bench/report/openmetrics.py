"""Metrics of a run, for the textfile collector of Prometheus' node exporter."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from keepalive_bench.report.exposition import (
    Family,
    Labels,
    Sample,
    counter,
    end_samples,
    estimate_samples,
    exposition_lines,
    gauge,
    standing_samples,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from keepalive_bench.analysis.analysis import Analysis, ArmSummary, Comparison
    from keepalive_bench.analysis.sweep import Sweep
    from keepalive_bench.results.run import Run

_QUANTILES = {"0.5": "p50", "0.9": "p90", "0.95": "p95", "0.99": "p99"}


def openmetrics_lines(run: Run, analysis: Analysis) -> Iterator[str]:
    """The file's lines. What is not known is left out."""
    target = {"url": analysis.plan.target.shown, "method": analysis.plan.request.method}
    return exposition_lines(_families(run, analysis), target)


def _families(run: Run, analysis: Analysis) -> Iterator[Family]:
    yield from _of_the_run(run, analysis)
    yield from _of_the_requests(analysis)
    yield from _of_the_connections(analysis)
    yield from _of_the_times(analysis)
    yield from _of_the_comparisons(analysis.comparisons)
    if analysis.sweep is not None:
        yield from _of_the_sweep(analysis.sweep)


def _of_the_run(run: Run, analysis: Analysis) -> Iterator[Family]:
    environment, run_info = run.environment, run.run_info
    versions = {"version": environment.kab, "python": environment.python}
    yield gauge(
        "kab_run_info",
        "The program that measured.",
        [Sample(1, {**versions, "urllib3": environment.urllib3})],
    )
    yield gauge(
        "kab_run_start_timestamp_seconds",
        "When the measurement began.",
        [Sample(datetime.fromisoformat(run_info.started_at).timestamp(), {})],
    )
    yield gauge("kab_run_duration_seconds", "How long it took.", [Sample(run_info.wall_s, {})])
    yield gauge("kab_run_cpu_seconds", "Processor time of kab in it.", [Sample(run_info.cpu_s, {})])
    yield gauge("kab_verdict", "The verdict's code.", [Sample(1, {"code": analysis.verdict.code})])
    counts: dict[tuple[str, str], int] = {}
    for finding in analysis.findings:
        key = finding.code, finding.severity
        counts[key] = counts.get(key, 0) + 1
    found = [Sample(n, {"code": code, "severity": word}) for (code, word), n in counts.items()]
    yield gauge("kab_findings", "What was noticed, by code.", found)
    statuses = standing_samples({}, analysis.requirements)
    yield gauge("kab_requirement", "Requirements, 1 by status.", statuses)


def _of_the_requests(analysis: Analysis) -> Iterator[Family]:
    arms = analysis.arms
    outcomes = ("succeeded", "failed", "interrupted", "not_sent")
    yield counter(
        "kab_requests_total",
        "Requests planned, by what became of them.",
        (Sample(getattr(arm, it), _of(arm, outcome=it)) for arm in arms for it in outcomes),
    )
    yield counter(
        "kab_request_failures_total",
        "Requests that failed, by kind of failure.",
        (Sample(n, _of(arm, kind=it)) for arm in arms for it, n in arm.failure_kinds.items()),
    )
    yield counter(
        "kab_response_body_bytes_total",
        "Bytes of body received.",
        (Sample(arm.bytes_received, _of(arm)) for arm in arms),
    )
    yield gauge(
        "kab_requests_per_second",
        "Requests per second while the arm was running.",
        (Sample(arm.requests_per_second, _of(arm)) for arm in arms),
    )


def _of_the_connections(analysis: Analysis) -> Iterator[Family]:
    arms = analysis.arms
    yield counter(
        "kab_connections_total",
        "TCP connections really opened.",
        (Sample(arm.connections, _of(arm)) for arm in arms),
    )
    yield counter(
        "kab_connection_reasons_total",
        "Why connections were opened: how many, by reason.",
        (Sample(n, _of(arm, reason=it)) for arm in arms for it, n in arm.reason_counts.items()),
    )
    yield counter(
        "kab_connections_reopened_total",
        "Connections opened although their slot had had one before.",
        (Sample(arm.reopened, _of(arm)) for arm in arms),
    )
    yield gauge(
        "kab_reuse_ratio",
        "Share of requests on a connection that an earlier one had used.",
        (Sample(arm.reuse, _of(arm)) for arm in arms),
    )


def _of_the_times(analysis: Analysis) -> Iterator[Family]:
    arms = analysis.arms
    latencies, bounds, phases = list[Sample](), list[Sample](), list[Sample]()
    for arm in arms:
        quantiles = {it: getattr(arm.latency, name) for it, name in _QUANTILES.items()}
        latencies += _summary(_of(arm), arm.succeeded, arm.latency.mean, quantiles)
        for name, (low, high) in arm.latency_bounds.items():
            bounds += end_samples(_of(arm, statistic=name), low, high)
        for name, phase in arm.phases.items():
            if phase.count:
                quantiles = {"0.5": phase.p50, "0.95": phase.p95}
                phases += _summary(_of(arm, phase=name), phase.count, phase.mean, quantiles)
    yield Family(
        name="kab_latency_seconds",
        kind="summary",
        help="Latency of requests that succeeded.",
        samples=latencies,
    )
    yield gauge(
        "kab_latency_min_seconds",
        "The shortest.",
        (Sample(arm.latency.min, _of(arm)) for arm in arms),
    )
    yield gauge(
        "kab_latency_max_seconds",
        "The longest.",
        (Sample(arm.latency.max, _of(arm)) for arm in arms),
    )
    yield gauge("kab_latency_bound_seconds", "The ends of the intervals of latencies.", bounds)
    yield Family(
        name="kab_phase_seconds",
        kind="summary",
        help="Phases of requests that succeeded, where they happened.",
        samples=phases,
    )


def _of_the_comparisons(comparisons: Iterable[Comparison]) -> Iterator[Family]:
    speedups, savings = list[Sample](), list[Sample]()
    for comparison in comparisons:
        labels = {"arm": comparison.arm, "against": comparison.against}
        speedups += estimate_samples(labels, comparison.speedup)
        for name, estimate in comparison.saving.items():
            savings += estimate_samples({**labels, "statistic": name}, estimate)
    words = "with the ends of its interval."
    yield gauge("kab_speedup_ratio", f"The other arm's latency by the arm's own, {words}", speedups)
    yield gauge("kab_saving_seconds", f"What the arm saves on the other, {words}", savings)


def _of_the_sweep(sweep: Sweep) -> Iterator[Family]:
    swept = {"option": sweep.option, "traffic": sweep.traffic}
    found = sweep.recommendation
    yield gauge(
        "kab_recommended",
        "The value that this traffic needs, where one can be named.",
        [Sample(found.value, {**swept, "code": found.code})],
    )
    yield counter(
        "kab_connections_discarded_total",
        "Connections that a full pool threw away.",
        (Sample(it.discarded, {"arm": it.arm, **swept}) for it in sweep.values),
    )
    yield gauge(
        "kab_connections_open_at_once",
        "Connections that were open at once, at most.",
        (Sample(it.open_at_once, {"arm": it.arm, **swept}) for it in sweep.values),
    )
    rates = (
        sample
        for it in sweep.values
        for sample in end_samples({"arm": it.arm, **swept}, *it.requests_per_second[1:])
    )
    yield gauge("kab_requests_per_second_bound", "The ends of the rates' intervals.", rates)


def _of(arm: ArmSummary, **more: str) -> Labels:
    return {"arm": arm.label, "arm_kind": arm.kind, **more}


def _summary(
    labels: Labels, count: int, mean: float | None, quantiles: dict[str, float | None]
) -> Iterator[Sample]:
    for rank, value in quantiles.items():
        yield Sample(value, {**labels, "quantile": rank})
    yield Sample(0.0 if mean is None else mean * count, labels, "_sum")
    yield Sample(count, labels, "_count")
