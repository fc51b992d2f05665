"""What changed, as JSON (docs/compare.md is the contract) and as rows of CSV."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from keepalive_bench.analysis.sweep import RECOMMENDED
from keepalive_bench.compare.names import COUNTS
from keepalive_bench.report.document import requirement_document
from keepalive_bench.report.rows_csv import table_lines
from keepalive_bench.units import json_in_log

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from keepalive_bench.compare.change import (
        ArmChange,
        Change,
        MetricChange,
        RecommendationChange,
        Source,
    )

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
    for part, members in parts.items():
        for name, leaf in _leaves(members):
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
        "recommendation": _recommendation(change.recommendation),
        "requirements": [requirement_document(checked) for checked in change.requirements],
    }


def _recommendation(found: RecommendationChange | None) -> Document | None:
    return None if found is None else {**found._asdict(), "change": found.change}


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
