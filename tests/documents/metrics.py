"""The tables of metrics in docs/requirements.md and docs/json-format.md (`make docs`)."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from keepalive_bench.analysis.metrics.arm import ARM_METRICS
from keepalive_bench.analysis.metrics.comparison import COMPARISON_METRICS
from keepalive_bench.analysis.metrics.run import SWEEP_METRICS
from keepalive_bench.plan.experiment import Arm
from keepalive_bench.requirements.names import AnyMetric, places

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from keepalive_bench.requirements.names import Place

DOCS = Path(__file__).parents[2] / "docs"
REQUIREMENTS, FORMAT = DOCS / "requirements.md", DOCS / "json-format.md"
_HOW = {"exact": "exactly", "nothing": "no interval: undecided", "verdict": "as above"}
_SPELLED = {"arm": "arms", "comparison": "comparisons", "run": "", "sweep": "sweep"}
_MEMBERS: dict[str, tuple[AnyMetric, ...]] = {
    "arm": ARM_METRICS,
    "comparison": COMPARISON_METRICS,
    "sweep": SWEEP_METRICS,
}
Row = tuple[str, ...]


def pages() -> dict[Path, str]:
    """The two pages as they should be: what isn't between the marks of a table is kept."""
    found = tuple(places((Arm("pooled", "LABEL", 1), Arm("unpooled", "OTHER"))))
    page, guide = REQUIREMENTS.read_text("utf-8"), FORMAT.read_text("utf-8")
    for mark, spelled in _SPELLED.items():
        shown = [it for it in found if it.part == spelled and it.prefixes[0] != "OTHER."]
        rows = _names(shown)
        page = with_table(page, f"{mark} metrics", ("name", "meaning", "better", "how"), rows)
    for mark, metrics in _MEMBERS.items():
        before = "values[]." if mark == "sweep" else ""
        rows = _members(metrics, before)
        guide = with_table(guide, f"{mark} metrics", ("member", "meaning", "`null` when"), rows)
    return {REQUIREMENTS: page, FORMAT: guide}


def with_table(page: str, mark: str, head: Row, rows: Iterable[Row]) -> str:
    """A page with these rows between the marks of a table."""
    lines = [head, tuple("---" for _ in head), *rows]
    table = (f"| {' | '.join(row)} |".replace("|  |", "| |") for row in lines)
    return with_text(page, mark, "\n".join(table))


def with_text(page: str, mark: str, text: str) -> str:
    """A page with this between its marks."""
    start, end = f"<!-- {mark}: make docs -->\n\n", "\n\n<!-- -->\n"
    before, found, rest = page.partition(start)
    assert found, mark
    return f"{before}{start}{text}{end}{rest.partition(end)[2]}"


def _names(spelled: Sequence[Place]) -> Iterator[Row]:
    """What each metric is called in some places, those together that mean the same."""
    named = (metric for metric in spelled[0].metrics if metric.is_named)
    for said, group in groupby(named, lambda it: (it.meaning, it.better or "", _how(it))):
        names = [
            sorted(spellings(spelled, metric), key=lambda it: (len(it), it)) for metric in group
        ]
        yield cell(zip(*names, strict=True)), *said


def spellings(spelled: Iterable[Place], metric: AnyMetric) -> set[str]:
    """But for those that end as the file's own members do, and those with an arm's name."""
    return {
        f"{place.prefixes[0]}{form}"
        for place in spelled
        if metric in place.metrics and place.prefixes[0] != f"{place.label}."
        for form in place.forms(metric)
        if not form.endswith(".estimate")
    }


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
        yield cell([paths]), f"{meaning}{choice}", unknown
    beside = [metric.steps() for metric in metrics if metric.bounds == "beside"]
    if beside:
        names = [".".join((*group, "{low,high}", name)) for *group, name in beside]
        meaning = "The interval of that figure, at `plan.confidence`"
        yield cell([names]), meaning, "there are too few values to bound it"


def cell(spellings: Iterable[Sequence[str]]) -> str:
    """Names for a table, those of each list as few as can be."""
    return ", ".join(f"`{name}`" for names in spellings for name in together(names))


def together(names: Sequence[str]) -> Sequence[str]:
    """Names that differ in one part as one name, with a choice there."""
    parts = [name.split(".") for name in names]
    if len(names) == 1 or len({len(each) for each in parts}) > 1:
        return names
    columns = [list(dict.fromkeys(column)) for column in zip(*parts, strict=True)]
    if sum(len(column) > 1 for column in columns) != 1:
        return names
    return [".".join(it[0] if len(it) == 1 else f"{{{','.join(it)}}}" for it in columns)]
