"""What several processes measured, as if one had: in the order of time, and no row kept twice."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from itertools import accumulate
from math import inf
from operator import add
from typing import TYPE_CHECKING, TypeVar

from keepalive_bench.results.columns import ConnectionColumns, ExchangeColumns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from keepalive_bench.engine.process_runner import Tables

    Table = ExchangeColumns | ConnectionColumns
    Translation = Callable[[int], int]

_Table = TypeVar("_Table", ExchangeColumns, ConnectionColumns)
_AT_ONCE, _PART = 5_000, 32
_NONE = -1


def merge(parts: Sequence[Tables], merged: Tables) -> None:
    """Move the rows of all parts into an empty one.

    Connections come in the order in which they were opened, exchanges in that in which they ended,
    and their references to each other hold. A slot is one process's, so each gets numbers of its
    own: every n-th.
    """
    connections = [part.connections for part in parts]
    rows = [array("i") for _ in parts]
    translations = _translations(connections, merged.connections)
    translations["slot"] = [_every(len(parts), number) for number in range(len(parts))]
    for number, row in _moved(connections, _opened, merged.connections, translations):
        rows[number].append(row)

    exchanges = [part.exchanges for part in parts]
    translations = _translations(exchanges, merged.exchanges)
    translations["connection"] = [column.__getitem__ for column in rows]
    for _ in _moved(exchanges, _ended, merged.exchanges, translations):
        pass


def _opened(connections: ConnectionColumns, rows: slice) -> Iterable[float]:
    """When each of some connections was opened."""
    return connections.opened_s[rows]


def _ended(exchanges: ExchangeColumns, rows: slice) -> Iterable[float]:
    """When each of some exchanges ended."""
    return map(add, exchanges.began_s[rows], exchanges.latency_s[rows])


def _translations(tables: Sequence[Table], merged: Table) -> dict[str, list[Translation]]:
    """What the numbers of kept values are in the merged table: by column, for each part."""
    translations: dict[str, list[Translation]] = {}
    for name, target in merged.interned.items():
        translations[name] = [
            [target.number(value) for value in table.interned[name].values].__getitem__
            for table in tables
        ]
    return translations


def _every(step: int, first: int) -> Translation:
    return lambda value: value * step + first


def _moved(
    tables: Sequence[_Table],
    times: Callable[[_Table, slice], Iterable[float]],
    merged: _Table,
    translations: dict[str, list[Translation]],
) -> Iterator[tuple[int, int]]:
    """Move all rows, in the order of their times; the part and the new row of each.

    A chunk at a time; what was moved is deleted when it is a part of what is left, so that few rows
    are there twice, and few are shifted often. Threads overtake each other between a time and its
    record; within a part, rows keep the order of the record.
    """
    latest, moved = [-inf] * len(tables), [0] * len(tables)
    while any(len(table) for table in tables):
        slices = [slice(at, at + _AT_ONCE + 1) for at in moved]
        keys = [
            array("d", accumulate(times(table, rows), max, initial=after))[1:]
            for table, rows, after in zip(tables, slices, latest, strict=True)
        ]
        counts = _next_counts(keys)
        order = [(part, row) for part, count in enumerate(counts) for row in range(count)]
        order.sort(key=lambda at: keys[at[0]][at[1]])
        start = len(merged)
        places = [(part, moved[part] + row) for part, row in order]
        _append(tables, merged, translations, places)
        yield from ((part, start + at) for at, (part, _) in enumerate(order))
        for number, (table, count) in enumerate(zip(tables, counts, strict=True)):
            latest[number] = keys[number][count - 1] if count else latest[number]
            moved[number] = _without(table, moved[number] + count)


def _without(table: ExchangeColumns | ConnectionColumns, moved: int) -> int:
    """Delete the first rows, if they are enough of them; how many moved ones there are then."""
    if moved * _PART < len(table):
        return moved
    for column in table.columns().values():
        del column[:moved]
    return 0


def _next_counts(keys: Sequence[array[float]]) -> list[int]:
    """How many of each part come next, so that all that come later are later."""
    latest = min((key[_AT_ONCE] for key in keys if len(key) > _AT_ONCE), default=inf)
    return [min(bisect_right(key, latest), _AT_ONCE) for key in keys]


def _append(
    tables: Sequence[_Table],
    merged: _Table,
    translations: dict[str, list[Translation]],
    order: Sequence[tuple[int, int]],
) -> None:
    """Append the rows at these places, their numbers translated."""
    columns = [table.columns() for table in tables]
    for name, column in merged.columns().items():
        sources, change = [table[name] for table in columns], translations.get(name)
        values = [sources[part][row] for part, row in order]
        if change is not None:
            values = [
                value if value == _NONE else change[part](value)
                for value, (part, _) in zip(values, order, strict=True)
            ]
        column.extend(array(column.typecode, values))
