"""Prometheus' text format, for the textfile collector of its node exporter.

That collector reads the text format 0.0.4, whose names of counters end in `_total` in their TYPE
line too; OpenMetrics 1.0 differs in just that, and asks for the `# EOF`, a comment here.
https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar, get_args

from keepalive_bench.analysis.analysis import Status
from keepalive_bench.analysis.metrics.metric import SERIES
from keepalive_bench.stats.intervals import Estimate
from keepalive_bench.units import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from keepalive_bench.analysis.analysis import Checked
    from keepalive_bench.analysis.metrics.metric import Metric

Labels = dict[str, str]
S = TypeVar("S")


class Sample(NamedTuple):
    """One number of a metric."""

    value: float | None
    """Left out where it is not known."""
    labels: Labels
    suffix: str = ""


@dataclass(frozen=True, kw_only=True)
class Family:
    """Metrics of one name."""

    name: str
    kind: Literal["counter", "gauge", "summary"]
    help: str
    samples: list[Sample] = field(default_factory=list)


def gauge(name: str, words: str, samples: Iterable[Sample]) -> Family:
    """What goes up and down."""
    return Family(name=name, kind="gauge", help=words, samples=list(samples))


def counter(name: str, words: str, samples: Iterable[Sample]) -> Family:
    """What is counted within one run."""
    return Family(name=name, kind="counter", help=words, samples=list(samples))


def metric_families(
    metrics: Sequence[Metric[S]], sources: Iterable[tuple[S, Labels]]
) -> Iterable[Family]:
    """What the metrics that have a series come to, of each source with its labels."""
    families: dict[str, Family] = {}
    for source, labels in sources:
        for metric in metrics:
            if metric.series:
                new = counter if metric.series.endswith("_total") else gauge
                empty = new(metric.series, SERIES[metric.series], ())
                family = families.setdefault(metric.series, empty)
                family.samples.extend(_samples(metric, source, labels))
    return families.values()


def _samples(metric: Metric[S], source: S, labels: Labels) -> Iterator[Sample]:
    value = metric.of(source)
    by_key = value if isinstance(value, Mapping) else {metric.steps()[-1]: value}
    for key, each in by_key.items():
        own = {**labels, metric.label: key} if metric.label else labels
        if isinstance(each, Estimate):
            yield from estimate_samples(own, each)
        elif not isinstance(each, str):
            yield Sample(each, own)


def estimate_samples(labels: Labels, estimate: Estimate) -> Iterator[Sample]:
    """An estimate, and the ends of its interval."""
    yield Sample(estimate.estimate, {**labels, "bound": "estimate"})
    yield from end_samples(labels, estimate.low, estimate.high)


def end_samples(labels: Labels, low: float | None, high: float | None) -> Iterator[Sample]:
    """The ends of an interval."""
    yield Sample(low, {**labels, "bound": "low"})
    yield Sample(high, {**labels, "bound": "high"})


def standing_samples(labels: Labels, requirements: Iterable[Checked]) -> Iterator[Sample]:
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
