"""How the latencies of the arms spread, and the phases that they are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.report import Chart
from keepalive_bench.report.page.markup import (
    ARM_COLOURS,
    figure,
    microseconds,
    no_chart,
    set_table,
)
from keepalive_bench.report.run_tables import phase_rows, phase_table
from keepalive_bench.results.exchange import PHASES
from keepalive_bench.units import duration, plural

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keepalive_bench.analysis import Analysis
    from keepalive_bench.report.histogram import Histogram

BINS, _DIGITS = 60, 3
_COLOURS = {name.replace("_", " "): number for number, name in enumerate(PHASES)}
_REMAINDER = len(_COLOURS)
_COLOURS["queued"] = 0  # as the wait for a place in the pool


def spread(
    analysis: Analysis, latencies: Mapping[str, list[float]], shown: Histogram | None
) -> Chart:
    """Histograms of the arms, in shares of each arm's responses, over one axis."""
    if shown is None:
        return no_chart("There are too few responses to draw a distribution.")
    names = [arm.name for arm in analysis.arms]
    words = "; ".join(map(_in_words, names, latencies.values()))
    key = [(f"arm-{number % ARM_COLOURS}", name) for number, name in enumerate(names)]
    data = {
        # Whole microseconds would make some bins of a quick server empty, and others twice as wide.
        "edges": [round(edge * 1e6, _DIGITS) for edge in shown.edges_s],
        "counts": list(shown.counts.values()),
        "answers": [len(values) for values in latencies.values()],
        "medians": medians(analysis),
        "logarithmic": shown.logarithmic,
    }
    return Chart([figure("spread", f"Histograms of latencies: {words}.", _notes(shown), key)], data)


def medians(analysis: Analysis) -> list[tuple[int, str] | None]:
    """The median of each arm, to draw and to read; `None` where it has too few responses."""
    found = (arm.latency.p50 for arm in analysis.arms)
    return [None if it is None else (microseconds(it), duration(it)) for it in found]


def _notes(shown: Histogram) -> list[str]:
    notes = ["Bars are shares of each arm's own responses; dashed lines are medians."]
    if shown.logarithmic:
        notes.append("The scale of latencies is logarithmic, so it has no zero.")
    beyond = [
        f"{count:,} of {label}, up to {duration(slowest_s)}"
        for label, (count, slowest_s) in shown.beyond.items()
    ]
    if beyond:
        notes.append(f"Slower than what is shown: {'; '.join(beyond)}.")
    return notes


def _in_words(name: str, values: list[float]) -> str:
    if not values:
        return f"{name} has no response"
    return (
        f"{name}, {plural(len(values), 'response')} from {duration(values[0])} to "
        f"{duration(values[-1])}, half of them up to {duration(values[(len(values) - 1) // 2])}"
    )


def stack(analysis: Analysis) -> Chart:
    """The phases of each arm, and below them how often each happened and how long it took then."""
    rows = phase_rows(analysis)
    if not rows:
        return no_chart("Nothing was answered, so there are no phases.")
    colours = [_COLOURS.get(row.phase, _REMAINDER) for row in rows]
    labels = [arm.label for arm in analysis.arms]
    said = "; ".join(
        f"{label} " + ", ".join(f"{row.phase} {duration(row.shares[number])}" for row in rows)
        for number, label in enumerate(labels)
    )
    drawn = figure(
        "stack",
        f"Mean latency by phase: {said}.",
        ["Time per request, on average over all responses."],
        [(f"phase-{colour}", row.phase) for colour, row in zip(colours, rows, strict=True)],
    )
    data = {
        "names": [row.phase for row in rows],
        "colours": colours,
        "shares": [[round(share * 1e6, 1) for share in row.shares] for row in rows],
        "details": [row.words for row in rows],
    }
    return Chart([drawn, set_table(phase_table(analysis))], data)
