"""What several processes measured, as if one had: in the order of time, and no row kept twice."""

from __future__ import annotations

import heapq
from array import array
from itertools import islice
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
_SLOTS = 2**31
"""More than there are of any process."""


def merge(parts: Sequence[Tables], merged: Tables) -> None:
    """Move the rows of all parts into an empty one.

    Connections come in the order in which they were opened, exchanges in that in which they ended,
    and their references to each other hold. A slot is one process's, so each gets numbers of its
    own: every n-th.
    """
    connections = [part.connections for part in parts]
    rows = [array("i") for _ in parts]
    translations = _translations(connections, merged.connections)
    translations["slot"] = [
        range(number, _SLOTS, len(parts)).__getitem__ for number in range(len(parts))
    ]
    moved = _moved(
        connections, lambda table, some: table.opened_s[some], merged.connections, translations
    )
    for number, row in moved:
        rows[number].append(row)

    exchanges = [part.exchanges for part in parts]
    translations = _translations(exchanges, merged.exchanges)
    translations["connection"] = [column.__getitem__ for column in rows]
    moved = _moved(
        exchanges,
        lambda table, some: map(add, table.began_s[some], table.latency_s[some]),
        merged.exchanges,
        translations,
    )
    for _ in moved:
        pass


def _translations(tables: Sequence[Table], merged: Table) -> dict[str, list[Translation]]:
    """What the numbers of kept values are in the merged table: by column, for each part."""
    translations: dict[str, list[Translation]] = {}
    for name, target in merged.value_tables.items():
        translations[name] = [
            [target.number(value) for value in table.value_tables[name].values].__getitem__
            for table in tables
        ]
    return translations


def _moved(
    tables: Sequence[_Table],
    times: Callable[[_Table, slice], Iterable[float]],
    merged: _Table,
    translations: dict[str, list[Translation]],
) -> Iterator[tuple[int, int]]:
    """Move all rows, in the order of their times; the part and the new row of each.

    A chunk at a time; what was moved is deleted when it is a part of what is left, so that few rows
    are there twice, and few are shifted often.
    """
    moved, deleted = [0] * len(tables), [0] * len(tables)

    ordered = heapq.merge(
        *(_in_order(table, times, deleted, number) for number, table in enumerate(tables))
    )
    while next_parts := [number for _, number in islice(ordered, _AT_ONCE)]:
        start = len(merged)
        counts = [next_parts.count(number) for number in range(len(tables))]
        columns = [table.columns() for table in tables]
        for name, column in merged.columns().items():
            sources = []
            for number, at in enumerate(moved):
                rows = columns[number][name][at : at + counts[number]]
                change = translations.get(name)
                sources.append(iter(rows) if change is None else _changed(rows, change[number]))
            column.extend(next(sources[number]) for number in next_parts)
        yield from ((number, start + at) for at, number in enumerate(next_parts))
        for number, table in enumerate(tables):
            moved[number] += counts[number]
            if moved[number] * _PART >= len(table):
                for column in columns[number].values():
                    del column[: moved[number]]
                deleted[number] += moved[number]
                moved[number] = 0


def _in_order(
    table: _Table,
    times: Callable[[_Table, slice], Iterable[float]],
    deleted: Sequence[int],
    number: int,
) -> Iterator[tuple[float, int]]:
    """The time of each row, and the part's number; of rows that may be deleted meanwhile.

    Threads overtake each other between a time and its record, whose order rows keep.
    """
    latest, at = -inf, 0
    while chunk := list(times(table, slice(at - deleted[number], at - deleted[number] + _AT_ONCE))):
        at += len(chunk)
        for time in chunk:
            latest = max(latest, time)
            yield latest, number


def _changed(numbers: Iterable[int], change: Translation) -> Iterator[int]:
    return (number if number == _NONE else change(number) for number in numbers)
