"""What is said of an effect: how much faster or slower, of which requests, and how sure that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.analysis.explanation import in_words
from keepalive_bench.analysis.ratio_words import (
    NO_RATIO,
    amount_of,
    forward,
    range_of,
    span,
    with_interval,
    word_of,
)
from keepalive_bench.units import duration, times

if TYPE_CHECKING:
    from keepalive_bench.analysis.comparison import Comparison
    from keepalive_bench.plan.plan import DecisionRule


def different(subject: str, comparison: Comparison, rule: DecisionRule) -> str:
    """That an arm is faster, or slower, by how much, and what that comes to.

    Where the ratio may lie within the margin, that is what is said first.
    """
    estimate, low, high = forward(comparison.leading)
    word = word_of(comparison.leading)
    interval = f"{100 * rule.confidence:g} % interval"
    if low > 1 + rule.margin and times(low) != NO_RATIO:
        found = f"{times(estimate)} {word} here{_of(comparison)}"
        sure = f"{interval} {times(low)}–{times(high)}"
    else:
        found = f"{word} here{_of(comparison)}, by {range_of(low, high)}"
        sure = f"{interval}; {amount_of(estimate)} typically" if estimate > low else interval
    return f"{subject} is {found} ({sure}){_saving(comparison)}.{_other_ratio(comparison)}"


def alike(subject: str, comparison: Comparison, rule: DecisionRule) -> str:
    """That there is no difference that matters, and what is surely there all the same."""
    estimate, low, high = comparison.leading
    share, interval = f"{100 * rule.margin:g} %", f"{100 * rule.confidence:g} % interval"
    within = ""
    if estimate is not None and low is not None and high is not None and not low <= 1 <= high:
        by = f"{100 * (max(estimate, 1 / estimate) - 1):.1f}"
        within = (
            f"; {word_of(comparison.leading)} by {by} %, within the margin" if by != "0.0" else ""
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
    return "" if other.estimate is None else f" {whose} {with_interval(other)}."


def _is_partial(comparison: Comparison) -> bool:
    return comparison.explained is not None and comparison.explained.is_partial


def _those(comparison: Comparison) -> str:
    return f"the {comparison.reused:,} of {comparison.in_pairs:,} requests that reused a connection"


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
