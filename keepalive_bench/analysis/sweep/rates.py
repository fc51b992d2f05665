"""Requests per second of the time in which an arm was running, with an interval over its rounds."""

from __future__ import annotations

from math import fsum
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.analysis.inference.dependence import dependence, widening
from keepalive_bench.analysis.inference.intervals import ratio_interval
from keepalive_bench.analysis.rows import of_arm, pick
from keepalive_bench.model.analysis import Estimate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keepalive_bench.model.run import Run


class Round(NamedTuple):
    """One arm's part of a round."""

    requests: int
    """Those that failed count too, as their time does."""
    seconds: float
    """From the first beginning to the last end."""


Rounds = dict[int, Round]
"""By their number."""


def rounds_of(run: Run, arm: str) -> Rounds:
    """The rounds in which an arm sent something, and how long that took."""
    exchanges = run.exchanges
    sent = of_arm(exchanges, arm)
    rows = zip(
        pick(exchanges.round, sent),
        pick(exchanges.began_s, sent),
        pick(exchanges.latency_s, sent),
        strict=True,
    )
    spans: dict[int, tuple[int, float, float]] = {}
    for number, began_s, latency_s in rows:
        count, first, last = spans.get(number, (0, began_s, began_s))
        spans[number] = count + 1, min(first, began_s), max(last, began_s + latency_s)
    return {
        number: Round(count, last - first)
        for number, (count, first, last) in sorted(spans.items())
        if last > first
    }


def rate(rounds: Rounds, confidence: float) -> Estimate:
    """All requests ÷ all seconds; rounds are resampled for the interval, 8 of them at least."""
    counts = [it.requests for it in rounds.values()]
    seconds = [it.seconds for it in rounds.values()]
    return _ratio(counts, seconds, confidence)


def rate_ratio(one: Rounds, other: Rounds, confidence: float) -> Estimate:
    """One arm's requests per second ÷ the other's, of rounds in which both sent as many."""
    both = [(one[it], other[it]) for it in one if it in other]
    alike = [(ours, theirs) for ours, theirs in both if ours.requests == theirs.requests]
    own, others = [ours.seconds for ours, _ in alike], [theirs.seconds for _, theirs in alike]
    return _ratio(others, own, confidence)


def _ratio(upper: Sequence[float], lower: Sequence[float], confidence: float) -> Estimate:
    if not upper:
        return Estimate(None)
    ratios = [above / below for above, below in zip(upper, lower, strict=True)]
    factor = widening(dependence(ratios).inefficiency, len(ratios), confidence)
    estimate = fsum(upper) / fsum(lower)
    interval = ratio_interval(upper, lower, confidence, factor)
    return Estimate(estimate, *interval) if interval else Estimate(estimate)
