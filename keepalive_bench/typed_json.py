"""JSON by the types: how a value is written, what its schema is, and how it is read back.

A type that is stored says all there is to know of its members, with bounds where there are some:
`Annotated[float, least(0), below(1)]`. Nothing else describes a member again. There are
dataclasses and named tuples (objects), tuples (arrays), dicts of text, unions, literals, paths
(text), and JSON's own `str`, `int`, `float`, `bool` and `None`.
"""

from __future__ import annotations

import json
import re
import reprlib
import sys
import types
from contextlib import suppress
from copy import deepcopy
from dataclasses import is_dataclass
from datetime import datetime
from functools import cache, partial
from inspect import Parameter, signature
from operator import ge, gt, le, lt
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    NamedTuple,
    TypeAlias,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from keepalive_bench.units import printable

if TYPE_CHECKING:
    from collections.abc import Callable

Json = Any
"""Whatever JSON can hold."""
Type = Any
"""Classes, aliases and unions have no type in common."""
Document = dict[str, Any]
"""An object of JSON."""
Schema = dict[str, Any]
Holds: TypeAlias = "Callable[[Json, Any], bool]"
Reader: TypeAlias = "Callable[[Json, str], Any]"
_Read = TypeVar("_Read")
_MOMENT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}\+00:00"
"""As kab writes it: `fromisoformat` takes any character between day and hour."""
_SCALARS = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
_SHOWN = reprlib.Repr()
_SHOWN.maxstring = _SHOWN.maxother = 40


class FaultError(ValueError):
    """What in a document is not as it should be, in words that fit into a sentence."""


class Keyword(NamedTuple):
    """What `Annotated` says of a value: a keyword of JSON Schema, with its value."""

    name: str
    value: Any


least, most = partial(Keyword, "minimum"), partial(Keyword, "maximum")
"""The number can be no smaller, or no larger."""
above, below = partial(Keyword, "exclusiveMinimum"), partial(Keyword, "exclusiveMaximum")
"""The number is larger, or smaller."""
pattern = partial(Keyword, "pattern")
"""The regular expression is found in the text."""
fewest = partial(Keyword, "minItems")
"""The array has no fewer elements."""


def one_of(*words: str) -> Keyword:
    """The text is one of these: for lists that are no `Literal`."""
    return Keyword("enum", words)


MOMENT = Keyword("format", "date-time")
"""The text is a date and time, ISO 8601, UTC, to the millisecond."""
DERIVED = Keyword("readOnly", value=True)
"""Of a property's type: it is written, too, and not read back."""
Count = Annotated[int, least(0)]
Positive = Annotated[int, least(1)]
Share = Annotated[float, least(0), most(1)]
LONGEST_STORED_S = 1e9
"""No time in a run is longer: its square is a number, too."""
Seconds = Annotated[float, least(0), most(LONGEST_STORED_S)]
Word = Annotated[str, pattern("^[a-z0-9]+(-[a-z0-9]+)*$")]


def to_json(value: Json) -> Json:
    """A value as `json` takes it."""
    if isinstance(value, tuple | list) and not hasattr(value, "_fields"):
        return [to_json(each) for each in value]
    if isinstance(value, dict):
        return {name: to_json(each) for name, each in value.items()}
    if is_dataclass(value) or isinstance(value, tuple):
        class_: Type = type(value)
        return {name: to_json(getattr(value, name)) for name in members_of(class_)}
    return str(value) if isinstance(value, Path) else value


def schema_of(type_: Type) -> Schema:
    """The JSON Schema of what is written of a type's values: no member is missing, none unknown."""
    schema: Schema = deepcopy(_shape(type_).schema)
    return schema


def from_json(type_: type[_Read], value: object, where: str = "") -> _Read:
    """A value of a type from JSON. Members that the type doesn't know are left aside.

    Args:
        type_: what it should be.
        value: what was read.
        where: its place in the document, for the sentence about a fault.

    Raises:
        FaultError: it is no value of that type.
    """
    any_type: Type = type_
    found: _Read = _shape(any_type).read(value, where)
    return found


def fault(where: str, value: object) -> FaultError:
    """That a value can't stand in its place."""
    shown = json.dumps(value) if isinstance(value, bool | None) else _SHOWN.repr(value)
    return FaultError(f"{printable(where) or 'the whole'} can't be {printable(shown)}")


def _unmarked(type_: Type) -> tuple[Any, Schema]:
    """A type without what `Annotated` says of it, and that."""
    origin: Type = get_origin(type_)
    bare, *marks = get_args(type_) if origin is Annotated else (type_,)
    return bare, dict(marks)


def _is_object(type_: Type) -> bool:
    return is_dataclass(type_) or (isinstance(type_, type) and hasattr(type_, "_fields"))


@cache
def members_of(class_: type) -> dict[str, Any]:
    """The members of a class that stands for an object, with their types; derived ones, too."""
    hints = get_type_hints(class_, include_extras=True)
    derived = {
        name: get_type_hints(found.fget, include_extras=True)["return"]
        for name, found in vars(class_).items()
        if isinstance(found, property)
    }
    return {name: hints[name] for name in signature(class_).parameters} | {
        name: type_ for name, type_ in derived.items() if "readOnly" in _unmarked(type_)[1]
    }


class _Shape(NamedTuple):
    schema: Schema
    read: Reader


@cache
def _shape(type_: Type) -> _Shape:
    """What there is to know of a type."""
    bare, marks = _unmarked(type_)
    schema, read_it = _bare_shape(bare)
    if not marks:
        return _Shape(schema, read_it)
    said = {name: list(it) if isinstance(it, tuple) else it for name, it in marks.items()}
    known = [(_HOLDS[name], limit) for name, limit in marks.items() if name in _HOLDS]
    return _Shape({**schema, **said}, partial(_marked, read_it, known))


def _bare_shape(type_: Type) -> _Shape:
    if type_ is Path:
        return _Shape({"type": "string"}, lambda value, where: Path(_scalar(str, value, where)))
    if type_ in _SCALARS:
        return _Shape({"type": _SCALARS[type_]}, partial(_scalar, type_))
    origin: Type = get_origin(type_)
    if origin is Literal:
        return _Shape({"enum": list(get_args(type_))}, partial(_word, get_args(type_)))
    if _is_object(type_):
        return _object_shape(type_)
    if type_ is Any:
        return _Shape({}, lambda value, _: value)
    return _composed_shape(type_)


def _composed_shape(type_: Type) -> _Shape:
    origin: Type = get_origin(type_)
    parts = get_args(type_)
    inner = [_shape(part) for part in parts if part not in (..., type(None))]
    if origin in (Union, types.UnionType):
        return _union_shape(inner, is_optional=type(None) in parts)
    if parts[1:] == (...,):
        items, read_it = inner[0]
        return _Shape({"type": "array", "items": items}, partial(_array, read_it))
    if origin is tuple:
        heads = {"prefixItems": [it.schema for it in inner], "minItems": len(inner)}
        schema = {"type": "array", **heads, "items": False}
        return _Shape(schema, partial(_fixed, [it.read for it in inner]))
    if origin is dict:
        names, values = inner
        schema = {"type": "object", "additionalProperties": values.schema}
        schema |= {} if parts[0] is str else {"propertyNames": names.schema}
        return _Shape(schema, partial(_dict, names.read, values.read))
    raise TypeError(f"{type_} is not stored")


def _union_shape(inner: list[_Shape], *, is_optional: bool) -> _Shape:
    schemas = [it.schema for it in inner]
    schema = {"anyOf": schemas}
    if all(it.keys() == {"type"} for it in schemas):
        schema = {"type": [it["type"] for it in schemas]}
    if len(inner) == 1:
        schema = schemas[0]
    read_it = partial(_any_of, [it.read for it in inner], is_optional)
    return _Shape(nullable(schema) if is_optional else schema, read_it)


def _object_shape(class_: Type) -> _Shape:
    shapes = {name: _shape(member) for name, member in members_of(class_).items()}
    schema = object_schema({name: it.schema for name, it in shapes.items()})
    known = signature(class_).parameters

    def read_object(value: Json, where: str) -> Json:
        if not isinstance(value, dict):
            raise fault(where, value)
        for name, it in known.items():
            if name not in value and it.default is Parameter.empty:
                raise FaultError(f"{printable(_inside(where, name))} is missing")
        there = [name for name in known if name in value]
        return class_(
            **{name: shapes[name].read(value[name], _inside(where, name)) for name in there}
        )

    return _Shape(schema, read_object)


def object_schema(members: dict[str, Schema]) -> Schema:
    """The schema of an object that has these members, and no others."""
    return {
        "type": "object",
        "properties": members,
        "required": list(members),
        "additionalProperties": False,
    }


def nullable(schema: Schema) -> Schema:
    """The schema of what has that one, or of nothing."""
    if "anyOf" in schema:
        return {"anyOf": [*schema["anyOf"], {"type": "null"}]}
    kinds = schema.get("type", [])
    with_null = {
        "type": [*([kinds] if isinstance(kinds, str) else kinds), "null"],
        "enum": [*schema.get("enum", []), None],
    }
    return {**schema, **{name: with_null[name] for name in with_null if name in schema}}


def _scalar(type_: type, value: Json, where: str) -> Json:
    known = isinstance(value, (int, float) if type_ is float else type_)
    if isinstance(value, bool) and type_ is not bool:
        known = False
    if type_ is float and known:
        known = abs(value) <= sys.float_info.max  # neither infinite nor NaN
    if not known:
        raise fault(where, value)
    return value


def _word(words: tuple[Any, ...], value: Json, where: str) -> Json:
    if (type(value), value) not in [(type(word), word) for word in words]:
        raise fault(where, value)
    return value


def _any_of(readers: list[Reader], is_optional: bool, value: Json, where: str) -> Json:  # noqa: FBT001  # bound
    if is_optional and value is None:
        return None
    for read_it in readers[:-1]:
        with suppress(FaultError):
            return read_it(value, where)
    return readers[-1](value, where)


def _array(read_it: Reader, value: Json, where: str) -> Json:
    if not isinstance(value, list):
        raise fault(where, value)
    return tuple(read_it(each, f"{where}[{number}]") for number, each in enumerate(value))


def _fixed(readers: list[Reader], value: Json, where: str) -> Json:
    if not isinstance(value, list) or len(value) != len(readers):
        raise fault(where, value)
    parts = enumerate(zip(readers, value, strict=True))
    return tuple(read_it(each, f"{where}[{number}]") for number, (read_it, each) in parts)


def _dict(read_name: Reader, read_it: Reader, value: Json, where: str) -> Json:
    if not isinstance(value, dict):
        raise fault(where, value)
    return {
        read_name(name, f"a name in {where}"): read_it(each, _inside(where, name))
        for name, each in value.items()
    }


def _inside(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _marked(read_it: Reader, known: list[tuple[Holds, Any]], value: Json, where: str) -> Json:
    found = read_it(value, where)
    if value is not None and not all(holds(value, limit) for holds, limit in known):
        raise fault(where, value)
    return found


def _is_moment(text: str) -> bool:
    if not re.fullmatch(_MOMENT, text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:  # such as the 30th of February
        return False
    return True


_HOLDS: dict[str, Holds] = {
    "minimum": ge,
    "maximum": le,
    "exclusiveMinimum": gt,
    "exclusiveMaximum": lt,
    "minItems": lambda value, count: len(value) >= count,
    "enum": lambda value, words: value in words,
    # `$` lets a line end pass.
    "pattern": lambda value, known: bool(re.search(re.sub(r"\$$", r"\\Z", known), value)),
    "format": lambda value, _: _is_moment(value),
}
"""Keywords of JSON Schema, as far as types don't have them."""
