"""What each value of a sweep came to: counts, and requests per second of its rounds."""

from __future__ import annotations

from array import array
from itertools import groupby, pairwise
from math import fsum, inf, isnan
from operator import truediv
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.analysis.sweep import SweptValue
from keepalive_bench.results.exchange import ENDINGS
from keepalive_bench.results.table import pick
from keepalive_bench.stats.dependence import dependence, interval_inflation
from keepalive_bench.stats.intervals import Estimate, ratio_interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.analysis.arm_view import ArmView
    from keepalive_bench.results.run import Run

_DISCARDED = ENDINGS.index("discarded")


def swept_value(run: Run, arm: ArmSummary, view: ArmView, value: int, rounds: Rounds) -> SweptValue:
    """What one value's arm did, in its rounds."""
    exchanges, ending = run.exchanges, run.connections.ending
    opened = run.connections.of_arm(arm.label)
    waits = pick(exchanges.phases["pool_wait"], view.ended)
    numbers, used = (pick(it, view.ended) for it in (exchanges.round, exchanges.connection))
    # What is thrown away is so when its last answer has been read.
    last_used = dict(zip(used, numbers, strict=True))
    full = {at for row, at in last_used.items() if row >= 0 and ending[row] == _DISCARDED}
    return SweptValue(
        summary=arm,
        value=value,
        by_kab=len(arm.reasons.caused_by_interleaving),
        discarded=pick(ending, opened).count(_DISCARDED),
        rounds=len(set(numbers)),
        full_rounds=len(full),
        open_at_once=len(set(pick(run.connections.slot, opened))),
        waited=len(waits) - sum(map(isnan, waits)),
        requests_per_second=rate(rounds, view.confidence),
    )


class Rounds(NamedTuple):
    """One arm's parts of the rounds in which it sent something, in order; flat."""

    numbers: array[int]
    requests: array[int]
    """Those that failed count too, as their time does."""
    seconds: array[float]
    """From the first beginning to the last end."""


def rounds_of(view: ArmView) -> Rounds:
    """When an arm was running, and how much it sent then."""
    exchanges, sent = view.exchanges, view.in_time
    numbers = pick(exchanges.round, sent)
    began_s, latency_s = pick(exchanges.began_s, sent), pick(exchanges.latency_s, sent)
    rounds = Rounds(array("I"), array("I"), array("d"))
    for number, rows in groupby(_in_order(numbers), numbers.__getitem__):
        count, first_s, last_s = 0, inf, -inf
        for row in rows:
            count += 1
            first_s = min(first_s, began_s[row])
            last_s = max(last_s, began_s[row] + latency_s[row])
        if last_s > first_s:
            rounds.numbers.append(number)
            rounds.requests.append(count)
            rounds.seconds.append(last_s - first_s)
    return rounds


def _in_order(numbers: array[int]) -> Iterable[int]:
    """The rows by their rounds; kab writes them so, and others may have written a file."""
    rows = range(len(numbers))
    if all(before <= after for before, after in pairwise(numbers)):
        return rows
    return sorted(rows, key=numbers.__getitem__)


def rate(rounds: Rounds, confidence: float) -> Estimate:
    """All requests ÷ all seconds; rounds are resampled for the interval, 8 of them at least."""
    return _ratio(rounds.requests, rounds.seconds, confidence)


def rate_ratio(one: Rounds, other: Rounds, confidence: float) -> Estimate:
    """One arm's requests per second ÷ the other's, of rounds in which both sent as many."""
    own, others = array("d"), array("d")
    for ours, theirs in _common(one.numbers, other.numbers):
        if one.requests[ours] == other.requests[theirs]:
            own.append(one.seconds[ours])
            others.append(other.seconds[theirs])
    return _ratio(others, own, confidence)


def _common(one: array[int], other: array[int]) -> Iterator[tuple[int, int]]:
    ours = theirs = 0
    while ours < len(one) and theirs < len(other):
        if one[ours] == other[theirs]:
            yield ours, theirs
        ahead = one[ours] - other[theirs]
        ours, theirs = ours + (ahead <= 0), theirs + (ahead >= 0)


def _ratio(upper: Sequence[float], lower: Sequence[float], confidence: float) -> Estimate:
    if not upper:
        return Estimate(None)
    ratios = array("d", map(truediv, upper, lower))
    factor = interval_inflation(dependence(ratios).inefficiency, len(ratios), confidence)
    estimate = fsum(upper) / fsum(lower)
    interval = ratio_interval(upper, lower, confidence, factor)
    return Estimate(estimate, *interval) if interval else Estimate(estimate)
