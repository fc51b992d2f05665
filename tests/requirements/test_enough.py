"""How many requests it takes to decide a requirement at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from scipy.stats import binom
from support.runs import paired_run

from keepalive_bench import Arm, DecisionRule, Experiment, Plan, Target, UsageError, analyse
from keepalive_bench.analysis.required_requests import least_requests, least_to_bound
from keepalive_bench.requirements import refuse_unmeetable, requirements_of


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


def refusal(asked: Plan) -> str:
    """Why a plan is refused; empty: it isn't."""
    try:
        refuse_unmeetable(asked)
    except UsageError as error:
        return str(error)
    return ""


def test_too_few_requests_are_refused_with_the_number_that_could() -> None:
    assert not refusal(plan(59, "p95<=50ms", "reopened==0", "speedup>=2", "verdict==faster"))
    assert refusal(plan(58, "reopened==0", "p95<=50ms")) == (
        "58 requests per arm can't show that p95<=50ms is met: use -n 59 or more."
    )
    assert not refusal(plan(2, "p95>=50ms"))
    for text in ("speedup>=2", "verdict==faster"):
        assert refusal(plan(6, text)).endswith("use -n 7 or more.")
    assert not refusal(plan(5, "verdict!=slower"))  # it may be not-reused
    assert refusal(plan(10**6, "stdev<=1s")) == (
        "No run of this plan can meet stdev<=1s: kab computes no interval for it."
    )


def test_several_at_a_time_pairs_are_blocks_and_take_more_requests() -> None:
    for text in ("speedup>=2", "p50<=1s"):
        assert "use -n 240 or more" in refusal(plan(100, text, concurrency=4))


@pytest.mark.parametrize(
    ("meetable", "why"),
    [
        (("unpooled.reuse<=0%", "unpooled.reuse<1%"), {"unpooled.reuse>0": "always 0 %"}),
        (("reuse>=100%", "reuse==0"), {"reuse>1": "at most 100 %"}),
        (("reopened==8", "reopened>=8"), {"reopened>8": "at most 8", "reopened<0": "at least 0"}),
        (("connections==1", "connections!=1"), {"connections==0": "at least 1"}),
        (("unpooled.connections<=1",), {"unpooled.connections>9": "at most 9"}),
        (("requests==9",), {"requests==8": "always 9", "requests!=9": "always 9"}),
        (("failed==18", "pooled.failed==9"), {"failed==19": "at most 18"}),
        (
            ("unpooled.requests_per_connection<=1",),
            {"unpooled.requests_per_connection>1": "at most 1"},
        ),
        (("status_codes.200==9",), {"status_codes.200>=10": "at most 9"}),
        (("pairs==9", "left_out>=9", "in_pairs>=9"), {"pairs>9": "at most 9", "in_pairs==10": "9"}),
        (("reused>=8", "reused<=0"), {"reused>=9": "at most 8"}),  # the first one opens
        (
            ("pooled.kind==pooled",),
            {"pooled.kind==naive": "always pooled", "kind!=pooled": "always"},
        ),
        (("verdict==not-comparable", "verdict!=sweep"), {"verdict==one-arm": "always faster or "}),
        (("warmup.pooled.requests==1",), {"warmup.pooled.connections>1": "at most 1"}),
        (("max<=0", "run_info.wall_s<=0"), {"max<0": "at least"}),
        (("findings.client-bound<=5",), {"reasons.server-close>=10": "at most 9"}),
    ],
)
def test_what_no_run_can_meet_is_refused_and_nothing_else(
    meetable: tuple[str, ...], why: dict[str, str]
) -> None:
    assert not refusal(plan(9, *meetable))
    for text, said in why.items():
        found = refusal(plan(9, text))
        assert found.startswith(f"No run of this plan can meet {text}: ")
        assert said in found


@pytest.mark.parametrize(
    ("arms", "requests", "meetable", "unmeetable"),
    [
        (("pooled",), 9, "verdict==one-arm", "verdict==faster"),
        (("unpooled", "naive"), 9, "verdict==faster", "verdict==not-reused"),
        (("unpooled", "naive"), 6, "speedup>=1", "comparisons[0].reused>6"),
        (("unpooled", "pooled"), 7, "speedup>=1", "reused>6"),
        (("unpooled", "pooled"), 6, "reused>=5", "verdict==slower"),  # one of the six pairs opens
    ],
)
def test_what_can_be_met_depends_on_the_arms(
    arms: tuple[str, ...], requests: int, meetable: str, unmeetable: str
) -> None:
    experiment = Experiment(arms=tuple(map(Arm, arms)), requests=requests)
    assert not refusal(replace(plan(9, meetable), experiment=experiment))
    assert unmeetable in refusal(replace(plan(9, unmeetable), experiment=experiment))


def test_the_verdict_of_a_sweep_is_one() -> None:
    sizes = tuple(Arm("pooled", str(size), value=size) for size in (1, 2))
    swept = Experiment(arms=sizes, sweep="maxsize", requests=100)
    assert not refusal(replace(plan(9, "verdict==sweep"), experiment=swept))
    assert "always not-measured or sweep" in refusal(
        replace(plan(9, "verdict==no-difference"), experiment=swept)
    )


def test_where_time_ends_a_run_nobody_knows_how_many_there_will_be() -> None:
    asked = plan(9, "connections>=1000000", "requests==8", "reuse>=98%", "p99<=1s")
    timed = Experiment(duration_s=1.0)
    assert not refusal(replace(asked, experiment=timed))


def test_with_one_request_in_each_process_nothing_can_be_reused() -> None:
    for requests, processes in ((1, 1), (4, 4)):
        few = Experiment(requests=requests, processes=processes)
        assert "has nothing to reuse" in refusal(replace(plan(9, "reuse==0"), experiment=few))
    more = Experiment(requests=5, processes=4)
    assert not refusal(replace(plan(9, "reuse==100%"), experiment=more))


@pytest.mark.parametrize(("requests", "status"), [(58, "undecided"), (59, "met")])
def test_that_number_decides_and_one_less_does_not(requests: int, status: str) -> None:
    jitter = [0.01 + (23 * i % requests) * 1e-5 for i in range(requests)]
    analysis = analyse(paired_run(jitter, jitter), ["p95<=50ms"])
    assert [checked.status for checked in analysis.requirements] == [status]


def test_requirements_of_the_plan_come_first_and_each_text_once() -> None:
    texts = [each.text for each in requirements_of(plan(9, "failed==0"), ["p50<=1s", "failed==0"])]
    assert texts == ["failed==0", "p50<=1s"]
    assert [each.text for each in requirements_of(plan(9), "failed==0")] == ["failed==0"]
