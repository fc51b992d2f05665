"""The life of the pool: a lane for each connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.report.page.figure import ARM_COLOURS, Figure, chart, folded, without
from keepalive_bench.report.page.lanes import WORDS, Lane, Lanes, lanes
from keepalive_bench.report.page.markup import table
from keepalive_bench.units import duration, plural

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from keepalive_bench.analysis.analysis import Analysis
    from keepalive_bench.results.run import Run

_OPENING = ("lane-opening", "being opened")
_KEY = (("lane-idle", "idle"), ("shape-cross", "closed"))


def pool(run: Run, analysis: Analysis) -> Figure:
    """The lanes of each arm, and the same as tables."""
    if not len(run.connections):
        return without("No connection was opened.")
    arms = lanes(run, analysis)
    said = "; ".join(f"{arm.label} {plural(arm.connections, 'connection')}" for arm in arms)
    notes = [
        f"Of the {arm.connections:,} connections of {arm.label} the first {len(arm.lanes)} are "
        "shown."
        for arm in arms
        if arm.is_part
    ]
    if len({arm.shown for arm in arms}) > 1:
        notes.append("Each arm has an axis of its own: the time that its lanes take.")
    pause_s = max(arm.pause for arm in arms) / 1e6
    notes.append(f"Pauses below {duration(pause_s)} are too short to be seen here.")
    data = {
        "arms": [
            {"shown": arm.shown, "lanes": [_drawn(lane) for lane in arm.lanes]} for arm in arms
        ],
        "words": WORDS,
    }
    used = [
        (f"arm-{number % ARM_COLOURS}", f"{arm.label} in use") for number, arm in enumerate(arms)
    ]
    key = (_OPENING, *used, *_KEY)
    drawn = chart("pool", f"Connections over time: {said}.", notes, key)
    return Figure([drawn, *(_listed(arm) for arm in arms if arm.lanes)], data)


def _listed(arm: Lanes) -> Element:
    caption = f"Connections of {arm.label}"
    if arm.is_part:
        caption += f" (the first {len(arm.lanes)} of {arm.connections:,})"
    rows = [lane.words for lane in arm.lanes]
    return folded(caption, table(caption, WORDS, rows, numbers=False))


def _drawn(lane: Lane) -> dict[str, object]:
    return {
        "row": lane.row,
        "opening": lane.opening,
        "used": [time for span in lane.used for time in span],
        "end": lane.end,
        "ending": lane.ending,
        "words": lane.words,
    }
