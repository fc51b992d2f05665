"""Metrics of a run, for the textfile collector of Prometheus' node exporter."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from keepalive_bench.analysis.metrics import ARM_METRICS, COMPARISON_METRICS, SWEEP_METRICS
from keepalive_bench.report.exposition import (
    Family,
    Labels,
    Sample,
    end_samples,
    exposition_lines,
    gauge,
    metric_families,
    standing_samples,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.analysis.analysis import Analysis, ArmSummary
    from keepalive_bench.analysis.sweep import Sweep
    from keepalive_bench.results.run import Run

_QUANTILES = [metric for metric in ARM_METRICS if metric.percent]


def openmetrics_lines(run: Run, analysis: Analysis) -> Iterator[str]:
    """The file's lines. What is not known is left out."""
    target = {"url": analysis.plan.target.shown, "method": analysis.plan.request.method}
    return exposition_lines(_families(run, analysis), target)


def _families(run: Run, analysis: Analysis) -> Iterator[Family]:
    yield from _of_the_run(run, analysis)
    yield from _of_the_arms(analysis.arms)
    compared = ((it, {"arm": it.arm, "against": it.against}) for it in analysis.comparisons)
    yield from metric_families(COMPARISON_METRICS, compared)
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


def _of_the_arms(arms: Sequence[ArmSummary]) -> Iterator[Family]:
    yield from metric_families(ARM_METRICS, ((arm, _of(arm)) for arm in arms))
    latencies, bounds, phases = list[Sample](), list[Sample](), list[Sample]()
    for arm in arms:
        quantiles = {f"{it.percent / 100:g}": getattr(arm.latency, it.basis) for it in _QUANTILES}
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
    yield gauge("kab_latency_bound_seconds", "The ends of the intervals of latencies.", bounds)
    yield Family(
        name="kab_phase_seconds",
        kind="summary",
        help="Phases of requests that succeeded, where they happened.",
        samples=phases,
    )


def _of_the_sweep(sweep: Sweep) -> Iterator[Family]:
    swept = {"option": sweep.option, "traffic": sweep.traffic}
    found = sweep.recommendation
    yield gauge(
        "kab_recommended",
        "The value that this traffic needs, where one can be named.",
        [Sample(found.value, {**swept, "code": found.code})],
    )
    values = [(it, {"arm": it.arm, **swept}) for it in sweep.values]
    yield from metric_families(SWEEP_METRICS, values)
    rates = (
        sample
        for it, labels in values
        for sample in end_samples(labels, *it.requests_per_second[1:])
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
