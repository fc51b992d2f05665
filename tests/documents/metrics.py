"""The tables of metrics in docs/requirements.md and docs/json-format.md."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from documents.tables import MEMBERS_HEAD, PagePart, names_cell, table

from keepalive_bench.analysis.metrics.arm import ARM_METRICS
from keepalive_bench.analysis.metrics.comparison import COMPARISON_METRICS
from keepalive_bench.analysis.metrics.run import SWEEP_METRICS
from keepalive_bench.requirements import listing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from documents.tables import Row

    from keepalive_bench.requirements.names import AnyMetric

_MEMBERS: dict[str, tuple[AnyMetric, ...]] = {
    "arm": ARM_METRICS,
    "comparison": COMPARISON_METRICS,
    "sweep": SWEEP_METRICS,
}


def parts() -> Iterator[PagePart]:
    """What metrics are called in requirements, and where they stand in the results file."""
    head = ("name", "meaning", "better", "how")
    for key, _, listed in listing.parts():
        names = ((names_cell(it.names), it.meaning, it.better, it.how) for it in listed)
        yield table("requirements.md", f"{key} metrics", head, names)
    for part, metrics in _MEMBERS.items():
        before = "values[]." if part == "sweep" else ""
        rows = _members(metrics, before)
        yield table("json-format.md", f"{part} metrics", MEMBERS_HEAD, rows)


def _members(metrics: Iterable[AnyMetric], before: str) -> Iterator[Row]:
    """Where each metric stands in the file, those together that mean the same."""
    for (meaning, unknown), group in groupby(metrics, lambda it: (it.meaning, it.unknown)):
        paths = []
        for metric in group:
            keys = f"{{{','.join(metric.keys)}}}" if metric.keys else ""
            path = (
                metric.path if metric.is_sparse else metric.path.replace(metric.placeholder, keys)
            )
            is_estimate = metric.bounds == "members"
            paths.append(f"{before}{path}{'.{estimate,low,high}' * is_estimate}")
        choice = f": {', '.join(f'`{word}`' for word in metric.words)}" if metric.words else ""
        yield names_cell([paths]), f"{meaning}{choice}", unknown
    beside = [metric.steps() for metric in metrics if metric.bounds == "beside"]
    if beside:
        names = [".".join((*group, "{low,high}", name)) for *group, name in beside]
        meaning = "The interval of that figure, at `plan.confidence`"
        yield names_cell([names]), meaning, "there are too few values to bound it"
