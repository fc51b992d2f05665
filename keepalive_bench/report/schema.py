"""The JSON Schema of the results file, put together from the types and tables of its parts.

`make docs` writes it beside this file, and a test keeps it current.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from keepalive_bench.analysis import Checked, Finding, Requirement
from keepalive_bench.analysis.counted import ShownField
from keepalive_bench.analysis.metrics.arm import ARM_METRICS
from keepalive_bench.analysis.metrics.comparison import COMPARISON_METRICS
from keepalive_bench.analysis.metrics.run import SWEEP_METRICS
from keepalive_bench.analysis.sweep import RECOMMENDED, RecommendationCode
from keepalive_bench.analysis.verdict import Verdict
from keepalive_bench.findings import FINDING_KINDS
from keepalive_bench.plan.document import plan_schema
from keepalive_bench.plan.experiment import Swept
from keepalive_bench.plan.load import Traffic
from keepalive_bench.results.exchange import Answer
from keepalive_bench.results.file import SCHEMA_VERSION, StoredRun, table_schemas
from keepalive_bench.typed_json import (
    Count,
    Positive,
    Schema,
    Seconds,
    Share,
    Word,
    least,
    nullable,
    object_schema,
    one_of,
    pattern,
    schema_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keepalive_bench.analysis.metrics import Metric

Status = Annotated[str, pattern("^[1-9][0-9]{2}$")]
_TYPES: dict[str, Any] = {
    "count": Count,
    "bytes": Count,
    "share": Share,
    "seconds": Seconds,
    "text": str,
}


def results_schema() -> Schema:
    """What `kab run URL --json FILE` writes."""
    stored = members(StoredRun)
    arm = _metrics_schema(ARM_METRICS)["properties"]
    arm["counted"] = array_of(schema_of(ShownField))
    arm["answers"] = array_of(object_schema(members(Answer, count=Positive)))
    sweep = members(option=Swept, traffic=Traffic)
    sweep["values"] = array_of(_metrics_schema(SWEEP_METRICS))
    values = dict.fromkeys((*RECOMMENDED, "at_least"), int | None)
    recommendation = members(code=RecommendationCode, **values, text=str)
    finding = members(Finding) | {"code": {"enum": [kind.code for kind in FINDING_KINDS]}}
    return {
        **schema_head("results", SCHEMA_VERSION, "Results of kab", "docs/json-format.md"),
        **object_schema(
            {
                "schema_version": {"const": SCHEMA_VERSION},
                "plan": plan_schema(),
                **{name: stored[name] for name in ("environment", "run_info", "warmup")},
                "arms": {**stored["arms"], "additionalProperties": object_schema(arm)},
                "comparisons": array_of(_metrics_schema(COMPARISON_METRICS)),
                "verdict": schema_of(Verdict),
                "findings": array_of(object_schema(finding)),
                "requirements": array_of(requirement_schema()),
                "sweep": nullable(object_schema(sweep)),
                "recommendation": nullable(object_schema(recommendation)),
                **table_schemas(),
            }
        ),
    }


def _metrics_schema(metrics: Sequence[Metric[Any]]) -> Schema:
    """The JSON Schema of what `tree` makes."""
    keyed = [
        (metric, key)
        for metric in metrics
        for key in (("",) if metric.is_sparse else metric.keys or ("",))
    ]
    leaves: Schema = {}
    for metric, key in keyed:
        for end, steps in metric.places(key).items():
            *groups, name = steps[:-1] if metric.is_sparse else steps
            place = leaves
            for group in groups:
                place = place.setdefault(group, {})
            place[name] = (_leaf(metric, end),)
    schema = _object(leaves)
    for metric, key in keyed:
        if metric.absent:
            around = schema
            for step in metric.steps(key, metric.absent):
                around = around["properties"][step]
            around["type"] = ["object", "null"]
    return schema


def _object(members: Schema) -> Schema:
    found = {name: it[0] if isinstance(it, tuple) else _object(it) for name, it in members.items()}
    return object_schema(found)


def _leaf(metric: Metric[Any], end: str) -> Schema:
    if metric.is_sparse:
        name = Status if metric.keys[0].isdigit() else Annotated[str, one_of(*metric.keys)]
        return schema_of(dict[name, Positive])  # type: ignore[valid-type]  # a value, to mypy
    type_: Any = float if metric.is_signed else _TYPES.get(metric.unit, Annotated[float, least(0)])
    if metric.words:
        type_ = Annotated[str, one_of(*metric.words)]
    is_known = end == "estimate" and (not metric.unknown or bool(metric.absent))
    return schema_of(type_ if is_known else type_ | None)


def schema_head(name: str, version: int, title: str, page: str) -> Schema:
    """What a schema says of itself."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:keepalive-bench:{name}:{version}",
        "title": title,
        "description": f"Schema version {version}. {page} says what each member means.",
    }


def members(of: Any = None, **more: Any) -> dict[str, Schema]:  # noqa: ANN401  # types of all kinds
    """The schemas of a type's members, and of more."""
    found: dict[str, Schema] = {} if of is None else schema_of(of)["properties"]
    return found | {name: schema_of(type_) for name, type_ in more.items()}


def array_of(schema: Schema) -> Schema:
    """Any number of them."""
    return {"type": "array", "items": schema}


def requirement_schema() -> Schema:
    """What `requirement_document` makes."""
    checked = members(Checked)
    for name in ("requirement", "because"):
        del checked[name]
    sentence = {"sentence": checked.pop("text")}
    codes = members(because=tuple[Word, ...])
    return object_schema(members(Requirement) | checked | sentence | codes)
