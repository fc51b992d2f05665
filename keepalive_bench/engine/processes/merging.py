"""What several processes measured, as if one had: in the order of time, and no row kept twice."""

from __future__ import annotations

import heapq
from array import array
from itertools import accumulate, repeat
from operator import add, itemgetter
from typing import TYPE_CHECKING, Any

from keepalive_bench.results.table import NONE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from keepalive_bench.engine.process_runner import Tables
    from keepalive_bench.results.table import ColumnTable

_SLOTS = 2**31
"""More than there are of any process."""


def merge(parts: Sequence[Tables], merged: Tables) -> None:
    """Move the rows of all parts into an empty one.

    Connections come in the order in which they were opened, exchanges in that in which they ended,
    and their references to each other hold. A slot is one process's, so each gets numbers of its
    own: every n-th.
    """
    connections = [part.connections for part in parts]
    slots = [range(number, _SLOTS, len(parts)) for number in range(len(parts))]
    order = _order(table.opened_s for table in connections)
    _move(connections, order, merged.connections, {"slot": slots})

    rows = [array("i") for _ in parts]
    for row, number in enumerate(order):
        rows[number].append(row)
    exchanges = [part.exchanges for part in parts]
    order = _order(map(add, table.began_s, table.latency_s) for table in exchanges)
    _move(exchanges, order, merged.exchanges, {"connection": rows})


def _order(times: Iterable[Iterable[float]]) -> array[int]:
    """Which part's row is next, again and again, from the times of each part's rows.

    Within a part rows keep their order: threads overtake each other between a time and its record.
    """
    numbered = (zip(accumulate(it, max), repeat(number)) for number, it in enumerate(times))
    return array("B", map(itemgetter(1), heapq.merge(*numbered)))


def _move(
    parts: Sequence[ColumnTable[Any]],
    order: Sequence[int],
    merged: ColumnTable[Any],
    references: Mapping[str, Sequence[Sequence[int]]],
) -> None:
    """Move all rows, a column at a time, so that no more than one is there twice.

    `references` are what the numbers of a column become, for each part.
    """
    changes = dict(references)
    for name, target in merged.value_tables.items():
        known = (part.value_tables[name].values for part in parts)
        changes[name] = [[target.number(it) for it in values] for values in known]
    columns = [part.columns() for part in parts]
    for name, column in merged.columns().items():
        sources: list[Iterator[int]] = [iter(part[name]) for part in columns]
        if name in changes:
            sources = list(map(_changed, sources, changes[name]))
        column.extend(next(sources[number]) for number in order)
        for part in columns:
            del part[name][:]


def _changed(numbers: Iterable[int], new: Sequence[int]) -> Iterator[int]:
    return (number if number == NONE else new[number] for number in numbers)
