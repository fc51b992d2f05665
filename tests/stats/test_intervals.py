"""Held against scipy, published tables and examples, and what any interval has to keep to."""

from __future__ import annotations

import math
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from keepalive_bench.stats import intervals
from keepalive_bench.stats.descriptive import hodges_lehmann, in_blocks, quantile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from keepalive_bench.stats.intervals import Interval

VALUES = st.lists(st.floats(-1e6, 1e6), max_size=80)
TIMES = st.floats(1e-6, 100)
POSITIVE = st.lists(TIMES, min_size=8, max_size=80)
TIED = st.lists(st.integers(1, 4).map(float), max_size=80)
ANY = st.one_of(VALUES, TIED)
CONFIDENCES = st.floats(0.5, 0.99)
FACTORS = st.floats(1.0, 6.0)
PERCENTS = st.sampled_from([50, 90, 95, 99])

# Hamilton depression scale factor of nine patients before and after a tranquilizer: M. Hollander
# and D. A. Wolfe, "Nonparametric Statistical Methods" (1973), 27-42; R's ?wilcox.test prints it.
BEFORE = (1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30)
AFTER = (0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29)
DEPRESSION = [after - before for before, after in zip(BEFORE, AFTER, strict=True)]

SIGNED_RANK_TABLE = {6: 0, 7: 2, 10: 8, 15: 25, 20: 52, 25: 89, 30: 137}
"""Critical values of Wilcoxon's T at 5 %, two-sided: R. L. McCornack, JASA 60 (1965), 864-871."""


def normal(count: int, seed: int = 1) -> list[float]:
    values: list[float] = np.random.default_rng(seed).normal(0.0, 1.0, count).tolist()
    return values


def contains(interval: Interval, value: float) -> bool:
    """But for the last digits of floats."""
    slack = 1e-9 * max(1e-9, abs(value), *map(abs, interval))
    return interval[0] - slack <= value <= interval[1] + slack


def test_the_published_interval_of_the_depression_data_is_found() -> None:
    # Hollander and Wolfe, and R: (-0.786, -0.010), whose exact level is 96.1 %.
    found = intervals.signed_rank_interval(DEPRESSION, 0.95)
    assert found == pytest.approx((-0.786, -0.010))
    assert intervals.signed_rank_interval(DEPRESSION, 0.9609) == found
    assert intervals.signed_rank_interval(DEPRESSION, 0.962) != found


@pytest.mark.parametrize(("count", "critical"), SIGNED_RANK_TABLE.items())
def test_critical_rank_sums_are_the_published_ones(count: int, critical: int) -> None:
    assert intervals._signed_rank_critical(count, 0.025) == critical


@pytest.mark.parametrize(("count", "confidence"), [(6, 0.95), (25, 0.8), (40, 0.95)])
def test_it_is_what_scipys_exact_test_does_not_reject(count: int, confidence: float) -> None:
    values = normal(count)
    found = intervals.signed_rank_interval(values, confidence)
    assert found is not None
    for bound, outwards in zip(found, (-1, 1), strict=True):
        for side, kept in ((outwards * 1e-9, False), (-outwards * 1e-9, True)):
            shifted = [value - bound - side for value in values]
            p_value = scipy_stats.wilcoxon(shifted, method="exact").pvalue
            assert (p_value > 1 - confidence) == kept


@pytest.mark.parametrize(("count", "tail"), [(51, 0.025), (51, 0.005), (300, 0.025)])
def test_of_many_the_normal_approximation_is_close_to_the_exact_distribution(
    count: int, tail: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    near = intervals._signed_rank_critical.__wrapped__(count, tail)
    monkeypatch.setattr(intervals, "_EXACT_SIGNED_RANKS", count)
    exact = intervals._signed_rank_critical.__wrapped__(count, tail)
    assert near is not None
    spread = math.sqrt(count * (count + 1) * (2 * count + 1) / 24)
    assert exact == pytest.approx(near, abs=0.03 * spread)


@given(st.sampled_from([50, 90, 95, 99]), st.integers(1, 2_000), st.sampled_from([0.025, 0.0005]))
def test_ranks_of_a_quantile_are_as_far_out_as_scipys_binomial_says(
    percent: int, count: int, tail: float
) -> None:
    rank = intervals._binomial_lower(count, percent / 100, tail, 1.0)
    hits = scipy_stats.binom(count, percent / 100)
    if rank is None:
        assert hits.cdf(0) > tail
    else:
        assert hits.cdf(rank) <= tail * (1 + 1e-9)
        assert hits.cdf(rank + 1) > tail


@given(st.sampled_from([50, 90, 95, 99]), st.integers(2_001, 200_000))
def test_of_many_values_the_ranks_are_one_off_scipys_at_most(percent: int, count: int) -> None:
    rank = intervals._binomial_lower(count, percent / 100, 0.025, 1.0)
    expected = scipy_stats.binom(count, percent / 100).ppf(0.025)
    assert rank == pytest.approx(float(expected) - 1, abs=1)


def test_a_published_pair_of_ranks_bounds_the_median_of_ten() -> None:
    # David and Nagaraja's section 7.1; Conover's table: the 2nd and the 9th, at 97.9 %.
    assert intervals.quantile_interval(range(1, 11), 50, 0.95) == (2, 9)


@pytest.mark.parametrize(
    ("percent", "least"),
    [(50, 6), (90, 36), (95, 72), (99, 368)],  # (1 - tail)**n: log(0.025) / log(percent / 100)
)
def test_a_quantile_has_an_interval_from_as_many_values_as_it_takes(
    percent: int, least: int
) -> None:
    assert intervals.quantile_interval(range(least - 1), percent, 0.95) is None
    assert intervals.quantile_interval(range(least), percent, 0.95) is not None


def test_of_well_behaved_values_the_bootstrap_is_students_interval() -> None:
    for count in (20, 200, 5_000):
        values = normal(count)
        expected = scipy_stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
        width = expected.high - expected.low
        found = intervals.mean_interval(values, 0.95, 1.0)
        assert found == pytest.approx((expected.low, expected.high), abs=0.12 * float(width))


@given(ANY, CONFIDENCES)
def test_the_signed_rank_interval_contains_its_estimate(
    values: list[float], confidence: float
) -> None:
    found, estimate = intervals.signed_rank_interval(values, confidence), hodges_lehmann(values)
    assert found is None or (estimate is not None and contains(found, estimate))


@given(ANY, PERCENTS, CONFIDENCES, FACTORS)
def test_a_quantile_lies_in_its_interval(
    values: list[float], percent: int, confidence: float, factor: float
) -> None:
    ordered = sorted(values)
    found = intervals.quantile_interval(ordered, percent, confidence, factor)
    estimate = quantile(ordered, percent)
    assert found is None or (estimate is not None and contains(found, estimate))


@given(ANY, FACTORS)
def test_a_mean_lies_in_its_interval(values: list[float], factor: float) -> None:
    found = intervals.mean_interval(values, 0.95, factor)
    assert (found is None) == (len(values) < 8)
    assert found is None or contains(found, math.fsum(values) / len(values))


@given(st.lists(st.tuples(TIMES, TIMES), min_size=8, max_size=80), CONFIDENCES, FACTORS)
def test_a_ratio_of_means_lies_in_its_interval(
    pairs: list[tuple[float, float]], confidence: float, factor: float
) -> None:
    upper, lower = zip(*pairs, strict=True)
    found = intervals.ratio_interval(upper, lower, confidence, factor)
    assert found is not None
    assert contains(found, math.fsum(upper) / math.fsum(lower))


def every_interval(
    values: Sequence[float], confidence: float, factor: float
) -> list[Interval | None]:
    ordered = sorted(values)
    return [
        intervals.signed_rank_interval(values, confidence),
        intervals.mean_interval(values, confidence, factor),
        *(
            intervals.quantile_interval(ordered, percent, confidence, factor)
            for percent in (50, 90, 95, 99)
        ),
    ]


@given(ANY, FACTORS)
def test_more_confidence_is_wider_or_nothing(values: list[float], factor: float) -> None:
    levels = [every_interval(values, level, factor) for level in (0.8, 0.95, 0.99)]
    for lower, higher in pairwise(levels):
        for narrow, wide in zip(lower, higher, strict=True):
            if wide is not None:
                assert narrow is not None
                assert contains(wide, narrow[0])
                assert contains(wide, narrow[1])


@given(ANY, PERCENTS)
def test_a_greater_factor_is_wider_or_nothing(values: list[float], percent: int) -> None:
    ordered = sorted(values)
    found = [
        intervals.quantile_interval(ordered, percent, 0.95, factor) for factor in (1.01, 1.5, 3.0)
    ]
    for narrow, wide in pairwise(found):
        if wide is not None:
            assert narrow is not None
            assert wide[0] <= narrow[0] <= narrow[1] <= wide[1]


@pytest.mark.parametrize(("count", "share"), [(9_000, 0.3), (11_000, 0.29), (40_000, 0.7)])
def test_of_many_values_in_two_groups_the_interval_contains_its_estimate(
    count: int, share: float
) -> None:
    """That of the values that stood for more of them was drawn together around its own middle."""
    random = Random(3)  # noqa: S311  # not for secrets
    values = [random.gauss(1.5 if random.random() < share else 0.0, 0.1) for _ in range(count)]
    found, estimate = intervals.signed_rank_interval(values, 0.95), hodges_lehmann(values)
    assert found is not None
    assert estimate is not None
    assert found[0] <= estimate <= found[1]


@given(POSITIVE, st.randoms(use_true_random=False), FACTORS)
def test_swapping_what_is_divided_inverts_the_ratio(
    values: list[float], random: Random, factor: float
) -> None:
    others = random.sample(values, len(values))
    there = intervals.ratio_interval(values, others, 0.95, factor)
    back = intervals.ratio_interval(others, values, 0.95, factor)
    assert there is not None
    assert back == pytest.approx((1 / there[1], 1 / there[0]))


@given(POSITIVE, st.sampled_from([1e-12, 1e-3, 8.0, 1e12]))
def test_scaling_the_times_scales_the_intervals(values: list[float], scale: float) -> None:
    plain = every_interval(values, 0.95, 1.5)
    scaled = every_interval([value * scale for value in values], 0.95, 1.5)
    for one, other in zip(plain, scaled, strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            size = max(values) * scale
            expected = (one[0] * scale, one[1] * scale)
            assert other == pytest.approx(expected, rel=1e-9, abs=1e-9 * size)


@pytest.mark.parametrize("count", [0, 1, 5, 6, 7])
def test_too_few_values_have_no_interval_rather_than_a_wrong_one(count: int) -> None:
    values = normal(count)
    assert (intervals.signed_rank_interval(values, 0.95) is None) == (count < 6)
    assert intervals.mean_interval(values, 0.95, 1.0) is None
    assert intervals.ratio_interval(values, values, 0.95, 1.0) is None
    assert (intervals.quantile_interval(sorted(values), 50, 0.95) is None) == (count < 6)
    assert intervals.quantile_interval(sorted(values), 90, 0.95) is None


@pytest.mark.parametrize(
    ("value", "count"), [(0.0, 20), (5e-324, 50), (0.25, 20), (0.25, 500), (1e300, 500)]
)
def test_what_is_always_the_same_is_bounded_by_itself(value: float, count: int) -> None:
    values = [value] * count
    assert intervals.signed_rank_interval(values, 0.95) == (value, value)
    assert intervals.quantile_interval(values, 50, 0.95) == (value, value)
    assert intervals.mean_interval(values, 0.95, 2.0) == pytest.approx((value, value))


def test_values_of_wildly_different_size_do_not_overflow() -> None:
    wide = (1e-300, 1e-300, 1e300)
    assert intervals.difference_interval(wide, wide) == (-1e300, 1e300)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "interval",
    [
        lambda values: intervals.signed_rank_interval(values, 0.95),
        lambda values: intervals.mean_interval(values, 0.95, 1.2),
        lambda values: intervals.ratio_interval(values, values[::-1], 0.95, 1.2),
        lambda values: intervals.quantile_interval(sorted(values), 99, 0.95, 1.2),
    ],
)
def test_a_hundred_thousand_values_take_seconds_at_most(
    interval: Callable[[list[float]], Interval],
) -> None:
    assert interval([value + 10 for value in normal(100_000)]) is not None


def test_of_a_hundred_thousand_no_more_than_200_sums_are_resampled() -> None:
    blocks = in_blocks(range(100_000), intervals._BLOCKS)
    assert len(blocks) == 200
    assert [value for block in blocks for value in block] == list(range(100_000))


def test_what_stands_for_many_values_is_as_sure_as_the_many_are() -> None:
    values = normal(40_000)
    found = intervals.signed_rank_interval(values, 0.95)
    assert found is not None
    # Its standard error on a normal sample is 1.023 / sqrt(n).
    expected = 2 * 1.96 * 1.023 / math.sqrt(40_000)
    assert found[1] - found[0] == pytest.approx(expected, rel=0.03)


def test_the_ratio_of_means_of_a_few_wild_pairs_is_above_nothing() -> None:
    """A percentile that 1,000 resamples don't reach was extrapolated to below 0."""
    upper, lower = [1.0] * 6 + [1.0, 40.0], [1.0] * 6 + [5.0, 1.0]
    for confidence in (0.95, 0.97, 0.999):
        found = intervals.ratio_interval(upper, lower, confidence, 1.0)
        assert found is not None
        assert 0 < found[0] < sum(upper) / sum(lower) < found[1]
