"""The latencies of all arms in bins that they share: for the terminal, and for the page."""

from __future__ import annotations

from bisect import bisect_right
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.analysis.untimed import untimed
from keepalive_bench.units import duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from keepalive_bench.results.run import Run

FEWEST = 5
"""Where no arm has this many answers, there is no distribution to show."""
_FEWEST_IN_LINES = 30
"""Where any arm has fewer, a line of blocks shows no shape."""
_FAR_APART = 5.0
"""From this ratio of the slowest to the fastest on, bins grow in proportion to the latency."""
_TOO_FAR_FROM_ZERO = 20.0
"""From this ratio of the axis to an arm's median on, that arm is lost on an axis from zero."""
_LONG_TAIL = 1.5
"""The slowest hundredth is cut off where it would stretch the axis by more than this."""
_HEIGHT = 2
_BLOCKS, _ASCII = " ▁▂▃▄▅▆▇█", " .:#"
_NARROWEST, _WIDEST = 24, 60


class Histogram(NamedTuple):
    """How many latencies of each arm fall into each bin; bins are the same for all arms."""

    edges_s: tuple[float, ...]
    """One more than there are bins. A bin has its lower edge; the last one has both."""
    counts: dict[str, tuple[int, ...]]
    """By label."""
    beyond: dict[str, tuple[int, float]]
    """How many lie above the last edge, and the largest of them; by label, where there are some."""
    logarithmic: bool
    """Whether edges are equally far apart on a logarithmic scale."""


class Reach(NamedTuple):
    """From where to where an axis of latencies goes; a few that are far slower lie beyond it."""

    low_s: float
    high_s: float
    logarithmic: bool
    """Whether it has to be; otherwise it may begin at zero."""


def latencies_of(run: Run) -> dict[str, list[float]]:
    """The latencies of the exchanges that are timed, sorted, by label; an arm may have none."""
    exchanges = run.exchanges
    values: list[list[float]] = [[] for _ in exchanges.arms]
    left_out = untimed(run).mask or bytes(len(exchanges))
    for arm, failure, latency_s, is_left_out in zip(
        exchanges.arm, exchanges.failure, exchanges.latency_s, left_out, strict=True
    ):
        if failure < 0 and not is_left_out:
            values[arm].append(latency_s)
    return {label: sorted(found) for label, found in zip(exchanges.arms, values, strict=True)}


def histogram(
    latencies: Mapping[str, Sequence[float]], bins: int, *, from_zero: bool = False
) -> Histogram | None:
    """Bins from the fastest to the slowest of any arm; `None` where there is too little to show.

    Takes sorted values. A few that are far slower than the rest are counted beyond the last edge.
    `from_zero`: they are for an axis that begins at zero wherever that shows all arms.
    """
    present = [values for values in latencies.values() if values]
    if max(map(len, present), default=0) < FEWEST:
        return None
    low, high, logarithmic = reach(present, from_zero=from_zero)
    if from_zero and not logarithmic:
        bins, low = _from_zero(low, high, bins)
    edges = tuple(_edges(low, high, bins, logarithmic=logarithmic))
    return Histogram(
        edges_s=edges,
        counts={label: _counts(values, edges) for label, values in latencies.items()},
        beyond={
            label: (len(values) - bisect_right(values, edges[-1]), values[-1])
            for label, values in latencies.items()
            if values and values[-1] > edges[-1]
        },
        logarithmic=logarithmic,
    )


def reach(present: Sequence[Sequence[float]], *, from_zero: bool) -> Reach:
    """How far the axis goes that shows some arms; takes sorted values, one of each at least."""
    low, high = min(values[0] for values in present), max(values[-1] for values in present)
    usual = max(_usual(values, at_least=1 if from_zero else 0) for values in present)
    if high - low > _LONG_TAIL * (usual - low) > 0:
        high = usual
    if high <= low:  # all the same: one bin in the middle of the axis
        low, high = 0.9 * low, 1.1 * low or 1e-3
    fastest = min(values[len(values) // 2] for values in present)
    too_far = low > 0 and high / fastest >= _TOO_FAR_FROM_ZERO
    logarithmic = too_far if from_zero else low > 0 and high / low >= _FAR_APART
    return Reach(low, high, logarithmic)


def _usual(values: Sequence[float], *, at_least: int) -> float:
    """The largest but the slowest hundredth, or so many: one shouldn't make an axis logarithmic."""
    return values[max(len(values) - 1 - max(len(values) // 100, at_least), 0)]


def _from_zero(low: float, high: float, bins: int) -> tuple[int, float]:
    """Of so many bins from zero, those that aren't empty: how many, and where they begin."""
    empty = min(int(low / high * bins), bins - 1)
    return bins - empty, high * empty / bins


def _edges(low: float, high: float, bins: int, *, logarithmic: bool) -> Iterable[float]:
    yield low
    for number in range(1, bins):
        share = number / bins
        yield low * (high / low) ** share if logarithmic else low + (high - low) * share
    yield high


def _counts(values: Sequence[float], edges: tuple[float, ...]) -> tuple[int, ...]:
    bins = len(edges) - 1
    counts = [0] * bins
    for value in values[: bisect_right(values, edges[-1])]:
        counts[min(bisect_right(edges, value), bins) - 1] += 1
    return tuple(counts)


def histogram_lines(run: Run, width: int, *, plain_ascii: bool = False) -> list[str]:
    """The distributions one above the other over one axis; none where they say or fit nothing."""
    latencies = latencies_of(run)
    margin = max(map(len, latencies)) + 2
    shown = histogram(latencies, 1)
    if shown is None or min(map(len, filter(None, latencies.values()))) < _FEWEST_IN_LINES:
        return []
    tails = {
        label: f" +{count:,} up to {duration(slowest_s)}"
        for label, (count, slowest_s) in shown.beyond.items()
    }
    room = width - margin - max(map(len, tails.values()), default=0)
    shown = histogram(latencies, min(room, _WIDEST)) if room >= _NARROWEST else None
    if shown is None:
        return []
    scale = ", on a logarithmic scale" if shown.logarithmic else ""
    lines = [f"latency distribution{scale}; each arm scaled to its own peak"]
    for label, counts in shown.counts.items():
        *upper, last = _bars(counts, _ASCII if plain_ascii else _BLOCKS)
        lines += [f"{'':{margin}}{row}".rstrip() for row in upper]
        lines.append(f"{label:<{margin}}{last}{tails.get(label, '')}".rstrip())
    return [*lines, f"{'':{margin}}{_axis(shown)}"]


def _bars(counts: tuple[int, ...], blocks: str) -> list[str]:
    """Bars as rows of characters, the top one first; what is not empty can be seen."""
    steps = len(blocks) - 1
    most = max(counts)
    heights = [ceil(count / most * _HEIGHT * steps) if count else 0 for count in counts]
    return [
        "".join(blocks[min(max(height - row * steps, 0), steps)] for height in heights)
        for row in reversed(range(_HEIGHT))
    ]


def _axis(shown: Histogram) -> str:
    """The values at the first edge, in the middle and at the last edge, each at its place."""
    edges = shown.edges_s
    bins = len(edges) - 1
    first, middle, last = (duration(edges[place]) for place in (0, bins // 2, bins))
    centre = bins // 2 - len(middle) // 2
    return f"{first}{middle:>{centre + len(middle) - len(first)}}".ljust(bins - len(last)) + last
