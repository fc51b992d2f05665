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
    from keepalive_bench.stats.intervals import Estimate


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
    return _with_means(f"{subject} is {found} ({sure})", comparison, _saving(comparison))


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
    found = f"{subject} makes no difference beyond {share} here{_of(comparison)} "
    _, low, high = comparison.saving_s["mean"]
    is_sure = low is not None and high is not None and not low <= 0 <= high
    return _with_means(
        f"{found}({interval}: {span(comparison.leading)}){within}",
        comparison,
        _saving(comparison) if is_sure else "",
    )


def open_question(subject: str, comparison: Comparison, rule: DecisionRule) -> str:
    """That it can't be told."""
    interval = f"{100 * rule.confidence:g} % interval"
    found = f"{subject} may be faster{_of(comparison)}, or may not "
    return _with_means(f"{found}({interval}: {span(comparison.leading)})", comparison, "")


def _of(comparison: Comparison) -> str:
    """Which requests the leading ratio is about, where that isn't all of them alike."""
    if comparison.leads == "mean_ratio":
        return ""
    if _is_partial(comparison):
        on = "for a typical one of" if comparison.has_heavy_tails else "on"
        return f" {on} {_those(comparison)}"
    is_typical = comparison.has_heavy_tails or _is_contradicted(comparison)
    return " for a typical request" if is_typical else ""


def _with_means(found: str, comparison: Comparison, saving: str) -> str:
    """What was found, and what the other of the two ratios says where that is something else.

    What is saved is saved on all requests, so it stands behind what is said of those.
    """
    if comparison.leads == "mean_ratio":
        other = _other(f"On {_those(comparison)}, it is", comparison.speedup)
        return f"{found}{saving}.{other}." if other else f"{found}{saving}."
    whose = "Over all requests, it is"
    if comparison.has_heavy_tails:
        whose = "A few slow requests decide the means, by which it is"
    other = _other(whose, comparison.mean_ratio) if _has_other(comparison) else ""
    return f"{found}.{other}{saving}." if other else f"{found}{saving}."


def _other(whose: str, ratio: Estimate) -> str:
    return "" if ratio.estimate is None else f" {whose} {with_interval(ratio)}"


def _has_other(comparison: Comparison) -> bool:
    """Whether what the means say is a sentence of its own."""
    return comparison.leads == "speedup" and (comparison.has_heavy_tails or _is_partial(comparison))


def _is_partial(comparison: Comparison) -> bool:
    return comparison.explained is not None and comparison.explained.is_partial


def _those(comparison: Comparison) -> str:
    return f"the {comparison.reused:,} of {comparison.in_pairs:,} requests that reused a connection"


def _is_contradicted(comparison: Comparison) -> bool:
    """Whether all requests together take longer where the leading ratio is above 1, or less."""
    saving, ratio = comparison.saving_s["mean"].estimate, comparison.leading.estimate
    return bool(saving and ratio) and (saving or 0.0) * ((ratio or 1.0) - 1) < 0


def _saving(comparison: Comparison) -> str:
    """What the first-named arm saves on average, and on what; or costs."""
    saving, low, high = comparison.saving_s["mean"]
    if not saving or comparison.explained is None:
        return ""
    sign = 1 if saving > 0 else -1
    amount, verb = abs(saving), "saves" if sign > 0 else "costs"
    sum_up = f", {duration(1000 * amount)} in 1,000"
    if low is not None and high is not None and low <= 0 <= high:
        sum_up = " (though the interval of that includes 0)"
    parts = in_words(comparison.explained, amount, sign)
    if _is_contradicted(comparison) and not _has_other(comparison):
        return f", though on average it {verb} {duration(amount)} a request{sum_up}{parts}"
    return f": it {verb} {duration(amount)} a request on average{sum_up}{parts}"
