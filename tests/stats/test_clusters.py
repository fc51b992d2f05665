"""Intervals of values in clusters, held against simulations whose truth is known, and numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats
from support.runs import Script

from keepalive_bench import analyse
from keepalive_bench.stats.clusters import _design_factor, clustered_quantile_ends
from keepalive_bench.stats.intervals import difference_interval, quantile_interval

WITHIN, SIZE = 0.2, 80
"""Standard deviation of the logarithm within a block, and its requests: 8 threads, ten each."""


def clustered(between: float, clusters: int, random: np.random.Generator) -> list[float]:
    """Lognormal values around 1 in clusters that differ."""
    levels = random.normal(0.0, between, (clusters, 1))
    values = np.exp(levels + random.normal(0.0, WITHIN, (clusters, SIZE)))
    return [float(value) for value in values.ravel()]


def interval(values: list[float], sizes: list[int], percent: int) -> tuple[float, float] | None:
    """Of 95 %."""
    low, high = clustered_quantile_ends(values, sizes, sorted(values), percent, (1 - 0.95) / 2)
    return None if low is None or high is None else (low, high)


@pytest.mark.slow
@pytest.mark.parametrize("clusters", [6, 12, 40])
@pytest.mark.parametrize("between", [0.0, 0.05, 0.1])
def test_quantiles_of_clustered_values_are_covered(between: float, clusters: int) -> None:
    """As independent values, p50 would be in 46 % of intervals where blocks differ by 10 %."""
    random, runs = np.random.default_rng(1), 100
    spread = math.hypot(between, WITHIN)
    for percent in (50, 90):
        truth = math.exp(spread * scipy_stats.norm.ppf(percent / 100))
        held = shown = 0
        for _ in range(runs):
            values = clustered(between, clusters, random)
            found = interval(values, [SIZE] * clusters, percent)
            if found is not None:
                shown += 1
                held += found[0] <= truth <= found[1]
        # 95 %, less two standard errors; of six blocks, those that are shown are the calmer ones.
        assert held >= (0.91 if clusters > 6 else 0.88) * shown
        assert shown >= 0.2 * runs  # p90 of six blocks that differ by much has a bound rarely


def test_taken_for_independent_they_would_hardly_be() -> None:
    random = np.random.default_rng(1)
    held = 0
    for _ in range(150):
        low, high = quantile_interval(sorted(clustered(0.1, 12, random)), 50, 0.95) or (0, 0)
        held += low <= 1 <= high
    assert held < 0.6 * 150


def test_the_design_effect_is_the_variance_between_clusters_by_that_of_independent_values() -> None:
    """Around a line through them, as numpy finds it; typically nothing else widens."""
    ratios = []
    for seed in range(15):
        values = np.reshape(clustered(0.1, 40, np.random.default_rng(seed)), (40, SIZE))
        at = float(np.median(values))
        below = np.mean(values <= at, axis=1)
        rest = below - np.polyval(np.polyfit(range(40), below, 1), range(40))
        effect = SIZE * np.sum(rest**2) / 38 / (below.mean() * (1 - below.mean()))
        wider = scipy_stats.t.ppf(0.975, 38) / scipy_stats.norm.ppf(0.975)
        found = _design_factor(values.ravel().tolist(), [SIZE] * 40, at, 0.95)
        ratios.append(found / (math.sqrt(effect) * wider))
    assert min(ratios) == pytest.approx(1)
    assert np.median(ratios) < 1.15


def test_a_drift_that_all_blocks_follow_widens_nothing() -> None:
    random = np.random.default_rng(1)
    widths = []
    for drift in (0.0, 0.5):
        levels = np.linspace(1, 1 + drift, 12)[:, None]
        values = (levels * np.exp(random.normal(0.0, WITHIN, (12, SIZE)))).ravel().tolist()
        low, high = interval(values, [SIZE] * 12, 50) or (
            0.0,
            9.0,
        )
        widths.append((high - low) / np.std(values))
    assert widths[1] < 1.5 * widths[0]


@pytest.mark.parametrize(("sizes", "known"), [([16] * 5, False), ([16] * 6, True), ([], False)])
def test_it_takes_six_clusters(sizes: list[int], *, known: bool) -> None:
    values = [float(number * 7 % 97) for number in range(sum(sizes))]
    found = interval(values, sizes, 50)
    assert (found is not None) == known


def test_values_that_are_all_alike_are_bounded_by_themselves() -> None:
    values = [1.0] * 48
    assert interval(values, [8] * 6, 50) == (1.0, 1.0)


def test_several_at_a_time_intervals_are_of_blocks_and_so_are_those_of_savings() -> None:
    script = Script("pooled", "unpooled", requests=480, concurrency=4)
    levels = (1.0, 1.3, 0.9, 1.1, 1.2, 0.8, 1.0, 1.15, 0.85, 1.25, 0.95, 1.05)
    for number in range(12):
        for place in range(40):
            jitter = 1 + 0.01 * (place * 7 % 40 - 20) / 20
            for arm, latency_s in (("pooled", 0.01), ("unpooled", 0.02)):
                script.send(
                    arm,
                    latency_s * levels[(number + (arm == "pooled")) % 12] * jitter,
                    index=number * 40 + place,
                    round_number=number,
                )
    found = analyse(script.run())
    own, other = found.arms
    # Twelve levels: Student's interval of them, and not one of 480 requests.
    expected = 2 * 2.201 * 0.01 * np.std(levels, ddof=1) / math.sqrt(12)
    low, high = own.latency_bounds["mean"]
    assert high - low == pytest.approx(expected, rel=0.2)
    low, high = own.latency_bounds["p50"]
    assert high - low > expected
    (low, high), (other_low, other_high) = (arm.latency_bounds["p50"] for arm in found.arms)
    ends = difference_interval(
        (low, own.latency.p50 or 0, high), (other_low, other.latency.p50 or 0, other_high)
    )
    assert found.comparisons[0].saving_s["p50"][1:] == pytest.approx(ends)
