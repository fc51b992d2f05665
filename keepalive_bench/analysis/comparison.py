"""The first-named arm against another; and whether their times mean the same."""

from __future__ import annotations

from array import array
from itertools import compress
from operator import sub
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from keepalive_bench.analysis.effects import (
    has_heavy_tails,
    leading,
    mean_ratio,
    typical_effect,
)
from keepalive_bench.analysis.explanation import explain
from keepalive_bench.analysis.pairs import pair
from keepalive_bench.analysis.savings import quantile_savings
from keepalive_bench.analysis.shift import shift_of
from keepalive_bench.stats.dependence import dependence, interval_inflation
from keepalive_bench.stats.intervals import Estimate, least_pairs, mean_interval
from keepalive_bench.units import plural, size

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from keepalive_bench.analysis.arm_summary import ArmSummary
    from keepalive_bench.analysis.arm_view import ArmView
    from keepalive_bench.analysis.effects import Leading
    from keepalive_bench.analysis.explanation import Explanation
    from keepalive_bench.analysis.pairs import Pairs
    from keepalive_bench.analysis.shift import Shift
    from keepalive_bench.results.columns import ExchangeColumns
    from keepalive_bench.stats.dependence import Dependence

_MOST_FAILED = 0.05


class Comparison(NamedTuple):
    """The first-named arm against another."""

    arm: str
    against: str
    pairs: int
    """How many pairs (of requests or of blocks, by the schedule) both arms answered."""
    left_out: int
    """How many more were sent, and have no answer in one of the arms, or in both."""
    reused: int
    """How many of the requests in pairs went over a connection that had served one before, of an
    arm that keeps connections; where neither does, all of them count. Where both do, one at a time,
    those whose other half did, too."""
    in_pairs: int
    """How many requests of that arm are in the pairs."""
    leads: Leading
    """Which of the two ratios below the verdict is about."""
    has_heavy_tails: bool
    """Whether a few slow requests decide the means."""
    speedup: Estimate
    """The other's latency ÷ the arm's own, typical of a pair that reused a connection."""
    mean_ratio: Estimate
    """The other's mean latency ÷ the arm's own, of all pairs."""
    requests_per_second: Estimate
    """The arm's ÷ the other's."""
    dependence: Dependence
    """How the pairs' log ratios depend on those before them."""
    interval_inflation: float
    """How much wider intervals are than without any, by that at all lags."""
    saving_s: dict[str, Estimate]
    """The other's latency − the arm's own, for `p50`, `p90`, `p95`; and for `mean`, of pairs."""
    explained: Explanation | None
    """Where the mean saving comes from; `None` where there are no pairs."""
    shift: Shift | None
    """Where their ratio changes its level in the course of the run; `None`: nowhere."""
    incomparable: str | None = None
    """Why the arms' times can't be compared, in a sentence; `None`: they can."""

    @property
    def correlation(self) -> float:
        """Autocorrelation of the pairs' log ratios at lag 1."""
        return self.dependence.correlation

    @property
    def leading(self) -> Estimate:
        """The ratio that the verdict is about."""
        return self.speedup if self.leads == "speedup" else self.mean_ratio


def compare(
    exchanges: ExchangeColumns, arms: tuple[ArmSummary, ArmSummary], views: tuple[ArmView, ArmView]
) -> Comparison:
    """How many times faster an arm is than another, and what it saves.

    All intervals are widened where the pairs' log ratios are autocorrelated: noise that lasts from
    one pair to the next, in one arm, makes plain ones too narrow.
    """
    plan, pairs = views[0].plan, pair(*views)
    effect = typical_effect(pairs, plan)
    (arm, against), factor = arms, effect.interval_inflation
    ratio = mean_ratio(exchanges, pairs, plan, factor)
    tails = has_heavy_tails(exchanges, pairs, plan, effect)
    can_be_told = pairs.number > least_pairs(plan.decision_rule.confidence)
    keeping = pairs.other if against.traits.reuses and not arm.traits.reuses else pairs.own
    is_single = plan.experiment.block_size == 1
    return Comparison(
        arm=arm.label,
        against=against.label,
        pairs=pairs.number,
        left_out=pairs.left_out,
        reused=pairs.reusing if is_single else keeping.reusing.mask.count(1),
        in_pairs=keeping.all.mask.count(1),
        leads=leading(effect.speedup, ratio, has_heavy_tails=tails, can_be_told=can_be_told),
        has_heavy_tails=tails,
        speedup=effect.speedup,
        mean_ratio=ratio,
        requests_per_second=_throughput(arms, ratio),
        dependence=effect.dependence,
        interval_inflation=effect.interval_inflation,
        saving_s={
            "mean": _mean_saving(exchanges, pairs, plan.decision_rule.confidence, factor),
            **quantile_savings(*views, pairs),
        },
        shift=shift_of(*views, pairs),
        incomparable=_incomparable(arm, against, pairs),
        explained=explain(exchanges, arms, pairs),
    )


def _throughput(arms: tuple[ArmSummary, ArmSummary], ratio: Estimate) -> Estimate:
    """The pairs' ratio of means is the throughputs' ratio, but for the pauses within blocks."""
    ours, theirs = (arm.requests_per_second for arm in arms)
    failed = max(arm.failed / max(1, arm.sent) for arm in arms)
    if ours is None or theirs is None or failed > _MOST_FAILED:  # what fails at once is no answer
        return Estimate(None)
    estimate, (middle, low, high) = ours / theirs, ratio
    # Of an open load, the rate was given.
    if not middle or low is None or high is None or arms[0].late_starts is not None:
        return Estimate(estimate)
    return Estimate(estimate, low * estimate / middle, high * estimate / middle)


def _mean_saving(
    exchanges: ExchangeColumns, pairs: Pairs, confidence: float, factor: float
) -> Estimate:
    """Of the pairs' requests only, so that it doesn't matter which requests of an arm failed.

    `factor` is how much wider the autocorrelation of the pairs' ratios makes an interval. What both
    halves of a pair share is in no ratio, but in the difference it is: that may last, too.
    """
    if not pairs.number:
        return Estimate(None)
    differences = array("d", map(sub, pairs.other.all.mean, pairs.own.all.mean))
    inefficiency = dependence(differences, around_trend=True).inefficiency
    factor = max(factor, interval_inflation(inefficiency, pairs.number, confidence))
    own, other = (
        fmean(compress(exchanges.latency_s, half.all.mask)) for half in (pairs.own, pairs.other)
    )
    interval = mean_interval(differences, confidence, factor)
    if interval is None:
        return Estimate(other - own)
    off = other - own - fmean(differences)  # blocks that lost requests are not all of one size
    return Estimate(other - own, interval[0] + off, interval[1] + off)


K = TypeVar("K", int, str)
SAME = 0.05
"""Arms whose answers differ by no more than a twentieth are comparable."""


def unmeasured(arms: Iterable[ArmSummary]) -> str:
    """Which arms nothing was measured of, in a sentence; empty: none."""
    silent = [arm.name for arm in arms if not arm.succeeded]
    return f"Nothing was measured of {' and '.join(silent)}." if silent else ""


def _incomparable(first: ArmSummary, other: ArmSummary, pairs: Pairs) -> str | None:
    """Why the times of two arms can't be compared, in a sentence; `None`: they can."""
    if silent := unmeasured((first, other)):
        return silent
    if not pairs.number:
        return f"No request of {first.label} and {other.label} makes a pair that both answered."
    differing = _unlike(first, other)
    return f"{differing}, so their times can't be compared." if differing else None


def _unlike(first: ArmSummary, other: ArmSummary) -> str:
    """In what the arms' answers differ so much that their times mean different things."""
    if distance(first.status_codes, other.status_codes) > SAME:
        return differently(first, other)
    arms, one, two = (first, other), first.label, other.label
    if abs(first.failed / first.sent - other.failed / other.sent) > SAME:
        failed = [f"{arm.failed:,} of {plural(arm.sent, 'request')}" for arm in arms]
        return f"The arms didn't fail alike ({one} in {failed[0]}, {two} in {failed[1]})"
    means = [arm.mean_body or 0.0 for arm in arms]
    if abs(means[0] - means[1]) <= SAME * max(means):
        return ""
    sizes = [*map(size, means)]
    return f"The arms' answers differ in size ({one} {sizes[0]} on average, {two} {sizes[1]})"


def distance(one: Mapping[K, int], other: Mapping[K, int]) -> float:
    """How far apart two counts are: the total variation distance of their shares, 0 to 1."""
    all_one, all_other = (max(1, sum(counts.values())) for counts in (one, other))
    codes = one.keys() | other.keys()
    return 0.5 * sum(abs(one.get(it, 0) / all_one - other.get(it, 0) / all_other) for it in codes)


def differently(first: ArmSummary, other: ArmSummary) -> str:
    """How their status codes differ: the beginning of a sentence."""
    return (
        f"The arms were answered differently ({first.label} {_statuses(first)}; "
        f"{other.label} {_statuses(other)})"
    )


def _statuses(arm: ArmSummary) -> str:
    return ", ".join(f"{count:,} × {status}" for status, count in arm.status_codes.items())
