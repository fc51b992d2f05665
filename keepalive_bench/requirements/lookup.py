"""What a document says of something; and why it doesn't, where it doesn't."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from keepalive_bench.analysis.metrics import GIVEN, NO_SWEEP, PAUSED

if TYPE_CHECKING:
    from keepalive_bench.plan.experiment import Experiment
    from keepalive_bench.requirements.names import AnyMetric, Subject
    from keepalive_bench.typed_json import Document

NO_INTERVAL = "kab computes no interval for it"
_FEW = 0.5
"""Of the requests, so few reused a connection that more of them would be no help."""


class Evidence(NamedTuple):
    """What a run says of something; times in seconds."""

    value: float | str | None
    low: float | None = None
    high: float | None = None
    lacking: str = ""
    """Why there is no value, or no interval; empty where it's for want of requests."""
    one_sided: bool = False
    """Whether either end decides by itself, and is as sure as the confidence says alone."""
    why: Mapping[str, int] = {}
    """What the value is made of, by code."""


def evidence_of(subject: Subject, document: Document, experiment: Experiment) -> Evidence:
    """What a run's document says of something."""
    metric, key, scope = subject.metric, subject.key, subject.scope
    if not scope.part:
        found = _of_run(metric, key, document, experiment)
        return found._replace(why=metric.why(document)) if metric.why else found
    if scope.part == "arms":
        arm = document["arms"][scope.label]
        found = of_arm(metric, key, arm, experiment, scope.label)
        return found._replace(why=metric.why(arm)) if metric.why else found
    part = _at(document, scope.steps)
    if part is None:
        return Evidence(None, lacking=NO_SWEEP)
    if scope.part == "comparisons":
        return _of_comparison(metric, key, part, document["arms"])
    return _read(metric, key, part)


def of_arm(
    metric: AnyMetric, key: str, arm: Document, experiment: Experiment, label: str
) -> Evidence:
    """What an arm's part of the document says of a metric."""
    if metric.bounds == "mean":
        return _rate(_read(metric, key, arm), arm, label)
    is_silent = not (arm["succeeded"] or (metric.needs == "statuses" and arm["status_codes"]))
    unanswered = _unanswered(label) if metric.needs and is_silent else ""
    lacking = metric.lacks(experiment) or unanswered
    if lacking and metric.basis == "exact":
        return Evidence(None, lacking=lacking)
    found = _read(metric, key, arm)
    if metric.basis == "nothing":
        lacking = lacking or NO_INTERVAL
    elif found.value is None and not lacking:
        lacking = metric.lacking.format(arm=label)
    return found._replace(lacking=lacking)


def _unanswered(label: str) -> str:
    return f"no request of {label} was answered"


def _rate(found: Evidence, arm: Document, label: str) -> Evidence:
    """Requests per second, as sure as the mean latency is.

    The time in which an arm runs is the sum of its latencies ÷ the threads, but for pauses; so the
    mean latency's interval, turned over, is the rate's. Where requests failed, theirs is missing.
    """
    latency = arm["latency_s"]
    mean, low, high = latency["mean"], latency["low"]["mean"], latency["high"]["mean"]
    value, lacking = arm["requests_per_second"], _rate_lacking(arm, label)
    if lacking or not mean or not low or low < 0:
        return found._replace(lacking=lacking)
    return Evidence(value, value * mean / high, value * mean / low)


def _rate_lacking(arm: Document, label: str) -> str:
    if not arm["succeeded"]:
        return _unanswered(label)
    if arm["failed"]:
        return f"requests of {label} failed, and their time is part of it"
    if arm["requests_per_second"] is None:
        return PAUSED
    return "" if arm["late_starts"]["count"] is None else GIVEN


def _of_comparison(
    metric: AnyMetric, key: str, comparison: Document, arms: Mapping[str, Document]
) -> Evidence:
    """Nothing is known of the times of arms that can't be compared."""
    if metric.bounds and comparison["incomparable"]:
        return Evidence(None, lacking=comparison["incomparable"].rstrip("."))
    if metric.path.startswith("explained.") and comparison["explained"] is None:
        return Evidence(None, lacking="in no pair were both requests answered")
    found = _read(metric, key, comparison)
    if metric.basis == "nothing":
        return found._replace(lacking=NO_INTERVAL)
    if metric.unit == "ratio" and metric.basis == "pairs" and None in found[:3]:
        both = [label for label in arms if label in {comparison["arm"], comparison["against"]}]
        why = (_rate_lacking(arms[label], label) for label in both)
        return found._replace(lacking=next(filter(None, why), ""))
    if metric.path == "speedup" and None in found[:3]:
        reused, in_pairs = comparison["reused"], comparison["in_pairs"]
        only = f"only {reused:,} of {in_pairs:,} requests reused a connection"
        lacking = only if reused else "no request reused a connection"
        return found._replace(lacking=lacking if reused < _FEW * in_pairs else "")
    return found._replace(lacking="" if metric.bounds else metric.lacking)


def _of_run(metric: AnyMetric, key: str, document: Document, experiment: Experiment) -> Evidence:
    value: Any = metric.of(document)
    if isinstance(value, Mapping):
        value = value.get(key, 0)
    if isinstance(value, bool):
        value = str(value).lower()
    lacking = metric.lacks(experiment) or metric.lacking
    if value is None and not lacking:  # a sweep that recommends nothing says why
        lacking = document["recommendation"]["text"].rstrip(".")
    if metric.path.startswith("recommendation.") and isinstance(value, int):
        least = document["recommendation"]["at_least"]
        return Evidence(value, low=least, lacking=f"whether {least} is enough isn't known")
    return Evidence(value, lacking=lacking)


def _read(metric: AnyMetric, key: str, part: Document) -> Evidence:
    ends = {name: _at(part, steps) for name, steps in metric.places(key).items()}
    value = ends.pop("estimate")
    return Evidence(0 if value is None and metric.is_sparse else value, **ends)


def _at(document: Document, steps: tuple[str | int, ...]) -> Any:  # noqa: ANN401  # as JSON has it
    """What stands somewhere; `None` where that, or a group around it, isn't there."""
    found: Any = document
    for step in steps:
        found = (
            found[step] if isinstance(step, int) and found is not None else (found or {}).get(step)
        )
    return found
