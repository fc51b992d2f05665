"""Whether a results file says what one can say: types and ranges, as the JSON Schema has them.

Members that are missing, or that the schema doesn't know, are no fault here: an older file lacks
what was added since, and a newer one has more.
"""

from __future__ import annotations

import json
import re
import reprlib
from datetime import datetime
from functools import cache
from inspect import signature
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from keepalive_bench.units import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from keepalive_bench.results.column_codec import Column

Schema = dict[str, Any]
_Made = TypeVar("_Made")
LONGEST_S, SHORTEST_S = 1e9, 1e-12
"""No time in a run is longer, and none but 0 shorter: their squares and ratios are numbers, too."""
_READ = ("plan", "environment", "run_info", "warmup")
_TABLES = ("exchanges", "connections")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}\+00:00")
"""As kab writes it: `fromisoformat` takes any character between day and hour."""
_SHOWN = reprlib.Repr()
_SHOWN.maxstring = _SHOWN.maxother = 40
_TYPES: dict[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: (
        isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    ),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}
_LIMITS: dict[str, Callable[[Any, Any], bool]] = {
    "minimum": lambda value, limit: value >= limit,
    "exclusiveMinimum": lambda value, limit: value > limit,
    "maximum": lambda value, limit: value <= limit,
    "exclusiveMaximum": lambda value, limit: value < limit,
}


_ANY: Schema = {"type": ["number", "null"]}


class FaultError(ValueError):
    """What in a document is not as it should be, in words that fit into a sentence."""


@cache
def _schema() -> Schema:
    text = (Path(__file__).parent / "results.schema.json").read_text(encoding="utf-8")
    schema: Schema = json.loads(text)
    return schema


def known_members(made: Callable[..., _Made], document: Mapping[str, Any]) -> _Made:
    """A value of its members in a document; a newer file may have more."""
    known = signature(made).parameters
    return made(**{name: value for name, value in document.items() if name in known})


def check_document(document: object) -> None:
    """Check all that is read of a document, its columns left out.

    Raises:
        FaultError: something has the wrong type, or is no number, word or text that it could be.
    """
    properties, definitions = _schema()["properties"], _schema()["$defs"]
    parts = {name: properties[name] for name in _READ}
    parts["arms"] = {
        "type": "object",
        "additionalProperties": {
            "type": "object",
            "properties": {"urllib3": definitions["arm"]["properties"]["urllib3"]},
        },
    }
    for name in _TABLES:
        members = dict(definitions[name]["properties"])
        members["columns"] = {"type": "object"}
        parts[name] = {"type": "object", "properties": members}
    _check(document, {"type": "object", "properties": parts}, "")


def _check(value: Any, schema: Schema, path: str) -> None:  # noqa: ANN401  # whatever JSON can hold
    schema = _resolved(schema)
    wanted = schema.get("type", ())
    if wanted and not any(_TYPES[name](value) for name in _listed(wanted)):
        raise _fault(path, value)
    if (type(value), value) not in [(type(one), one) for one in schema.get("enum", [value])]:
        raise _fault(path, value)
    if isinstance(value, str):
        _check_text(value, schema, path)
    elif isinstance(value, list):
        _check_list(value, schema, path)
    elif isinstance(value, dict):
        for name, part in _members(value, schema):
            _check(value[name], part, f"{path}.{name}".lstrip("."))
    elif value is not None:
        for name, holds in _LIMITS.items():
            if name in schema and not holds(value, schema[name]):
                raise _fault(path, value)


def _resolved(schema: Schema) -> Schema:
    found: Schema = schema
    if "$ref" in schema:
        found = _schema()["$defs"][schema["$ref"].rpartition("/")[2]]
    return found


def _check_text(value: str, schema: Schema, path: str) -> None:
    pattern = re.sub(r"\$$", r"\\Z", schema.get("pattern", ""))  # `$` lets a line end pass
    if not re.search(pattern, value):
        raise _fault(path, value)
    if schema.get("format") == "date-time":
        if not _MOMENT.fullmatch(value):
            raise _fault(path, value)
        try:
            datetime.fromisoformat(value)
        except ValueError:  # such as the 30th of February
            raise _fault(path, value) from None


def _check_list(values: list[Any], schema: Schema, path: str) -> None:
    heads, rest = schema.get("prefixItems", []), schema.get("items", {})
    if len(values) < schema.get("minItems", 0) or (rest is False and len(values) > len(heads)):
        raise _fault(path, values)
    for number, value in enumerate(values):
        _check(value, heads[number] if number < len(heads) else rest, f"{path}[{number}]")


def _members(value: dict[str, Any], schema: Schema) -> Iterator[tuple[str, Schema]]:
    known, others = schema.get("properties", {}), schema.get("additionalProperties")
    for name in value:
        if name in known:
            yield name, known[name]
        elif isinstance(others, dict):
            yield name, others
        else:
            for pattern, part in schema.get("patternProperties", {}).items():
                if re.search(pattern, name):
                    yield name, part


def check_columns(table: str, columns: Mapping[str, Column], missing: Mapping[str, int]) -> None:
    """Check the numbers of a table's columns against the ranges that the schema has for them.

    `missing` has the number that stands for a missing value, by type code; NaN does in floats.

    Raises:
        FaultError: a number that none can be.
    """
    schemas = _schema()["$defs"][table]["properties"]["columns"]["properties"]
    for name, column in columns.items():
        items = _resolved(schemas[name]["oneOf"][0]["items"]) if name in schemas else _ANY
        optional = "null" in _listed(items["type"])
        least = items.get("minimum", 0)
        if column.typecode in "fd":
            # NaN is below no limit and above none.
            wrong = any(
                value < least or value > LONGEST_S or 0 < value < SHORTEST_S for value in column
            )
            wrong = wrong or (not optional and any(value != value for value in column))  # noqa: PLR0124  # NaN
        else:
            most, none = items.get("maximum", 2**63), missing.get(column.typecode)
            wrong = any(
                not least <= value <= most and not (optional and value == none) for value in column
            )
        if wrong:
            raise FaultError(f"the column {name} of {table} has a number that it can't have")


def _listed(types: str | list[str]) -> list[str]:
    return [types] if isinstance(types, str) else types


def _fault(path: str, value: object) -> FaultError:
    shown = printable(json.dumps(value)) if isinstance(value, bool | None) else _SHOWN.repr(value)
    return FaultError(f"{printable(path) or 'the whole'} can't be {printable(shown)}")
