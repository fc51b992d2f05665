"""The JSON Schema of what `kab compare BASE NEW --json` writes, made as the results file's is."""

from __future__ import annotations

from typing import Annotated

from keepalive_bench.analysis.analysis import BOUNDED
from keepalive_bench.analysis.metrics import VERDICTS
from keepalive_bench.compare.change import Difference, RecommendationChange
from keepalive_bench.compare.document import KIND, SCHEMA_VERSION
from keepalive_bench.compare.names import COUNTS
from keepalive_bench.compare.verdict import CODES
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

_COUNT = object_schema(members(base=Count, new=Count, change=int))
_COUNTS: Schema = {"type": "object", "additionalProperties": _COUNT}
_FIGURE = object_schema(
    members(**dict.fromkeys(("base", "new", "change", "low", "high"), float | None))
)


def comparison_schema() -> Schema:
    """All comparisons with one base."""
    return {
        **schema_head("comparison", SCHEMA_VERSION, "What changed between runs", "docs/compare.md"),
        **object_schema(
            {
                "schema_version": {"const": SCHEMA_VERSION},
                "kind": {"const": KIND},
                "base": _source(),
                "changes": {**array_of(_change()), "minItems": 1},
            }
        ),
    }


def _source() -> Schema:
    known = members(file=str, url=str, method=str, started_at=Annotated[str, MOMENT])
    return object_schema(known | {"verdict": sentence_schema(VERDICTS)})


def _change() -> Schema:
    comparison = members(arm=Label, against=Label) | {"speedup": _FIGURE}
    return object_schema(
        {
            "new": _source(),
            **members(confidence=Share, margin=Share, forced=bool),
            "verdict": sentence_schema(CODES),
            "differences": array_of(schema_of(Difference)),
            "arms": {"type": "object", "additionalProperties": _arm()},
            "comparisons": array_of(object_schema(comparison)),
            "recommendation": nullable(
                object_schema(members(RecommendationChange, change=int | None))
            ),
            "requirements": array_of(requirement_schema()),
        }
    )


def _arm() -> Schema:
    return object_schema(
        {
            "kind": schema_of(str),
            **dict.fromkeys(COUNTS, _COUNT),
            **dict.fromkeys(("failures", "reasons", "status_codes"), _COUNTS),
            "requests_per_second": _FIGURE,
            "latency_s": object_schema(dict.fromkeys(BOUNDED, _FIGURE)),
        }
    )
