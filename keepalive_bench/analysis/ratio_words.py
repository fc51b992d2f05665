"""A ratio of latencies in words: as one from 2 on, and below in per cent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.units import times

if TYPE_CHECKING:
    from keepalive_bench.stats.intervals import Estimate

_MANIFOLD = 2.0
"""From here on, a ratio is said as one, and below in per cent."""
_TWO_DIGITS, _NONE = 10, 0.05
NO_RATIO = times(1.0)
"""What no sentence says."""


def with_interval(ratio: Estimate) -> str:
    """A ratio with its interval, if that is known."""
    if ratio.low is not None and ratio.high is not None and ratio.low <= 1 <= ratio.high:
        return span(ratio)
    estimate, low, high = forward(ratio)
    word = word_of(ratio)
    if times(estimate) == NO_RATIO:
        return f"{amount_of(estimate)} {word}"
    if times(low) == NO_RATIO:
        return span(ratio)
    sure = f" ({ends(low, high)})" if ratio.low is not None else ""
    return f"{times(estimate)} {word}{sure}"


def ends(low: float, high: float) -> str:
    """An interval of a ratio, behind one: `2.10–2.98`."""
    return f"{low:.2f}–{high:.2f}"


def word_of(ratio: Estimate) -> str:
    """Whether the estimate is faster or slower."""
    return "faster" if (ratio.estimate or 0.0) >= 1 else "slower"


def forward(ratio: Estimate) -> tuple[float, float, float]:
    """The ratio, or where it is below 1 its inverse, with its ends, or itself for those unknown."""
    estimate = ratio.estimate or 1.0
    low = estimate if ratio.low is None else ratio.low
    high = estimate if ratio.high is None else ratio.high
    return (estimate, low, high) if estimate >= 1 else (1 / estimate, 1 / high, 1 / low)


def in_brief(ratio: Estimate) -> str:
    """The estimate alone: `2.97× faster`, `12 % slower`."""
    return f"{amount_of(forward(ratio)[0])} {word_of(ratio)}"


def span(ratio: Estimate) -> str:
    """Both ends: `1–3 % faster`, `4 % slower to 12 % faster`, `0.72–4.57× as fast`."""
    _, low, high = ratio
    if low is None or high is None:
        return "unknown"
    if low > 1:
        return f"{range_of(low, high)} faster"
    if high < 1:
        return f"{range_of(1 / high, 1 / low)} slower"
    if low <= 1 / _MANIFOLD or high >= _MANIFOLD:
        return f"{ends(low, high)}× as fast"
    return f"{amount_of(1 / low)} slower to {amount_of(high)} faster"


def range_of(low: float, high: float) -> str:
    """Of two ratios above 1."""
    least, most = amount_of(low), amount_of(high)
    if least == most:
        return least
    if least.endswith("%") and most.endswith("%"):
        return f"{least.removesuffix(' %')}–{most}"
    return f"{least} to {most}"


def amount_of(ratio: float) -> str:
    """How much more than 1 a ratio is: `0.4 %`, `12 %`, `2.30×`."""
    if ratio >= _MANIFOLD:
        return times(ratio)
    percent = 100 * (ratio - 1)
    if percent < _NONE:
        return "0 %"
    return f"{percent:.0f} %" if percent >= _TWO_DIGITS else f"{percent:.1f} %"
