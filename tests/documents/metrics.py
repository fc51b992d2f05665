"""The tables of metrics in docs/requirements.md and docs/json-format.md."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from documents.tables import MEMBERS_HEAD, PagePart, names_cell, table

from keepalive_bench.analysis.metrics.arm import ARM_METRICS
from keepalive_bench.analysis.metrics.comparison import COMPARISON_METRICS
from keepalive_bench.analysis.metrics.run import SWEEP_METRICS
from keepalive_bench.plan.arms import Arm
from keepalive_bench.requirements.listing import spellings
from keepalive_bench.requirements.names import AnyMetric, scopes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from documents.tables import Row

    from keepalive_bench.requirements.names import Scope

_HOW = {"exact": "exactly", "nothing": "no interval: undecided", "verdict": "as above"}
_SPELLED = {"arm": "arms", "comparison": "comparisons", "run": "", "sweep": "sweep"}
_MEMBERS: dict[str, tuple[AnyMetric, ...]] = {
    "arm": ARM_METRICS,
    "comparison": COMPARISON_METRICS,
    "sweep": SWEEP_METRICS,
}


def parts() -> Iterator[PagePart]:
    """What metrics are called in requirements, and where they stand in the results file."""
    found = tuple(scopes((Arm("pooled", "LABEL", 1), Arm("unpooled", "OTHER"))))
    for part, spelled in _SPELLED.items():
        shown = [it for it in found if it.part == spelled and it.prefixes[0] != "OTHER."]
        head = ("better", "decided", "names")
        yield table("requirements.md", f"{part} metrics", head, _names(shown))
    for part, metrics in _MEMBERS.items():
        before = "values[]." if part == "sweep" else ""
        rows = _members(metrics, before)
        yield table("json-format.md", f"{part} metrics", MEMBERS_HEAD, rows)


def _names(spelled: Sequence[Scope]) -> Iterator[Row]:
    """What each metric is called in some places, those together that are decided alike."""
    alike: dict[tuple[str, str], list[str]] = {}
    for _, group in groupby(spelled[0].metrics, lambda it: it.meaning):
        named = (it for it in group if it.is_named)
        by_how: dict[tuple[str, str], list[list[str]]] = {}
        for it in named:
            names = sorted(spellings(spelled, it), key=lambda it: (len(it), it))
            by_how.setdefault((it.better or "–", _how(it)), []).append(names)
        for how, found in by_how.items():
            alike.setdefault(how, []).append(names_cell(zip(*found, strict=True)))
    for how, cells in alike.items():
        yield *how, ", ".join(cells)


def _how(metric: AnyMetric) -> str:
    estimated = "interval, each end by itself" if metric.percent else "interval"
    return _HOW.get(metric.basis, estimated)


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
