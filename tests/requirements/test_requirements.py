"""What is demanded of a run: met, missed or undecided."""

from __future__ import annotations

import re
from math import inf, nextafter
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.runs import Script, paired_run, view_of

from keepalive_bench import RequirementError, UsageError, require
from keepalive_bench import analyse as analyse_run
from keepalive_bench.analysis import OPERATORS
from keepalive_bench.report.document import demandable
from keepalive_bench.requirements import check
from keepalive_bench.requirements.bounds import shown
from keepalive_bench.requirements.expression import parse
from keepalive_bench.requirements.names import scopes
from keepalive_bench.results.exchange import Answer, Ending, Exchange, Failure, Outcome
from keepalive_bench.stats.intervals import Estimate

if TYPE_CHECKING:
    from collections.abc import Callable

    from keepalive_bench.analysis import Analysis, Checked, Operator
    from keepalive_bench.analysis.metrics import Unit

NEGATED: dict[str, str] = dict(zip(OPERATORS, ("!=", "==", ">=", ">", "<=", "<"), strict=True))
OPPOSITE = {"met": "missed", "missed": "met", "undecided": "undecided"}


RUN = paired_run([0.25 + (7 * i % 80) * 0.03 / 79 for i in range(80)], [0.5] * 80)
"""80 pairs: pooled 250 to 280 ms, unpooled 500 ms; one connection against 80."""
ANALYSIS = analyse_run(RUN)
VIEWS = {label: view_of(RUN, label) for label in ("pooled", "unpooled")}


def held(text: str, analysis: Analysis = ANALYSIS) -> Checked:
    requirement = parse(text, tuple(scopes(analysis.plan.experiment.arms)))
    return check(requirement, demandable(analysis), analysis.plan, VIEWS, analysis.findings)


def with_speedup(low: float | None, estimate: float | None, high: float | None) -> Analysis:
    (comparison,) = ANALYSIS.comparisons
    changed = comparison._replace(speedup=Estimate(estimate, low, high))
    return ANALYSIS._replace(comparisons=(changed,))


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("reopened==0", "met"),
        ("connections<1", "missed"),
        ("unpooled.reopened!=79", "missed"),
        ("reuse>=100%", "met"),  # 79 of 79
        ("unpooled.reuse>0", "missed"),
        ("reasons.first-use==1", "met"),
        ("status_codes.200==80", "met"),
        ("bytes_received==8kB", "met"),
        ("max<280ms", "missed"),
        ("min>=0.25s", "met"),
        ("verdict!=faster", "missed"),
        ("run_info.interrupted==false", "met"),
        ("run_info.wall_s<=4", "met"),
        ("findings.client-bound==0", "met"),
        ("warmup.pooled.connections==1", "met"),
    ],
)
def test_what_is_counted_is_decided_exactly(text: str, status: str) -> None:
    checked = held(text)
    assert (checked.status, checked.low, checked.high) == (status, None, None)


@pytest.mark.parametrize(
    ("bound", "less", "more"),
    [(1.3, "missed", "met"), (1.5, "undecided", "undecided"), (1.7, "met", "missed")],
)
def test_what_is_estimated_is_decided_by_all_of_its_interval(
    bound: float, less: str, more: str
) -> None:
    analysis = with_speedup(1.4, 1.5, 1.6)
    for operator in ("<", "<="):
        assert held(f"speedup{operator}{bound}", analysis).status == less
    for operator in (">", ">="):
        assert held(f"speedup{operator}{bound}", analysis).status == more


def test_an_interval_that_ends_at_the_bound_is_decided_by_the_operator() -> None:
    analysis = with_speedup(1.4, 1.5, 1.6)
    found = {text: held(f"speedup{text}", analysis).status for text in ("<=1.6", "<1.6")}
    assert found == {"<=1.6": "met", "<1.6": "undecided"}
    found = {text: held(f"speedup{text}", analysis).status for text in (">1.6", ">=1.6")}
    assert found == {">1.6": "missed", ">=1.6": "undecided"}


def test_the_point_decides_nothing_though_it_meets_the_bound() -> None:
    checked = held("speedup>=1.45", with_speedup(1.4, 1.5, 1.6))
    assert (checked.status, checked.value) == ("undecided", 1.5)
    assert checked.text == ("speedup is 1.50×, but 1.45× lies within the 95 % CI, 1.40× to 1.60×.")


def test_without_an_interval_an_estimate_is_undecided_and_it_is_said_why() -> None:
    checked = held("speedup>=1.1", with_speedup(None, 1.5, None))
    assert checked.status == "undecided"
    assert "too few requests for its interval (needs at least 7, more" in checked.text
    assert held("stdev<=1s").text.endswith("but kab computes no interval for it.")
    assert held("phases_s.wait.per_request<=1s").status == "undecided"


def test_a_quantile_is_decided_by_either_end_by_itself_and_says_by_which() -> None:
    """Of 40 requests, p95 has a lower end and no upper one; p50 has both.

    The chance of 35 or fewer of 40 below p95 is 4.8 %; of 14 or fewer below p50, 4.0 %.
    """
    latencies = [0.25 + (39 - i // 2 if i % 2 else i // 2) / 1e3 for i in range(40)]
    texts = {
        "p95<=240ms": "missed: pooled.p95 is 288 ms, and at least 285 ms at 95 % confidence.",
        "p95>=240ms": "met: pooled.p95 is 288 ms, and at least 285 ms at 95 % confidence.",
        "p95<=1s": "undecided: pooled.p95 is 288 ms, but there are too few requests for its upper "
        "bound (needs at least 59, more if latencies are autocorrelated).",
        "p50<=300ms": "met: pooled.p50 is 270 ms, and at most 275 ms at 95 % confidence.",
        "p50>=300ms": "missed: pooled.p50 is 270 ms, and at most 275 ms at 95 % confidence.",
        "p50<=270ms": "undecided: pooled.p50 is 269.5 ms, but 270 ms lies between 264 ms and "
        "275 ms, its bounds at 95 % confidence.",
    }
    analysis = analyse_run(paired_run(latencies, latencies), list(texts))
    found = {it.requirement.text: f"{it.status}: {it.text}" for it in analysis.requirements}
    assert found == texts


def test_where_neighbours_are_alike_the_number_said_is_what_that_takes() -> None:
    """60 requests would bound a p95, but not in long waves; so many as are said would."""

    def wave(count: int) -> list[float]:
        return [0.25 + 0.01 * (i // 12 % 2) + (7 * i % 12) / 1e4 for i in range(count)]

    texts = ["p95<=1s"]
    (few,) = analyse_run(paired_run(wave(60), wave(60)), texts).requirements
    assert few.status == "undecided"
    said = re.search(
        r"but there are too few requests for its upper bound \(needs at least (\d+) with this "
        r"autocorrelation\)\.$",
        few.text,
    )
    assert said
    assert int(said[1]) > 60
    (enough,) = analyse_run(paired_run(wave(2 * int(said[1])), []), texts).requirements
    assert enough.status == "met"


def test_an_arm_without_an_answer_meets_and_misses_nothing_but_what_counts_requests() -> None:
    script = Script("pooled", "unpooled", requests=8)
    for _ in range(8):
        script.fail("pooled")
        script.send("unpooled", 0.5, on=script.open("unpooled"))
    analysis = analyse_run(script.run())
    for text in (
        *("reopened==0", "connections<=1", "reuse>=0", "p50<=1s", "requests_per_second>=0"),
        *("status_codes.500==0", "status_codes.200>=1"),
    ):
        checked = held(text, analysis)
        assert (checked.status, checked.low) == ("undecided", None), text
        assert "no request of pooled was answered" in checked.text
    assert held("speedup>=1", analysis).status == "undecided"
    assert held("pooled.failed==8", analysis).status == "met"
    assert held("failures.connect-refused<=7", analysis).status == "missed"


def test_an_answer_that_counts_as_failed_has_its_status() -> None:
    script = Script("pooled", requests=1)
    failure = Failure("unexpected-status", "999")
    script.exchanges.append(Exchange("pooled", 0, 0, Outcome(0, 0.01, status=999, failure=failure)))
    analysis = analyse_run(script.run())
    for text in ("status_codes.999==1", "status_codes.500==0"):
        assert held(text, analysis).status == "met"


def test_failed_by_itself_counts_those_of_all_arms() -> None:
    script = Script("pooled", "unpooled", requests=2)
    row = script.open("pooled")
    for _ in range(2):
        script.send("pooled", 0.5, on=row)
        script.fail("unpooled")
    analysis = analyse_run(script.run())
    assert held("failed==2", analysis).status == "met"
    assert held("pooled.failed==0", analysis).status == "met"


def test_arms_that_cannot_be_compared_decide_nothing_about_speed() -> None:
    script = Script("pooled", "unpooled", requests=20)
    row = script.open("pooled")
    for index in range(20):
        script.send("pooled", 0.1, on=row, index=index)
        script.send("unpooled", 0.5, on=script.open("unpooled"), index=index, status=429)
    analysis = analyse_run(script.run())
    for text in ("speedup>=1.5", "saving>=1ms", "comparisons[0].requests_per_second>=1"):
        checked = held(text, analysis)
        assert (checked.status, checked.value) == ("undecided", None)
        assert "can't be compared" in checked.text
    assert held("verdict==faster", analysis).status == "missed"


def test_an_inconclusive_verdict_leaves_open_what_more_requests_would_tell() -> None:
    analysis = analyse_run(paired_run([0.5] * 3, [0.6] * 3))
    found = {
        text: held(f"verdict{text}", analysis).status
        for text in ("==faster", "!=slower", "==no-difference", "!=not-reused", "==inconclusive")
    }
    assert list(found.values()) == ["undecided"] * 3 + ["met"] * 2


def test_a_rate_is_as_sure_as_the_mean_latency() -> None:
    (pooled, _) = ANALYSIS.arms
    low, high = pooled.latency_bounds["mean"]
    checked = held("requests_per_second>=3")
    assert checked.status == "met"
    assert checked.low == pytest.approx(1 / high)  # one request at a time, without a pause
    assert checked.high == pytest.approx(1 / low)


def test_a_rate_with_failures_in_it_is_undecided() -> None:
    script = Script("pooled", requests=20)
    row = script.open("pooled")
    for _ in range(19):
        script.send("pooled", 0.1, on=row)
    script.fail("pooled")
    checked = held("requests_per_second>=1", analyse_run(script.run()))
    assert checked.status == "undecided"
    assert "failed" in checked.text


@pytest.mark.parametrize(
    ("value", "kind", "said"),
    [
        (-0.00184, "seconds", "−1.84 ms"),
        (-0.05, "change", "−5 %"),
        (-1e-7, "number", "−1e-07"),
        (0.00184, "seconds", "1.84 ms"),
    ],
)
def test_what_is_below_zero_has_the_minus_sign_that_tables_have(
    value: float, kind: Unit, said: str
) -> None:
    assert shown(value, kind) == said


def test_a_value_that_reads_like_the_bound_gets_more_digits() -> None:
    checked = held("speedup>=1.5", with_speedup(1.4999, 1.6, 1.7))
    assert "1.50× lies within the 95 % CI, 1.4999× to 1.70×" in checked.text


@given(
    value=st.floats(1e-12, 1e9),
    kind=st.sampled_from(["seconds", "share", "change", "ratio", "rate", "number"]),
)
@example(value=0.010000000000000009, kind="change")
@example(value=0.03, kind="share")
def test_a_value_is_told_from_its_neighbours(value: float, kind: Unit) -> None:
    for beside in (nextafter(value, 0), nextafter(value, inf)):
        assert shown(value, kind, beside) != shown(beside, kind, value)


SPEEDUPS = st.floats(0.01, 10)


@given(
    ends=st.tuples(SPEEDUPS, SPEEDUPS).map(sorted),
    bound=SPEEDUPS,
    operator=st.sampled_from(["<", "<=", ">", ">="]),
)
def test_the_negation_of_what_is_met_is_missed(
    ends: list[float], bound: float, operator: str
) -> None:
    low, high = ends
    analysis = with_speedup(low, (low + high) / 2, high)
    checked = held(f"speedup{operator}{bound!r}", analysis)
    negated = held(f"speedup{NEGATED[operator]}{bound!r}", analysis)
    assert negated.status == OPPOSITE[checked.status]


@given(bound=st.integers(0, 100), operator=st.sampled_from(OPERATORS))
def test_of_a_count_either_a_requirement_or_its_negation_is_met(
    bound: int, operator: Operator
) -> None:
    one = held(f"unpooled.connections{operator}{bound}")
    other = held(f"unpooled.connections{NEGATED[operator]}{bound}")
    assert {one.status, other.status} == {"met", "missed"}


def test_what_is_missed_says_what_it_is_made_of() -> None:
    script = Script("pooled", requests=9)
    for index in range(7):
        ending = Ending("announced") if index < 6 else None
        row = script.open("pooled", ending=ending, ended_s=None if ending is None else 1.0)
        script.send("pooled", 0.01, on=row, answer=Answer("HTTP/1.1", connection="close"))
    script.fail("pooled", failure=Failure("connect-refused", "\x1b[31mno"))
    script.fail("pooled", failure=Failure("read-timeout", "late"))
    texts = ("reopened==0", "connections<=1", "reuse>=98%", "pooled.failed==0", "failed==0")
    found = [it.text for it in analyse_run(script.run(), texts).requirements]
    assert found == [
        "pooled.reopened is 6 (server-close: 6).",
        "pooled.connections is 7 (server-close: 6, first-use: 1).",
        "pooled.reuse is 0 % (server-close: 6).",
        "pooled.failed is 2 (connect-refused: 1, read-timeout: 1).",
        "failed is 2 (connect-refused: 1, read-timeout: 1).",
    ]


def test_many_kinds_are_counted_together_and_escaped() -> None:
    script = Script("pooled", requests=20)
    script.send("pooled", 0.01)
    for number in range(7):
        for _ in range(7 - number):
            script.fail("pooled", failure=Failure(f"kind\x1b{number}", "told"), index=1)
    (found,) = analyse_run(script.run(), ["pooled.failed==0"]).requirements
    assert found.text.startswith(r"pooled.failed is 28 (kind\x1b0: 7, kind\x1b1: 6, ")
    assert found.text.endswith(", others: 3).")


CALLS: list[Callable[[], Analysis]] = [
    lambda: require(paired_run([0.25] * 8, [0.5] * 8), "reopened==0", "stdev<=1s"),
    lambda: require(paired_run([0.25] * 8, [0.5] * 8), "connections<=1", strict=True),
]


@pytest.mark.parametrize("call", CALLS)
def test_require_returns_the_analysis_of_a_run_that_misses_nothing(
    call: Callable[[], Analysis],
) -> None:
    assert call().requirements[0].status == "met"


def test_require_is_an_assertion_that_says_what_was_found() -> None:
    run = paired_run([0.25] * 8, [0.5] * 8)
    with pytest.raises(RequirementError) as missed:
        require(run, "reopened==0", "unpooled.connections<=1", "stdev<=1s")
    assert isinstance(missed.value, AssertionError)
    assert str(missed.value) == (
        "missed: unpooled.connections<=1: unpooled.connections is 8 (by-design: 7, first-use: 1)."
    )
    with pytest.raises(RequirementError, match=r"^undecided: stdev<=1s: "):
        require(run, "stdev<=1s", strict=True)
    with pytest.raises(UsageError, match="at character 1"):
        require(run, "nonsense==0")


def test_a_speed_up_of_nothing_reused_is_unknown_for_that_and_not_for_want_of_requests() -> None:
    script = Script("pooled", "unpooled", requests=20)
    for index in range(20):
        for arm in ("pooled", "unpooled"):
            script.send(arm, 0.01, on=script.open(arm), index=index)
    (checked,) = analyse_run(script.run(), ["speedup>=1.1"]).requirements
    assert checked.status == "undecided"
    assert "no request reused a connection" in checked.text
