"""How the latencies of the arms spread, over each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.report.histogram import histogram, latencies_of
from keepalive_bench.report.page.figure import ARM_COLOURS, Figure, chart, without
from keepalive_bench.units import duration, plural

if TYPE_CHECKING:
    from keepalive_bench.report.histogram import Histogram
    from keepalive_bench.results.run import Run

_BINS, _DIGITS = 60, 3


def spread(run: Run) -> Figure:
    """Histograms of the arms, in shares of each arm's answers, over one axis."""
    latencies = latencies_of(run)
    shown = histogram(latencies, _BINS)
    if shown is None:
        return without("There are too few answers to draw how latencies spread.")
    words = "; ".join(_in_words(label, values) for label, values in latencies.items())
    key = [(f"arm-{number % ARM_COLOURS}", label) for number, label in enumerate(latencies)]
    data = {
        # Whole microseconds would make some bins of a quick server empty, and others twice as wide.
        "edges": [round(edge * 1e6, _DIGITS) for edge in shown.edges_s],
        "counts": list(shown.counts.values()),
        "answers": [len(values) for values in latencies.values()],
        "logarithmic": shown.logarithmic,
    }
    return Figure([chart("spread", f"Histograms of latencies: {words}.", _notes(shown), key)], data)


def _notes(shown: Histogram) -> list[str]:
    notes = ["Bars are shares of each arm's own answers."]
    if shown.logarithmic:
        notes.append("The scale of latencies is logarithmic.")
    beyond = [
        f"{count:,} of {label}, up to {duration(shown.slowest_s[label])}"
        for label, count in shown.beyond.items()
        if count
    ]
    if beyond:
        notes.append(f"Slower than what is shown: {'; '.join(beyond)}.")
    return notes


def _in_words(label: str, values: list[float]) -> str:
    if not values:
        return f"{label} has no answer"
    return (
        f"{label}, {plural(len(values), 'answer')} from {duration(values[0])} to "
        f"{duration(values[-1])}, half of them up to {duration(values[(len(values) - 1) // 2])}"
    )
