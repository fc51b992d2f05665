from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.runs import Script, paired_run

from keepalive_bench import analyse

if TYPE_CHECKING:
    from keepalive_bench.analysis.comparison import Comparison
    from keepalive_bench.results.run import Run

LATENCY = st.floats(1e-6, 100)
PAIR = st.tuples(LATENCY, LATENCY)
SWAPPED = ("unpooled", "pooled")


def compared(run: Run) -> Comparison:
    return analyse(run).comparisons[0]


def both_ways(pairs: list[tuple[float, float]]) -> tuple[Comparison, Comparison]:
    """The first arm against the second, and the second against the first."""
    runs = []
    for labels in (("a", "b"), ("b", "a")):
        script = Script(*((label, "pooled") for label in labels), requests=len(pairs))
        for index, (first, second) in enumerate(pairs):
            script.send("a", first, index=index)
            script.send("b", second, index=index)
        runs.append(script.run())
    return compared(runs[0]), compared(runs[1])


def test_the_speed_up_is_the_other_s_latency_divided_by_the_arm_s_own() -> None:
    found = compared(paired_run([0.01] * 20, [0.03] * 20))
    assert (found.arm, found.against) == ("pooled", "unpooled")
    assert found.speedup.estimate == pytest.approx(3.0)
    assert found.saving_s["mean"].estimate == pytest.approx(0.02)
    assert found.saving_s["p95"].estimate == pytest.approx(0.02)


@settings(max_examples=25)  # thousands of resamples each
@given(st.lists(PAIR, min_size=1, max_size=30))
def test_the_other_way_round_the_speed_up_is_its_inverse_and_the_saving_its_negative(
    pairs: list[tuple[float, float]],
) -> None:
    there, back = both_ways(pairs)
    assert there.speedup.estimate is not None
    assert back.speedup.estimate == pytest.approx(1 / there.speedup.estimate)
    for metric, saving in there.saving_s.items():
        other = back.saving_s[metric].estimate
        assert other == (None if saving.estimate is None else -saving.estimate)


@given(st.lists(PAIR, min_size=1, max_size=7), st.floats(0.01, 100))
def test_noise_that_both_halves_of_a_pair_share_cancels(
    pairs: list[tuple[float, float]], factor: float
) -> None:
    steady = compared(paired_run(*zip(*pairs, strict=True)))
    noisy = [
        (one * factor, other * factor) if number % 2 else (one, other)
        for number, (one, other) in enumerate(pairs)
    ]
    assert compared(paired_run(*zip(*noisy, strict=True))).speedup.estimate == pytest.approx(
        steady.speedup.estimate
    )


def test_one_slow_request_moves_the_speed_up_little() -> None:
    found = compared(paired_run([0.01] * 49 + [30.0], [0.03] * 50))
    assert found.speedup.estimate == pytest.approx(3.0)


def test_a_pair_whose_other_half_failed_is_left_out() -> None:
    script = Script("pooled", "unpooled", requests=10)
    for index in range(10):
        script.send("pooled", 5.0 if index == 3 else 0.01, index=index)
        if index == 3:
            script.fail("unpooled", 30.0, index=index)
        else:
            script.send("unpooled", 0.02, index=index)
    found = compared(script.run())
    assert found.speedup.estimate == pytest.approx(2.0)
    assert found.pairs == 9


def test_requests_are_paired_by_index_whatever_the_order_they_ended_in() -> None:
    script = Script("pooled", "unpooled", requests=3)
    for index in (2, 0, 1):
        script.send("pooled", 0.01 * (index + 1), index=index)
    for index in (1, 2, 0):
        script.send("unpooled", 0.04 * (index + 1), index=index)
    assert compared(script.run()).speedup.estimate == pytest.approx(4.0)


def test_several_at_a_time_the_medians_of_a_round_s_blocks_are_a_pair() -> None:
    script = Script("pooled", "unpooled", requests=60, concurrency=2)
    for number, (own, other) in enumerate([(1.0, 2.0), (1.0, 4.0), (1.0, 8.0)]):
        for position in range(20):
            index = number * 20 + position
            outlier = 50.0 if position == 0 else 0.0
            script.send("pooled", own + outlier, index=index, round_number=number)
            script.send("unpooled", other, index=index, round_number=number)
    found = compared(script.run())
    assert found.pairs == 3
    assert found.speedup.estimate == pytest.approx(4.0)  # of ratios 2, 4 and 8


def test_without_a_whole_pair_there_is_no_speed_up() -> None:
    script = Script("pooled", "unpooled", requests=2)
    script.send("pooled", 0.01, index=0)
    script.send("unpooled", 0.02, index=1)
    found = compared(script.run())
    assert found.speedup == (None, None, None)
    assert found.pairs == 0
    assert found.saving_s["mean"].estimate is None


def test_a_latency_of_nothing_makes_no_pair() -> None:
    found = compared(paired_run([0.0, 0.01], [0.01, 0.02]))
    assert found.speedup.estimate == pytest.approx(2.0)


def test_of_arms_that_ran_as_long_one_after_the_other_all_of_the_time_counts() -> None:
    """Of the quicker one, only as many of its first requests had a part in any comparison."""
    pooled = [0.006] * 250 + [0.002] * 550
    run = paired_run(pooled, [0.012] * 250, order="sequential", duration_s=3.0)
    comparison = compared(run)
    assert (comparison.pairs, comparison.left_out) == (250, 0)
    assert comparison.speedup.estimate == pytest.approx(12**0.5)  # a third of 2, the rest of 6
    mean = sum(pooled) / len(pooled)
    assert comparison.saving_s["mean"].estimate == pytest.approx(0.012 - mean, rel=0.01)


def test_savings_are_differences_of_the_arms_own_figures() -> None:
    pooled = [0.001 * (7 * number % 20 + 1) for number in range(20)]
    unpooled = [0.002 * (3 * number % 20 + 1) for number in range(20)]
    found = compared(paired_run(pooled, unpooled))
    assert found.saving_s["p50"].estimate == pytest.approx(median(unpooled) - median(pooled))
    assert found.saving_s["mean"].estimate == pytest.approx(sum(unpooled) / 20 - sum(pooled) / 20)


def test_too_few_requests_bear_no_saving_at_a_quantile() -> None:
    found = compared(paired_run([0.01] * 19, [0.02] * 19))
    assert found.saving_s["p95"].estimate is None
    assert found.saving_s["p50"].estimate == pytest.approx(0.01)


def test_of_p99_a_saving_is_told_where_both_arms_can_bound_it() -> None:
    """At 95 %, 0.99**368 is the first below 2.5 %."""
    few, enough = (
        compared(paired_run(_scattered(count), [2 * it for it in _scattered(count)]))
        for count in (367, 368)
    )
    assert few.saving_s["p99"] == (None, None, None)
    estimate, low, high = enough.saving_s["p99"]
    expected = np.percentile(_scattered(368), 99, method="median_unbiased")
    assert estimate == pytest.approx(float(expected))
    assert estimate is not None
    assert low is not None
    assert high is not None
    assert low < estimate < high


def _scattered(count: int) -> list[float]:
    return [float(value) for value in np.random.default_rng(5).lognormal(-4, 0.5, count)]


@pytest.mark.parametrize(
    ("arms", "pairs"),
    [
        (["pooled"], []),
        (["pooled", "unpooled"], [("pooled", "unpooled")]),
        (list(SWAPPED), [SWAPPED]),
        (["unpooled", "pooled", ("x", "pooled")], [SWAPPED, ("unpooled", "x")]),
    ],
)
def test_the_first_named_arm_is_compared_with_each_other_one(
    arms: list[Any], pairs: list[tuple[str, str]]
) -> None:
    found = analyse(Script(*arms, requests=1).run()).comparisons
    assert [(comparison.arm, comparison.against) for comparison in found] == pairs
