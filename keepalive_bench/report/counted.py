"""How many answers of each arm had which value of a header field, as tables."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from keepalive_bench.analysis.counted import MOST_SHOWN
from keepalive_bench.report import TextColumn, TextTable
from keepalive_bench.units import plural, printable

if TYPE_CHECKING:
    from keepalive_bench.analysis import Analysis
    from keepalive_bench.analysis.counted import CountedField

_LONGEST = 40
_MISSING = "(not sent)"


def counted_tables(analysis: Analysis) -> tuple[TextTable, ...]:
    """One for each field, in the order in which they were asked for."""
    labels = [arm.label for arm in analysis.arms]
    by_field = zip(*(arm.counted for arm in analysis.arms), strict=True)
    return tuple(_table(labels, fields) for fields in by_field)


def _table(labels: list[str], fields: tuple[CountedField, ...]) -> TextTable:
    total = Counter[str]()
    for it in fields:
        total.update(it.values)
    named = [value for value, _ in total.most_common(MOST_SHOWN)]
    names = [_cut(value) for value in named]
    rows = [[it.values.get(value, 0) for it in fields] for value in named]
    further = [sum(it.values.values()) + it.not_kept for it in fields]
    further = [count - sum(them) for count, *them in zip(further, *rows, strict=True)]
    if any(further):
        others = len(total) - len(named)
        names.append(f"({plural(others, 'other value')})" if others else "(other values)")
        rows.append(further)
    missing = [it.missing for it in fields]
    if any(missing):
        names.append(_MISSING)
        rows.append(missing)
    columns = zip(*rows, strict=True) if rows else ([] for _ in labels)
    cells = (tuple(f"{count:,}" for count in counts) for counts in columns)
    pairs = zip(labels, cells, strict=True)
    name = printable(fields[0].field)
    return TextTable(
        title=f"Answers by {name}",
        names=TextColumn(name, tuple(names)),
        groups=(tuple((TextColumn(label, counts),) for label, counts in pairs),),
    )


def _cut(value: str) -> str:
    shown = printable(value) or '""'
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"
