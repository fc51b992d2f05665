"""Latency over time, with each new connection and each failure marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.connections.reason_kinds import BY_NATURE
from keepalive_bench.report.page.dots import Dots, dots, why
from keepalive_bench.report.page.figure import Figure, chart, folded, without
from keepalive_bench.report.page.markup import element, table
from keepalive_bench.units import duration, plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

    from keepalive_bench.analysis.analysis import Analysis, ArmSummary
    from keepalive_bench.results.run import Run

_MOST_LISTED = 100
_KEY = [("shape-dot", "reused a connection"), ("shape-triangle", "opened a connection")]


def timeline(run: Run, analysis: Analysis) -> Figure:
    """A mark for each request, and below it a list of connections that had to be opened."""
    if not any(arm.sent for arm in analysis.arms):
        return without("No request came to an end.")
    marks = dots(run, analysis)
    opened = "; ".join(_opened(arm) for arm in analysis.arms)
    failed = [("shape-cross", "failed")] if any(arm.failed for arm in analysis.arms) else []
    shows = f"Latencies over time. New connections: {opened}."
    drawn = chart("timeline", shows, _notes(marks), _KEY + failed)
    data = {"arms": marks.arms, "fates": marks.fates, "logarithmic": marks.logarithmic}
    return Figure([drawn, _listed(run, analysis), *_failures(run)], data)


def _notes(marks: Dots) -> list[str]:
    notes = ["Each mark is a request at the time it began. Point at one to see which, and why."]
    if marks.merged:
        notes.append(
            "Requests alike that lie so close together that their marks would cover each other "
            "share one, which says how many they are."
        )
    if marks.logarithmic:
        notes.append("The scale of latencies is logarithmic.")
    return notes


def _opened(arm: ArmSummary) -> str:
    counts = ", ".join(f"{count:,} {code}" for code, count in arm.reason_counts.items())
    return f"{arm.label} {counts or 'none'}"


def _listed(run: Run, analysis: Analysis) -> Element:
    """The new connections but those that an arm has by its nature, for who can't point at them."""
    opened = [
        (arm, row)
        for arm in analysis.arms
        for row in arm.reasons
        if arm.reasons.codes[arm.reasons.column[row]] not in BY_NATURE
    ]
    if not len(run.connections):
        return element("p", "No connection was opened.")
    if not opened:
        return element("p", "Every connection is one that its arm has by its nature.")
    caption = f"{plural(len(opened), 'connection')} that had to be opened, and why"
    if len(opened) > _MOST_LISTED:
        caption += f" (the first {_MOST_LISTED})"
    rows = [
        (f"{row}", arm.label, duration(run.connections.opened_s[row]), why(run, arm.reasons[row]))
        for arm, row in opened[:_MOST_LISTED]
    ]
    headings = ("connection", "arm", "opened at", "why")
    return folded(caption, table(caption, headings, rows, numbers=False))


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
    caption = f"{plural(len(failed), 'request')} that failed, and why"
    if len(failed) > _MOST_LISTED:
        caption += f" (the first {_MOST_LISTED})"
    rows = []
    for row in failed[:_MOST_LISTED]:
        failure = exchanges.failures.values[exchanges.failure[row]]
        why_not = f"{failure.kind}: {printable(failure.message)}"
        label, began = exchanges.arms[exchanges.arm[row]], duration(exchanges.began_s[row])
        rows.append((f"#{exchanges.index[row]}", label, began, why_not))
    headings = ("request", "arm", "began at", "why")
    yield folded(caption, table(caption, headings, rows, numbers=False))
