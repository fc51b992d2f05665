"""Rows of a table on their way from one process to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from array import array
    from collections.abc import Collection

    from keepalive_bench.results.columns import ConnectionColumns, ExchangeColumns

    Table = ExchangeColumns | ConnectionColumns


class Rows(NamedTuple):
    """Some rows of exchanges, or of connections."""

    of_exchanges: bool
    columns: dict[str, array[Any]]
    values: dict[str, list[Any]]
    """By column, what its numbers stand for, as far as it wasn't said before."""


class Sender:
    """Takes the rows of a table out of it, from the first on, to send them away."""

    def __init__(self, table: Table, *, of_exchanges: bool) -> None:
        self._table, self._of_exchanges = table, of_exchanges
        self._said = dict.fromkeys(table.interned, 0)

    def take(self, most: int) -> Rows:
        """The first rows, which the table doesn't have any more."""
        with self._table.lock:
            columns = {name: column[:most] for name, column in self._table.columns().items()}
            for column in self._table.columns().values():
                del column[:most]
            values = {}
            for name, interned in self._table.interned.items():
                values[name] = interned.values[self._said[name] :]
                self._said[name] = len(interned.values)
        return Rows(self._of_exchanges, columns, values)


def put(table: Table, rows: Rows, names: Collection[str] | None = None) -> None:
    """Append rows to the table that stands for the sender's; of some columns only, if so named."""
    for name, column in table.columns().items():
        if names is None or name in names:
            column.extend(rows.columns[name])
    for name, interned in table.interned.items():
        if names is None or name in names:
            interned.extend(rows.values[name])


def clear(table: Table) -> None:
    """Take all rows away."""
    for column in table.columns().values():
        del column[:]
