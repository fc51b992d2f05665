"""What is said of an effect: how much faster or slower, of which requests, and how sure that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.analysis.explanation import in_words
from keepalive_bench.units import duration, times

if TYPE_CHECKING:
    from keepalive_bench.analysis.comparison import Comparison
    from keepalive_bench.plan.plan import DecisionRule
    from keepalive_bench.stats.intervals import Estimate

_MANIFOLD = 2.0
"""From here on, a ratio is said as one, and below in per cent."""
_TWO_DIGITS, _NONE = 10, 0.05
_NO_RATIO = times(1.0)


def different(subject: str, comparison: Comparison, rule: DecisionRule) -> str:
    """That an arm is faster, or slower, by how much, and what that comes to.

    Where the ratio may lie within the margin, that is what is said first.
    """
    estimate, low, high = _forward(comparison.leading)
    word = _word(comparison.leading)
    interval = f"{100 * rule.confidence:g} % interval"
    if low > 1 + rule.margin and times(low) != _NO_RATIO:
        found = f"{times(estimate)} {word} here{_of(comparison)}"
        sure = f"{interval} {times(low)}–{times(high)}"
    else:
        found = f"{word} here{_of(comparison)}, by {_range(low, high)}"
        sure = f"{interval}; {_amount(estimate)} typically" if estimate > low else interval
    return f"{subject} is {found} ({sure}){_saving(comparison)}.{_other_ratio(comparison)}"


def alike(subject: str, comparison: Comparison, rule: DecisionRule) -> str:
    """That there is no difference that matters, and what is surely there all the same."""
    estimate, low, high = comparison.leading
    share, interval = f"{100 * rule.margin:g} %", f"{100 * rule.confidence:g} % interval"
    within = ""
    if estimate is not None and low is not None and high is not None and not low <= 1 <= high:
        by = f"{100 * (max(estimate, 1 / estimate) - 1):.1f}"
        within = (
            f"; {_word(comparison.leading)} by {by} %, within the margin" if by != "0.0" else ""
        )
    return (
        f"{subject} makes no difference beyond {share} here{_of(comparison)} "
        f"({interval}: {span(comparison.leading)}){within}.{_other_ratio(comparison)}"
    )


def open_question(subject: str, comparison: Comparison, rule: DecisionRule) -> str:
    """That it can't be told."""
    interval = f"{100 * rule.confidence:g} % interval"
    return (
        f"{subject} may be faster{_of(comparison)}, or may not "
        f"({interval}: {span(comparison.leading)}).{_other_ratio(comparison)}"
    )


def _of(comparison: Comparison) -> str:
    """Which requests the leading ratio is about, where that isn't all of them alike."""
    if comparison.leads == "mean_ratio":
        return ""
    if _is_partial(comparison):
        on = "for a typical one of" if comparison.has_heavy_tails else "on"
        return f" {on} {_those(comparison)}"
    return " for a typical request" if comparison.has_heavy_tails else ""


def _other_ratio(comparison: Comparison) -> str:
    """A sentence about the other of the two ratios, where that says something else."""
    if comparison.leads == "mean_ratio":
        other, whose = comparison.speedup, f"On {_those(comparison)}, it is"
    elif comparison.has_heavy_tails:
        other, whose = (
            comparison.mean_ratio,
            "A few slow requests decide the means: by those, it is",
        )
    else:
        other, whose = comparison.mean_ratio, "Over all requests, it is"
        if not _is_partial(comparison):
            return ""
    return "" if other.estimate is None else f" {whose} {_ratio(other)}."


def _is_partial(comparison: Comparison) -> bool:
    return comparison.explained is not None and comparison.explained.is_partial


def _those(comparison: Comparison) -> str:
    return f"the {comparison.reused:,} of {comparison.in_pairs:,} requests that reused a connection"


def _ratio(ratio: Estimate) -> str:
    """A ratio with its interval, if that is known."""
    if ratio.low is not None and ratio.high is not None and ratio.low <= 1 <= ratio.high:
        return span(ratio)
    estimate, low, high = _forward(ratio)
    word = _word(ratio)
    if times(estimate) == _NO_RATIO:
        return f"{_amount(estimate)} {word}"
    if times(low) == _NO_RATIO:
        return span(ratio)
    ends = f" ({times(low)}–{times(high)})" if ratio.low is not None else ""
    return f"{times(estimate)} {word}{ends}"


def _word(ratio: Estimate) -> str:
    return "faster" if (ratio.estimate or 0.0) >= 1 else "slower"


def _forward(ratio: Estimate) -> tuple[float, float, float]:
    """The ratio, or where it is below 1 its inverse, with its ends, or itself for those unknown."""
    estimate = ratio.estimate or 1.0
    low = estimate if ratio.low is None else ratio.low
    high = estimate if ratio.high is None else ratio.high
    return (estimate, low, high) if estimate >= 1 else (1 / estimate, 1 / high, 1 / low)


def in_brief(ratio: Estimate) -> str:
    """The estimate alone: `2.97× faster`, `12 % slower`."""
    return f"{_amount(_forward(ratio)[0])} {_word(ratio)}"


def span(ratio: Estimate) -> str:
    """From which end to which: `4 % slower to 12 % faster`, `1–3 % faster`."""
    _, low, high = ratio
    if low is None or high is None:
        return "unknown"
    if low > 1:
        return f"{_range(low, high)} faster"
    if high < 1:
        return f"{_range(1 / high, 1 / low)} slower"
    ends = [_amount(1 / low), _amount(high)]
    return f"{ends[0]} slower to {ends[1]} faster"


def _range(low: float, high: float) -> str:
    """Of two ratios above 1."""
    ends = [_amount(low), _amount(high)]
    if ends[0] == ends[1]:
        return ends[0]
    if all(end.endswith("%") for end in ends):
        return f"{ends[0].removesuffix(' %')}–{ends[1]}"
    return " to ".join(ends)


def _amount(ratio: float) -> str:
    """How much more than 1 a ratio is: `0.4 %`, `12 %`, `2.30×`."""
    if ratio >= _MANIFOLD:
        return times(ratio)
    percent = 100 * (ratio - 1)
    if percent < _NONE:
        return "0 %"
    return f"{percent:.0f} %" if percent >= _TWO_DIGITS else f"{percent:.1f} %"


def _saving(comparison: Comparison) -> str:
    """What the first-named arm saves on average, and on what; or costs."""
    sign = 1 if (comparison.leading.estimate or 0.0) >= 1 else -1
    verb = "saves" if sign > 0 else "costs"
    saving, low, high = comparison.saving_s["mean"]
    amount = sign * (saving or 0.0)
    if amount <= 0 or comparison.explained is None:
        return f"{'' if _of(comparison) else ' for a typical request'}, though not on average"
    sum_up = f", {duration(1000 * amount)} in 1,000"
    if low is not None and high is not None and low <= 0 <= high:
        sum_up = " (though the interval of that includes 0)"
    parts = in_words(comparison.explained, amount, sign)
    return f": it {verb} {duration(amount)} a request on average{sum_up}{parts}"
