"""Held against scipy, closed forms of Gaussian series, and simulated ones whose truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from keepalive_bench.stats.dependence import (
    dependence,
    first_order_inefficiency,
    interval_inflation,
    lag_one_correlation,
    midranks,
)
from keepalive_bench.stats.intervals import quantile_interval

VALUES = st.lists(st.floats(-1e6, 1e6), max_size=80)
TIED = st.lists(st.integers(1, 4).map(float), max_size=80)


def series(count: int, correlation: float, share: float = 1.0, seed: int = 1) -> list[float]:
    """A normal series: a share of its variance is autoregressive, the rest is white."""
    random = np.random.default_rng(seed)
    fresh = random.normal(size=count + 500) * math.sqrt(1 - correlation**2)
    slow = scipy.signal.lfilter([1], [1, -correlation], fresh)[500:]
    white = random.normal(size=count)
    values: list[float] = (math.sqrt(share) * slow + math.sqrt(1 - share) * white).tolist()
    return values


def of_ranks(correlation: float) -> float:
    """What a normal series' autocorrelation is of its ranks: K. Pearson (1907)."""
    return 6 / math.pi * math.asin(correlation / 2)


@given(st.one_of(VALUES, TIED))
def test_ranks_are_scipys(values: list[float]) -> None:
    assert list(midranks(values, sorted(values))) == (scipy_stats.rankdata(values) - 1).tolist()


@pytest.mark.parametrize("correlation", [-0.5, 0.0, 0.9])
def test_the_correlation_of_a_long_series_is_found(correlation: float) -> None:
    found = lag_one_correlation(series(20_000, correlation))
    assert found == pytest.approx(of_ranks(correlation), abs=4 / math.sqrt(20_000))


def test_of_many_values_ranks_among_a_part_of_them_are_enough() -> None:
    values = series(30_001, 0.5)
    ranks = scipy_stats.rankdata(values)
    expected = float(np.corrcoef(ranks[:-1], ranks[1:])[0, 1])
    assert lag_one_correlation(values) == pytest.approx(expected, abs=3e-4)


@pytest.mark.parametrize("count", [20, 500])
def test_no_correlation_is_more_than_all(count: int) -> None:
    assert lag_one_correlation([float(number) for number in range(count)]) <= 1.0
    assert lag_one_correlation([(-1.0) ** number for number in range(count)]) >= -1.0


def test_short_series_without_any_have_none_on_average() -> None:
    # Without Kendall's correction it would be about -1/n = -0.05.
    found = [lag_one_correlation(series(20, 0.0, seed=seed)) for seed in range(2_000)]
    assert np.mean(found) == pytest.approx(0.0, abs=4 * 0.21 / math.sqrt(2_000))


@pytest.mark.parametrize("around_trend", [False, True])
@pytest.mark.parametrize("count", [8, 20, 200])
def test_the_score_of_white_noise_has_moran_s_spread(count: int, *, around_trend: bool) -> None:
    """Taken around a line, it is a little less; of ranks, a little more."""
    found = [
        dependence(series(count, 0.0, seed=seed), around_trend=around_trend).score
        for seed in range(1_500)
    ]
    assert np.std(found) == pytest.approx(1.0, abs=0.12)
    assert np.mean(np.array(found) > 1.645) < 0.065


def test_one_value_more_hardly_ever_widens_an_interval() -> None:
    """From no widening of fewer than 8 to all of it from 14 on, of a middling dependence."""
    factors = [interval_inflation(1.5, count, 0.95) for count in range(6, 15)]
    assert factors[:2] == [1.0, 1.0]
    assert factors == sorted(factors)
    assert factors[2] < 1.02
    tails = [float(scipy_stats.t.ppf(0.975, number - 1)) for number in (14 / 1.5, 14)]
    assert factors[-1] == pytest.approx(tails[0] / tails[1] * math.sqrt(1.5), rel=1e-6)


@pytest.mark.parametrize(
    ("correlation", "inefficiency"), [(-0.9, 1.0), (0.0, 1.0), (0.5, 3.0), (0.8, 9.0), (7.0, 39.0)]
)
def test_of_first_order_only_a_positive_correlation_counts_and_it_stays_finite(
    correlation: float, inefficiency: float
) -> None:
    assert first_order_inefficiency(correlation) == pytest.approx(inefficiency)


@pytest.mark.parametrize(
    ("share", "correlation", "count"), [(1.0, 0.5, 2_000), (0.25, 0.9, 20_000), (0.25, 0.95, 2_000)]
)
def test_all_lags_of_a_long_series_are_counted(
    share: float, correlation: float, count: int
) -> None:
    lags = (of_ranks(share * correlation**lag) for lag in range(1, 500))
    expected = 1 + 2 * math.fsum(lags)
    found = [dependence(series(count, correlation, share, seed)) for seed in range(12)]
    middle = np.mean([it.inefficiency for it in found])
    assert middle == pytest.approx(expected, rel=0.2)


@pytest.mark.parametrize("count", [50, 1_000])
def test_without_any_dependence_the_typical_interval_is_as_wide_as_without_all_lags(
    count: int,
) -> None:
    factors = []
    for seed in range(200):
        found = dependence(series(count, 0.0, seed=seed))
        first = first_order_inefficiency(found.correlation)
        factors.append(math.sqrt(found.inefficiency / first))
    assert np.median(factors) == 1
    assert np.mean(factors) < 1.08


@pytest.mark.slow
def test_slow_noise_under_white_noise_is_covered_which_the_first_lag_alone_doesn_t_see() -> None:
    """A quarter of the variance lasts for 20 values: 0.24 at lag 1, which would cover 56 %."""
    held = {"first": 0, "all": 0}
    for seed in range(150):
        values = series(1_000, 0.95, 0.25, seed)
        found = dependence(values)
        mean = np.mean(values)
        spread = np.std(values, ddof=1) / math.sqrt(1_000)
        for name, inefficiency in (
            ("first", first_order_inefficiency(found.correlation)),
            ("all", found.inefficiency),
        ):
            held[name] += abs(mean) <= 1.96 * spread * interval_inflation(inefficiency, 1_000, 0.95)
    assert held["first"] < 0.65 * 150
    assert held["all"] > 0.87 * 150


@pytest.mark.slow
@pytest.mark.parametrize("count", [20, 50, 200, 2_000])
def test_around_a_trend_there_is_none_on_average(count: int) -> None:
    """Orcutt and Winokur's correction: without it, it would be about −2/n."""
    found = []
    for seed in range(400):
        values = [place / count + it for place, it in enumerate(series(count, 0.0, seed=seed))]
        found.append(dependence(values, around_trend=True).correlation)
    assert np.mean(found) == pytest.approx(0.0, abs=4 / math.sqrt(400 * count))
    steep = [3 * place / count + it for place, it in enumerate(series(count, 0.0))]
    assert dependence(steep).inefficiency > 1.5 * dependence(steep, around_trend=True).inefficiency


@pytest.mark.parametrize(
    ("count", "inefficiency", "confidence"), [(50, 3.0, 0.95), (200, 9.0, 0.8), (20, 1.86, 0.99)]
)
def test_few_independent_values_widen_as_student_s_t_does(
    count: int, inefficiency: float, confidence: float
) -> None:
    tail = (1 + confidence) / 2
    fewer, all_of_them = (
        float(scipy_stats.t.ppf(tail, number - 1)) for number in (count / inefficiency, count)
    )
    found = interval_inflation(inefficiency, count, confidence)
    assert found == pytest.approx(fewer / all_of_them * math.sqrt(inefficiency), rel=1e-6)


@given(st.one_of(VALUES, TIED))
def test_values_say_as_much_as_three_at_the_least_and_as_they_are_at_most(
    values: list[float],
) -> None:
    found = dependence(values).inefficiency
    assert 1 <= found <= max(39.0, len(values) / 3)


@pytest.mark.parametrize("values", [[], [1.0] * 7, [1.0] * 50], ids=["none", "few", "alike"])
def test_of_too_few_values_or_of_equal_ones_nothing_is_said(values: list[float]) -> None:
    assert dependence(values) == (0.0, 1.0, 0.0, len(values))


@pytest.mark.timeout(20)
def test_a_hundred_thousand_values_take_seconds_at_most() -> None:
    assert dependence(series(100_000, 0.999, 0.5)).inefficiency > 100


@pytest.mark.slow
@pytest.mark.parametrize(("correlation", "share"), [(0.0, 1.0), (0.5, 1.0), (0.9, 0.25)])
@pytest.mark.parametrize(("percent", "count"), [(90, 50), (95, 200)])
def test_a_high_quantile_of_dependent_values_is_bounded_and_covered(
    percent: int, count: int, correlation: float, share: float
) -> None:
    """On the shares' own scale, p90 of 50 had an interval in one run of seven, at 90 %."""
    truth = scipy_stats.norm.ppf(percent / 100)
    held = shown = 0
    for seed in range(200):
        values = series(count, correlation, share, seed)
        inefficiency = dependence(values, around_trend=True).inefficiency
        factor = interval_inflation(inefficiency, count, 0.95)
        found = quantile_interval(sorted(values), percent, 0.95, factor)
        if found is not None:
            shown += 1
            held += found[0] <= truth <= found[1]
    assert shown > 0.9 * 200
    assert held > (0.91 if share == 1 else 0.85) * shown
