"""Where a quantile lies at least, and at most: each end by itself, as requirements take them."""

from __future__ import annotations

from math import exp
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from support.runs import paired_run, view_of

from keepalive_bench.plan.plan import DecisionRule, Plan, Target
from keepalive_bench.stats.clusters import clustered_quantile_ends
from keepalive_bench.stats.intervals import quantile_ends, quantile_interval

TAIL = 0.05


@given(count=st.integers(1, 400), percent=st.sampled_from([50, 90, 95, 99]))
def test_the_ends_are_the_order_statistics_that_the_binomial_distribution_says(
    count: int, percent: int
) -> None:
    low, high = quantile_ends(range(count), percent, TAIL)
    below, above = (of(range(count), count, percent / 100) <= TAIL for of in (binom.cdf, binom.sf))
    assert low == max(np.flatnonzero(below), default=None)
    assert high == min(np.flatnonzero(above), default=None)


@pytest.mark.parametrize(("percent", "least"), [(50, 5), (90, 29), (95, 59), (99, 299)])
def test_the_upper_end_of_a_high_quantile_takes_many_values_and_the_lower_one_few(
    percent: int, least: int
) -> None:
    assert quantile_ends(range(least), percent, TAIL)[1] == least - 1
    assert quantile_ends(range(least - 1), percent, TAIL)[1] is None
    assert quantile_ends(range(5), percent, TAIL)[0] is not None


@given(
    values=st.lists(st.floats(0.001, 1), min_size=1, max_size=120),
    factor=st.floats(1, 3),
    percent=st.sampled_from([50, 90, 95]),
)
def test_an_interval_has_both_ends_or_is_none_and_is_wider_than_ends_of_twice_the_tail(
    values: list[float], factor: float, percent: int
) -> None:
    ordered = sorted(values)
    found = quantile_interval(ordered, percent, 1 - 2 * TAIL, factor)
    low, high = quantile_ends(ordered, percent, TAIL, factor)
    assert found == (None if None in {low, high} else (low, high))
    wide_low, wide_high = quantile_ends(ordered, percent, TAIL / 2, factor)
    assert wide_low is None or (low is not None and wide_low <= low)
    assert wide_high is None or (high is not None and wide_high >= high)


@pytest.mark.parametrize("percent", [50, 90, 95])
def test_each_end_is_beyond_the_truth_as_seldom_as_it_says(percent: int) -> None:
    """100 values, of a uniform distribution, whose quantiles are known."""
    random, runs = Random(5), 2_000  # noqa: S311  # not for secrets
    wrong = [0, 0]
    for _ in range(runs):
        low, high = quantile_ends(sorted(random.random() for _ in range(100)), percent, TAIL)
        wrong[0] += low is not None and low > percent / 100
        wrong[1] += high is not None and high < percent / 100
    # So many are wrong once in a thousand times, if each is with a chance of one in twenty.
    assert max(wrong) <= binom.ppf(0.999, runs, TAIL)


def test_of_values_in_clusters_the_ends_are_no_nearer_and_few_clusters_have_none() -> None:
    random = Random(5)  # noqa: S311  # not for secrets
    values = [
        0.01 + level + random.random() / 1e3 for level in (0, 0.01, 0.03) * 4 for _ in range(20)
    ]
    ordered = sorted(values)
    plain = quantile_ends(ordered, 50, TAIL)
    low, high = clustered_quantile_ends(values, [20] * 12, ordered, 50, TAIL)
    assert None not in {*plain, low, high}
    assert low is not None
    assert plain[0] is not None
    assert low < plain[0]
    assert high is not None
    assert plain[1] is not None
    assert high > plain[1]
    assert clustered_quantile_ends(values[:100], [20] * 5, sorted(values[:100]), 50, TAIL) == (
        None,
        None,
    )


@pytest.mark.parametrize("threads", [1, 2])
def test_at_a_confidence_of_a_half_there_are_ends_too(threads: int) -> None:
    """An end by itself has no width then that could be wider: a division by 0."""
    plan = Plan(Target("http://127.0.0.1:9/"), decision_rule=DecisionRule(confidence=0.5))
    random, level, latencies = Random(3), 0.0, []  # noqa: S311  # not for secrets
    for _ in range(1_200):
        level = 0.8 * level + random.gauss(0, 0.1)
        latencies.append(exp(level))
    run = paired_run(latencies, latencies, plan=plan, concurrency=threads)
    low, high = view_of(run).quantile_ends(50)
    assert low is not None
    assert high is not None
    assert 0.9 < low <= high < 1.1


def test_of_an_arm_without_an_answer_nothing_is_known() -> None:
    run = paired_run([], [0.5] * 20)
    assert view_of(run).quantile_ends(95) == (None, None)
    assert view_of(run, "unpooled").quantile_ends(95) == (0.5, None)
