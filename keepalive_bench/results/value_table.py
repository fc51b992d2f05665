"""Few distinct values, kept once each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

_Item = TypeVar("_Item")


class ValueTable(Generic[_Item]):
    """Few distinct values, stored once each; a column holds their numbers.

    A hostile server can send a new value each time, so past `limit` values all further ones
    share one number, whose value is `overflow`.
    """

    def __init__(self, overflow: _Item, limit: int = 10_000) -> None:
        self.values: list[_Item] = []
        self._numbers: dict[_Item, int] = {}
        self._overflow, self._limit = overflow, limit

    def number(self, value: _Item) -> int:
        """The number of a value, a new one where it was not seen before."""
        known = self._numbers.get(value)
        if known is not None:
            return known
        if len(self.values) >= self._limit and value != self._overflow:
            return self.number(self._overflow)
        self._numbers[value] = number = len(self.values)
        self.values.append(value)
        return number

    def extend(self, values: Iterable[_Item]) -> None:
        """Take over values with the numbers that they have elsewhere."""
        for value in values:
            self._numbers[value] = len(self.values)
            self.values.append(value)
