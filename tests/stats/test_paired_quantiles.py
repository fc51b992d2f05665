"""Held against Hutson's published shares, scipy, numpy, and the variance of textbook processes."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from keepalive_bench.stats.descriptive import quantile
from keepalive_bench.stats.paired_quantiles import (
    are_below,
    fractional_interval,
    indicator_inflation,
    long_run_inflation,
    rank_inflation,
    shares_correlation,
)

LATENCIES = st.lists(st.floats(1e-6, 100), min_size=2, max_size=60)
PERCENTS = st.sampled_from([50, 90, 95, 99])


def ends(count: int, percent: int, confidence: float = 0.95) -> tuple[float, float]:
    """As places among n + 1, of values that are their own places."""
    found = fractional_interval(range(1, count + 1), percent, confidence)
    assert found is not None
    return found[0] / (count + 1), found[1] / (count + 1)


@pytest.mark.parametrize(
    ("count", "published"), [(59, (0.3750191, 0.6249809)), (37, (0.3441421, 0.6558579))]
)
def test_the_ends_of_a_medians_interval_are_hutsons(
    count: int, published: tuple[float, float]
) -> None:
    """Two rivers' floods, his table 8, as the R package QuantileNPCI prints it."""
    assert ends(count, 50) == pytest.approx(published, abs=5e-5)


@pytest.mark.parametrize(("count", "percent"), [(50, 90), (200, 50), (200, 95), (1_000, 99)])
def test_each_end_is_beyond_the_quantile_with_half_of_the_doubt(count: int, percent: int) -> None:
    """As a fractional order statistic, which is a beta variable of a uniform distribution."""
    low, high = ends(count, percent)
    below, above = (
        scipy_stats.beta(it * (count + 1), (1 - it) * (count + 1)) for it in (low, high)
    )
    assert below.sf(percent / 100) == pytest.approx(0.025, abs=1e-6)
    assert above.cdf(percent / 100) == pytest.approx(0.025, abs=1e-6)


@pytest.mark.parametrize(("percent", "least"), [(50, 6), (90, 36), (95, 72), (99, 368)])
def test_it_takes_as_many_values_as_ends_that_are_order_statistics(
    percent: int, least: int
) -> None:
    assert fractional_interval(range(least - 1), percent, 0.95) is None
    _, high = ends(least, percent)
    assert least - 0.2 < high * (least + 1) < least


def test_the_upper_end_of_a_p90_of_50_is_not_the_maximum() -> None:
    assert 49 < ends(50, 90)[1] * 51 < 49.5


def test_of_many_values_the_ends_are_as_near_as_of_few_that_are_exact() -> None:
    few, many = (
        (high - low) * sqrt(count) for count in (1_999, 50_000) for low, high in [ends(count, 90)]
    )
    assert few == pytest.approx(many, rel=0.01)


@given(values=LATENCIES, percent=PERCENTS, confidence=st.floats(0.5, 0.99))
def test_the_interval_holds_its_quantile_and_is_among_the_values(
    values: list[float], percent: int, confidence: float
) -> None:
    ordered = sorted(values)
    found, at = fractional_interval(ordered, percent, confidence), quantile(ordered, percent)
    if found is not None and at is not None:
        slack = 1e-9 * ordered[-1]
        assert ordered[0] - slack <= found[0] <= at + slack
        assert at - slack <= found[1] <= ordered[-1] + slack


@given(own=LATENCIES, one=st.integers(0, 59), two=st.integers(0, 59))
def test_what_shares_have_in_common_is_numpys_correlation_and_no_less_than_nothing(
    own: list[float], one: int, two: int
) -> None:
    below = are_below(own, own[one % len(own)])
    other_below = are_below(own[::-1], own[two % len(own)])
    found = shares_correlation(below, other_below)
    if len({*below}) > 1 and len({*other_below}) > 1:
        phi = float(np.corrcoef(list(below), list(other_below))[0, 1])
        assert found == pytest.approx(max(0.0, phi), abs=1e-9)
    else:
        assert found == 0


def autoregressive(random: np.random.Generator, count: int, correlation: float) -> list[float]:
    level, found = float(random.normal()), []
    for step in random.normal(0.0, sqrt(1 - correlation**2), count):
        level = correlation * level + float(step)
        found.append(level)
    return found


@pytest.mark.parametrize("correlation", [0.5, 0.8])
def test_a_long_series_is_wider_by_the_root_of_its_variance_in_the_long_run(
    correlation: float,
) -> None:
    """Of first order, that is (1 + r)/(1 − r) times as much (Bayley and Hammersley, 1946)."""
    random = np.random.default_rng(2)
    found = [long_run_inflation(autoregressive(random, 4_000, correlation), 0.95) for _ in range(9)]
    expected = sqrt((1 + correlation) / (1 - correlation))
    assert float(np.mean(found)) == pytest.approx(expected, rel=0.08)


def test_of_white_noise_it_is_little_more_than_students_t_of_so_few_cosines() -> None:
    random = np.random.default_rng(3)
    found = [long_run_inflation(random.normal(size=200).tolist(), 0.95) for _ in range(200)]
    cosines = int(0.4 * 200 ** (2 / 3))
    student = float(scipy_stats.t.ppf(0.975, cosines) / scipy_stats.norm.ppf(0.975))
    assert float(np.median(found)) == pytest.approx(student, rel=0.08)
    assert min(found) == 1


def test_a_drift_is_no_noise() -> None:
    random = np.random.default_rng(4)
    noise = random.normal(size=500)
    still, drifting = (
        long_run_inflation((noise + slope * np.arange(500) / 100).tolist(), 0.95)
        for slope in (0, 1)
    )
    assert drifting <= still


def test_what_both_halves_share_is_in_no_difference() -> None:
    """Slow noise that all of both arms is: below one quantile is below the other one."""
    shared = autoregressive(np.random.default_rng(5), 400, 0.9)
    below = are_below(shared, float(np.median(shared)))
    assert indicator_inflation(below, below, (1.0, 1.0), 0.95) == 1
    assert indicator_inflation(below, below, (1.0, 3.0), 0.95) > 2
    assert indicator_inflation(below, bytes(400), (1.0, 1.0), 0.95) > 2


def test_one_slow_request_does_not_decide_what_lasts() -> None:
    lasting = autoregressive(np.random.default_rng(6), 200, 0.8)
    struck = [*lasting[:100], 1e6, *lasting[101:]]
    assert rank_inflation(struck, 0.95) == pytest.approx(rank_inflation(lasting, 0.95), rel=0.1)
    assert long_run_inflation(struck, 0.95) < 0.8 * long_run_inflation(lasting, 0.95)


@pytest.mark.parametrize("values", [[], [1.0], [0.25] * 30, [1.0, 2.0], list(range(7))])
@pytest.mark.parametrize("confidence", [0.0, 0.5, 0.95])
def test_few_values_and_equal_ones_have_an_inflation_too(
    values: list[float], confidence: float
) -> None:
    assert rank_inflation(values, confidence) >= 1


@pytest.mark.timeout(20)
def test_a_million_pairs_take_a_second_or_so() -> None:
    values = np.random.default_rng(7).normal(size=1_000_000).tolist()
    assert long_run_inflation(values, 0.95) < 1.5
