"""The rows of one arm, as a mask of a byte a row: picking them takes no list of numbers."""

from __future__ import annotations

from array import array
from itertools import compress
from operator import and_
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keepalive_bench.results.columns import ConnectionColumns, ExchangeColumns

_BYTES = range(256)


def of_arm(table: ExchangeColumns | ConnectionColumns, arm: str) -> bytes:
    """1 for each row of the arm, 0 for the others."""
    number = table.arms.index(arm)
    return table.arm.tobytes().translate(bytes(other == number for other in _BYTES))


def ended(exchanges: ExchangeColumns, arm: str) -> bytes:
    """1 for each exchange of the arm that came to an end of its own, well or not."""
    mask, cut_off = of_arm(exchanges, arm), exchanges.cut_off
    if not cut_off:
        return mask
    kept = (number not in cut_off for number in exchanges.failure)
    return bytes(map(and_, mask, kept))


def pick(column: array[Any], mask: bytes) -> array[Any]:
    """The values of a column in the rows of a mask."""
    return array(column.typecode, compress(column, mask))
