"""Columns of numbers as JSON: plain where people read them, packed where there are many.

A plain column is a list, `null` for what is missing. A packed one is a list of strings, each the
base64 of up to 65,536 little-endian numbers: `json` makes 32 bytes and more of each number in a
list, and a string a line can be read without ever holding two of them.
"""

from __future__ import annotations

import sys
from array import array
from base64 import b64decode, b64encode
from math import nan
from typing import TYPE_CHECKING, Any, TypeAlias

from keepalive_bench.results.single_floats import short_floats

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PLAIN, PACKED = "plain", "base64"
PACK_FROM = 10_000
"""Rows above which columns are packed."""
MARK = "base64:"
"""What a packed string begins with."""

_CHUNK = 65_536
_NAMES = {"B": "u1", "H": "u2", "I": "u4", "h": "i2", "i": "i4", "q": "i8", "f": "f4", "d": "f8"}
MISSING = {"h": -1, "i": -1, "H": 0}
"""What stands for a missing number, by type code; in columns of floats NaN does."""
Column: TypeAlias = "array[Any]"


def encoding_for(rows: int) -> str:
    """How the columns of a table are written."""
    return PACKED if rows > PACK_FROM else PLAIN


def number_type(column: Column) -> str:
    """A packed column's type: kind (u, i, f) and bytes."""
    return _NAMES[column.typecode]


def plain_values(column: Column, *, optional: bool) -> list[float | None]:
    """A column as a list; floats with the digits that they need and no more."""
    if column.typecode == "f":
        return short_floats(column)
    missing = MISSING.get(column.typecode) if optional else None
    return [None if value == missing else value for value in column]


def packed_chunks(column: Column) -> Iterator[str]:
    """A column as strings."""
    for start in range(0, len(column), _CHUNK):
        chunk = column[start : start + _CHUNK]
        if sys.byteorder == "big":
            chunk.byteswap()
        yield MARK + b64encode(chunk.tobytes()).decode("ascii")


def fill_plain(column: Column, values: Iterable[float | None]) -> None:
    """Append plain values to an empty column.

    Raises:
        TypeError, OverflowError: they don't fit into it.
    """
    missing = nan if column.typecode in "fd" else MISSING.get(column.typecode)
    column.extend(missing if value is None else value for value in values)


def fill_packed(column: Column, chunks: Iterable[str | bytes]) -> None:
    """Append packed values, as strings or already decoded, to an empty column.

    Raises:
        ValueError: they are no such strings.
    """
    for chunk in chunks:
        part = array(column.typecode)
        part.frombytes(chunk if isinstance(chunk, bytes) else decoded(chunk))
        if sys.byteorder == "big":
            part.byteswap()
        column.extend(part)


def decoded(chunk: str) -> bytes:
    """The bytes of a packed string.

    Raises:
        ValueError: it is none.
    """
    if not chunk.startswith(MARK):
        raise ValueError("a packed column's strings begin with " + MARK)
    return b64decode(chunk[len(MARK) :], validate=True)
