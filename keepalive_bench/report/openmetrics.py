"""Metrics of a run, for the textfile collector of Prometheus' node exporter.

That collector reads the text format 0.0.4, whose names of counters end in `_total` in their TYPE
line too; OpenMetrics 1.0 differs in just that, and asks for the `# EOF`, a comment here.
https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar, get_args

from keepalive_bench.analysis import Status
from keepalive_bench.analysis.metrics.arm import ARM_METRICS
from keepalive_bench.analysis.metrics.comparison import COMPARISON_METRICS
from keepalive_bench.analysis.metrics.run import RUN_METRICS, SWEEP_METRICS
from keepalive_bench.stats.intervals import Estimate
from keepalive_bench.units import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from keepalive_bench.analysis import Analysis, Checked
    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.analysis.metrics import Metric, Series
    from keepalive_bench.analysis.sweep import Sweep
    from keepalive_bench.results.run import Run

Kind = Literal["counter", "gauge", "summary"]
Labels = dict[str, str]
S = TypeVar("S")
_QUANTILES = [metric for metric in ARM_METRICS if metric.percent]


class Sample(NamedTuple):
    """One number of a metric."""

    value: float | None
    """Left out where it is not known."""
    labels: Labels
    suffix: str = ""


class Family(NamedTuple):
    """Metrics of one name."""

    name: str
    help: str
    samples: Iterable[Sample]
    kind: Kind = "gauge"


def openmetrics_lines(run: Run, analysis: Analysis) -> Iterator[str]:
    """The file's lines. What is not known is left out."""
    target = {"url": analysis.plan.target.shown, "method": analysis.plan.request.method}
    return exposition_lines(_families(run, analysis), target)


def _families(run: Run, analysis: Analysis) -> Iterator[Family]:
    yield from _of_the_run(run, analysis)
    yield from _of_the_arms(analysis.arms)
    compared = ((it, {"arm": it.arm, "against": it.against}) for it in analysis.comparisons)
    yield from _metric_families(COMPARISON_METRICS, compared)
    if analysis.sweep is not None:
        yield from _of_the_sweep(analysis.sweep)


def _of_the_run(run: Run, analysis: Analysis) -> Iterator[Family]:
    environment = run.environment
    versions = {"version": environment.kab, "python": environment.python}
    info = Sample(1, {**versions, "urllib3": environment.urllib3})
    yield Family("kab_run_info", "The program that measured.", [info])
    began = Sample(datetime.fromisoformat(run.run_info.started_at).timestamp(), {})
    yield Family("kab_run_start_timestamp_seconds", "When the measurement began.", [began])
    yield from _metric_families(RUN_METRICS, [({"run_info": run.run_info}, {})])
    yield Family("kab_verdict", "The verdict's code.", [Sample(1, {"code": analysis.verdict.code})])
    counts = Counter((finding.code, finding.severity) for finding in analysis.findings)
    found = [Sample(n, {"code": code, "severity": word}) for (code, word), n in counts.items()]
    yield Family("kab_findings", "What was noticed, by code.", found)
    statuses = status_samples({}, analysis.requirements)
    yield Family("kab_requirement", "Requirements, 1 by status.", statuses)


def _of_the_arms(arms: Sequence[ArmSummary]) -> Iterator[Family]:
    yield from _metric_families(ARM_METRICS, ((arm, _of(arm)) for arm in arms))
    latencies, bounds, phases = list[Sample](), list[Sample](), list[Sample]()
    for arm in arms:
        quantiles = {f"{it.percent / 100:g}": getattr(arm.latency, it.basis) for it in _QUANTILES}
        latencies += _summary(_of(arm), arm.timed, arm.latency.mean, quantiles)
        for name, (low, high) in arm.latency_bounds.items():
            bounds += _end_samples(_of(arm, statistic=name), low, high)
        for name, phase in arm.phases.items():
            if phase.count:
                quantiles = {"0.5": phase.p50, "0.95": phase.p95}
                phases += _summary(_of(arm, phase=name), phase.count, phase.mean, quantiles)
    words = "Latency of requests that succeeded."
    yield Family("kab_latency_seconds", words, latencies, "summary")
    yield Family("kab_latency_bound_seconds", "The ends of the intervals of latencies.", bounds)
    words = "Phases of requests that succeeded, where they happened."
    yield Family("kab_phase_seconds", words, phases, "summary")


def _of_the_sweep(sweep: Sweep) -> Iterator[Family]:
    swept = {"option": sweep.option, "traffic": sweep.traffic}
    found = sweep.recommendation
    yield Family(
        "kab_recommended",
        "The value that this traffic needs, where one can be named.",
        [Sample(found.value, {**swept, "code": found.code})],
    )
    values = [(it, {"arm": it.arm, **swept}) for it in sweep.values]
    yield from _metric_families(SWEEP_METRICS, values)
    rates = (
        sample
        for it, labels in values
        for sample in _end_samples(labels, *it.requests_per_second[1:])
    )
    yield Family("kab_requests_per_second_bound", "The ends of the rates' intervals.", rates)


def _of(arm: ArmSummary, **more: str) -> Labels:
    return {"arm": arm.label, "arm_kind": arm.kind, **more}


def _summary(
    labels: Labels, count: int, mean: float | None, quantiles: dict[str, float | None]
) -> Iterator[Sample]:
    for rank, value in quantiles.items():
        yield Sample(value, {**labels, "quantile": rank})
    yield Sample(0.0 if mean is None else mean * count, labels, "_sum")
    yield Sample(count, labels, "_count")


def _metric_families(
    metrics: Sequence[Metric[S]], sources: Iterable[tuple[S, Labels]]
) -> Iterator[Family]:
    """What the metrics that have a series come to, of each source with its labels."""
    found: dict[Series, list[Sample]] = {}
    for source, labels in sources:
        for metric in metrics:
            if metric.series:
                samples = _samples(metric, metric.series.label, source, labels)
                found.setdefault(metric.series, []).extend(samples)
    for series, all_samples in found.items():
        kind: Kind = "counter" if series.name.endswith("_total") else "gauge"
        yield Family(series.name, series.help, all_samples, kind)


def _samples(metric: Metric[S], label: str, source: S, labels: Labels) -> Iterator[Sample]:
    value = metric.of(source)
    by_key = value if isinstance(value, Mapping) else {metric.steps()[-1]: value}
    for key, each in by_key.items():
        own = {**labels, label: key} if label else labels
        if isinstance(each, Estimate):
            yield from estimate_samples(own, each)
        elif not isinstance(each, str):
            yield Sample(each, own)


def estimate_samples(labels: Labels, estimate: Estimate) -> Iterator[Sample]:
    """An estimate, and the ends of its interval."""
    yield Sample(estimate.estimate, {**labels, "bound": "estimate"})
    yield from _end_samples(labels, estimate.low, estimate.high)


def _end_samples(labels: Labels, low: float | None, high: float | None) -> Iterator[Sample]:
    yield Sample(low, {**labels, "bound": "low"})
    yield Sample(high, {**labels, "bound": "high"})


def status_samples(labels: Labels, requirements: Iterable[Checked]) -> Iterator[Sample]:
    """Requirements, 1 by status."""
    for it in requirements:
        for word in get_args(Status):
            told = {**labels, "requirement": it.requirement.text, "status": word}
            yield Sample(int(it.status == word), told)


def exposition_lines(families: Iterable[Family], common: Labels) -> Iterator[str]:
    """The file's lines; every sample has the `common` labels, too."""
    for family in families:
        samples = [sample for sample in family.samples if sample.value is not None]
        if samples:
            yield f"# HELP {family.name} {family.help}\n"
            yield f"# TYPE {family.name} {family.kind}\n"
            for value, labels, suffix in samples:
                yield f"{family.name}{suffix}{{{_written({**common, **labels})}}} {value!r}\n"
    yield "# EOF\n"


def _written(labels: Labels) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())


def _escaped(text: str) -> str:
    return printable(text).replace("\\", r"\\").replace('"', r"\"")
