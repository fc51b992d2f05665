"""What several processes measured, as if one had: in the order of time, and no row kept twice."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from itertools import accumulate
from math import inf
from operator import add
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from keepalive_bench.model.columns import ConnectionColumns, ExchangeColumns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Table = ExchangeColumns | ConnectionColumns
    Translation = Callable[[int], int]

_Table = TypeVar("_Table", ExchangeColumns, ConnectionColumns)
_AT_ONCE = 5_000
_NONE = -1


class Share(NamedTuple):
    """What one process measured. Merging takes its rows away."""

    exchanges: ExchangeColumns
    connections: ConnectionColumns


def new_share(labels: tuple[str, ...], *, queued: bool) -> Share:
    """An empty one, of arms that are called so."""
    return Share(ExchangeColumns(labels, queued=queued), ConnectionColumns(labels))


def merge(shares: Sequence[Share], merged: Share) -> None:
    """Move the rows of all shares into an empty one.

    Connections come in the order in which they were opened, exchanges in that in which they ended,
    and their references to each other hold. A slot is one process's, so each gets numbers of its
    own: every so manieth.
    """
    connections = [share.connections for share in shares]
    rows = [array("i") for _ in shares]
    translations = _translations(connections, merged.connections)
    translations["slot"] = [_every(len(shares), number) for number in range(len(shares))]
    for number, row in _moved(connections, _opened, merged.connections, translations):
        rows[number].append(row)

    exchanges = [share.exchanges for share in shares]
    translations = _translations(exchanges, merged.exchanges)
    translations["connection"] = [column.__getitem__ for column in rows]
    for _ in _moved(exchanges, _ended, merged.exchanges, translations):
        pass


def _opened(connections: ConnectionColumns) -> Iterable[float]:
    """When each of the next connections was opened."""
    return connections.opened_s[: _AT_ONCE + 1]


def _ended(exchanges: ExchangeColumns) -> Iterable[float]:
    """When each of the next exchanges ended."""
    next_ones = slice(_AT_ONCE + 1)
    return map(add, exchanges.began_s[next_ones], exchanges.latency_s[next_ones])


def _translations(tables: Sequence[Table], merged: Table) -> dict[str, list[Translation]]:
    """What the numbers of kept values are in the merged table: by column, for each share."""
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
    times: Callable[[_Table], Iterable[float]],
    merged: _Table,
    translations: dict[str, list[Translation]],
) -> Iterator[tuple[int, int]]:
    """Move all rows, in the order of their times; the share and the new row of each.

    A chunk at a time, so that no more rows than those are there twice. Threads overtake each other
    between a time and its record; within a share, rows keep the order of the record.
    """
    latest = [-inf] * len(tables)
    while any(len(table) for table in tables):
        keys = [
            array("d", accumulate(times(table), max, initial=after))[1:]
            for table, after in zip(tables, latest, strict=True)
        ]
        counts = _next_counts(keys)
        rows = [(share, row) for share, count in enumerate(counts) for row in range(count)]
        order = sorted(rows, key=lambda at: keys[at[0]][at[1]])
        start = len(merged)
        _append(tables, merged, translations, order)
        yield from ((share, start + at) for at, (share, _) in enumerate(order))
        for number, (table, count) in enumerate(zip(tables, counts, strict=True)):
            latest[number] = keys[number][count - 1] if count else latest[number]
            for column in table.columns().values():
                del column[:count]


def _next_counts(keys: Sequence[array[float]]) -> list[int]:
    """How many of each share come next, so that all that come later are later."""
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
        values = [sources[share][row] for share, row in order]
        if change is not None:
            values = [
                value if value == _NONE else change[share](value)
                for value, (share, _) in zip(values, order, strict=True)
            ]
        column.extend(array(column.typecode, values))
