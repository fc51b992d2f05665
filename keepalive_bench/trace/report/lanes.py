"""Connections over the program's time: each a lane, or many of one kind a band.

A panel for each process and origin. A program may open tens of thousands: what is drawn is bounded,
and what isn't is said.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.report import Chart
from keepalive_bench.report.page.band import Steps
from keepalive_bench.report.page.markup import (
    ARM_COLOURS,
    figure,
    folded_table,
    microseconds,
    no_chart,
)
from keepalive_bench.report.page.pool import Span, merged
from keepalive_bench.trace.naming import site_name
from keepalive_bench.trace.report import words
from keepalive_bench.trace.span import span_s
from keepalive_bench.units import plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.trace.report import TraceReport
    from keepalive_bench.trace.usage import ConnectionUsage, Site, Usage

_MOST_PANELS, _MOST_BANDS = 8, 4
_MOST_LANES, _LEAST_LANES = 80, 8
"""Of all panels together; but each may have so many."""
_LIKE = 12
"""More connections of one kind than this are a band."""
_MOST_SPANS = 2_500
_FINEST = 2_000
"""Pauses shorter than this part of the time can't be seen."""
_MOST_LISTED = 100
_OTHERS = "of other kinds"

Kind = tuple[str, "Site | None"]
"""What connections have in common: the reason why they were opened, and where."""
Numbered = tuple[int, "ConnectionUsage"]


class _Panel(NamedTuple):
    """What one process did with one origin."""

    title: str
    bands: dict[str, list[Numbered]]
    """By what they are called."""
    lanes: list[Numbered]


def lanes(report: TraceReport) -> Chart:
    """All connections over time; and the first of them as a table."""
    usage = report.usage
    if not usage.connections:
        return no_chart("No connection was opened.")
    colours = reason_colours(usage)
    last_s = span_s(usage)
    panels, all_of_them = _panels(report)
    names = words.names_of_connections(usage)
    count = sum(len(it.lanes) for it in panels) or 1
    drawn = [_drawn(report, it, names, colours, last_s, _MOST_SPANS // count) for it in panels]
    data = {"panels": drawn, "words": words.CONNECTION_WORDS, "shown": (0, microseconds(last_s))}
    shows = f"Connections over time: {'; '.join(it.title for it in panels)}."
    notes = _notes(panels, all_of_them)
    picture = figure("traced", shows, notes, _key(panels, colours))
    return Chart([picture, folded_table(*_listed(report, names))], data)


def reason_colours(usage: Usage) -> dict[str, int]:
    """The number of each reason's colour, the most frequent one's first."""
    counts = Counter(it.reason for it in usage.connections)
    return {reason: n % ARM_COLOURS for n, (reason, _) in enumerate(counts.most_common())}


def _panels(report: TraceReport) -> tuple[list[_Panel], int]:
    """Those with the most connections, in the order of processes; and how many there are."""
    usage = report.usage
    found: dict[tuple[int, str, str | None], list[Numbered]] = {}
    for number, it in enumerate(usage.connections):
        found.setdefault((it.process, it.origin, it.via), []).append((number, it))
    most = sorted(found, key=lambda key: -len(found[key]))[:_MOST_PANELS]
    names, room = words.names_of_connections(usage), max(_LEAST_LANES, _MOST_LANES // len(most))
    panels = []
    for key in sorted(most, key=lambda key: (key[0], -len(found[key]))):
        process, origin, via = key
        title = _title(usage, process, names[origin, via], found[key])
        panels.append(_panel(title, found[key], room, report.folder))
    return panels, len(found)


def _title(usage: Usage, process: int, name: str, numbered: Sequence[Numbered]) -> str:
    requests = sum(it.requests for _, it in numbered)
    counts = f"{plural(len(numbered), 'connection')} for {plural(requests, 'request')}"
    pid = usage.processes[process].pid if process < len(usage.processes) else process
    of = f"process {pid}, " if len(usage.processes) > 1 else ""
    return f"{of}{name}: {counts}"


def _panel(title: str, numbered: Sequence[Numbered], room: int, folder: str) -> _Panel:
    kinds: dict[Kind, list[Numbered]] = {}
    for each in numbered:
        kinds.setdefault((each[1].reason, each[1].site), []).append(each)
    ordered = sorted(kinds.items(), key=lambda it: len(it[1]))
    single: list[Numbered] = []
    bands: dict[str, list[Numbered]] = {}
    others: list[Numbered] = []
    for _, its in ordered:
        if len(its) <= _LIKE and len(single) + len(its) <= room:
            single += its
    left = [it for it in reversed(ordered) if it[1][0] not in single]
    for kind, its in left:
        if len(bands) < _MOST_BANDS:
            bands[_kind_name(kind, len(its), folder)] = its
        else:
            others += its
    if others:
        bands[f"{plural(len(others), 'connection')} {_OTHERS}"] = others
    return _Panel(title, bands, sorted(single, key=lambda it: it[0]))


def _kind_name(kind: Kind, count: int, folder: str) -> str:
    reason, site = kind
    where = "" if site is None else f", {site_name(site, folder)}"
    return f"{printable(reason)}{where}: {plural(count, 'connection')}"


def _drawn(  # all that is known of it
    report: TraceReport,
    panel: _Panel,
    names: dict[tuple[str, str | None], str],
    colours: dict[str, int],
    last_s: float,
    most_spans: int,
) -> dict[str, object]:
    return {
        "title": panel.title,
        "bands": [
            {"title": title, "colour": _colour(its, colours), **_band(its, last_s)}
            for title, its in panel.bands.items()
        ],
        "lanes": [
            _lane(report, it, names, colours[it[1].reason], last_s, most_spans)
            for it in panel.lanes
        ],
    }


def _colour(its: Sequence[Numbered], colours: dict[str, int]) -> int:
    return colours[its[0][1].reason]


def _band(its: Sequence[Numbered], last_s: float) -> dict[str, list[float]]:
    """How many of them are being opened, in use and idle in each step."""
    opening, used, opened = Steps(last_s), Steps(last_s), Steps(last_s)
    for _, it in its:
        ready_s = it.opened_s + (it.setup_s or 0.0)
        opening.add(it.opened_s, ready_s)
        opened.add(it.opened_s, last_s if it.ended_s is None else it.ended_s)
        for start_s, end_s in it.busy:
            used.add(max(start_s, ready_s), max(end_s, ready_s))
    both = zip(opening.averages, used.averages, strict=True)
    idle = [
        round(max(whole - part - other, 0.0), 2)
        for whole, (part, other) in zip(opened.averages, both, strict=True)
    ]
    return {"opening": opening.averages, "used": used.averages, "idle": idle}


def _lane(  # the same
    report: TraceReport,
    numbered: Numbered,
    names: dict[tuple[str, str | None], str],
    colour: int,
    last_s: float,
    most_spans: int,
) -> dict[str, object]:
    number, it = numbered
    ready = microseconds(it.opened_s + (it.setup_s or 0.0))
    used = _bounded([(microseconds(s), microseconds(e)) for s, e in it.busy], last_s, most_spans)
    end = microseconds(last_s if it.ended_s is None else it.ended_s)
    return {
        "row": number,
        "colour": colour,
        "opening": (microseconds(it.opened_s), ready),
        "used": [time for span in used for time in span],
        "end": max(end, ready, used[-1][1] if used else 0),
        "ending": "" if it.ended_s is None else printable(it.ending),
        "label": f"{plural(it.requests, 'request')}, {printable(it.reason)}",
        "words": words.connection_words(it, number, names[it.origin, it.via], report.folder),
    }


def _bounded(spans: list[Span], last_s: float, most: int) -> list[Span]:
    """The same with pauses closed, until they are few enough."""
    pause = microseconds(last_s) // _FINEST
    found = merged(sorted(spans), pause)
    while len(found) > max(most, 1):
        pause = 2 * pause + 1
        found = merged(found, pause)
    return found


def _notes(panels: Sequence[_Panel], all_of_them: int) -> Iterator[str]:
    if any(it.lanes for it in panels):
        yield "Each lane is a connection: thick while a request is under way."
    if any(it.bands for it in panels):
        yield (
            "Where many were opened for one reason at one place, a band is how many there are at "
            "once: the pale ones are idle."
        )
    if len(panels) < all_of_them:
        yield (
            f"There are {all_of_them:,} pairs of a process and an origin; the {len(panels)} with "
            "the most connections are shown."
        )


def _key(panels: Sequence[_Panel], colours: dict[str, int]) -> Iterator[tuple[str, str]]:
    yield "lane-opening", "being opened"
    shown = {
        it.reason
        for panel in panels
        for its in (panel.lanes, *panel.bands.values())
        for _, it in its
    }
    for reason, colour in colours.items():
        if reason in shown:
            yield f"arm-{colour}", f"in use: {printable(reason)}"
    yield "lane-idle", "idle"
    if any(it.ended_s is not None for panel in panels for _, it in panel.lanes):
        yield "shape-cross", "closed"


def _listed(
    report: TraceReport, names: dict[tuple[str, str | None], str]
) -> tuple[str, Sequence[str], list[tuple[str, ...]]]:
    every = report.usage.connections
    caption = f"The first {_MOST_LISTED} of {len(every):,} connections"
    rows = [
        words.connection_words(it, number, names[it.origin, it.via], report.folder)
        for number, it in enumerate(every[:_MOST_LISTED])
    ]
    few = len(every) <= _MOST_LISTED
    return "Connections" if few else caption, words.CONNECTION_WORDS, rows
