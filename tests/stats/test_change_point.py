"""Held against published values, the definition of Pettitt's statistic, and simulated series."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.signal

from keepalive_bench.stats.change_point import change_point

NILE = """
1120 1160 963 1210 1160 1160 813 1230 1370 1140 995 935 1110 994 1020 960 1180 799 958 1140 1100
1210 1150 1250 1260 1220 1030 1100 774 840 874 694 940 833 701 916 692 1020 1050 969 831 726 456
824 702 1120 1100 832 764 821 768 845 864 862 698 845 744 796 1040 759 781 865 845 944 984 897 822
1010 771 676 649 846 812 742 801 1040 860 874 848 890 744 749 838 1050 918 986 797 923 975 815 1020
906 901 1170 912 746 919 718 714 740
"""
"""Its annual flow at Aswan, 1871 to 1970: G. W. Cobb, "The Problem of the Nile", Biometrika 65
(1978), which finds its level to have changed after 1898, the 28th year."""


def pettitt(values: list[float]) -> float:
    """The significance of his statistic, by its definition: the sum of all signs of differences."""
    count, farthest = len(values), 0.0
    for at in range(1, count):
        signs = np.sign(np.subtract.outer(values[:at], values[at:]))
        farthest = max(farthest, abs(float(signs.sum())))
    return 2 * math.exp(-6 * farthest**2 / (count**3 + count**2))


def white(count: int, seed: int) -> list[float]:
    values: list[float] = np.random.default_rng(seed).normal(size=count).tolist()
    return values


def lasting(count: int, correlation: float, seed: int) -> list[float]:
    noise = np.random.default_rng(seed).normal(size=count + 100)
    series: list[float] = scipy.signal.lfilter([1], [1, -correlation], noise)[100:].tolist()
    return series


def test_the_nile_changed_its_level_after_1898() -> None:
    assert change_point([*map(float, NILE.split())], 0.001) == (28, False)


def test_of_values_that_alternate_the_significance_is_pettitt_s() -> None:
    """Nothing is taken off for autocorrelation there: what is left over has a negative one."""
    values = [it + (-1) ** place + (place >= 40) for place, it in enumerate(white(90, 1))]
    significance = pettitt(values)
    assert 1e-6 < significance < 0.1
    assert change_point(values, 1.01 * significance) is not None
    assert change_point(values, 0.99 * significance) is None


def test_ties_and_equal_values_are_no_trouble() -> None:
    assert change_point([1.0] * 50, 0.05) is None
    assert change_point([1.0] * 25 + [2.0] * 25, 0.001) == (25, False)


def test_of_fewer_than_20_values_none_is_told() -> None:
    assert change_point([1.0, 1.1] * 4 + [1.0] + [2.0, 2.1] * 5, 0.05) is None
    assert change_point([1.0, 1.1] * 5 + [2.0, 2.1] * 5, 0.05) is not None


def test_a_line_is_told_from_two_levels() -> None:
    noise = white(200, 3)
    rising = change_point([it + place / 25 for place, it in enumerate(noise)], 0.01)
    jumping = change_point([it + 4 * (place >= 60) for place, it in enumerate(noise)], 0.01)
    assert rising is not None
    assert rising.is_gradual
    assert jumping is not None
    assert not jumping.is_gradual
    assert jumping.at == pytest.approx(60, abs=2)


def test_of_many_values_the_place_is_that_of_a_block() -> None:
    values = [it + 0.5 * (place >= 70_000) for place, it in enumerate(white(100_000, 4))]
    found = change_point(values, 0.001)
    assert found is not None
    assert found.at == pytest.approx(70_000, abs=150)


@pytest.mark.parametrize(("count", "correlation"), [(50, 0.0), (50, 0.5), (200, 0.5)])
def test_noise_without_a_change_has_one_as_seldom_as_asked_for(
    count: int, correlation: float
) -> None:
    """Pettitt's own has one in 15 to 25 % of runs at a lag-1 correlation of 0.5, for 1 %."""
    told = [change_point(lasting(count, correlation, seed), 0.01) for seed in range(400)]
    assert sum(it is not None for it in told) <= 0.02 * 400


def test_ranks_don_t_mind_a_few_far_off_values() -> None:
    values = [it + 2 * (place >= 30) for place, it in enumerate(white(60, 5))]
    for place, far_off in ((3, 1e6), (17, -1e6), (44, -1e6)):
        values[place] = far_off
    found = change_point(values, 0.01)
    assert found is not None
    assert found.at == pytest.approx(30, abs=3)
