"""How many answers of an arm said what in a header field that answers are counted by."""

from __future__ import annotations

from collections import Counter
from itertools import compress, islice
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.results.table import NONE
from keepalive_bench.typed_json import Count, Positive  # read at run time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keepalive_bench.results.columns import ExchangeColumns

MOST_SHOWN = 20
"""Values of a field that are shown; the others are counted together."""


class ValueCount(NamedTuple):
    """A value, and how many answers of an arm had it."""

    value: str
    """What they said, at most 100 characters of it."""
    count: Positive  # type: ignore[assignment]  # and no method of tuples
    """How many answers of the arm said just this; the most frequent comes first."""


class ShownField(NamedTuple):
    """A field, and what is written of its values."""

    field: str
    """A header field of `plan.count_by`."""
    values: tuple[ValueCount, ...]
    missing: Count
    """How many answers didn't have it."""
    more_values: Count
    """How many other values there were: 20 at most are named."""
    more: Count
    """How many answers had one of those, or one of which too many came to tell them apart."""


class CountedField(NamedTuple):
    """One field, and how many of an arm's answers had which value of it."""

    field: str
    """Its name, as it was asked for."""
    values: dict[str, int]
    """How many answers had each value, the most frequent first; text from outside."""
    missing: int
    """How many answers didn't have the field."""
    not_kept: int
    """How many answers had values of which too many different ones came to keep them."""


def shown(it: CountedField) -> ShownField:
    """A field with its most frequent values, and the others in one."""
    named = tuple(ValueCount(*pair) for pair in islice(it.values.items(), MOST_SHOWN))
    more = sum(islice(it.values.values(), MOST_SHOWN, None)) + it.not_kept
    return ShownField(it.field, named, it.missing, len(it.values) - len(named), more)


def counted_fields(
    exchanges: ExchangeColumns, sent: bytes, names: Iterable[str]
) -> tuple[CountedField, ...]:
    """What the answers in a mask said, by each field of these names."""
    if exchanges.counted is None:
        return ()
    numbers = Counter(compress(exchanges.counted, sent))
    del numbers[NONE]
    known = exchanges.counted_values.values
    fields = []
    for place, name in enumerate(names):
        values, missing, not_kept = Counter[str](), 0, 0
        for number, count in numbers.items():
            said = known[number]
            if not said:
                not_kept += count
            elif (value := said[place]) is None:
                missing += count
            else:
                values[value] += count
        fields.append(CountedField(name, dict(values.most_common()), missing, not_kept))
    return tuple(fields)
