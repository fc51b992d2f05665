"""How far a new run lies from earlier ones: against published values and scipy."""

from __future__ import annotations

from math import hypot, sqrt
from random import Random
from statistics import fmean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from keepalive_bench.stats.between_runs import LEAST_RUNS, change_interval
from keepalive_bench.stats.intervals import difference_interval

READINGS = (51.4, 49.5, 48.7, 49.3, 51.6)
"""Voltages of five devices: G. J. Hahn and W. Q. Meeker, "Statistical Intervals" (1991)."""


def around(number: float, half: float) -> tuple[float, float, float]:
    return number - half, number, number + half


def test_it_is_hahn_s_and_meeker_s_prediction_interval() -> None:
    """Chapter 4: one more lies in 50.10 ± 3.04 × 1.31 at 95 %."""
    low, high = change_interval([around(it, 0.1) for it in READINGS], around(50.0, 0.1), 0.95)
    assert (high - low) / 2 == pytest.approx(3.04 * 1.31, abs=0.03)
    assert (low + high) / 2 == pytest.approx(50.0 - 50.10)


@given(
    st.lists(st.floats(-2, 2), min_size=LEAST_RUNS, max_size=12),
    st.floats(-2, 2),
    st.sampled_from([0.8, 0.95, 0.99]),
)
def test_the_half_width_is_student_s(earlier: list[float], new: float, confidence: float) -> None:
    count = len(earlier)
    low, high = change_interval([around(it, 0.1) for it in earlier], around(new, 0.1), confidence)
    factor = scipy_stats.t.ppf((1 + confidence) / 2, count - 1) * sqrt(1 + 1 / count)
    assert (low + high) / 2 == pytest.approx(new - fmean(earlier), rel=1e-6, abs=1e-7)
    assert (high - low) / 2 == pytest.approx(factor * stdev(earlier), rel=1e-6, abs=1e-7)


def test_a_new_run_that_is_less_sure_of_its_number_widens_it() -> None:
    earlier = [around(it, half) for it, half in ((1.0, 0.1), (1.1, 0.2), (0.9, 0.3))]
    halves = {}
    for half in (0.1, 0.29, 0.4):
        low, high = change_interval(earlier, around(1.0, half), 0.95)
        halves[half] = (high - low) / 2
    assert halves[0.1] == halves[0.29]  # no wider than each of theirs: that is chance
    excess = 0.4**2 - fmean([0.1**2, 0.2**2, 0.3**2])
    assert halves[0.4] == pytest.approx(hypot(halves[0.1], sqrt(excess)))


def test_one_earlier_run_and_two_have_chance_within_the_runs_alone() -> None:
    one, other, new = (1.0, 2.0, 4.0), (1.5, 2.5, 3.0), (4.0, 4.5, 6.0)
    assert change_interval([one], new, 0.95) == pytest.approx(difference_interval(one, new))
    low, high = change_interval([one, other], new, 0.95)
    assert 4.5 - 2.25 - low == pytest.approx(hypot(0.5, hypot(2.0, 0.5) / 2))
    assert high - (4.5 - 2.25) == pytest.approx(hypot(1.5, hypot(1.0, 1.0) / 2))


@pytest.mark.parametrize("count", [3, 5, 10])
@pytest.mark.parametrize("between", [0.0, 0.05, 0.15])
def test_it_holds_the_truth_as_often_as_it_says(count: int, between: float) -> None:
    """Normal runs whose own intervals are as wide as 30 requests happen to say."""
    random, held, tries = Random(f"{count} {between}"), 0, 2_000  # noqa: S311  # not for secrets
    for _ in range(tries):
        *earlier, new = (run(random, between) for _ in range(count + 1))
        low, high = change_interval(earlier, new, 0.95)
        held += low <= 0 <= high
    assert 0.93 <= held / tries <= 0.97


def run(random: Random, between: float) -> tuple[float, float, float]:
    level, within = random.gauss(0, between), 0.04
    half = 1.96 * within * sqrt(random.gammavariate(14.5, 1 / 14.5))
    return around(level + random.gauss(0, within), half)
