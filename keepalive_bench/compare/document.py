"""What changed, for programs: JSON (docs/compare.md is the contract), CSV and OpenMetrics."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from keepalive_bench.analysis.sweep import RECOMMENDED
from keepalive_bench.analysis.verdict import Verdict  # noqa: TC001  # typed_json reads it
from keepalive_bench.compare.change import (
    BY_CODE,
    COUNTED,
    ESTIMATED,
    RATIOS,
    ChangeVerdict,
    ComparisonChange,
    CountChange,
    Difference,
    FigureChange,
    NumberChange,
    RecommendationChange,
    change_type,
)
from keepalive_bench.report.document import requirement_document
from keepalive_bench.report.openmetrics import (
    Family,
    Labels,
    Sample,
    estimate_samples,
    exposition_lines,
    status_samples,
)
from keepalive_bench.report.rows_csv import table_lines
from keepalive_bench.report.schema import array_of, members, requirement_schema, schema_head
from keepalive_bench.typed_json import (
    MOMENT,
    Schema,
    Share,
    object_schema,
    schema_of,
    to_json,
)
from keepalive_bench.units import json_in_log

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from keepalive_bench.compare.change import ArmChange, Change, Source

KIND, SCHEMA_VERSION = "comparison", 2
_COLUMNS = (
    *("base", "new", "part", "name", "base_value", "new_value", "change", "low", "high"),
    "base_files",
)
_WHOLE = {path for path, (it, _) in COUNTED.items() if it.unit in {"count", "bytes"}}
_SERIES = {
    "verdict": "The verdict's code.",
    "base_files": "How many runs the base is.",
    "requirement": "Requirements, 1 by status.",
    "count_difference": "The new run's count - the base's.",
    "number_difference": "The new run's number - the base's, of what is exact and no count.",
    "recommended_difference": "The value that the new sweep recommends - the base's.",
    "speedup_ratio": "Speed-up: the new run's by the base's, with the ends of its interval.",
    "mean_ratio_ratio": "Ratio of means: the new run's by the base's, with its interval's ends.",
}
"""Help texts; each figure has a series of its ratios besides."""


class ComparedRun(NamedTuple):
    """A run in the document."""

    file: str
    """What it was read from."""
    url: str
    """As in its plan."""
    method: str
    """As in its plan."""
    started_at: Annotated[str, MOMENT]
    """When it began."""
    verdict: Verdict


class ComparedRuns(NamedTuple):
    """What the document says of each new run."""

    new: ComparedRun
    confidence: Share
    """How all are judged: as the first new run was, but for what is given."""
    margin: Share
    """How all are judged: as the first new run was, but for what is given."""
    forced: bool
    """Whether they are compared whatever they differ in."""
    holds_variation: bool
    """Whether intervals hold the variation between runs, as three base runs or more show it."""
    verdict: ChangeVerdict
    differences: tuple[Difference, ...]
    arms: dict[str, dict[str, Any]]
    """By label, of those that all the runs have."""
    comparisons: tuple[ComparisonChange, ...]
    recommendation: RecommendationChange | None
    requirements: tuple[dict[str, Any], ...]
    """As in the results file."""


def json_lines(changes: Sequence[Change]) -> Iterator[str]:
    """The file's lines: all comparisons with the same base runs."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "kind": KIND,
        "bases": [to_json(_run(it)) for it in changes[0].bases],
        "changes": [to_json(_runs(change)) for change in changes],
    }
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    yield f"{json_in_log(text)}\n"


def _run(source: Source) -> ComparedRun:
    return ComparedRun(
        file=source.name,
        url=source.plan["url"],
        method=source.plan["method"],
        started_at=source.run.run_info.started_at,
        verdict=source.analysis.verdict,
    )


def _runs(change: Change) -> ComparedRuns:
    return ComparedRuns(
        new=_run(change.new),
        confidence=change.decision_rule.confidence,
        margin=change.decision_rule.margin,
        forced=change.forced,
        holds_variation=change.holds_variation,
        verdict=change.verdict,
        differences=change.differences,
        arms={arm.label: _arm(arm) for arm in change.arms},
        comparisons=change.comparisons,
        recommendation=change.recommendation,
        requirements=tuple(map(requirement_document, change.requirements)),
    )


def _arm(arm: ArmChange) -> dict[str, Any]:
    return {
        "kind": arm.new.kind,
        **_grouped(arm.counts),
        **arm.by_code,
        **_grouped(arm.figures),
    }


def _grouped(by_path: Mapping[str, object]) -> dict[str, Any]:
    """What stands at paths, within the members that lead there."""
    found: dict[str, Any] = {}
    for path, it in by_path.items():
        *groups, name = path.split(".")
        place = found
        for group in groups:
            place = place.setdefault(group, {})
        place[name] = it
    return found


def comparison_schema() -> Schema:
    """All comparisons with the same base runs."""
    arms = {"type": "object", "additionalProperties": _arm_schema()}
    checked = array_of(requirement_schema())
    runs = object_schema(members(ComparedRuns) | {"arms": arms, "requirements": checked})
    return {
        **schema_head("comparison", SCHEMA_VERSION, "What changed between runs", "docs/compare.md"),
        **object_schema(
            {
                "schema_version": {"const": SCHEMA_VERSION},
                "kind": {"const": KIND},
                "bases": {**array_of(schema_of(ComparedRun)), "minItems": 1},
                "changes": {**array_of(runs), "minItems": 1},
            }
        ),
    }


def _arm_schema() -> Schema:
    counts = _grouped({path: change_type(it) for path, (it, _) in COUNTED.items()})
    by_code = dict.fromkeys(BY_CODE, dict[str, CountChange])
    figures = _grouped({it.path: FigureChange for it in ESTIMATED})
    return _schema_of({"kind": str, **counts, **by_code, **figures})


def _schema_of(found: Any) -> Schema:  # noqa: ANN401  # a type, or members
    if not isinstance(found, dict):
        return schema_of(found)
    return object_schema({name: _schema_of(it) for name, it in found.items()})


AnyChange = CountChange | NumberChange | FigureChange | RecommendationChange


class _Number(NamedTuple):
    """One number of all the runs."""

    part: str
    """Where it belongs, in CSV."""
    labels: Labels
    """The same, in OpenMetrics."""
    name: str
    found: AnyChange


def _numbers(change: Change) -> Iterator[_Number]:
    """What all the runs have, or sweeps recommend."""
    for arm in change.arms:
        part, labels = f"arms.{arm.label}", {"arm": arm.label, "arm_kind": arm.new.kind}
        numbers: dict[str, AnyChange] = {**arm.counts}
        for group, counts in arm.by_code.items():
            numbers |= {f"{group}.{code}": it for code, it in counts.items()}
        for name, found in (numbers | arm.figures).items():
            yield _Number(part, labels, name, found)
    for it in change.comparisons:
        part, labels = f"comparison.{it.arm}.{it.against}", {"arm": it.arm, "against": it.against}
        yield from (_Number(part, labels, name, getattr(it, name)) for name in RATIOS)
    recommended = change.recommendation
    if recommended is not None and recommended.option in RECOMMENDED:
        option = recommended.option
        yield _Number("recommendation", {"option": option}, option, recommended)


def csv_lines(changes: Sequence[Change]) -> Iterator[str]:
    """The header, and a line for each number."""
    yield from table_lines(_COLUMNS, (row for change in changes for row in _rows(change)))


def _rows(change: Change) -> Iterator[tuple[str | float | None, ...]]:
    for part, _, name, found in _numbers(change):
        # Of what is counted, there are no ends of an interval.
        cells = (getattr(found, column, None) for column in FigureChange._fields)
        yield (change.base_files, change.new.name, part, name, *cells, len(change.bases))


def openmetrics_lines(changes: Sequence[Change]) -> Iterator[str]:
    """The file's lines. What is not known is left out."""
    return exposition_lines(_families(changes), {"base": changes[0].base_files})


def _families(changes: Sequence[Change]) -> Iterator[Family]:
    """Ratios of figures, and differences of the counts that no code parts."""
    series = defaultdict[str, list[Sample]](list)
    for change in changes:
        new = {"new": change.new.name}
        series["base_files"].append(Sample(len(change.bases), new))
        series["verdict"].append(Sample(1, {**new, "code": change.verdict.code}))
        series["requirement"] += status_samples(new, change.requirements)
        for _, own, name, found in _numbers(change):
            labels = new | own
            if isinstance(found, FigureChange):
                group, _, statistic = name.rpartition(".")
                labels |= {"statistic": statistic} if group else {}
                subject = (group or name).removesuffix("_s")
                series[f"{subject}_ratio"] += estimate_samples(labels, found.ratio)
            elif isinstance(found, RecommendationChange):
                series["recommended_difference"].append(Sample(found.change, labels))
            elif name in _WHOLE:
                sample = Sample(found.change, {**labels, "count": name})
                series["count_difference"].append(sample)
            elif isinstance(found, NumberChange):
                sample = Sample(found.change, {**labels, "number": name})
                series["number_difference"].append(sample)
    for name, samples in series.items():
        subject = name.removesuffix("_ratio").replace("_", " ").capitalize()
        ratio = f"{subject}: the new run's by the base's, with the ends of its interval."
        yield Family(f"kab_compare_{name}", _SERIES.get(name, ratio), samples)
