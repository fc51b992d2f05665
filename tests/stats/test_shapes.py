"""Shapes of many values: against other implementations, and on values without that shape."""

from __future__ import annotations

from itertools import islice
from math import exp, log
from typing import TYPE_CHECKING

import numpy as np
import pytest
import scipy.signal
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from keepalive_bench.stats.shapes import dip, outlier_bound, several_modes, trend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def congruent(seed: int) -> Iterator[float]:
    """Numbers that look random from 0 to 1, the same wherever they are computed."""
    while True:
        seed = (1_103_515_245 * seed + 12_345) % 2**31
        yield seed / 2**31


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (islice(congruent(1), 60), 0.0481624204419697),
        ((-log(1 - u) for u in islice(congruent(2), 200)), 0.017795511767282203),
        (
            (u + 3 * (i % 3 == 0) for i, u in enumerate(islice(congruent(3), 90))),
            0.11349644662365439,
        ),
        ([1, 2, 3, 10, 11.5], 0.16470588235294117),
    ],
    ids=["uniform", "exponential", "in two groups", "five"],
)
def test_the_dip_is_that_of_the_package_diptest(values: Iterator[float], expected: float) -> None:
    """Release 0.12 of diptest, which wraps M. Maechler's code."""
    assert dip(sorted(values)) == pytest.approx(expected, rel=1e-12)


def test_the_dip_of_evenly_spaced_values_is_the_least_there_is() -> None:
    assert dip(range(100)) == pytest.approx(1 / 200)


def test_the_dip_of_two_points_far_apart_is_the_largest_there_is() -> None:
    values = [*np.linspace(0, 1e-9, 500), *np.linspace(1, 1 + 1e-9, 500)]
    assert dip(values) == pytest.approx(0.25, abs=0.001)


def test_values_that_are_all_the_same_have_no_dip() -> None:
    assert dip([1.0] * 10) == dip([1.0]) == 0


@given(
    st.lists(st.floats(0.001, 1000), min_size=2, max_size=60, unique=True),
    st.floats(0.01, 100),
)
def test_the_dip_depends_on_neither_scale_nor_direction(values: list[float], by: float) -> None:
    found = dip(sorted(values))
    assert 1 / (2 * len(values)) - 1e-9 <= found <= 0.25 + 1e-9
    assert dip(sorted(by * value for value in values)) == pytest.approx(found, rel=1e-6)
    assert dip(sorted(-value for value in values)) == pytest.approx(found, rel=1e-6)


def test_a_trend_is_that_of_scipy_where_noise_does_not_last() -> None:
    random = np.random.default_rng(3)
    for slope in (0.0, 0.01, -0.05):
        values = (random.normal(size=80) + slope * np.arange(80)).tolist()
        found = trend(values)
        assert found is not None
        tau = scipy.stats.kendalltau(np.arange(80), values).statistic
        # The normal approximation of tau, without ties (Kendall, Rank Correlation Methods).
        expected = tau * np.sqrt(9 * 80 * 79 / (2 * (2 * 80 + 5)))
        assert abs(found.score) <= abs(expected) + 1e-9
        assert found.score == pytest.approx(expected, rel=0.5)
        line = scipy.stats.theilslopes(values, np.arange(80))
        assert found.last - found.first == pytest.approx(79 * line.slope)


def test_a_trend_of_many_is_that_of_their_blocks() -> None:
    random = np.random.default_rng(4)
    values = (random.normal(size=50_000) + np.linspace(0, 1, 50_000)).tolist()
    found = trend(values)
    assert found is not None
    assert found.score > 10
    assert found.last - found.first == pytest.approx(1, abs=0.1)


def test_few_values_have_no_trend() -> None:
    assert trend(range(19)) is None


def test_one_wild_value_makes_no_trend() -> None:
    found = trend([1.0] * 99 + [1e9])
    assert found is not None
    assert found.first == found.last == 1


def lasting(random: np.random.Generator, count: int, correlation: float) -> np.ndarray:
    """A first-order autoregressive series of variance 1."""
    noise = random.normal(size=count) * np.sqrt(1 - correlation**2)
    series = scipy.signal.lfilter([1], [1, -correlation], noise)
    return np.asarray(series)


@pytest.mark.parametrize(("correlation", "count"), [(0.0, 50), (0.8, 50), (0.5, 1_000)])
def test_noise_that_lasts_is_hardly_ever_a_trend(correlation: float, count: int) -> None:
    """Plain Mann and Kendall's would call 0.8 a trend in more than 30 % of cases."""
    random = np.random.default_rng(5)
    runs = 200 if count == 50 else 60
    scores = [trend(lasting(random, count, correlation).tolist()) for _ in range(runs)]
    beyond = sum(found is not None and abs(found.score) > 3.29 for found in scores)
    assert beyond <= 0.03 * runs


def test_the_bound_of_outliers_is_iglewicz_and_hoaglins_of_logarithms() -> None:
    values = np.random.default_rng(6).lognormal(1, 0.3, size=300)
    logs = np.log(values)
    spread = scipy.stats.median_abs_deviation(logs)
    expected = exp(float(np.median(logs) + 3.5 * spread / 0.6745))
    assert outlier_bound(sorted(values.tolist())) == pytest.approx(expected)


def test_values_that_do_not_spread_have_no_bound() -> None:
    assert outlier_bound([1.0] * 60 + [2.0] * 40) is None


@pytest.mark.parametrize(
    ("draw", "count"),
    [
        (lambda random, count: random.lognormal(0, 1, count), 50),
        (lambda random, count: 20 + random.pareto(1.5, count), 50),
        (lambda random, count: random.uniform(1, 4, count), 1_000),
        (lambda random, count: np.exp(0.5 * lasting(random, count, 0.5)), 1_000),
    ],
    ids=["lognormal", "heavy tail", "uniform", "lasting"],
)
def test_values_with_one_mode_are_hardly_ever_called_several(
    draw: Callable[[np.random.Generator, int], np.ndarray], count: int
) -> None:
    random = np.random.default_rng(7)
    runs = 200 if count == 50 else 50
    several = [several_modes(sorted(draw(random, count).tolist())) for _ in range(runs)]
    assert sum(found is not None for found in several) <= 0.01 * runs


@pytest.mark.parametrize("count", [50, 100_000])
def test_two_groups_are_parted_between_them(count: int) -> None:
    random = np.random.default_rng(8)
    quick = random.lognormal(log(0.001), 0.1, size=count * 7 // 10)
    slow = random.lognormal(log(0.003), 0.1, size=count - len(quick))
    values = sorted([*quick.tolist(), *slow.tolist()])
    assert several_modes(values) == pytest.approx(len(quick), abs=count / 500)


def test_what_a_coarse_clock_makes_alike_is_no_mode() -> None:
    random = np.random.default_rng(9)
    assert several_modes(sorted(random.integers(3, 6, size=500).astype(float).tolist())) is None
