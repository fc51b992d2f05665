"""What two quantiles have in common: simulated pairs whose truth is known."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.runs import Script, paired_run

from keepalive_bench import analyse
from keepalive_bench.stats.intervals import difference_interval

BOUNDED = st.tuples(*[st.floats(-1e6, 1e6)] * 3).map(sorted)


def drawn(seed: int, common: float, requests: int = 50) -> tuple[list[float], list[float]]:
    """Lognormal latencies around 10 and 30 ms, whose halves have some noise in common."""
    random = np.random.default_rng(seed)
    shared = random.normal(0.0, common, requests)
    pooled, unpooled = (
        middle * np.exp(shared + random.normal(0.0, 0.1, requests)) for middle in (0.01, 0.03)
    )
    return pooled.tolist(), unpooled.tolist()


@pytest.mark.slow
@pytest.mark.parametrize("common", [0.0, 0.3])
def test_a_saving_of_quantiles_is_covered_and_narrower_where_pairs_have_much_in_common(
    common: float,
) -> None:
    held, widths, unpaired = 0, [], []
    for seed in range(60):
        run = paired_run(*drawn(seed, common))
        found = analyse(run)
        _, low, high = found.comparisons[0].saving_s["p50"]
        assert low is not None
        assert high is not None
        held += low <= 0.02 <= high
        widths.append(high - low)
        ends = (arm.latency_bounds["p50"] for arm in found.arms)
        unpaired.append(math.hypot(*(there - here for here, there in ends)))
    assert held >= 0.9 * 60
    assert np.median(widths) < (0.95 if common else 1.2) * np.median(unpaired)


@pytest.mark.slow
@pytest.mark.parametrize("lasting", [0.5, 0.8])
def test_what_the_arms_share_is_no_less_noise_for_lasting(lasting: float) -> None:
    """It is in no ratio of a pair, so the ratios' autocorrelation doesn't tell of it."""
    held: Counter[str] = Counter()
    for seed in range(50):
        random, level, shared = np.random.default_rng(seed), 0.0, []
        for step in random.normal(0.0, 0.3 * math.sqrt(1 - lasting**2), 1_200):
            level = lasting * level + step
            shared.append(level)
        noise = np.array(shared[-200:])
        own, other = (
            middle * np.exp(noise + random.normal(0.0, 0.05, 200)) for middle in (0.001, 0.003)
        )
        saving = analyse(paired_run(own.tolist(), other.tolist())).comparisons[0].saving_s
        truths = {"p50": 0.002, "mean": 0.002 * math.exp((0.3**2 + 0.05**2) / 2)}
        for metric, truth in truths.items():
            _, low, high = saving[metric]
            assert low is not None
            assert high is not None
            held[metric] += low <= truth <= high
    assert min(held.values()) >= 42, held


def test_arms_that_ran_one_after_the_other_have_nothing_in_common() -> None:
    pooled, unpooled = drawn(1, 0.5)
    widths = []
    for order in ("paired", "sequential"):
        script = Script("pooled", "unpooled", requests=50, order=order)
        for label, latencies in (("pooled", pooled), ("unpooled", unpooled)):
            for latency_s in latencies:
                script.send(label, latency_s)
        _, low, high = analyse(script.run()).comparisons[0].saving_s["p50"]
        assert low is not None
        assert high is not None
        widths.append(high - low)
    assert widths[0] < 0.8 * widths[1]


@given(BOUNDED, BOUNDED, st.floats(0, 1))
def test_a_difference_lies_in_its_interval_and_the_way_back_mirrors_it(
    own: list[float], other: list[float], correlation: float
) -> None:
    one, two = (own[0], own[1], own[2]), (other[0], other[1], other[2])
    low, high = difference_interval(one, two, correlation)
    assert low <= other[1] - own[1] <= high
    back = difference_interval(two, one, correlation)
    assert back == pytest.approx((-high, -low), abs=1e-6 * max(1.0, *map(abs, own + other)))
    wider = difference_interval(one, two)
    slack = 1e-9 * max(1.0, *map(abs, own + other))
    assert wider[0] - slack <= low <= high <= wider[1] + slack
