"""What a program did with its connections, for programs: JSON (docs/trace.md is the contract)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import keepalive_bench
from keepalive_bench.report.document import requirement_document
from keepalive_bench.report.schema import array_of, requirement_schema, schema_head
from keepalive_bench.requirements.selection import selection
from keepalive_bench.trace.usage import ConnectionUsage, Usage
from keepalive_bench.typed_json import (
    Document,
    Schema,
    members_of,
    object_schema,
    schema_of,
    to_json,
)
from keepalive_bench.units import json_in_log

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.analysis import Checked
    from keepalive_bench.trace.report import TraceReport

KIND, SCHEMA_VERSION = "trace", 1
_LAST = "connections"
"""The member whose parts have a line each: a program may open many."""


def json_lines(report: TraceReport) -> Iterator[str]:
    """The file's lines, one for each connection."""
    usage = report.usage
    document = {
        "schema_version": SCHEMA_VERSION,
        "kind": KIND,
        "kab": keepalive_bench.__version__,
        **{name: to_json(getattr(usage, name)) for name in Usage._fields if name != _LAST},
        "requirements": [requirement(it) for it in report.requirements],
    }
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    yield f'{json_in_log(text).removesuffix("}").rstrip()},\n  "{_LAST}": ['
    before = "\n    "
    for it in usage.connections:
        line = json.dumps(to_json(it), ensure_ascii=False, allow_nan=False)
        yield f"{before}{json_in_log(line)}"
        before = ",\n    "
    yield "\n  ]\n}\n" if usage.connections else "]\n}\n"


def requirement(checked: Checked) -> Document:
    """A requirement, which origin it is about, and how it stands."""
    return {
        "selector": selection(checked.requirement.text).selector,
        **requirement_document(checked),
    }


def trace_schema() -> Schema:
    """What `kab trace --json FILE` writes."""
    checked: Any = requirement_schema()["properties"]
    types = members_of(Usage)
    return {
        **schema_head(KIND, SCHEMA_VERSION, "How a program used its connections", "docs/trace.md"),
        **object_schema(
            {
                "schema_version": {"const": SCHEMA_VERSION},
                "kind": {"const": KIND},
                "kab": schema_of(str),
                **{name: schema_of(type_) for name, type_ in types.items() if name != _LAST},
                "requirements": array_of(object_schema({"selector": schema_of(str), **checked})),
                _LAST: array_of(schema_of(ConnectionUsage)),
            }
        ),
    }
