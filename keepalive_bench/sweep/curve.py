"""The curve of a sweep: connections, and the median latency, over the values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.report.page.dots import microseconds
from keepalive_bench.report.page.figure import Figure, chart
from keepalive_bench.report.page.markup import table
from keepalive_bench.sweep import table as words
from keepalive_bench.units import duration, plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from xml.etree.ElementTree import Element

    from keepalive_bench.analysis.analysis import Analysis, ArmSummary
    from keepalive_bench.analysis.sweep import Sweep, SweptValue


def curve(analysis: Analysis, sweep: Sweep) -> Figure:
    """Two plots over one axis: what was opened, and the median with its interval."""
    points = list(words.points(analysis, sweep))
    said = "; ".join(_in_words(sweep, value, arm) for value, arm in points)
    drawn = chart(
        "curve",
        f"Connections and median latency over {sweep.option}: {said}.",
        ["Lines through medians are their intervals. Point at a mark for its numbers."],
        [("arm-0", "connections opened"), ("arm-1", "median latency")],
    )
    data = {
        "option": sweep.option,
        "points": [
            {
                "value": value.arm,
                "connections": arm.connections,
                "p50": _microseconds(arm.latency.p50),
                "bounds": [microseconds(end) for end in arm.latency_bounds.get("p50", ())],
                "words": _in_words(sweep, value, arm),
            }
            for value, arm in points
        ],
    }
    return Figure([drawn], data)


def listed(analysis: Analysis, sweep: Sweep) -> Iterator[Element]:
    """The report's table, a row for each value; in two, because all of it is wider than a page."""
    parts = {
        "Counts": words.count_columns(analysis, sweep),
        "Times": words.time_columns(analysis, sweep),
    }
    for what, some in parts.items():
        columns = (words.value_column(sweep), *some)
        rows: Iterable[tuple[str, ...]] = zip(*(column.cells for column in columns), strict=True)
        headings = [column.heading for column in columns]
        yield table(f"{what} with each {sweep.option}", headings, rows)


def _in_words(sweep: Sweep, value: SweptValue, arm: ArmSummary) -> str:
    opened = plural(arm.connections, "connection")
    discarded = f", {value.discarded:,} discarded" if value.discarded else ""
    return f"{sweep.option} {value.arm}: {opened}{discarded}, median {duration(arm.latency.p50)}"


def _microseconds(seconds: float | None) -> float | None:
    return None if seconds is None else microseconds(seconds)
