"""A table of columns: flat numbers, each column declared once with its range and its meaning."""

from __future__ import annotations

from abc import abstractmethod
from array import array
from itertools import compress
from math import inf, isnan, nan
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from keepalive_bench.typed_json import LONGEST_STORED_S

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

_Kept = TypeVar("_Kept")
_Item = TypeVar("_Item")
_Row = TypeVar("_Row")
NONE = -1
"""The number of what isn't there."""
_MISSING = {"b": NONE, "h": NONE, "i": NONE, "H": 0, "f": nan, "d": nan}
SHORTEST_S = 1e-12
"""No time but 0 is shorter, so that ratios are numbers, too."""


class ColumnKind(Generic[_Kept]):
    """What is to be known of a column, by which it is kept, stored, checked and documented.

    It stands in the class of its table; in a table itself, the attribute is the array.
    """

    def __init__(
        self,
        typecode: str,
        meaning: str,
        none: str = "",
        *,
        least: int = 0,
        most: int | None = None,
        of: str = "",
        name: str = "",
    ) -> None:
        self.typecode, self.meaning, self.name = typecode, meaning, name
        self.none = none
        """When it has no number; empty: it always has one."""
        self.least, self.most = least, most
        """Of whole numbers; all others are times."""
        self.of = of
        """The attribute of the table that has what its numbers are positions of."""

    def __set_name__(self, table: type[ColumnTable[Any]], name: str) -> None:
        """Join the columns of a table, whose instances have an array in this one's place."""
        self.name = name
        table.declared = (*table.declared, self)
        delattr(table, name)  # an instance's own attribute is found sooner without

    if TYPE_CHECKING:

        def __get__(self, table: object, kind: type) -> _Kept: ...

    @property
    def is_time(self) -> bool:
        """Whether it has seconds; if not, whole numbers."""
        return self.typecode in "fd"

    @property
    def missing(self) -> float | None:
        """What stands for a number that isn't there; `None`: nothing does."""
        return _MISSING[self.typecode] if self.none else None

    def can_have(self, numbers: array[Any], most: int | None) -> bool:
        """Whether all numbers are some that it can have, and none of whole ones above `most`."""
        if self.is_time:
            # NaN is below no limit and above none.
            wrong = any(it < 0 or it > LONGEST_STORED_S or 0 < it < SHORTEST_S for it in numbers)
            return not wrong and (bool(self.none) or not any(map(isnan, numbers)))
        missing, highest = self.missing, inf if most is None else most
        return all(self.least <= it <= highest or it == missing for it in numbers)


def whole(typecode: str, meaning: str, none: str = "", **more: Any) -> ColumnKind[array[int]]:  # noqa: ANN401  # as `ColumnKind` takes them
    """A column of whole numbers."""
    return ColumnKind(typecode, meaning, none, **more)


def seconds(typecode: str, meaning: str, none: str = "") -> ColumnKind[array[float]]:
    """A column of times."""
    return ColumnKind(typecode, meaning, none)


class ValueTable(Generic[_Item]):
    """Few distinct values, stored once each; a column holds their numbers.

    A hostile server can send a new value each time, so past `limit` values all further ones
    share one number, whose value is `overflow`; or, where that is a function, what it makes of
    them, which has to be one of few.
    """

    def __init__(self, overflow: _Item | Callable[[_Item], _Item], limit: int = 10_000) -> None:
        self.values: list[_Item] = []
        self._numbers: dict[_Item, int] = {}
        self._overflow, self._limit = overflow, limit

    def __len__(self) -> int:
        return len(self.values)

    def number(self, value: _Item) -> int:
        """The number of a value, a new one where it was not seen before."""
        known = self._numbers.get(value)
        if known is not None:
            return known
        if len(self.values) >= self._limit:
            overflow = self._overflow(value) if callable(self._overflow) else self._overflow
            if value != overflow:
                return self.number(overflow)
        self._numbers[value] = number = len(self.values)
        self.values.append(value)
        return number

    def value(self, number: int) -> _Item | None:
        """What a number stands for."""
        return None if number == NONE else self.values[number]

    def extend(self, values: Iterable[_Item]) -> None:
        """Take over values with the numbers that they have elsewhere."""
        for value in values:
            self._numbers[value] = len(self.values)
            self.values.append(value)


class ColumnTable(Generic[_Row]):
    """Rows of numbers, an array a column. Rows are only ever appended.

    A million small objects would set the garbage collector going in the middle of a measurement;
    arrays don't. Durations of phases are single floats (relative error 6e-8: 2 µs in 30 s).
    """

    declared: ClassVar[tuple[ColumnKind[Any], ...]] = ()
    arm = whole("B", "Position in `arms`", of="arms")

    def __init__(self, arms: tuple[str, ...], without: Collection[str] = ()) -> None:
        self.arms = arms
        self.arm_numbers = {label: number for number, label in enumerate(arms)}
        for it in self.declared:
            setattr(self, it.name, None if it.name in without else array(it.typecode))
        self.lock = Lock()
        """For whoever changes rows, or takes some away, while others may come."""

    def drop_begun_row(self) -> None:
        """Leave nothing of a row that only some columns have, as there was no memory for all."""
        columns = self.columns().values()
        whole_rows = min(map(len, columns))
        for column in columns:
            del column[whole_rows:]

    @abstractmethod
    def __getitem__(self, number: int) -> _Row: ...

    def __len__(self) -> int:
        return len(self.arm)

    def __iter__(self) -> Iterator[_Row]:
        return (self[number] for number in range(len(self)))

    @property
    def kept(self) -> list[tuple[ColumnKind[Any], array[Any]]]:
        """All columns that it has, with their numbers."""
        all_of_them = ((it, getattr(self, it.name)) for it in self.declared)
        return [(column, numbers) for column, numbers in all_of_them if numbers is not None]

    def columns(self) -> dict[str, array[Any]]:
        """Their numbers by name."""
        return {column.name: numbers for column, numbers in self.kept}

    @property
    def value_tables(self) -> dict[str, ValueTable[Any]]:
        """What the numbers of some columns stand for, by the column's name."""
        tables = {it.name: getattr(self, it.of) for it in self.declared if it.of}
        return {name: table for name, table in tables.items() if isinstance(table, ValueTable)}

    def of_arm(self, arm: str) -> bytes:
        """A mask of the rows of one arm: 1 for each of them, 0 for the others."""
        number = self.arm_numbers[arm]
        return self.arm.tobytes().translate(bytes(other == number for other in range(256)))

    def rows(self, arm: str) -> list[int]:
        """The rows of one arm."""
        return list(compress(range(len(self)), self.of_arm(arm)))


def pick(column: array[Any], mask: bytes | bytearray) -> array[Any]:
    """The values of a column in the rows of a mask; it takes no list of numbers."""
    return array(column.typecode, compress(column, mask))


def optional(value: float) -> float | None:
    """A column's value; what was not measured is stored as NaN and read as `None`."""
    return None if isnan(value) else value
