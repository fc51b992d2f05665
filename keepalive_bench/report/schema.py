"""The JSON Schema of the results file, put together from the types and tables of its parts.

`make docs` writes it beside this file, and a test keeps it current.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from keepalive_bench.analysis import Checked, Finding, Requirement
from keepalive_bench.analysis.metrics.arm import ARM_METRICS
from keepalive_bench.analysis.metrics.comparison import COMPARISON_METRICS
from keepalive_bench.analysis.metrics.run import SWEEP_METRICS
from keepalive_bench.analysis.sweep import RECOMMENDATIONS, RECOMMENDED
from keepalive_bench.analysis.verdict import VERDICTS
from keepalive_bench.findings.finding_kinds import FINDING_KINDS
from keepalive_bench.plan.document import plan_schema
from keepalive_bench.plan.experiment import Swept
from keepalive_bench.plan.load import Traffic
from keepalive_bench.results.exchange import Answer
from keepalive_bench.results.file import SCHEMA_VERSION, Stored, table_schemas
from keepalive_bench.typed_json import (
    Count,
    Positive,
    Schema,
    Seconds,
    Share,
    least,
    nullable,
    object_schema,
    one_of,
    pattern,
    schema_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    stored = schema_of(Stored)["properties"]
    arm = _metrics_schema(ARM_METRICS)["properties"]
    answer = members(Answer, count=Positive)
    sweep = members(option=Swept, traffic=Traffic)
    sweep["values"] = array_of(_metrics_schema(SWEEP_METRICS))
    recommended = members(**dict.fromkeys(RECOMMENDED, int | None))
    finding = members(Finding) | {"code": {"enum": [kind.code for kind in FINDING_KINDS]}}
    return {
        **schema_head("results", SCHEMA_VERSION, "Results of kab", "docs/json-format.md"),
        **object_schema(
            {
                "schema_version": {"const": SCHEMA_VERSION},
                "plan": plan_schema(),
                **{name: stored[name] for name in ("environment", "run_info", "warmup")},
                "arms": {
                    **stored["arms"],
                    "additionalProperties": object_schema(
                        arm | {"answers": array_of(object_schema(answer))}
                    ),
                },
                "comparisons": array_of(_metrics_schema(COMPARISON_METRICS)),
                "verdict": sentence_schema(VERDICTS),
                "findings": array_of(object_schema(finding)),
                "requirements": array_of(requirement_schema()),
                "sweep": nullable(object_schema(sweep)),
                "recommendation": nullable(sentence_schema(RECOMMENDATIONS, recommended)),
                **table_schemas(),
            }
        ),
    }


def _metrics_schema(metrics: Iterable[Metric[Any]]) -> Schema:
    """The JSON Schema of what `tree` makes."""
    found: Schema = {}
    nullable = set[tuple[str, ...]]()
    for metric in metrics:
        keys = ("",) if metric.is_sparse else metric.keys or ("",)
        for key in keys:
            if metric.absent:
                nullable.add(metric.steps(key, metric.absent))
            for end, steps in metric.places(key).items():
                *groups, name = steps[:-1] if metric.is_sparse else steps
                place = found
                for group in groups:
                    place = place.setdefault(group, {})
                place[name] = (_leaf(metric, end),)
    return _object(found, (), nullable)


def _object(members: Schema, steps: tuple[str, ...], nullable: set[tuple[str, ...]]) -> Schema:
    schemas = {
        name: each[0] if isinstance(each, tuple) else _object(each, (*steps, name), nullable)
        for name, each in members.items()
    }
    schema: Schema = object_schema(schemas)
    return {**schema, "type": ["object", "null"]} if steps in nullable else schema


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


def sentence_schema(codes: Iterable[str], more: dict[str, Schema] | None = None) -> Schema:
    """A sentence, with its code."""
    code: Schema = {"enum": list(codes)}
    return object_schema({"code": code, **(more or {}), "text": schema_of(str)})


def requirement_schema() -> Schema:
    """What `requirement_document` makes."""
    checked = members(Checked)
    del checked["requirement"]
    sentence = {"sentence": checked.pop("text")}
    return object_schema(members(Requirement) | checked | sentence)
