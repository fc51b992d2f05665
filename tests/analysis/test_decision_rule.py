"""Intervals and verdicts of whole runs, and what of them the results file says."""

from __future__ import annotations

import re
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.command import called
from support.runs import URL, Script, paired_run

from keepalive_bench import DecisionRule, Plan, Target, UsageError, analyse
from keepalive_bench.report.document import derived_document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.analysis.comparison import Comparison
    from keepalive_bench.analysis.verdict import Verdict
    from keepalive_bench.stats.intervals import Estimate

LATENCY = st.floats(1e-4, 10)
PAIRS = st.lists(st.tuples(LATENCY, LATENCY), min_size=1, max_size=60)


def noisy(speedup: float, count: int, spread: float = 0.3) -> Verdict:
    """The verdict of as many pairs, whose log ratios spread evenly around a speed-up's."""
    ratios = speedup * np.exp(spread * np.linspace(-1, 1, count))
    np.random.default_rng(1).shuffle(ratios)
    return analyse(paired_run([0.01] * count, (0.01 * ratios).tolist())).verdict


def judged(ratios: list[float], count: int = 50, **decision_rule: Any) -> Verdict:  # noqa: ANN401
    """The verdict of pairs whose ratios are these, over and over."""
    plan = Plan(Target(URL), decision_rule=DecisionRule(**decision_rule))
    unpooled = [0.01 * ratio for ratio in islice(cycle(ratios), count)]
    return analyse(paired_run([0.01] * count, unpooled, plan=plan)).verdict


def compared(pairs: list[tuple[float, float]], *, swapped: bool = False) -> Comparison:
    labels = ("b", "a") if swapped else ("a", "b")
    script = Script(*((label, "pooled") for label in labels), requests=len(pairs))
    for index, (first, second) in enumerate(pairs):
        script.send("a", first, index=index)
        script.send("b", second, index=index)
    return analyse(script.run()).comparisons[0]


def estimates(comparison: Comparison) -> Iterator[Estimate]:
    yield comparison.speedup
    yield comparison.requests_per_second
    yield from comparison.saving_s.values()


def assert_in_order(estimate: Estimate) -> None:
    value, low, high = estimate
    assert (low is None) == (high is None)
    if low is not None and high is not None:
        assert value is not None
        slack = 1e-9 * max(abs(low), abs(high), 1e-3)
        assert low - slack <= value <= high + slack


@settings(max_examples=40)  # thousands of resamples each
@given(PAIRS)
def test_every_interval_of_a_comparison_contains_its_estimate(
    pairs: list[tuple[float, float]],
) -> None:
    for estimate in estimates(compared(pairs)):
        assert_in_order(estimate)


@settings(max_examples=40)  # thousands of resamples each
@given(PAIRS)
def test_the_other_way_round_intervals_are_mirrored(pairs: list[tuple[float, float]]) -> None:
    there, back = compared(pairs), compared(pairs, swapped=True)
    for one, other in (
        (there.speedup, back.speedup),
        (there.requests_per_second, back.requests_per_second),
    ):
        if one.low is None or one.high is None:
            assert other.low is None
        else:
            assert other[1:] == pytest.approx((1 / one.high, 1 / one.low), rel=1e-6)
    for metric, saving in there.saving_s.items():
        mirrored = back.saving_s[metric]
        if saving.low is None or saving.high is None:
            assert mirrored.low is None
        else:
            assert mirrored[1:] == pytest.approx((-saving.high, -saving.low), rel=1e-6, abs=1e-9)


@settings(max_examples=40)  # thousands of resamples each
@given(PAIRS, st.sampled_from([1e-3, 0.5, 100.0]))
def test_times_on_another_scale_give_the_same_ratios_and_scaled_savings(
    pairs: list[tuple[float, float]], scale: float
) -> None:
    plain = compared(pairs)
    scaled = compared([(one * scale, other * scale) for one, other in pairs])
    assert scaled.speedup.low == pytest.approx(plain.speedup.low)
    assert (scaled.requests_per_second.high is None) == (plain.requests_per_second.high is None)
    if plain.requests_per_second.high is not None:
        assert scaled.requests_per_second.high == pytest.approx(
            plain.requests_per_second.high, rel=1e-6
        )
    for metric, saving in plain.saving_s.items():
        if saving.low is not None:
            expected = pytest.approx(saving.low * scale, rel=1e-6, abs=1e-8 * scale)
            assert scaled.saving_s[metric].low == expected


def test_a_half_whose_partner_failed_does_not_put_a_saving_outside_its_interval() -> None:
    script = Script("pooled", "unpooled", requests=20)
    for index in range(20):
        script.send("pooled", 5.0 if index == 3 else 0.01, index=index)
        if index == 3:
            script.fail("unpooled", index=index)
        else:
            script.send("unpooled", 0.02, index=index)
    found = analyse(script.run()).comparisons[0]
    assert (found.pairs, found.left_out) == (19, 1)
    for estimate in estimates(found):
        assert_in_order(estimate)


def test_of_blocks_with_slow_requests_the_interval_of_the_mean_contains_it() -> None:
    script = Script("pooled", "unpooled", requests=200, concurrency=2)
    for number in range(10):
        for position in range(20):
            index, slow = number * 20 + position, 1.0 if position < 2 else 0.0
            script.send("pooled", 0.01, index=index, round_number=number)
            script.send("unpooled", 0.02 + slow, index=index, round_number=number)
    for estimate in estimates(analyse(script.run()).comparisons[0]):
        assert_in_order(estimate)


@pytest.mark.parametrize(
    ("ratios", "code"),
    [
        ([1.02, 1.021], "no-difference"),  # the interval excludes 1, and lies in the margin
        ([0.98, 0.979], "no-difference"),
        ([1.0], "no-difference"),
        ([1.06, 1.07], "faster"),
        ([0.94, 0.93], "slower"),
        ([1.03, 1.08], "faster"),  # not wholly in the margin
        ([0.5, 0.8, 1.3, 2.1], "inconclusive"),
    ],
)
def test_the_verdict_is_the_first_that_applies(ratios: list[float], code: str) -> None:
    assert judged(ratios).code == code


@pytest.mark.parametrize(("margin", "code"), [(0.0, "faster"), (0.03, "no-difference")])
def test_the_margin_says_what_is_called_a_difference(margin: float, code: str) -> None:
    assert judged([1.02, 1.021], margin=margin).code == code


def test_the_sentence_names_the_confidence_asked_for() -> None:
    assert "90 % CI" in judged([2.0], confidence=0.9).text
    assert "99.9 % CI" in judged([2.0], confidence=0.999).text


def test_arms_whose_answers_differ_in_size_are_not_comparable() -> None:
    script = Script("pooled", "unpooled", requests=20)
    for index in range(20):
        script.send("pooled", 0.01, index=index, body_bytes=1_000)
        script.send("unpooled", 0.02, index=index, body_bytes=2_000)
    verdict = analyse(script.run()).verdict
    assert verdict.code == "not-comparable"
    assert "differ in size" in verdict.text


def test_arms_that_do_not_fail_alike_are_not_comparable_and_not_for_the_size_of_answers() -> None:
    script = Script("pooled", "unpooled", requests=20)
    for index in range(20):
        if index % 3:
            script.send("pooled", 0.01, index=index)
        else:
            script.fail("pooled", 0.01, index=index)
        script.send("unpooled", 0.02, index=index)
    verdict = analyse(script.run()).verdict
    assert verdict.code == "not-comparable"
    assert "(pooled in 7 of 20 requests, unpooled in 0 of 20 requests)" in verdict.text
    assert "size" not in verdict.text


@pytest.mark.parametrize(("confidence", "least"), [(0.8, 4), (0.95, 6), (0.999, 11)])
def test_how_many_pairs_it_takes_at_the_least_depends_on_the_confidence(
    confidence: float, least: int
) -> None:
    """SciPy: of n pairs that all agree, the two-sided signed-rank test's least p is 2 ÷ 2**n.

    One request more, as the first one opens the connection.
    """
    verdict = judged([2.0], count=least, confidence=confidence)
    assert verdict.code == "inconclusive"
    assert f"at least {least} pairs that reused a connection are needed" in verdict.text
    assert f"there are {least - 1}. Use -n {least + 1}." in verdict.text
    assert judged([2.0], count=least + 1, confidence=confidence).code == "faster"
    assert "and there is 1." in judged([2.0], count=2, confidence=confidence).text


def test_a_sure_difference_within_the_margin_is_named() -> None:
    assert "(95 % CI: 2.0 % faster)" in judged([1.02]).text
    assert "(95 % CI: 2.0 % slower)" in judged([1 / 1.02]).text


def test_it_says_about_how_many_requests_would_settle_it_and_they_do() -> None:
    unsettled = noisy(1.06, 20)
    assert unsettled.code == "inconclusive"
    asked = re.search(r"About ([\d,]+) requests", unsettled.text)
    assert asked
    enough = int(asked[1].replace(",", ""))
    assert 20 < enough <= 1_000
    assert noisy(1.06, enough).code == "faster"


def test_an_interrupted_run_is_settled_by_as_many_more_as_a_whole_one() -> None:
    """It went by the requests that had been planned."""
    pooled = [0.01 * (1 + 0.3 * (number * 7919 % 13 - 6) / 6) for number in range(60)]
    asked = []
    for planned in (60, 100_000):
        script = Script("pooled", "unpooled", requests=planned)
        shared = script.open("pooled")
        cut = [0.01] if planned > 60 else []  # a round that isn't timed
        for index, latency_s in enumerate(pooled + cut):
            script.send("pooled", latency_s, on=shared, index=index)
            script.send("unpooled", 0.0103, on=script.open("unpooled"), index=index)
        text = analyse(script.run(interrupted=planned > 60)).verdict.text
        asked.append(re.search(r"About ([\d,]+) requests", text))
    assert asked[0]
    assert asked[1]
    assert asked[0][1] == asked[1][1]


def test_nobody_is_asked_for_more_requests_than_one_per_cent_takes() -> None:
    asked = re.search(r"About ([\d,]+) requests", noisy(1.0, 20).text)
    assert asked
    assert 20 < int(asked[1].replace(",", "")) <= 10_000


@pytest.mark.parametrize("given_", [{"confidence": 0.4}, {"confidence": 1.0}, {"margin": -0.1}])
def test_a_decision_rule_outside_of_reason_is_refused(given_: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(given_))):
        DecisionRule(**given_)


@pytest.mark.parametrize(
    ("name", "value"), [("confidence", "2"), ("confidence", "nan"), ("margin", "-1")]
)
def test_a_bad_value_on_the_command_line_gets_one_sentence(name: str, value: str) -> None:
    done = called("run", "http://127.0.0.1:1/", f"--{name}", value)
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert name in done.err


def test_the_results_file_has_low_and_high_beside_each_estimate_or_null() -> None:
    random = np.random.default_rng(1)
    pooled = random.uniform(0.01, 0.02, 80).tolist()
    unpooled = random.uniform(0.03, 0.04, 80).tolist()
    document = derived_document(analyse(paired_run(pooled, unpooled)))
    latency = document["arms"]["pooled"]["latency_s"]
    for metric in ("mean", "p50", "p90"):
        assert latency["low"][metric] < latency[metric] < latency["high"][metric]
    assert latency["p99"] is latency["low"]["p99"] is latency["high"]["p99"] is None
    assert "max" not in latency["low"]
    comparison = document["comparisons"][0]
    for found in (comparison["speedup"], comparison["requests_per_second"]):
        assert 1 < found["low"] < found["estimate"] < found["high"]
    for metric in ("mean", "p50", "p90"):
        saving = comparison["saving_s"][metric]
        assert 0.01 < saving["low"] < saving["estimate"] < saving["high"] < 0.03


def test_of_a_few_requests_the_results_file_bounds_nothing() -> None:
    document = derived_document(analyse(paired_run([0.01] * 5, [0.02] * 5)))
    assert set(document["arms"]["pooled"]["latency_s"]["low"].values()) == {None}
    comparison = document["comparisons"][0]
    assert comparison["speedup"] == {"estimate": pytest.approx(2.0), "low": None, "high": None}
    assert {saving["high"] for saving in comparison["saving_s"].values()} == {None}
