"""What is said of an effect: how much faster or slower, of which requests, and how sure that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.analysis.explanation import in_words
from keepalive_bench.analysis.ratio_words import (
    NO_RATIO,
    amount_of,
    ends,
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

    Where the ratio may lie within the margin, its interval is what is said first.
    """
    estimate, low, high = forward(comparison.leading)
    word = word_of(comparison.leading)
    if low > 1 + rule.margin and times(low) != NO_RATIO:
        found = f"{times(estimate)} {word} here{_of(comparison)}"
        sure = f"{rule.ci} {ends(low, high)}"
    else:
        found = f"{range_of(low, high)} {word} here{_of(comparison)}"
        sure = f"{rule.ci}; estimate {amount_of(estimate)}" if estimate > low else rule.ci
    return _with_means(f"{subject} is {found} ({sure})", comparison, _saving(comparison, rule))


def alike(subject: str, comparison: Comparison, rule: DecisionRule) -> str:
    """That there is no difference that matters, and what is surely there all the same."""
    share = f"{100 * rule.margin:g} %"
    found = f"{subject} makes no difference of more than {share} here{_of(comparison)} "
    sure = f"({rule.ci}: {span(comparison.leading)})"
    return _with_means(f"{found}{sure}", comparison, _saving(comparison, rule))


def open_question(subject: str, comparison: Comparison, rule: DecisionRule) -> str:
    """That it can't be told."""
    found = f"Inconclusive: {subject[0].lower()}{subject[1:]} may be faster{_of(comparison)}"
    return _with_means(
        f"{found}, or may not ({rule.ci}: {span(comparison.leading)})", comparison, ""
    )


def _of(comparison: Comparison) -> str:
    """Which requests the leading ratio is about, where that isn't all of them alike."""
    if comparison.leads == "mean_ratio":
        return ""
    if _is_partial(comparison):
        on = "for a typical one of" if comparison.has_heavy_tails else "on"
        number = f"{comparison.reused:,} of {comparison.in_pairs:,}"
        return f" {on} the {number} requests that reused a connection"
    is_typical = comparison.has_heavy_tails or _is_contradicted(comparison)
    return " for a typical request" if is_typical else ""


def _with_means(found: str, comparison: Comparison, saving: str) -> str:
    """What was found, and what the other of the two ratios says where that is something else.

    What is saved is saved on all requests, so it stands behind what is said of those.
    """
    if comparison.leads == "mean_ratio":
        return f"{found}{saving}.{_when_open(comparison)}"
    whose = "Over all requests, it is"
    if comparison.has_heavy_tails:
        whose = "A few slow requests decide the means, by which it is"
    other = _other(whose, comparison.mean_ratio) if _has_other(comparison) else ""
    return f"{found}.{other}{saving}." if other else f"{found}{saving}."


def _when_open(comparison: Comparison) -> str:
    """What a request gains that needs no new connection, and how many needed one."""
    other = _other("A request on an open connection is", comparison.speedup)
    opened = comparison.in_pairs - comparison.reused
    if not other or not opened:
        return f"{other}." if other else ""
    return f"{other}; {opened:,} of {comparison.in_pairs:,} had to open one."


def _other(whose: str, ratio: Estimate) -> str:
    return "" if ratio.low is None else f" {whose} {with_interval(ratio)}"


def _has_other(comparison: Comparison) -> bool:
    """Whether what the means say is a sentence of its own."""
    return comparison.leads == "speedup" and (
        comparison.has_heavy_tails or _is_partial(comparison) or _is_elsewhere(comparison)
    )


def _is_elsewhere(comparison: Comparison) -> bool:
    """Whether the ratio of means is outside of what the speed-up may be, on the same side of 1."""
    if _is_contradicted(comparison):
        return False
    ratio, (_, low, high) = comparison.mean_ratio.estimate, comparison.speedup
    return None not in {ratio, low, high} and not (low or 0.0) <= (ratio or 0.0) <= (high or 0.0)


def _is_partial(comparison: Comparison) -> bool:
    return comparison.explained is not None and comparison.explained.is_partial


def _is_contradicted(comparison: Comparison) -> bool:
    """Whether all requests together take longer where the leading ratio is above 1, or less."""
    saving, ratio = comparison.saving_s["mean"].estimate, comparison.leading.estimate
    return bool(saving and ratio) and (saving or 0.0) * ((ratio or 1.0) - 1) < 0


def _saving(comparison: Comparison, rule: DecisionRule) -> str:
    """What the first-named arm takes less on average, and on what; or more.

    Nothing where that isn't sure, unless it contradicts what has just been said.
    """
    saving, low, high = comparison.saving_s["mean"]
    is_contradicted = _is_contradicted(comparison) and not _has_other(comparison)
    is_unsure = low is not None and high is not None and low <= 0 <= high
    if not saving or comparison.explained is None or (is_unsure and not is_contradicted):
        return ""
    sign = 1 if saving > 0 else -1
    amount = abs(saving)
    said = f"{duration(amount)} {'less' if sign > 0 else 'more'} per request"
    if is_contradicted:
        unsure = f" (its {rule.ci} includes 0)" if is_unsure else ""
        return f", though it takes {said} on average{unsure}"
    return f": {said}{in_words(comparison.explained, amount, sign)}"
