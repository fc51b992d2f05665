"""Which value a sweep recommends, and on what."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from support.runs import Script, view_of
from support.sweeps import chance_discards, scripted_sweep, swept

from keepalive_bench import analyse
from keepalive_bench.analysis.sweep import SweptValue
from keepalive_bench.results.exchange import Failure
from keepalive_bench.stats.intervals import Estimate
from keepalive_bench.sweep.criteria import Criteria
from keepalive_bench.sweep.recommendation import recommend
from keepalive_bench.sweep.value_results import Rounds, rate, rate_ratio, rounds_of

if TYPE_CHECKING:
    from keepalive_bench.analysis.sweep import Recommendation
    from keepalive_bench.sweep.criteria import Effect

SAME, FASTER, SLOWER, UNSURE = (
    Estimate(1.0, 0.99, 1.01),
    Estimate(2.0, 1.9, 2.1),
    Estimate(0.5, 0.45, 0.55),
    Estimate(1.0, 0.7, 1.4),
)


ONE = analyse(scripted_sweep(1, 2)).arms[0]


def value_result(value: int, **counts: Any) -> SweptValue:  # noqa: ANN401  # counts, and a share
    sent = counts.pop("sent", 80)
    answered = counts.pop("answered", sent)
    summary = ONE._replace(
        label=f"{value}",
        succeeded=answered,
        failed=sent - answered,
        reuse=counts.pop("reuse", 0.9),
        could_reuse=sent,
        reopened=counts.pop("reopened", 0),
    )
    known = {"by_kab": 0, "discarded": 0, "waited": 0, "open_at_once": 8, "rounds": 10} | counts
    known.setdefault("full_rounds", min(known["discarded"], known["rounds"]))
    return SweptValue(summary, value, **known, requests_per_second=Estimate(None))


def found(*values: SweptValue, effect: Estimate = SAME, **criteria: Any) -> Recommendation:  # noqa: ANN401
    return recommend(values, asked(lambda _one, _other, _confidence: effect, **criteria))


def asked(effect: Effect, **criteria: Any) -> Criteria:  # noqa: ANN401
    known = {"option": "maxsize", "traffic": "bursts", "threads": 8, "block": False}
    return Criteria(**{**known, "margin": 0.05, "confidence": 0.95, "effect": effect, **criteria})


def test_the_smallest_pool_that_throws_nothing_away_is_recommended() -> None:
    values = (value_result(4, discarded=40), value_result(8), value_result(16))
    assert found(*values)[:2] == ("keeps-all", 8)
    assert found(*values).text == (
        "maxsize 8 is the smallest that reuses every connection of 8 threads in bursts (0 of 80 "
        "discarded: under 3.8 % at 95 % confidence); a larger one changes nothing."
    )
    assert "that never pause" in found(*values, traffic="steady").text


WORSE, SHORT = Estimate(0.8, 0.72, 0.88), Estimate(0.92, 0.82, 1.1)
"""Than another value: shown to be so, and perhaps."""


def of_concurrency(**effects: Estimate) -> Recommendation:
    """What is found of 2, 4, 8 and 16 where 8 and 16 are as good as any, and others as said."""

    def effect(one: SweptValue, _other: SweptValue, _confidence: float) -> Estimate:
        return effects.get(f"of_{one.arm}", SAME)

    values = [value_result(value) for value in (2, 4, 8, 16)]
    return recommend(values, asked(effect, option="concurrency"))


def test_the_smallest_is_said_only_where_every_smaller_one_is_shown_to_be_worse() -> None:
    """Of 30 rounds that vary by 10 %, "8 is the smallest" was wrong in 71 % where 4 was as good."""
    assert of_concurrency(of_2=WORSE, of_4=WORSE) == (
        "fastest",
        8,
        8,
        "concurrency 8 is the smallest that makes as many requests/s as any other, within 1.1 %.",
    )
    assert of_concurrency(of_2=WORSE, of_4=SHORT) == (
        "fastest",
        8,
        4,
        (
            "concurrency 8 is enough: it makes as many requests/s as any other, within 1.1 %. "
            "These requests don't show whether 4 is."
        ),
    )
    assert of_concurrency(of_2=SHORT, of_4=SHORT).text.endswith(
        "These requests don't show whether 2 and 4 are."
    )
    assert of_concurrency(of_2=SHORT, of_4=WORSE).at_least == 2


def test_with_what_is_enough_three_margins_may_be_lost_unless_one_is_shown_to_be() -> None:
    for low, high, code in (
        (0.88, 1.02, "fastest"),
        (0.86, 1.02, "inconclusive"),
        (0.88, 0.94, "inconclusive"),
    ):
        effect = Estimate((low * high) ** 0.5, low, high)
        assert (
            found(value_result(4), value_result(8), option="concurrency", effect=effect).code
            == code
        )


def test_to_compare_with_any_of_several_takes_a_surer_interval() -> None:
    asked_for = set()

    def effect(one: SweptValue, _other: SweptValue, confidence: float) -> Estimate:
        asked_for.add(round(confidence, 6))
        return SAME if one.value == 8 else WORSE

    values = [value_result(value) for value in (1, 2, 4, 8, 16)]
    assert recommend(values, asked(effect, option="concurrency")).value == 8
    assert asked_for == {0.9875}  # Bonferroni's 1 - 0.05 / 4
    asked_for.clear()
    recommend(values, asked(effect, option="concurrency", confidence=0.999))
    assert asked_for == {0.999}  # which is as sure as a plan can be


def test_where_threads_wait_and_times_do_not_tell_more_than_is_needed_may_be_named() -> None:
    values = value_result(2, waited=60), value_result(4, waited=4), value_result(8)
    assert found(*values, block=True, effect=SHORT) == (
        "none-waits",
        8,
        2,
        (
            "maxsize 8 is enough: it makes no request of 8 threads in bursts wait for a connection "
            "(0 of 80 waited: under 3.8 % at 95 % confidence); no larger one was tried. These "
            "requests don't show whether 2 and 4 are."
        ),
    )
    assert found(*values, block=True, effect=WORSE).text.startswith(
        "maxsize 8 is the smallest that makes no "
    )


@pytest.mark.parametrize("full_rounds", range(1, 11))
@pytest.mark.parametrize("others", [1, 5])
def test_a_pool_smaller_than_the_traffic_may_have_thrown_none_away_by_chance(
    full_rounds: int, others: int
) -> None:
    """SciPy's Fisher test of rounds, and Bonferroni's share of 5 %."""
    values = [
        value_result(2, discarded=40, full_rounds=full_rounds),
        *(value_result(4 + it) for it in range(others)),
    ]
    table = np.array([[full_rounds, 10 - full_rounds], [0, 10]])
    by_chance = stats.fisher_exact(table, alternative="greater").pvalue
    code, value, least, text = found(*values, threads=16, traffic="steady")
    assert (code, value) == ("keeps-all", 4)
    assert (least == 4) == ("is the smallest that" in text) == (by_chance <= 0.05 / others)
    assert found(*values, threads=4).at_least == 4  # more places than that are never taken


def test_that_none_was_thrown_away_is_a_bound() -> None:
    """J. A. Hanley and A. Lippman-Hand (1983): of 30, at most 10 % at 95 % confidence."""
    assert (
        "(0 of 30 discarded: under 10 % at 95 % confidence)" in found(value_result(8, sent=30)).text
    )
    assert (
        "under 1.2 % at 99 % confidence" in found(value_result(8, sent=400), confidence=0.99).text
    )


def test_that_a_larger_pool_changes_nothing_is_said_only_where_it_is_known() -> None:
    for effect in (UNSURE, SLOWER, FASTER, Estimate(None)):
        text = found(value_result(8), value_result(16), effect=effect).text
        assert "changes nothing" not in text
        assert "too few to show that latencies are the same" in text
    assert found(value_result(4, discarded=1), value_result(8)).text.endswith(
        "no larger one was tried."
    )


def test_latencies_do_not_overrule_what_was_counted() -> None:
    assert (
        found(value_result(4, discarded=1), value_result(8), value_result(16), effect=SLOWER).value
        == 8
    )


def test_where_every_size_throws_some_away_none_is_recommended() -> None:
    code, value, _, text = found(value_result(1, discarded=70), value_result(4, discarded=30))
    assert (code, value) == ("none-suffices", None)
    assert "try --maxsize 8" in text


def test_a_size_between_those_tried_that_would_do_is_named() -> None:
    assert "so 8 would do" in found(value_result(4, discarded=9), value_result(16)).text
    assert "would do" not in found(value_result(8), value_result(16)).text


def test_reopened_connections_are_not_called_reused() -> None:
    text = found(value_result(1, discarded=4), value_result(8, reopened=3), value_result(16)).text
    assert "reuses every" not in text
    assert "3 had to be reopened for other reasons" in text


def test_what_only_kabs_turns_let_go_stale_is_named_and_decides_nothing() -> None:
    values = (
        value_result(1, discarded=4, by_kab=2, reopened=6),
        value_result(8, reopened=70, by_kab=70, reuse=0),
    )
    code, value, _, text = found(*values)
    assert (code, value) == ("keeps-all", 8)
    assert text == (
        "maxsize 8 is the smallest that discards no connection of 8 threads in bursts (0 of 80 "
        "discarded: under 3.8 % at 95 % confidence); no larger one was tried. 72 connections went "
        "stale only because the values took turns: this traffic alone would have reused them."
    )
    assert "fewer values" in found(*values, value_result(16)).text
    assert "though 3 had" in found(values[0], value_result(8, reopened=73, by_kab=70)).text


def test_no_time_decides_where_kabs_turns_let_many_go_stale() -> None:
    many, few = {"reopened": 9, "by_kab": 9}, {"reopened": 1, "by_kab": 1}
    for option in ("concurrency", "data-size"):
        code, value, _, text = found(
            value_result(1, **many), value_result(8), option=option, effect=FASTER
        )
        assert (code, value) == ("inconclusive", None)
        assert "This run can't show what" in text
        assert (
            found(value_result(1, **few), value_result(8), option=option, effect=FASTER)[0]
            != "inconclusive"
        )
    waiting = value_result(2, waited=60), value_result(8, **many)
    assert found(*waiting, block=True)[:2] == ("none-waits", 8)
    assert found(waiting[0], value_result(8, **few), block=True)[:2] == ("fast-enough", 2)


def test_a_server_that_keeps_none_open_gets_no_recommendation() -> None:
    assert found(value_result(1, reuse=0.0), value_result(8, reuse=0.02))[:2] == (
        "not-reused",
        None,
    )


def test_a_single_burst_tells_nothing() -> None:
    for sent in (1, 8, 15):
        values = value_result(4, sent=sent, reuse=0), value_result(8, sent=80)
        assert found(*values)[:2] == ("too-few-requests", None)
        assert "each thread sends a second one. Use -n 16" in found(*values).text
    two = value_result(4, sent=16, reuse=0.25, discarded=8), value_result(8, sent=16, reuse=0.5)
    assert found(*two)[:2] == ("keeps-all", 8)


def test_a_pool_far_too_small_is_no_server_that_keeps_none_open() -> None:
    """1 of 32 threads, and of the 1,600 requests 49: that is all there can be."""
    one = value_result(
        1, sent=1600, reuse=49 / 1600, reopened=1550, discarded=1550, open_at_once=32
    )
    assert found(one, threads=32)[0] == "none-suffices"
    for other in ({"traffic": "steady"}, {"block": True}):
        assert found(one, threads=32, **other)[0] == "not-reused"


def test_a_value_without_an_answer_is_named() -> None:
    code, value, _, text = found(value_result(1), value_result(8, answered=0))
    assert (code, value) == ("not-measured", None)
    assert "maxsize 8" in text


def test_where_threads_wait_the_smallest_that_costs_nothing_is_recommended() -> None:
    values = (value_result(2, waited=60), value_result(4, waited=4), value_result(8))
    assert found(*values, block=True, effect=SAME)[:2] == ("fast-enough", 2)
    for effect in (UNSURE, SLOWER, Estimate(None)):
        assert found(*values, block=True, effect=effect)[:2] == ("none-waits", 8)
    assert found(*values[:2], block=True)[:2] == ("none-suffices", None)


def test_the_smallest_concurrency_with_the_most_requests_per_second_is_recommended() -> None:
    rates = {1: 100.0, 2: 200.0, 4: 300.0, 8: 301.0}

    def effect(one: SweptValue, other: SweptValue, _confidence: float) -> Estimate:
        ratio = rates[one.value] / rates[other.value]
        return Estimate(ratio, ratio * 0.98, ratio * 1.02)

    criteria = asked(effect, option="concurrency", traffic="steady")
    values = [value_result(value) for value in rates]
    assert recommend(values, criteria) == (
        "fastest",
        4,
        4,
        "concurrency 4 is the smallest that makes as many requests/s as any other, within 2.4 %.",
    )
    assert recommend(values[:3], criteria)[:2] == ("fastest", 4)
    assert recommend(values[:3], criteria).text == (
        "concurrency 4 makes the most requests/s of these values; a larger one may make more."
    )
    assert found(*values, option="concurrency", effect=UNSURE)[:2] == ("inconclusive", None)


def test_errors_are_no_quick_answers() -> None:
    """A server that refuses at once what is beyond its limit had the most requests/s."""
    values = (value_result(4), value_result(8, answered=60), value_result(16, answered=40))
    found_ = found(value_result(2), *values, effect=SAME, option="concurrency")
    assert found_[:2] == ("fastest", 2)
    assert found_.text.endswith(
        " With concurrency 8, 16, more than 5 % of the requests failed: left out."
    )
    alone = found(*values, option="concurrency")
    assert alone[:2] == ("inconclusive", None)
    assert alone.text.startswith("Only concurrency 4 is left")
    none = found(*values[1:], option="concurrency")
    assert none == (
        "inconclusive",
        None,
        None,
        "Too many requests failed: more than 5 % with each concurrency.",
    )


def test_a_pool_whose_waiting_requests_ran_out_of_time_is_not_enough() -> None:
    values = (value_result(1, answered=10), value_result(8))
    assert found(*values, block=True)[:2] == ("none-waits", 8)


def test_who_waited_in_vain_has_waited() -> None:
    script = Script(**swept(1, 2, requests=20, block=True))
    for value in ("1", "2"):
        row = script.open(value)
        for number in range(20):
            if value == "1" and number == 7:
                script.fail(value, failure=Failure("pool-timeout", "as scripted"))
                script.exchanges.phases["pool_wait"][-1] = 0.5
            else:
                script.send(value, 0.01, on=row)
    sweep = analyse(script.run()).sweep
    assert sweep is not None
    assert [it.waited for it in sweep.values] == [1, 0]


def test_of_bodies_it_is_said_what_the_largest_costs() -> None:
    code, value, _, text = found(
        value_result(1000), value_result(10**5), option="data-size", effect=FASTER
    )
    assert (code, value) == ("described", None)
    assert text == (
        "A request with a body of 100000 B takes 2.00× (1.90×–2.10×) as long as one of 1000 B."
    )
    assert (
        found(value_result(1), value_result(2), option="data-size", effect=Estimate(None)).value
        is None
    )


def test_of_bodies_that_cost_the_same_no_factor_is_claimed() -> None:
    code, _, _, text = found(value_result(1), value_result(2), option="data-size", effect=SAME)
    assert code == "described"
    assert text.startswith("A request with a body of 2 B takes as long as one of 1 B, within 5 % (")
    code, _, _, text = found(value_result(1), value_result(2), option="data-size", effect=UNSURE)
    assert code == "inconclusive"
    assert text.startswith(
        "A request with a body of 2 B may or may not take longer than one of 1 B"
    )


COUNTS = st.lists(st.integers(0, 3), min_size=2, max_size=8)
EFFECTS = st.sampled_from([SAME, FASTER, SLOWER, UNSURE, Estimate(None)])


@given(COUNTS, EFFECTS)
def test_what_is_recommended_was_tried_threw_nothing_away_and_is_the_smallest_such(
    counts: list[int], effect: Estimate
) -> None:
    values = [value_result(2**power, discarded=count) for power, count in enumerate(counts)]
    value = found(*values, effect=effect).value
    enough = [it.value for it in values if not it.discarded]
    assert value == (min(enough) if enough else None)


@given(COUNTS, EFFECTS, EFFECTS)
def test_where_threads_wait_better_evidence_never_asks_for_more(
    counts: list[int], effect: Estimate, other: Estimate
) -> None:
    values = [value_result(2**power, waited=count) for power, count in enumerate([*counts, 0])]
    narrow, wide = sorted((effect, other), key=lambda it: it.low or 0.0, reverse=True)
    one, two = (found(*values, block=True, effect=it).value for it in (narrow, wide))
    assert one is not None
    assert two is not None
    assert one <= two
    assert two <= min(it.value for it in values if not it.waited)


def some_rounds(*rounds: tuple[int, int, float]) -> Rounds:
    numbers, requests, seconds = zip(*rounds, strict=True) if rounds else ((), (), ())
    return Rounds(array("I", numbers), array("I", requests), array("d", seconds))


def test_rates_are_all_requests_by_all_seconds_and_need_eight_rounds_for_an_interval() -> None:
    times = [0.1 + number / 100 for number in range(12)]
    rounds = some_rounds(*((number, 8, took_s) for number, took_s in enumerate(times)))
    estimate, low, high = rate(rounds, 0.95)
    assert estimate == pytest.approx(96 / (1.2 + 0.66))
    assert low is not None
    assert high is not None
    assert low < 96 / 1.86 < high
    few = some_rounds(*((number, 8, took_s) for number, took_s in enumerate(times[:7])))
    assert rate(few, 0.95)[1:] == (None, None)
    assert rate(some_rounds(), 0.95) == Estimate(None)


def test_rates_are_compared_over_rounds_in_which_both_sent_as_many() -> None:
    one = some_rounds(*((number, 8, 0.1) for number in range(20)), (25, 8, 7.0))
    other = some_rounds(*((number, 8, 0.2) for number in range(19)), (19, 3, 5.0), (24, 8, 9.0))
    assert rate_ratio(one, other, 0.95) == pytest.approx((2.0, 2.0, 2.0))


def test_rounds_are_the_same_in_whatever_order_their_requests_were_written_down() -> None:
    sent = [(number, 0.5 * number + place / 8, 0.25) for number in range(9) for place in range(3)]
    found_ = []
    for order in (sent, sorted(sent, key=lambda it: it[1] * 7919 % 5)):
        script = Script(**swept(1, 2, requests=27))
        for number, began_s, took_s in order:
            script.send("1", took_s, round_number=number, began_s=began_s)
        found_.append(rounds_of(view_of(script.run(), "1")))
    assert found_[0] == found_[1] == some_rounds(*((number, 3, 0.5) for number in range(9)))


def test_a_requirement_is_undecided_where_a_smaller_value_may_be_enough() -> None:
    analysis = analyse(
        chance_discards(),
        [f"recommendation.maxsize{it}" for it in ("<=8", "<=4", "<=2", ">2", ">4", "==4", "!=2")],
    )
    sweep = analysis.sweep
    assert sweep is not None
    assert [(it.rounds, it.full_rounds) for it in sweep.values] == [(12, 10), (12, 2), (12, 0)]
    assert sweep.recommendation[:3] == ("keeps-all", 8, 4)
    assert sweep.recommendation.text.endswith("These requests don't show whether 4 is.")
    statuses = [it.status for it in analysis.requirements]
    undecided = "undecided"
    assert statuses == ["met", undecided, "missed", "met", undecided, undecided, "met"]
    assert analysis.requirements[1].text == (
        "recommendation.maxsize is 8, but whether 4 is enough isn't known."
    )


def test_a_sweep_written_down_by_hand_comes_to_what_it_says() -> None:
    analysis = analyse(scripted_sweep(2, 1, 8, 4))
    swept = analysis.sweep
    assert swept is not None
    assert [(it.value, it.discarded, it.open_at_once) for it in swept.values] == [
        (1, 36, 4),
        (2, 24, 4),
        (4, 0, 4),
        (8, 0, 4),
    ]
    assert swept.values[2].requests_per_second.estimate == pytest.approx(48 / (0.002 + 11 * 0.001))
    assert swept.recommendation[:2] == ("keeps-all", 4)
    assert analysis.verdict == ("sweep", swept.recommendation.text)
    assert not {"pool-full", "pool-exhausted"} & {it.code for it in analysis.findings}
