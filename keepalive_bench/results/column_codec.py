"""Columns of numbers as JSON: plain where people read them, packed where there are many.

A plain column is a list, `null` for what is missing. A packed one is a list of strings, each the
base64 of up to 65,536 little-endian numbers: `json` makes 32 bytes and more of each number in a
list, and a string a line can be read without ever holding two of them.
"""

from __future__ import annotations

import sys
from array import array
from base64 import b64decode, b64encode
from math import isnan
from typing import TYPE_CHECKING, Any, Literal

from keepalive_bench.typed_json import LONGEST_STORED_S, Schema, object_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from keepalive_bench.results.table import ColumnKind

Encoding = Literal["plain", "base64"]
PLAIN = "plain"
PACK_FROM = 10_000
"""Rows above which columns are packed."""
MARK = "base64:"
"""What a packed string begins with."""
_CHUNK = 65_536
_NAMES = {
    "b": "i1",
    "B": "u1",
    "H": "u2",
    "I": "u4",
    "h": "i2",
    "i": "i4",
    "q": "i8",
    "f": "f4",
    "d": "f8",
}
_BILLION = 1e9
_DIGITS = range(6, 10)


def encoding_for(rows: int) -> Encoding:
    """How the columns of a table are written."""
    return "base64" if rows > PACK_FROM else "plain"


def number_type(column: ColumnKind[Any]) -> str:
    """A packed column's type: kind (u, i, f) and bytes."""
    return _NAMES[column.typecode]


def column_schema(column: ColumnKind[Any]) -> Schema:
    """The JSON Schema of a column, plain or packed."""
    kind = "number" if column.is_time else "integer"
    most = LONGEST_STORED_S if column.is_time else column.most
    items = {
        "type": [kind, "null"] if column.none else kind,
        "minimum": column.least,
        **({} if most is None else {"maximum": most}),
    }
    chunk = {"type": "string", "pattern": f"^{MARK}[A-Za-z0-9+/]+={{0,2}}$"}
    chunks = {"type": "array", "items": chunk}
    packed = object_schema({"type": {"const": number_type(column)}, "chunks": chunks})
    return {"description": column.meaning, "oneOf": [{"type": "array", "items": items}, packed]}


def plain_values(column: ColumnKind[Any], numbers: array[Any]) -> list[float | None]:
    """A column as a list; floats with the digits that they need and no more."""
    if column.typecode == "f":
        return short_floats(numbers)
    missing = column.missing
    return [None if number == missing else number for number in numbers]


def packed_chunks(numbers: array[Any]) -> Iterator[str]:
    """A column as strings."""
    for start in range(0, len(numbers), _CHUNK):
        chunk = numbers[start : start + _CHUNK]
        if sys.byteorder == "big":
            chunk.byteswap()
        yield MARK + b64encode(chunk.tobytes()).decode("ascii")


def fill_plain(column: ColumnKind[Any], numbers: array[Any], values: Iterable[Any]) -> None:
    """Append plain values to an empty column.

    Raises:
        TypeError, OverflowError: they don't fit into it.
    """
    missing = column.missing
    numbers.extend(missing if value is None else value for value in values)


def fill_packed(numbers: array[Any], chunks: Iterable[bytes]) -> None:
    """Append packed values, decoded already, to an empty column.

    Raises:
        ValueError: one is cut off in the middle of a number.
    """
    for chunk in chunks:
        part = array(numbers.typecode)
        part.frombytes(chunk)
        if sys.byteorder == "big":
            part.byteswap()
        numbers.extend(part)


def decoded(chunk: str) -> bytes:
    """The bytes of a packed string.

    Raises:
        ValueError: it is none.
    """
    if not chunk.startswith(MARK):
        raise ValueError("a packed column's strings begin with " + MARK)
    return b64decode(chunk[len(MARK) :], validate=True)


def short_floats(column: array[float]) -> list[float | None]:
    """Single floats as people write them: whole nanoseconds where that is the same float.

    NaN, which stands for what was not measured, becomes `None`.
    """
    short = [0.0 if isnan(value) else round(value * _BILLION) / _BILLION for value in column]
    return [
        None if isnan(value) else candidate if same == value else _shortest(value)
        for value, candidate, same in zip(column, short, array("f", short), strict=True)
    ]


def _shortest(value: float) -> float:
    """The shortest decimal that is the same single float."""
    for digits in _DIGITS:
        short = float(f"{value:.{digits}g}")
        if array("f", [short])[0] == value:
            break
    return short
