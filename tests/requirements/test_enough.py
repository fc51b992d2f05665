"""How many requests it takes to decide a requirement at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from scipy.stats import binom
from support.runs import paired_run

from keepalive_bench import DecisionRule, Experiment, Plan, Target, analyse
from keepalive_bench.analysis.required_requests import least_requests, least_to_bound
from keepalive_bench.requirements import requirements_of, undecidable


def plan(requests: int, *texts: str, confidence: float = 0.95, concurrency: int = 1) -> Plan:
    return Plan(
        Target("http://127.0.0.1/"),
        experiment=Experiment(requests=requests, concurrency=concurrency),
        decision_rule=DecisionRule(confidence=confidence, requirements=texts),
    )


@pytest.mark.parametrize(("percent", "confidence"), [(50, 0.95), (90, 0.9), (95, 0.95), (99, 0.99)])
def test_the_least_requests_of_a_quantile_are_those_whose_maximum_bounds_it(
    percent: int, confidence: float
) -> None:
    # All n values lie below the quantile with a chance of q ** n, which must be a tail at most.
    least = least_requests(f"p{percent}", plan(50, confidence=confidence))  # type: ignore[arg-type]  # one of them
    assert least is not None
    chances = [binom.cdf(0, n, 1 - percent / 100) for n in (least - 1, least)]
    assert chances[1] <= (1 - confidence) / 2 < chances[0]


def test_the_page_says_how_many_requests_it_takes() -> None:
    page = " ".join((Path(__file__).parents[2] / "docs/requirements.md").read_text("utf-8").split())
    p95, p99 = (least_to_bound(percent, plan(50), above=True) for percent in (95, 99))
    speedup, mean = (least_requests(basis, plan(50)) for basis in ("ranks", "mean"))
    assert f"a p95 takes {p95}, a p99 {p99}, a speed-up {speedup} and a mean {mean} " in page


@pytest.mark.parametrize(("percent", "confidence"), [(50, 0.95), (90, 0.9), (95, 0.95), (99, 0.99)])
def test_the_least_requests_that_show_how_high_a_quantile_is_have_one_beyond_it(
    percent: int, confidence: float
) -> None:
    # All n values lie below the quantile with a chance of q ** n.
    judged = plan(50, confidence=confidence)
    least = least_to_bound(percent, judged, above=True)
    assert least is not None
    assert (percent / 100) ** least <= 1 - confidence < (percent / 100) ** (least - 1)
    few = least_to_bound(percent, judged, above=False)
    assert few is not None
    chances = [(1 - percent / 100) ** count for count in (few - 1, few)]
    assert chances[1] <= 1 - confidence <= chances[0] + 1e-12


def test_too_few_requests_are_announced_with_the_number_that_could() -> None:
    texts = ("p95<=50ms", "reopened==0", "speedup>=2", "verdict==faster", "verdict!=not-reused")
    assert undecidable(plan(59, *texts)) == ()
    assert undecidable(plan(58, *texts)) == (
        "58 requests per arm can't show that p95<=50ms is met: it takes 59 at the least (-n).",
    )
    assert undecidable(plan(2, "p95>=50ms")) == ()
    few = undecidable(plan(5, *texts))
    assert [sentence.partition(": it takes ")[2] for sentence in few] == [
        "59 at the least (-n).",
        "7 at the least (-n).",
        "7 at the least (-n).",
    ]
    assert undecidable(plan(10**6, "stdev<=1s"))[0].startswith("No number of requests can decide")


def test_several_at_a_time_pairs_are_blocks_and_take_more_requests() -> None:
    needs = {
        text: undecidable(plan(100, text, concurrency=4)) for text in ("speedup>=2", "p50<=1s")
    }
    for text in needs:
        assert "it takes 240 at the least" in needs[text][0]


@pytest.mark.parametrize(("requests", "status"), [(58, "undecided"), (59, "met")])
def test_that_number_decides_and_one_less_does_not(requests: int, status: str) -> None:
    jitter = [0.01 + (23 * i % requests) * 1e-5 for i in range(requests)]
    analysis = analyse(paired_run(jitter, jitter), ["p95<=50ms"])
    assert [checked.status for checked in analysis.requirements] == [status]


def test_requirements_of_the_plan_come_first_and_each_text_once() -> None:
    texts = [each.text for each in requirements_of(plan(9, "failed==0"), ["p50<=1s", "failed==0"])]
    assert texts == ["failed==0", "p50<=1s"]
    assert [each.text for each in requirements_of(plan(9), "failed==0")] == ["failed==0"]
