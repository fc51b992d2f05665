"""Metrics of what changed, for the textfile collector of Prometheus' node exporter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.compare.names import COUNTS
from keepalive_bench.report.exposition import (
    Labels,
    Sample,
    estimate_samples,
    exposition_lines,
    gauge,
    standing_samples,
)
from keepalive_bench.stats.intervals import Estimate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.compare.change import Change, MetricChange
    from keepalive_bench.report.exposition import Family


def openmetrics_lines(changes: Sequence[Change]) -> Iterator[str]:
    """The file's lines. What is not known is left out."""
    return exposition_lines(_families(changes), {"base": changes[0].base.name})


def _families(changes: Sequence[Change]) -> Iterator[Family]:
    words = "the new run's by the base's, with the ends of its interval."
    verdicts, statuses, counts = list[Sample](), list[Sample](), list[Sample]()
    latencies, rates, speedups = list[Sample](), list[Sample](), list[Sample]()
    recommended = list[Sample]()
    for change in changes:
        labels = {"new": change.new.name}
        verdicts.append(Sample(1, {**labels, "code": change.verdict.code}))
        statuses += standing_samples(labels, change.requirements)
        for arm in change.arms:
            of_arm = {**labels, "arm": arm.label, "arm_kind": arm.new.kind}
            for name in COUNTS:
                difference = getattr(arm.new, name) - getattr(arm.base, name)
                counts.append(Sample(difference, {**of_arm, "count": name}))
            for name, figure in arm.figures.items():
                if name == "requests_per_second":
                    rates += _ratio(of_arm, figure)
                else:
                    latencies += _ratio({**of_arm, "statistic": name}, figure)
        for it in change.comparisons:
            speedups += _ratio({**labels, "arm": it.arm, "against": it.against}, it.speedup)
        found = change.recommendation
        if found is not None:
            recommended.append(Sample(found.change, {**labels, "option": found.option}))
    yield gauge("kab_compare_verdict", "The verdict's code.", verdicts)
    yield gauge("kab_compare_requirement", "Requirements, 1 by status.", statuses)
    yield gauge("kab_compare_count_difference", "The new run's count - the base's.", counts)
    yield gauge("kab_compare_latency_ratio", f"Latency: {words}", latencies)
    yield gauge("kab_compare_requests_per_second_ratio", f"Requests per second: {words}", rates)
    yield gauge("kab_compare_speedup_ratio", f"Speed-up: {words}", speedups)
    yield gauge(
        "kab_compare_recommended_difference",
        "The value that the new sweep recommends - the base's.",
        recommended,
    )


def _ratio(labels: Labels, figure: MetricChange) -> Iterator[Sample]:
    ends = (None if end is None else 1 + end for end in figure.change)
    return estimate_samples(labels, Estimate(*ends))
