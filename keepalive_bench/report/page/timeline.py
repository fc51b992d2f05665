"""Latency over time: a mark for each request, or for those that fall on the same few pixels."""

from __future__ import annotations

from math import isnan, log
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.connections.reason_kinds import BY_NATURE
from keepalive_bench.report import Chart
from keepalive_bench.report.page.latency import medians
from keepalive_bench.report.page.markup import (
    element,
    figure,
    folded_table,
    microseconds,
    no_chart,
)
from keepalive_bench.report.verbose import why
from keepalive_bench.units import duration, plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from xml.etree.ElementTree import Element

    from keepalive_bench.analysis import Analysis
    from keepalive_bench.report.histogram import Histogram
    from keepalive_bench.results.run import Run

_MOST_LISTED = 100
_KEY = [("shape-dot", "reused a connection"), ("shape-triangle", "opened a connection")]
_MOST = 3_000
"""Marks of all arms together: more would make the page large, and the browser slow.

There are more only of a run with more kinds of failures than servers have."""
_MOST_DETAILED = 200
"""Distinct sentences about marks; past that, a mark has the code of its reason only."""
_FINEST = (1_600, 400)
"""Columns and lines of the grid; each coarser one has half as many."""
_REUSED = ""


class Mark(NamedTuple):
    """What is drawn as one: requests of one arm, alike, and next to each other."""

    row: int
    """Of the first of them."""
    requests: int


class Axis(NamedTuple):
    """What is shown of latencies; what took longer lies at its upper end."""

    low_s: float
    high_s: float
    logarithmic: bool = False

    def within(self, latency_s: float) -> float:
        """Where a latency is drawn."""
        return min(max(latency_s, self.low_s), self.high_s)


def timeline(run: Run, analysis: Analysis, shown: Histogram | None) -> Chart:
    """A mark for each request, and below it a list of connections that had to be opened.

    `shown`: the distributions, which have the same axis.
    """
    if not any(arm.sent for arm in analysis.arms):
        return no_chart("No request came to an end.")
    opened = []
    for arm in analysis.arms:
        counts = ", ".join(f"{count:,} {code}" for code, count in arm.reason_counts.items())
        opened.append(f"{arm.label} {counts or 'none'}")
    failed = [("shape-cross", "failed")] if any(arm.failed for arm in analysis.arms) else []
    shows = f"Latencies over time. New connections: {'; '.join(opened)}."
    notes, data = _dots(run, analysis, shown)
    drawn = figure("timeline", shows, notes, _KEY + failed)
    return Chart([drawn, _listed(run, analysis), *_failures(run)], data)


def _listed(run: Run, analysis: Analysis) -> Element:
    """The new connections but those that an arm has by its nature, for who can't point at them."""
    opened = [
        (arm, row)
        for arm in analysis.arms
        for row in arm.reasons
        if arm.reasons.codes[arm.reasons.column[row]] not in BY_NATURE
    ]
    if not opened:
        of_none = "Every connection is one that its arm has by its nature."
        return element("p", of_none if len(run.connections) else "No connection was opened.")
    rows = [
        (f"{row}", arm.label, duration(run.connections.opened_s[row]), why(run, arm.reasons[row]))
        for arm, row in opened[:_MOST_LISTED]
    ]
    said = f"{plural(len(opened), 'connection')} that had to be opened, and why"
    return _folded(said, len(opened), ("connection", "arm", "opened at", "why"), rows)


def _folded(
    said: str, count: int, headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]
) -> Element:
    caption = f"{said} (the first {_MOST_LISTED})" if count > _MOST_LISTED else said
    return folded_table(caption, headings, rows)


def _failures(run: Run) -> Iterator[Element]:
    """The requests that failed, and why, for who can't point at them; nothing if none did."""
    exchanges, cut_off = run.exchanges, run.exchanges.cut_off
    failed = [
        row
        for row, failure in enumerate(exchanges.failure)
        if failure >= 0 and failure not in cut_off
    ]
    if not failed:
        return
    rows = []
    for row in failed[:_MOST_LISTED]:
        failure = exchanges.failures.values[exchanges.failure[row]]
        why_not = f"{failure.kind}: {printable(failure.message)}"
        label, began = exchanges.arms[exchanges.arm[row]], duration(exchanges.began_s[row])
        rows.append((f"#{exchanges.index[row]}", label, began, why_not))
    said = f"{plural(len(failed), 'request')} that failed, and why"
    yield _folded(said, len(failed), ("request", "arm", "began at", "why"), rows)


def _dots(
    run: Run, analysis: Analysis, shown: Histogram | None
) -> tuple[list[str], dict[str, object]]:
    """What there is to say of the marks, and the marks of each arm, for the script.

    Requests share one only where there are too many for one each.
    """
    exchanges = run.exchanges
    codes = _codes(run, analysis)
    cut_off = exchanges.cut_off  # what those would have taken, nobody knows
    rows = [row for row, failure in enumerate(exchanges.failure) if failure not in cut_off]
    axis = _axis(run, rows, shown)
    marks = [Mark(row, 1) for row in rows]
    if len(marks) > _MOST:
        marks = _merged(run, codes, rows, axis)
    notes = ["Each mark is a request, at the time it began: point at it to see which, and why."]
    if any(medians(analysis)):
        notes.append("Dashed lines are medians.")
    if len(marks) < len(rows):
        notes.append(
            "Requests alike that lie so close together that their marks would cover each other "
            "share one, which says how many they are."
        )
    slower = [exchanges.latency_s[row] for row in rows if exchanges.latency_s[row] > axis.high_s]
    if slower:
        took = f"{plural(len(slower), 'request')} took longer than that, up to"
        notes.append(f"Marks at the upper edge: {took} {duration(max(slower))}.")
    if axis.logarithmic:
        notes.append("The scale of latencies is logarithmic, so it has no zero.")
    marks.sort(key=lambda mark: (exchanges.arm[mark.row], exchanges.began_s[mark.row]))
    numbers, fates = _fates(run, analysis, marks, codes)
    arms = [
        _columns(run, [mark for mark in marks if exchanges.arm[mark.row] == arm], numbers)
        for arm in range(len(exchanges.arms))
    ]
    return notes, {
        "arms": arms,
        "fates": fates,
        "medians": medians(analysis),
        "shown": [microseconds(axis.low_s), microseconds(axis.high_s)],
        "logarithmic": axis.logarithmic,
    }


def _axis(run: Run, rows: list[int], shown: Histogram | None) -> Axis:
    """That of the distributions; where there are none, up to the slowest request."""
    if shown is None:
        return Axis(0.0, max((run.exchanges.latency_s[row] for row in rows), default=0.0))
    low_s = shown.edges_s[0] if shown.logarithmic else 0.0
    return Axis(low_s, shown.edges_s[-1], shown.logarithmic)


def _codes(run: Run, analysis: Analysis) -> list[str]:
    """Of each exchange: how it failed, or why it opened its connection, or that it reused one."""
    exchanges = run.exchanges
    reasons = [""] * len(run.connections)
    for arm in analysis.arms:
        for row in arm.reasons:
            reasons[row] = arm.reasons.codes[arm.reasons.column[row]]
    failures = [f"failed: {failure.kind}" for failure in exchanges.failures.values]
    return [
        failures[failure]
        if failure >= 0
        else _REUSED
        if connection < 0 or isnan(connect)
        else reasons[connection]
        for failure, connection, connect in zip(
            exchanges.failure, exchanges.connection, exchanges.phases["connect"], strict=True
        )
    ]


def _merged(run: Run, codes: list[str], rows: list[int], axis: Axis) -> list[Mark]:
    """One mark for all requests of an arm and a fate that lie in the same cell of a grid.

    It is as fine as the number of marks allows: two by two, cells become one until it does.
    """
    exchanges = run.exchanges
    latencies = [axis.within(exchanges.latency_s[row]) for row in rows]
    across = _positions([exchanges.began_s[row] for row in rows], _FINEST[0])
    up = _positions([*map(log, latencies)] if axis.logarithmic else latencies, _FINEST[1])
    cells: dict[tuple[int, str, int, int], list[int]] = {}
    for row, x, y in zip(rows, across, up, strict=True):
        cells.setdefault((exchanges.arm[row], codes[row], x, y), [row, 0])[1] += 1
    halved = 0
    while len(cells) > _MOST and _FINEST[0] >> halved:
        halved += 1
        finer, cells = cells, {}
        for (arm, code, x, y), (row, count) in finer.items():
            cells.setdefault((arm, code, x >> 1, y >> 1), [row, 0])[1] += count
    return [Mark(row, count) for row, count in cells.values()]


def _positions(values: list[float], steps: int) -> list[int]:
    low, high = min(values), max(values)
    per = steps / ((high - low) or 1.0)
    return [int((value - low) * per) for value in values]


def _columns(run: Run, marks: list[Mark], fates: dict[Mark, int]) -> dict[str, object]:
    exchanges = run.exchanges
    rows = [mark.row for mark in marks]
    return {
        "began": _steps(microseconds(exchanges.began_s[row]) for row in rows),
        "latency": [microseconds(exchanges.latency_s[row]) for row in rows],
        "index": _steps(exchanges.index[row] for row in rows),
        "connection": [exchanges.connection[row] for row in rows],
        "requests": [mark.requests for mark in marks],
        "fate": [fates[mark] for mark in marks],
    }


def _steps(values: Iterable[int]) -> list[int]:
    """Each value as its distance from the one before, which takes fewer digits."""
    before, steps = 0, []
    for value in values:
        steps.append(value - before)
        before = value
    return steps


def _fates(
    run: Run, analysis: Analysis, marks: list[Mark], codes: list[str]
) -> tuple[dict[Mark, int], list[str]]:
    """The number of the text about each mark, and the texts; of single requests, with details."""
    numbers = {_REUSED: 0}
    of_mark = {}
    for mark in marks:
        text = codes[mark.row]
        if text != _REUSED and mark.requests == 1 and len(numbers) < _MOST_DETAILED:
            text = _details(run, analysis, mark.row, text)
        of_mark[mark] = numbers.setdefault(text, len(numbers))
    return of_mark, list(numbers)


def _details(run: Run, analysis: Analysis, row: int, code: str) -> str:
    exchange = run.exchanges[row].outcome
    if exchange.failure is not None:
        return f"{code} ({printable(exchange.failure.message)[:120]})"
    if exchange.connection is None:
        return code
    reasons = analysis.arms[run.exchanges.arm[row]].reasons
    return why(run, reasons[exchange.connection])
