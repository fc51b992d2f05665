"""Where the time goes: the mean latency of each arm, as a stack of its phases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.report import table as words
from keepalive_bench.report.page.figure import Figure, chart, without
from keepalive_bench.report.page.markup import table
from keepalive_bench.results.exchange import PHASES
from keepalive_bench.units import duration

if TYPE_CHECKING:
    from keepalive_bench.analysis.analysis import Analysis

_COLOURS = {name.replace("_", " "): number for number, name in enumerate(PHASES)}
_REMAINDER = len(_COLOURS)
_COLOURS["queued"] = 0  # as the wait for a place in the pool


def stack(analysis: Analysis) -> Figure:
    """The phases of each arm, and below them how often each happened and how long it took then."""
    rows = words.phase_rows(analysis)
    if not rows:
        return without("Nothing was answered, so there are no phases.")
    details = [[" × ".join(part for part in cell if part) for cell in row.cells] for row in rows]
    colours = [_COLOURS.get(row.phase, _REMAINDER) for row in rows]
    labels = [arm.label for arm in analysis.arms]
    said = "; ".join(
        f"{label} " + ", ".join(f"{row.phase} {duration(row.shares[number])}" for row in rows)
        for number, label in enumerate(labels)
    )
    drawn = chart(
        "stack",
        f"Mean latency by phase: {said}.",
        ["Time per request, on average over all that were answered."],
        [(f"phase-{colour}", row.phase) for colour, row in zip(colours, rows, strict=True)],
    )
    listed = table(
        "How often each phase happened × how long it took then",
        ("phase", *labels),
        [(row.phase, *cells) for row, cells in zip(rows, details, strict=True)],
    )
    data = {
        "names": [row.phase for row in rows],
        "colours": colours,
        "shares": [[round(share * 1e6, 1) for share in row.shares] for row in rows],
        "details": details,
    }
    return Figure([drawn, listed], data)
