"""The words and numbers of what changed, once; each dialect only sets them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.analysis.arm_view import BOUNDED
from keepalive_bench.analysis.sweep import RECOMMENDED
from keepalive_bench.report import TextColumn, TextTable, preamble
from keepalive_bench.report.run_tables import confidence, count_rows, title, titles
from keepalive_bench.units import MISSING, duration, printable, rate, signed_share, size, times

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from keepalive_bench.compare.change import (
        ArmChange,
        Change,
        Difference,
        FigureChange,
        RecommendationChange,
        Source,
    )

_SMALL_PRINT = (
    "The two runs are independent, so intervals are wider than within one run. They cover chance "
    "within the runs, and nothing that drifted between them: another load, network or machine."
)
_LONGEST = 60
_TO_THE_SECOND = len("2026-01-02T03:04:05")


class _Line(NamedTuple):
    """One number of both runs."""

    name: str
    """Indented where it is a part of the one above."""
    base: str
    new: str
    change: str
    interval: str = ""


def sources(change: Change) -> tuple[tuple[str, str, str], tuple[str, str, str]]:
    """Which runs they are: role, file and time, and what was asked."""
    return _source("BASE", change.base), _source("NEW", change.new)


def _source(role: str, it: Source) -> tuple[str, str, str]:
    when = it.run.run_info.started_at[:_TO_THE_SECOND].replace("T", " ")
    asked = f"{preamble.headline(it.analysis)}, {preamble.circumstances(it.analysis)}"
    return role, f"{printable(it.name)} ({when} UTC)", asked


def tables(change: Change) -> tuple[TextTable, ...]:
    """Both runs' numbers side by side: a table for each arm, and for each two of them."""
    found = [_table(change, arm.label, _arm(arm)) for arm in change.arms]
    for it in change.comparisons:
        line = _figure("speed-up", it.speedup, times)
        found.append(_table(change, f"{it.arm} against {it.against}", [line]))
    recommended = change.recommendation
    if recommended is not None and recommended.option in RECOMMENDED:
        found.append(_table(change, "recommended", [_recommended(recommended)]))
    return tuple(found)


def _table(change: Change, title: str, lines: Iterable[_Line]) -> TextTable:
    names, *columns = zip(*lines, strict=True)
    headings = ("BASE", "NEW", "change", confidence(change.new.analysis))
    parts = tuple((TextColumn(*it),) for it in zip(headings, columns, strict=True))
    return TextTable(title=title, names=TextColumn("", names), groups=(parts,))


def _recommended(found: RecommendationChange) -> _Line:
    base, new = (MISSING if it is None else f"{it:,}" for it in (found.base, found.new))
    change = "" if found.change is None else f"{found.change:+,}" if found.change else "0"
    return _Line(found.option, base, new, change)


def small_print(change: Change) -> str:
    """What to keep in mind of all of it."""
    uneven = (it for it in change.arms if it.base.sent != it.new.sent)
    sizes = [f"{it.label} {it.base.sent:,} and {it.new.sent:,}" for it in uneven]
    if not sizes:
        return _SMALL_PRINT
    return (
        f"The runs sent different numbers of requests ({', '.join(sizes)}), so that counts differ "
        f"for that alone; the verdict goes by shares. {_SMALL_PRINT}"
    )


def _arm(arm: ArmChange) -> Iterator[_Line]:
    for name, counts in count_rows((arm.base, arm.new)):
        yield _count(name, *[count or 0 for count in counts])
    codes = [arm.base.status_codes, arm.new.status_codes]
    if codes[0].keys() != codes[1].keys() or len(codes[0]) > 1:
        for status in dict.fromkeys([*codes[0], *codes[1]]):
            yield _count(f"status {status}", *[it.get(status, 0) for it in codes])
    latencies = [f"latency_s.{figure}" for figure in BOUNDED]
    for name, path in zip(titles(*latencies), latencies, strict=True):
        yield _figure(name, arm.figures[path], duration)
    yield _figure(title("requests_per_second"), arm.figures["requests_per_second"], rate)


def _count(name: str, base: int, new: int) -> _Line:
    change = f"{new - base:+,}" if new != base else "0"
    return _Line(name, f"{base:,}", f"{new:,}", change)


def _figure(name: str, figure: FigureChange, shown: Callable[[float | None], str]) -> _Line:
    base, new, change, low, high = figure
    said = "" if change is None else signed_share(change)
    is_bounded = low is not None and high is not None
    ends = f"[{signed_share(low)} … {signed_share(high)}]" if is_bounded else ""
    return _Line(name, shown(base), shown(new), said, ends)


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
    base, new = (size(value) if sizes else _short(value) for value in (it.base, it.new))
    return f"{printable(it.name)} {base} → {new}"


def _short(value: object) -> str:
    """A value as JSON has it, but for quotes around a text; shortened, and harmless."""
    if value is None:
        return MISSING
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    shown = printable(text)
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"
