"""Held against numpy, brute force and published examples."""

from __future__ import annotations

import math
from itertools import combinations_with_replacement
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepalive_bench.stats.descriptive import (
    hodges_lehmann,
    mean,
    quantile,
    stdev,
    thinned,
    walsh_average,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

LATENCIES = st.lists(st.floats(1e-6, 100), min_size=1, max_size=60)
VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40)
EXTREME = st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=25)
QUARTERS = st.lists(st.integers(-4000, 4000).map(lambda n: n / 4), min_size=1, max_size=40)
"""Sums of these are exact, and there are ties among them."""

# Hamilton depression scale factor of nine patients before and after a tranquilizer: M. Hollander
# and D. A. Wolfe, "Nonparametric Statistical Methods" (1973), 27-33; R's ?wilcox.test prints it.
BEFORE = (1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30)
AFTER = (0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29)
DEPRESSION = [after - before for before, after in zip(BEFORE, AFTER, strict=True)]


def walsh_median(values: Sequence[float]) -> float:
    return median((one + other) / 2 for one, other in combinations_with_replacement(values, 2))


def estimate(values: Sequence[float]) -> float:
    found = hodges_lehmann(values)
    assert found is not None
    return found


def spread(values: Sequence[float]) -> float:
    found = stdev(values)
    assert found is not None
    return found


@settings(max_examples=30)
@given(
    st.lists(st.floats(1e-6, 100), min_size=100, max_size=300), st.sampled_from([50, 90, 95, 99])
)
def test_a_quantile_is_numpys_median_unbiased_one(values: list[float], percent: int) -> None:
    expected = np.quantile(values, percent / 100, method="median_unbiased")
    assert quantile(sorted(values), percent) == pytest.approx(expected, rel=1e-12)


def test_a_quantile_is_r_s_type_8() -> None:
    # > quantile(1:10, c(.5, .9), type = 8): 5.500000 9.633333
    assert quantile(range(1, 11), 50) == 5.5
    assert quantile(range(1, 11), 90) == pytest.approx(9.633333, abs=1e-6)


def test_a_quantile_is_too_low_about_as_often_as_too_high() -> None:
    """Of 20 values, definition 7's p95 is too low in 70 % of runs."""
    drawn = np.sort(np.random.default_rng(1).random((4_000, 20)), axis=1).tolist()
    low = sum((quantile(values, 95) or 0) < 0.95 for values in drawn) / len(drawn)
    assert 0.42 < low < 0.54


@pytest.mark.parametrize(("percent", "least"), [(90, 10), (95, 20), (99, 100)])
def test_a_quantile_needs_one_value_beyond_it(percent: int, least: int) -> None:
    assert quantile([1.0] * (least - 1), percent) is None
    assert quantile([1.0] * least, percent) == 1.0


def test_nothing_has_no_quantile() -> None:
    assert quantile([], 50) is None


@given(LATENCIES)
def test_a_quantile_lies_among_the_values_and_grows_with_its_share(values: list[float]) -> None:
    ordered = sorted(values * 100)
    found = [quantile(ordered, percent) for percent in (50, 90, 95, 99)]
    known = [value for value in found if value is not None]
    assert len(known) == 4
    assert known == sorted(known)
    assert ordered[0] <= known[0]
    assert known[-1] <= ordered[-1]


@given(VALUES)
def test_the_mean_and_the_deviation_are_numpys(values: list[float]) -> None:
    assert mean(values) == pytest.approx(np.mean(values), rel=1e-9, abs=1e-9)
    if len(values) > 1:
        assert spread(values) == pytest.approx(np.std(values, ddof=1), rel=1e-6, abs=1e-6)


def test_the_deviation_is_the_published_one_where_digits_cancel() -> None:
    # NIST's NumAcc4, "higher" difficulty: https://www.itl.nist.gov/div898/strd/univ/numacc4.html
    values = [10000000.2] + [10000000.1, 10000000.3] * 500
    assert mean(values) == pytest.approx(10000000.2, rel=1e-15)
    assert spread(values) == pytest.approx(0.1, rel=1e-7)


def test_nothing_has_no_mean_and_one_value_no_deviation() -> None:
    assert mean([]) is None
    assert stdev([]) is None
    assert stdev([1.0]) is None
    assert stdev([1.0, 1.0]) == 0.0


def test_the_hodges_lehmann_estimate_is_the_published_one() -> None:
    # Hollander & Wolfe, example 3.3; R prints "(pseudo)median -0.46"
    assert estimate(DEPRESSION) == pytest.approx(-0.46, abs=1e-9)


@given(VALUES)
def test_the_hodges_lehmann_estimate_is_the_median_of_walsh_averages(values: list[float]) -> None:
    assert estimate(values) == pytest.approx(walsh_median(values), rel=1e-12, abs=1e-9)


@given(QUARTERS)
def test_with_ties_and_exact_sums_it_is_exactly_that(values: list[float]) -> None:
    assert estimate(values) == walsh_median(values)


@given(QUARTERS, st.randoms(use_true_random=False))
def test_every_walsh_average_is_found_by_its_rank(
    values: list[float], random: np.random.RandomState
) -> None:
    ordered = sorted(values)
    averages = sorted(sum(pair) / 2 for pair in combinations_with_replacement(ordered, 2))
    rank = random.randint(0, len(averages) - 1)
    assert walsh_average(ordered, rank) == averages[rank]


@given(EXTREME)
def test_it_lies_between_the_least_and_the_greatest_however_extreme(values: list[float]) -> None:
    assert min(values) <= estimate(values) <= max(values)


@given(QUARTERS, st.integers(-1000, 1000))
def test_it_moves_with_the_values(values: list[float], shift: int) -> None:
    assert estimate([value + shift for value in values]) == estimate(values) + shift


@given(VALUES)
def test_it_changes_its_sign_with_the_values(values: list[float]) -> None:
    mirrored = estimate([-value for value in values])
    assert mirrored == pytest.approx(-estimate(values), rel=1e-12, abs=1e-12)


@given(VALUES, st.randoms(use_true_random=False))
def test_the_order_of_the_values_does_not_matter(
    values: list[float], random: np.random.RandomState
) -> None:
    shuffled = list(values)
    random.shuffle(shuffled)
    assert estimate(shuffled) == estimate(values)


@pytest.mark.parametrize(
    "values",
    [
        [5e-324],
        [5e-324, -5e-324, 0.0],
        [number * 5e-324 for number in range(-50, 51)],
        [1.0, 5e-324, -1.0],
        [1e300, 5e-324, -1e300],
        [-0.0, 0.0],
        [1.0, math.nextafter(1.0, 2.0)],
        [7.0] * 500,
    ],
)
@pytest.mark.timeout(10)
def test_neither_denormals_nor_ties_make_it_search_for_ever(values: list[float]) -> None:
    assert estimate(values) == pytest.approx(walsh_median(values), rel=1e-15, abs=5e-324)


def test_nothing_has_no_hodges_lehmann_estimate() -> None:
    assert hodges_lehmann([]) is None


@pytest.mark.timeout(20)
def test_a_hundred_thousand_values_take_seconds_not_minutes() -> None:
    values = np.random.default_rng(1).normal(0.25, 1.0, 100_000)
    # Its standard error on a normal sample is 1.023 / sqrt(n): 0.0032.
    assert estimate(values.tolist()) == pytest.approx(0.25, abs=4 * 0.0032)


@given(st.lists(st.floats(-1e6, 1e6), max_size=60), st.integers(1, 20))
def test_thinning_keeps_the_order_and_draws_evenly(values: list[float], most: int) -> None:
    ordered = sorted(values)
    kept = thinned(ordered, most)
    assert len(kept) == min(most, len(ordered))
    assert list(kept) == sorted(kept)
    assert set(kept) <= set(ordered)


def test_thinning_keeps_the_shape_of_a_distribution() -> None:
    ordered = np.sort(np.random.default_rng(1).exponential(1.0, 40_000)).tolist()
    kept = thinned(ordered, 10_000)
    shares = np.linspace(0.01, 0.99, 99)
    assert np.quantile(kept, shares) == pytest.approx(np.quantile(ordered, shares), rel=5e-3)
