"""The words and numbers of what changed, once; each dialect only sets them."""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.analysis.sweep import RECOMMENDED
from keepalive_bench.compare.change import CountChange
from keepalive_bench.report import TextColumn, TextTable, preamble
from keepalive_bench.report.run_tables import RATIO_ROWS, arm_rows, confidence, in_unit
from keepalive_bench.stats.between_runs import LEAST_RUNS
from keepalive_bench.units import MISSING, enumerated, printable, signed_share, size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from keepalive_bench.analysis.metrics import Unit
    from keepalive_bench.compare.change import (
        ArmChange,
        Change,
        Difference,
        FigureChange,
        Source,
    )

_WITHIN = (
    "Intervals cover chance within the runs, but not what varies between them (load, network, "
    f"machine). To include that, give {LEAST_RUNS} BASE files or more, then --new NEW.json."
)
_BETWEEN = (
    "Intervals cover chance within the runs, and the variation between runs that the {count} BASE "
    "files show. BASE is their mean: arithmetic for counts, geometric for all else."
)
_LONGEST = 60
_TO_THE_SECOND = len("2026-01-02T03:04:05")


class _Line(NamedTuple):
    """One number of all the runs."""

    name: str
    """Indented where it is a part of the one above."""
    base: str
    new: str
    change: str
    interval: str = ""


def sources(change: Change) -> Iterator[tuple[str, str, str]]:
    """Which runs they are: role, files and times, and what was asked; of several, once."""
    count = len(change.bases)
    for asked, alike in groupby(change.bases, _asked):
        files = [*map(_named, alike)]
        which = ", ".join(files) if count == 1 else f"{len(files)} runs: {', '.join(files)}"
        yield "BASE", which, asked
    yield "NEW", _named(change.new), _asked(change.new)


def _named(source: Source) -> str:
    when = source.run.run_info.started_at[:_TO_THE_SECOND].replace("T", " ")
    return f"{printable(source.name)} ({when} UTC)"


def _asked(source: Source) -> str:
    return f"{preamble.headline(source.analysis)}, {preamble.circumstances(source.analysis)}"


def tables(change: Change) -> tuple[TextTable, ...]:
    """BASE's and NEW's numbers side by side: a table for each arm, and for each two of them."""
    found = [_table(change, arm.label, _arm(arm)) for arm in change.arms]
    for it in change.comparisons:
        lines = [_figure(name, getattr(it, path), "ratio") for path, name in RATIO_ROWS.items()]
        found.append(_table(change, f"{it.arm} against {it.against}", lines))
    recommended = change.recommendation
    if recommended is not None and recommended.option in RECOMMENDED:
        line = _count(*recommended)
        found.append(_table(change, "recommended", [line]))
    return tuple(found)


def _table(change: Change, title: str, lines: Iterable[_Line]) -> TextTable:
    names, *columns = zip(*lines, strict=True)
    headings = ("BASE", "NEW", "change", confidence(change.new.analysis))
    parts = tuple((TextColumn(*it),) for it in zip(headings, columns, strict=True))
    return TextTable(title=title, names=TextColumn("", names), groups=(parts,))


def small_print(change: Change) -> str:
    """What to keep in mind of all of it."""
    covered = _BETWEEN.format(count=len(change.bases)) if change.holds_variation else _WITHIN
    sent = {it.label: [arm.sent for arm in (*it.bases, it.new)] for it in change.arms}
    uneven = {label: dict.fromkeys(counts) for label, counts in sent.items()}
    sizes = [
        f"{label} {enumerated([f'{count:,}' for count in counts])}"
        for label, counts in uneven.items()
        if len(counts) > 1
    ]
    if not sizes:
        return covered
    return (
        f"The runs sent different numbers of requests ({', '.join(sizes)}), so counts differ for "
        f"that reason alone; the verdict compares shares. {covered}"
    )


def _arm(arm: ArmChange) -> Iterator[_Line]:
    """What is counted of it, by what, and each figure whose change has an interval."""
    figures = []
    for row in arm_rows((*arm.bases, arm.new)):
        if row.metric.path == "reopened" and not arm.new.traits.reuses:
            continue  # it opens one for each request, by its nature
        if row.metric.path in arm.figures:
            figures += [row] if row.is_known else []
        elif row.metric.unit == "count" and row.metric.block != "times":
            *before, after = (count or 0 for count in row.values)
            yield _count(row.name, *CountChange.between(before, after))
    codes = arm.by_code["status_codes"]
    if len(codes) > 1 or not all(it.base and it.new for it in codes.values()):
        for status, found in codes.items():
            yield _count(f"status {status}", *found)
    for row in figures:
        yield _figure(row.name, arm.figures[row.metric.path], row.metric.unit)


def _count(name: str, base: float | None, new: float | None, change: float | None) -> _Line:
    one, other = (MISSING if it is None else _whole(it) for it in (base, new))
    said = "" if change is None else _whole(change, "+" if change else "")
    return _Line(name, one, other, said)


def _whole(value: float, sign: str = "") -> str:
    """A count; a mean of counts may lie between two."""
    return f"{value:{sign},{'' if value == round(value) else '.2f'}}".replace("-", "−")


def _figure(name: str, figure: FigureChange, unit: Unit) -> _Line:
    base, new, change, low, high = figure
    found = _Line(name, in_unit(unit, base), in_unit(unit, new), "")
    if change is None or low is None or high is None:  # a change stands beside its interval
        return found
    ends = f"[{signed_share(low)} … {signed_share(high)}]"
    return found._replace(change=signed_share(change), interval=ends)


def difference_lines(change: Change) -> tuple[str, ...]:
    """What else the runs differ in: what matters first, each on a line; the rest by its part."""
    plain = [it for it in change.differences if not it.matters]
    lines = [f"{it.part}, matters: {_told(it)}" for it in change.differences if it.matters]
    for part in dict.fromkeys(it.part for it in plain):
        told = "; ".join(_told(it) for it in plain if it.part == part)
        lines.append(f"{part}: {told}")
    return tuple(lines)


def _told(it: Difference) -> str:
    sizes = it.name.endswith("mean_body_bytes")
    *bases, new = (size(value) if sizes else _short(value) for value in (*it.bases, it.new))
    return f"{printable(it.name)} {', '.join(dict.fromkeys(bases))} → {new}"


def _short(value: object) -> str:
    """A value as JSON has it, but for quotes around a text; shortened, and harmless."""
    if value is None:
        return MISSING
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    shown = printable(text)
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"
