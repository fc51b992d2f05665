"""What changed, for programs: JSON (docs/compare.md is the contract), CSV and OpenMetrics."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

from keepalive_bench.analysis.arm_view import BOUNDED
from keepalive_bench.analysis.sweep import RECOMMENDED
from keepalive_bench.analysis.verdict import VERDICTS
from keepalive_bench.compare.change import Difference, RecommendationChange
from keepalive_bench.compare.estimates import ratio
from keepalive_bench.compare.names import COUNTS
from keepalive_bench.compare.verdict import CODES
from keepalive_bench.report.document import requirement_document
from keepalive_bench.report.openmetrics import (
    Family,
    Sample,
    estimate_samples,
    exposition_lines,
    status_samples,
)
from keepalive_bench.report.rows_csv import table_lines
from keepalive_bench.report.schema import (
    array_of,
    members,
    requirement_schema,
    schema_head,
    sentence_schema,
)
from keepalive_bench.results.run import Label
from keepalive_bench.typed_json import (
    MOMENT,
    Count,
    Schema,
    Share,
    nullable,
    object_schema,
    schema_of,
)
from keepalive_bench.units import json_in_log

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from keepalive_bench.compare.change import ArmChange, Change, MetricChange, Source

KIND, SCHEMA_VERSION = "comparison", 1
_COLUMNS = ("base", "new", "part", "name", "base_value", "new_value", "change", "low", "high")
Document = dict[str, Any]


def json_lines(changes: Sequence[Change]) -> Iterator[str]:
    """The file's lines: all comparisons with one base."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "kind": KIND,
        "base": _source(changes[0].base),
        "changes": [_change(change) for change in changes],
    }
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    yield f"{json_in_log(text)}\n"


def csv_lines(changes: Sequence[Change]) -> Iterator[str]:
    """The header, and a line for each number that both runs have, or both sweeps recommend."""
    yield from table_lines(_COLUMNS, (row for change in changes for row in _rows(change)))


def _rows(change: Change) -> Iterator[tuple[str | float | None, ...]]:
    document, files = _change(change), (change.base.name, change.new.name)
    parts = {f"arms.{label}": arm for label, arm in document["arms"].items()}
    for it in document["comparisons"]:
        parts[f"comparison.{it['arm']}.{it['against']}"] = it
    for part, inside in parts.items():
        for name, leaf in _leaves(inside):
            values = (leaf.get(it) for it in ("base", "new", "change", "low", "high"))
            yield (*files, part, name, *values)
    found = change.recommendation
    if found is not None and found.option in RECOMMENDED:
        numbers = (found.base, found.new, found.change)
        yield (*files, "recommendation", found.option, *numbers, None, None)


def _leaves(members: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Document]]:
    for name, value in members.items():
        if isinstance(value, dict):
            if "change" in value:
                yield f"{before}{name}", value
            else:
                yield from _leaves(value, f"{before}{name}.")


def _source(source: Source) -> Document:
    analysis = source.analysis
    return {
        "file": source.name,
        "url": source.plan["url"],
        "method": source.plan["method"],
        "started_at": source.run.run_info.started_at,
        "verdict": analysis.verdict._asdict(),
    }


def _change(change: Change) -> Document:
    found = change.recommendation
    return {
        "new": _source(change.new),
        "confidence": change.confidence,
        "margin": change.margin,
        "forced": change.forced,
        "verdict": change.verdict._asdict(),
        "differences": [it._asdict() for it in change.differences],
        "arms": {arm.label: _arm(arm) for arm in change.arms},
        "comparisons": [
            {"arm": it.arm, "against": it.against, "speedup": _figure(it.speedup)}
            for it in change.comparisons
        ],
        "recommendation": None if found is None else {**found._asdict(), "change": found.change},
        "requirements": [requirement_document(checked) for checked in change.requirements],
    }


def _arm(arm: ArmChange) -> Document:
    base, new, figures = arm.base, arm.new, dict(arm.figures)
    codes = [{str(code): n for code, n in it.status_codes.items()} for it in (base, new)]
    return {
        "kind": new.kind,
        **{name: _count(getattr(base, name), getattr(new, name)) for name in COUNTS},
        "failures": _counts(base.failure_kinds, new.failure_kinds),
        "reasons": _counts(base.reason_counts, new.reason_counts),
        "status_codes": _counts(codes[0], codes[1]),
        "requests_per_second": _figure(figures.pop("requests_per_second")),
        "latency_s": {name: _figure(figure) for name, figure in figures.items()},
    }


def _counts(base: Mapping[str, int], new: Mapping[str, int]) -> Document:
    names = dict.fromkeys([*base, *new])
    return {name: _count(base.get(name, 0), new.get(name, 0)) for name in names}


def _count(base: int, new: int) -> Document:
    return {"base": base, "new": new, "change": new - base}


def _figure(figure: MetricChange) -> Document:
    estimate, low, high = figure.change
    return {"base": figure.base, "new": figure.new, "change": estimate, "low": low, "high": high}


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
        statuses += status_samples(labels, change.requirements)
        for arm in change.arms:
            of_arm = {**labels, "arm": arm.label, "arm_kind": arm.new.kind}
            for name in COUNTS:
                difference = getattr(arm.new, name) - getattr(arm.base, name)
                counts.append(Sample(difference, {**of_arm, "count": name}))
            for name, figure in arm.figures.items():
                if name == "requests_per_second":
                    rates += estimate_samples(of_arm, ratio(figure.change))
                else:
                    latencies += estimate_samples(
                        {**of_arm, "statistic": name}, ratio(figure.change)
                    )
        for it in change.comparisons:
            both = {**labels, "arm": it.arm, "against": it.against}
            speedups += estimate_samples(both, ratio(it.speedup.change))
        found = change.recommendation
        if found is not None:
            recommended.append(Sample(found.change, {**labels, "option": found.option}))
    yield Family("kab_compare_verdict", "The verdict's code.", verdicts)
    yield Family("kab_compare_requirement", "Requirements, 1 by status.", statuses)
    yield Family("kab_compare_count_difference", "The new run's count - the base's.", counts)
    yield Family("kab_compare_latency_ratio", f"Latency: {words}", latencies)
    yield Family("kab_compare_requests_per_second_ratio", f"Requests per second: {words}", rates)
    yield Family("kab_compare_speedup_ratio", f"Speed-up: {words}", speedups)
    yield Family(
        "kab_compare_recommended_difference",
        "The value that the new sweep recommends - the base's.",
        recommended,
    )


def comparison_schema() -> Schema:
    """All comparisons with one base."""
    return {
        **schema_head("comparison", SCHEMA_VERSION, "What changed between runs", "docs/compare.md"),
        **object_schema(
            {
                "schema_version": {"const": SCHEMA_VERSION},
                "kind": {"const": KIND},
                "base": _source_schema(),
                "changes": {**array_of(_change_schema()), "minItems": 1},
            }
        ),
    }


def _source_schema() -> Schema:
    known = members(file=str, url=str, method=str, started_at=Annotated[str, MOMENT])
    return object_schema(known | {"verdict": sentence_schema(VERDICTS)})


def _change_schema() -> Schema:
    comparison = members(arm=Label, against=Label) | {"speedup": _figure_schema()}
    return object_schema(
        {
            "new": _source_schema(),
            **members(confidence=Share, margin=Share, forced=bool),
            "verdict": sentence_schema(CODES),
            "differences": array_of(schema_of(Difference)),
            "arms": {"type": "object", "additionalProperties": _arm_schema()},
            "comparisons": array_of(object_schema(comparison)),
            "recommendation": nullable(
                object_schema(members(RecommendationChange, change=int | None))
            ),
            "requirements": array_of(requirement_schema()),
        }
    )


def _arm_schema() -> Schema:
    count = object_schema(members(base=Count, new=Count, change=int))
    counts = {"type": "object", "additionalProperties": count}
    return object_schema(
        {
            "kind": schema_of(str),
            **dict.fromkeys(COUNTS, count),
            **dict.fromkeys(("failures", "reasons", "status_codes"), counts),
            "requests_per_second": _figure_schema(),
            "latency_s": object_schema(dict.fromkeys(BOUNDED, _figure_schema())),
        }
    )


def _figure_schema() -> Schema:
    ends = ("base", "new", "change", "low", "high")
    return object_schema(members(**dict.fromkeys(ends, float | None)))
