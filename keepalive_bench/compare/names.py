"""What a requirement on two runs can be about: docs/compare.md lists it for people.

Each name of an arm that is counted, or has an interval, and the speed-up; with `.change` behind it.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from keepalive_bench.analysis.metrics.arm import ARM_METRICS
from keepalive_bench.analysis.metrics.run import TOTALS
from keepalive_bench.compare.verdict import CODES
from keepalive_bench.requirements.lookup import Evidence, find
from keepalive_bench.requirements.names import places

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.compare.change import Change, MetricChange
    from keepalive_bench.plan.arms import Arm
    from keepalive_bench.requirements.lookup import Document
    from keepalive_bench.requirements.names import AnyMetric, Place, Subject

COUNTS = tuple(
    it.path for it in ARM_METRICS if it.unit in {"count", "bytes"} and "." not in it.path
)
"""What is counted of an arm as a whole, by its attributes."""
_NO_CHANGE = {"word", "seconds"}
"""Words don't change by a number; single times (`max`) change from run to run by chance."""


def change_places(arms: tuple[Arm, ...]) -> Iterator[Place]:
    """Everything that two runs of these arms have a name for."""
    for place in places(arms):
        if not place.part:
            words = (replace(it, words=CODES) for it in place.metrics if it.basis == "verdict")
            yield replace(place, metrics=tuple(words))
        changes = (
            replace(it, unit=it.unit if it.basis == "exact" else "change", is_signed=True)
            for it in place.metrics
            if _has_change(place, it)
        )
        yield replace(place, metrics=tuple(changes), suffix=".change")


def _has_change(place: Place, metric: AnyMetric) -> bool:
    if place.part == "arms":
        if metric.basis == "exact":
            return metric.unit not in _NO_CHANGE
        return metric.basis != "nothing"
    is_recommended = metric.path.startswith("recommendation.") and metric.unit == "count"
    is_total = not place.part and metric.path in TOTALS
    return is_total or is_recommended or metric.basis == "ranks"


def find_change(subject: Subject, change: Change, documents: tuple[Document, Document]) -> Evidence:
    """What two runs, and what their documents say of them, say of something."""
    metric, place = subject.metric, subject.place
    if metric.basis == "verdict":
        return Evidence(change.verdict.code)
    if metric.path.startswith("recommendation."):
        return _recommended(change, metric.path.rpartition(".")[2])
    if change.incomparable:
        return Evidence(None, lacking=change.incomparable)
    if place.part == "arms":
        return _of_arm(subject, change, documents)
    if place.part == "comparisons":
        compared = (it.speedup for it in change.comparisons if it.against == place.label)
        return _evidence(
            next(compared, None), f"one of the runs doesn't compare with {place.label}"
        )
    return _difference(subject, change, documents)


def _of_arm(subject: Subject, change: Change, documents: tuple[Document, Document]) -> Evidence:
    metric, label = subject.metric, subject.place.label
    arm = next((it for it in change.arms if it.label == label), None)
    if arm is None:
        return Evidence(None, lacking=f"one of the runs has no arm {label}")
    if metric.basis != "exact":
        return _evidence(arm.figures[metric.path.removeprefix("latency_s.")])
    return _difference(subject, change, documents)


def _recommended(change: Change, option: str) -> Evidence:
    found = change.recommendation
    if found is None or found.option != option:
        return Evidence(None, lacking=f"the runs are no sweeps over {option}")
    return Evidence(found.change, lacking="one of the sweeps recommends nothing")


def _difference(subject: Subject, change: Change, documents: tuple[Document, Document]) -> Evidence:
    """What is counted: new - base."""
    experiments = [it.analysis.plan.experiment for it in (change.base, change.new)]
    base, new = (find(subject, *both) for both in zip(documents, experiments, strict=True))
    if isinstance(base.value, int) and isinstance(new.value, int):
        return Evidence(new.value - base.value)
    if isinstance(base.value, float) and isinstance(new.value, float):
        arms = [document["arms"][subject.place.label] for document in documents]
        before, after = (_ratio(*it) for it in zip((base.value, new.value), arms, strict=True))
        return Evidence(float(after - before))
    return Evidence(None, lacking=base.lacking or new.lacking)


def _ratio(value: float, arm: Document) -> Fraction:
    """A ratio of an arm's counts before it was rounded: no other one of them is as near.

    So a difference is rounded once, as its bound is, and equals it where the two are equal.
    """
    sent = arm["succeeded"] + arm["failed"]
    return Fraction(value).limit_denominator(max(sent, arm["connections"]))


def _evidence(figure: MetricChange | None, lacking: str = "") -> Evidence:
    if figure is None:
        return Evidence(None, lacking=lacking)
    return Evidence(*figure.change, lacking=figure.lacking)
