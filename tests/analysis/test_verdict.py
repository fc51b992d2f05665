from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.runs import Script, paired_run

from keepalive_bench import analyse
from keepalive_bench.results.exchange import Phases

if TYPE_CHECKING:
    from keepalive_bench.analysis.verdict import Verdict
    from keepalive_bench.results.run import Run


def said(run: Run) -> Verdict:
    return analyse(run).verdict


def answered(pooled: list[int], unpooled: list[int], requests: int = 20) -> Run:
    """A run in which the arms were answered with these status codes, over and over."""
    script = Script("pooled", "unpooled", requests=requests)
    shared = script.open("pooled")
    for index in range(requests):
        status = pooled[index % len(pooled)]
        script.send("pooled", 0.01, on=shared, index=index, status=status)
        status = unpooled[index % len(unpooled)]
        script.send("unpooled", 0.02, on=script.open("unpooled"), index=index, status=status)
    return script.run()


def test_reuse_that_pays_is_faster() -> None:
    verdict = said(paired_run([0.01] * 20, [0.03] * 20))
    assert verdict.code == "faster"
    assert "Reusing the connection is 3.00× faster" in verdict.text
    assert ": 20.0 ms less per request" in verdict.text


def test_what_the_time_was_saved_on_is_named_and_small_change_is_not() -> None:
    script = Script("pooled", "unpooled", requests=10)
    shared = script.open("pooled")
    for index in range(10):
        script.send("pooled", 0.01, on=shared, index=index, phases=Phases(wait=0.01))
        phases = Phases(dns=0.0001, connect=0.02, tls=0.03, wait=0.0101)
        script.send("unpooled", 0.0602, on=script.open("unpooled"), index=index, phases=phases)
    text = said(script.run()).text
    assert text.endswith(" (20.0 ms of TCP and 30.0 ms of TLS).")
    assert "looking up the name" not in text


def test_what_many_small_parts_save_together_is_told() -> None:
    script = Script("pooled", "unpooled", requests=10)
    shared = script.open("pooled")
    for index in range(10):
        script.send("pooled", 0.01, on=shared, index=index, phases=Phases(wait=0.01))
        phases = Phases(dns=0.001, connect=0.01, tls=0.001, wait=0.011)
        script.send("unpooled", 0.023, on=script.open("unpooled"), index=index, phases=phases)
    text = said(script.run()).text
    assert text.endswith(" (10.0 ms of TCP and 3.00 ms of smaller parts).")


def test_a_delayed_rest_of_the_answer_is_what_reuse_costs() -> None:
    """As `kab serve --fault nagle` has it: it was told as client overhead."""
    script = Script("pooled", "unpooled", requests=20)
    shared = script.open("pooled")
    for index in range(20):
        delayed = Phases(send=0.0001, wait=0.0005, receive=0.0422)
        script.send("pooled", 0.0430, on=shared, index=index, phases=delayed)
        fresh = Phases(connect=0.0005, send=0.0001, wait=0.0007, receive=0.0001)
        script.send("unpooled", 0.0016, on=script.open("unpooled"), index=index, phases=fresh)
    verdict = said(script.run())
    assert verdict.code == "slower"
    assert verdict.text.endswith("more per request (42.1 ms of receiving the rest of the answer).")


def test_reuse_that_costs_is_slower() -> None:
    verdict = said(paired_run([0.044] * 20, [0.011] * 20))
    assert verdict.code == "slower"
    assert "Reusing the connection is 4.00× slower" in verdict.text
    assert ": 33.0 ms more per request" in verdict.text


def test_a_typical_gain_that_is_none_on_average_is_told_as_such() -> None:
    verdict = said(paired_run([0.01] * 19 + [9.0], [0.03] * 20))
    assert verdict.code == "faster"
    assert "3.00× faster here for a typical request (" in verdict.text
    assert "), though it takes 430 ms more per request on average (" in verdict.text
    verdict = said(paired_run([0.03] * 20, [0.01] * 19 + [9.0]))
    assert verdict.code == "slower"
    assert "), though it takes 430 ms less per request on average (" in verdict.text


def test_an_average_gain_that_one_slow_request_decides_is_not_told() -> None:
    verdict = said(paired_run([0.01] * 19 + [0.15], [0.02] * 20))
    assert verdict.code == "faster"
    assert "per request" not in verdict.text


def test_arms_other_than_pooled_against_unpooled_are_called_by_their_labels() -> None:
    arms = [("a", "pooled"), ("b", "pooled")]
    script = Script(*arms, requests=10)
    rows = {label: script.open(label) for label, _ in arms}
    for index in range(10):
        script.send("a", 0.01, on=rows["a"], index=index)
        script.send("b", 0.02, on=rows["b"], index=index)
    assert said(script.run()).text.startswith("Using a rather than b is 2.00× faster")


@pytest.mark.parametrize("arms", [("pooled", "unpooled"), ("naive", "pooled")])
def test_a_pool_that_reopens_for_every_request_did_not_reuse_wherever_it_is_named(
    arms: tuple[str, str],
) -> None:
    script = Script(*arms, requests=10)
    for index in range(10):
        for arm in arms:
            script.send(arm, 0.02, on=script.open(arm), index=index)
    verdict = said(script.run())
    assert verdict.code == "not-reused"
    assert "pooled opened 10 connections for 10 requests" in verdict.text


def test_of_three_arms_each_comparison_has_its_sentence() -> None:
    script = Script("pooled", "unpooled", "naive", requests=20)
    shared = script.open("pooled")
    for index in range(20):
        script.send("pooled", 0.01, on=shared, index=index)
        script.send("unpooled", 0.02, on=script.open("unpooled"), index=index)
        script.send("naive", 0.05, on=script.open("naive"), index=index)
    verdict = said(script.run())
    assert verdict.code == "faster"
    assert verdict.text.startswith("Using pooled rather than unpooled is 2.00× faster here")
    assert " Using pooled rather than naive is 5.00× faster here" in verdict.text


def test_a_pool_that_reopens_now_and_then_did_reuse() -> None:
    script = Script("pooled", "unpooled", requests=20)
    row = 0
    for index in range(20):
        row = script.open("pooled") if index % 2 == 0 else row
        script.send("pooled", 0.01, on=row, index=index)
        script.send("unpooled", 0.02, on=script.open("unpooled"), index=index)
    assert said(script.run()).code == "faster"


def test_one_request_shows_nothing_about_reuse() -> None:
    assert said(paired_run([0.01], [0.02])).code == "inconclusive"


def test_an_arm_alone_is_described() -> None:
    script = Script("pooled", requests=4)
    row = script.open("pooled")
    for _ in range(4):
        script.send("pooled", 0.25, on=row)
    verdict = said(script.run())
    assert verdict.code == "one-arm"
    assert "4 requests on 1 connection, 250 ms on average" in verdict.text


@pytest.mark.parametrize("silent", ["pooled", "unpooled"])
def test_an_arm_without_an_answer_leaves_nothing_measured(silent: str) -> None:
    script = Script("pooled", "unpooled", requests=2)
    for label in ("pooled", "unpooled"):
        if label == silent:
            script.fail(label)
        else:
            script.send(label, 0.01)
    verdict = said(script.run())
    assert verdict == ("not-measured", f"Nothing was measured of {silent}.")


def test_a_run_that_ended_before_it_began_measured_nothing() -> None:
    verdict = said(Script("pooled", "unpooled", requests=2).run(interrupted=True))
    assert verdict == ("not-measured", "Nothing was measured of pooled and unpooled.")


def test_arms_that_were_answered_differently_are_not_compared() -> None:
    verdict = said(answered([200], [429, 200]))
    assert verdict.code == "not-comparable"
    assert "(pooled 20 × 200; unpooled 10 × 429, 10 × 200)" in verdict.text.replace(
        "10 × 200, 10 × 429", "10 × 429, 10 × 200"
    )
    assert "can't be compared" in verdict.text


def test_an_answer_in_a_hundred_that_differs_is_said_first_and_compared_all_the_same() -> None:
    verdict = said(answered([200], [200] * 99 + [503], requests=100))
    assert verdict.code == "faster"
    assert verdict.text.startswith("The arms were answered differently (pooled 100 × 200;")
    assert "2.00× faster" in verdict.text


@pytest.mark.parametrize("status", [400, 500])
def test_when_most_answers_are_errors_the_sentence_says_that_first(status: int) -> None:
    verdict = said(answered([status], [status]))
    assert verdict.code == "faster"
    assert verdict.text.startswith(f"Most responses were errors ({status} in 40 of 40)")


@pytest.mark.parametrize("statuses", [[399], [404, 200]])
def test_half_of_them_are_not_most_and_redirects_are_no_errors(statuses: list[int]) -> None:
    assert "errors" not in said(answered(statuses, statuses)).text


def test_errors_are_said_first_of_one_arm_too() -> None:
    script = Script("pooled", requests=2)
    for _ in range(2):
        script.send("pooled", 0.01, status=500, on=script.open("pooled"))
    assert said(script.run()).text.startswith("Most responses were errors (500 in 2 of 2)")


def test_without_a_pair_that_both_arms_answered_nothing_is_compared() -> None:
    script = Script("pooled", "unpooled", requests=2)
    script.send("pooled", 0.01, index=0)
    script.send("unpooled", 0.01, index=1)
    verdict = said(script.run())
    assert verdict.code == "not-comparable"
    assert "differently" not in verdict.text


@pytest.mark.parametrize("order", ["paired", "sequential"])
@pytest.mark.parametrize(("ratio", "code"), [(2.0, "faster"), (0.5, "slower")])
def test_of_arms_one_after_the_other_a_drift_is_part_of_the_difference(
    order: str, ratio: float, code: str
) -> None:
    """Of 86 pairs of identical arms, that order called 14 different, at an interval of 95 %."""
    verdict = said(paired_run([0.01] * 20, [0.01 * ratio] * 20, order=order))
    assert verdict.code == code
    said_so = verdict.text.endswith("so any drift in between is part of that.")
    assert said_so == (order == "sequential")


CODES: dict[str, Any] = {
    "faster": paired_run([0.01] * 9, [0.02] * 9),
    "slower": paired_run([0.02] * 9, [0.01] * 9),
    "no-difference": paired_run([0.01] * 9, [0.01] * 9),
    "inconclusive": paired_run([0.01], [0.02]),
    "not-comparable": answered([200], [500]),
    "not-measured": Script("pooled", requests=1).run(),
}


@pytest.mark.parametrize(("code", "run"), CODES.items(), ids=CODES)
def test_a_verdict_is_one_line_that_ends_in_a_full_stop(code: str, run: Run) -> None:
    verdict = said(run)
    assert verdict.code == code
    assert verdict.text.isprintable()
    assert verdict.text.endswith(".")


def test_requests_that_were_refused_before_there_was_a_connection_had_none_to_reuse() -> None:
    script = Script("pooled", "unpooled", requests=50)
    for index in range(50):
        for arm in ("pooled", "unpooled"):
            if index < 25:
                script.fail(arm, index=index)
            else:
                script.send(arm, 0.02, on=script.open(arm), index=index)
    verdict = said(script.run())
    assert verdict.code == "not-reused"
    assert "Nothing was reused" in verdict.text
    assert "pooled opened 25 connections for 50 requests" in verdict.text
