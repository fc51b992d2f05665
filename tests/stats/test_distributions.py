"""Bootstrap intervals of few values, held against Student's, which are right for normal ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from keepalive_bench.stats.distributions import beta_quantile, hypergeometric_tail, student
from keepalive_bench.stats.intervals import mean_interval


@pytest.mark.parametrize(
    ("level", "freedom"),
    [(0.6, 2), (0.9995, 2.5), (0.975, 13.3), (0.9, 999), (0.995, 1_000), (0.9995, 1e9)],
)
def test_quantiles_of_t_are_scipys(level: float, freedom: float) -> None:
    expected = scipy_stats.t.ppf(level, freedom)
    assert student(level, freedom) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize(
    ("freedom", "published"),
    [(2, 4.303), (5, 2.571), (7, 2.365), (11, 2.201), (30, 2.042), (120, 1.980)],
)
def test_quantiles_of_t_are_the_published_ones(freedom: float, published: float) -> None:
    """Two-sided 5 %: R. A. Fisher, "Statistical Methods for Research Workers" (1925), table IV."""
    assert student(0.975, freedom) == pytest.approx(published, abs=5e-4)


def test_of_less_than_two_degrees_of_freedom_t_is_that_of_two() -> None:
    assert student(0.975, -3.0) == student(0.975, 2.0)


@pytest.mark.parametrize(
    ("level", "one", "other"),
    [
        (0.9, 0.1, 1.9),
        (0.5, 1, 1),
        (0.025, 13.5, 2.5),
        (0.0005, 475.2, 5.8),
        (0.025, 9.3, 84.7),
        (0.9, 5e4, 5e4),
    ],
)
def test_quantiles_of_a_beta_variable_are_scipys(level: float, one: float, other: float) -> None:
    expected = scipy_stats.beta.ppf(level, one, other)
    assert beta_quantile(level, one, other) == pytest.approx(expected, rel=1e-7, abs=1e-15)


@pytest.mark.parametrize(
    ("count", "confidence"), [(8, 0.8), (8, 0.99), (8, 0.999), (12, 0.95), (50, 0.95)]
)
def test_of_few_normal_values_it_is_as_wide_as_students_on_average(
    count: int, confidence: float
) -> None:
    """Where percentiles were expanded by less, 8 values had 83 % of the width at 99 %."""
    ours, students = [], []
    for values in np.random.default_rng(1).normal(size=(60, count)):
        low, high = mean_interval(values.tolist(), confidence, 1.0) or (0.0, 0.0)
        expected = scipy_stats.ttest_1samp(values, 0.0).confidence_interval(confidence)
        ours.append(high - low)
        students.append(float(expected.high - expected.low))
    assert np.mean(ours) == pytest.approx(np.mean(students), rel=0.07)


def test_the_lady_who_tastes_tea_is_lucky_as_often_as_published() -> None:
    """R. A. Fisher, "The Design of Experiments" (1935), chapter II: four of eight cups."""
    assert hypergeometric_tail(4, 4, 4, 8) == pytest.approx(1 / 70)
    assert hypergeometric_tail(3, 4, 4, 8) == pytest.approx(17 / 70)


@given(st.integers(0, 60), st.integers(60, 90), st.integers(0, 60), st.integers(60, 90))
def test_how_probable_so_many_hits_are_is_what_scipy_says(
    hits: int, chances: int, other: int, others: int
) -> None:
    if hits * others < other * chances:
        hits, chances, other, others = other, others, hits, chances
    table = [[hits, chances - hits], [other, others - other]]
    expected = scipy_stats.fisher_exact(np.array(table), alternative="greater").pvalue
    found = hypergeometric_tail(hits, chances, hits + other, chances + others)
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-12)
