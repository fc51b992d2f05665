"""What several processes measured, as if one had: in the order of time, and no row kept twice."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from itertools import accumulate
from math import inf
from operator import add
from typing import TYPE_CHECKING, Any, NamedTuple

from keepalive_bench.model.columns import ConnectionColumns, ExchangeColumns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Table = ExchangeColumns | ConnectionColumns
    Translation = Callable[[int], int]

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
    opened = [_rising(table.opened_s) for table in connections]
    rows = [array("i") for _ in shares]
    translations = _translations(connections, merged.connections)
    translations["slot"] = [_every(len(shares), number) for number in range(len(shares))]
    for number, row in _moved(connections, opened, merged.connections, translations):
        rows[number].append(row)

    exchanges = [share.exchanges for share in shares]
    ended = [_rising(map(add, table.began_s, table.latency_s)) for table in exchanges]
    translations = _translations(exchanges, merged.exchanges)
    translations["connection"] = [column.__getitem__ for column in rows]
    for _ in _moved(exchanges, ended, merged.exchanges, translations):
        pass


def _rising(times: Iterable[float]) -> array[float]:
    """Times at which rows may be sorted in without changing their order: threads overtake."""
    return array("d", accumulate(times, max))


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
    tables: Sequence[Table],
    keys: Sequence[array[Any]],
    merged: Table,
    translations: dict[str, list[Translation]],
) -> Iterator[tuple[int, int]]:
    """Move all rows, in the order of their keys; the share and the new row of each.

    A chunk at a time, so that no more rows than those are there twice.
    """
    while any(keys):
        order = _next_rows(keys)
        columns = [table.columns() for table in tables]
        start = len(merged)
        for name, column in merged.columns().items():
            sources = [table[name] for table in columns]
            change = translations.get(name)
            if change is None:
                column.extend([sources[share][row] for share, row in order])
            else:
                column.extend(
                    [
                        value if (value := sources[share][row]) == _NONE else change[share](value)
                        for share, row in order
                    ]
                )
        yield from ((share, start + at) for at, (share, _) in enumerate(order))
        for number, key in enumerate(keys):
            count = sum(share == number for share, _ in order)
            for column in (key, *columns[number].values()):
                del column[:count]


def _next_rows(keys: Sequence[array[Any]]) -> list[tuple[int, int]]:
    """The share and the row of those that come next, so many of each share at most."""
    latest = min((key[_AT_ONCE] for key in keys if len(key) > _AT_ONCE), default=inf)
    counts = [min(bisect_right(key, latest), _AT_ONCE) for key in keys]
    rows = [(share, row) for share, count in enumerate(counts) for row in range(count)]
    return sorted(rows, key=lambda at: keys[at[0]][at[1]])
