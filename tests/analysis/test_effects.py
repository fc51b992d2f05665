"""How much faster a request on an open connection is, and how much less time all of them take."""

from __future__ import annotations

from math import exp
from random import Random
from typing import TYPE_CHECKING

import pytest
from support.runs import Script, paired_run

from keepalive_bench import analyse
from keepalive_bench.results.exchange import Phases
from keepalive_bench.stats.shapes import outliers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keepalive_bench import Analysis

REQUEST_S, CONNECT_S = 0.020, 0.040
"""A request takes a round trip of 20 ms, opening a connection two more."""


def reopening(
    every: int,
    requests: int = 200,
    *,
    slow: Iterable[int] = (),
    connect_s: float = CONNECT_S,
    late_s: float = 1.0,
) -> Analysis:
    """A pool that has to open a connection for each n-th request, against one that always does.

    Noise is a per cent; the `slow` requests of the pool take longer.
    """
    random = Random(every)  # noqa: S311  # not for secrets
    script, row = Script("pooled", "unpooled", requests=requests), 0
    for index in range(requests):
        opens = index % every == 0
        row = script.open("pooled", min_rtt=REQUEST_S) if opens else row
        for arm in ("pooled", "unpooled"):
            is_new = opens or arm == "unpooled"
            on = row if arm == "pooled" else script.open(arm, min_rtt=REQUEST_S)
            took = REQUEST_S * random.gauss(1, 0.01)
            late = late_s if arm == "pooled" and index in set(slow) else 0.0
            phases = Phases(connect=connect_s if is_new else None, wait=took + late)
            latency_s = took + late + (connect_s if is_new else 0)
            script.send(arm, latency_s, on=on, index=index, phases=phases)
    return analyse(script.run())


@pytest.mark.parametrize(("every", "mean_ratio"), [(10, 2.5), (2, 1.5), (3, 1.8)])
def test_one_reuse_buys_the_same_however_often_there_is_one_and_all_take_less_by_that(
    every: int, mean_ratio: float
) -> None:
    """The mean of one in n that takes three times as long is (n + 2)/n: 3n/(n + 2)."""
    analysis = reopening(every, 180)
    (found,) = analysis.comparisons
    assert found.speedup.estimate == pytest.approx(3.0, rel=0.005)
    assert found.mean_ratio.estimate == pytest.approx(mean_ratio, rel=0.005)
    assert (found.reused, found.in_pairs) == (180 - 180 // every, 180)
    assert found.leads == "mean_ratio"
    low, high = found.mean_ratio[1:]
    assert low is not None
    assert high is not None
    assert low < mean_ratio < high < 3.0


def test_the_sentence_leads_with_all_requests_and_names_those_that_reused() -> None:
    text = reopening(10).verdict.text
    assert text.startswith("Reusing the connection is 2.50× faster here (95 % CI ")
    assert "): 36.0 ms less per request (36.0 ms of TCP). " in text
    assert " A request on an open connection is 3.00× faster (3.00" in text


def test_round_trips_are_those_that_a_reuse_saved() -> None:
    """Of the mean, that is 0.9 of them where a tenth opens a connection, and half where half do."""
    for every in (10, 2):
        explained = reopening(every).comparisons[0].explained
        assert explained is not None
        assert explained.reused_parts_s["connect"] == pytest.approx(CONNECT_S)
        assert explained.parts_s["connect"] == pytest.approx(CONNECT_S * (1 - 1 / every))


def test_where_all_but_the_first_reuse_the_typical_request_leads_and_nothing_is_added() -> None:
    analysis = reopening(200)
    assert analysis.comparisons[0].leads == "speedup"
    assert analysis.verdict.text.startswith("Reusing the connection is 3.00× faster here (95 %")
    assert "reused" not in analysis.verdict.text


def test_a_few_slow_requests_leave_the_lead_to_the_typical_one_and_that_is_said() -> None:
    analysis = reopening(200, slow=(20, 90, 155))
    (found,) = analysis.comparisons
    assert found.has_heavy_tails
    assert found.leads == "speedup"
    text = analysis.verdict.text
    assert text.startswith("Reusing the connection is 3.00× faster here for a typical request (")
    assert " A few slow requests decide the means, by which it is " in text


def test_a_tail_is_told_of_a_typical_one_of_those_that_reused() -> None:
    text = reopening(10, slow=(21, 95, 156)).verdict.text
    assert (
        "is 3.00× faster here for a typical one of the 180 of 200 requests that reused a "
        "connection (95 % CI 3.00–3.01)" in text
    )


def test_a_tail_that_is_small_beside_what_opening_takes_decides_no_mean() -> None:
    """Every third request opens a connection and takes 60 ms rather than 20.

    Seven that take 50 ms longer add 13 % to the others' mean, but 5 % to that of all.
    """
    script, row, reused = Script("pooled", "unpooled", requests=200), 0, []
    for index in range(200):
        opens, longer = index % 3 == 0, 3.5 if index in range(1, 200, 30) else 1.0
        row = script.open("pooled") if opens else row
        noise = longer * (1 + (index * 7 % 13 - 6) / 1000)
        reused += [] if opens else [0.02 * noise]
        script.send("pooled", (0.06 if opens else 0.02) * noise, on=row, index=index)
        script.send("unpooled", 0.06 * noise, on=script.open("unpooled"), index=index)
    assert outliers(sorted(reused)) is not None
    (found,) = analyse(script.run()).comparisons
    assert not found.has_heavy_tails
    assert found.leads == "mean_ratio"


def test_equal_latencies_have_no_tail() -> None:
    """Their interval has no width, so no rounding may lie outside of it."""
    (found,) = analyse(paired_run([0.02] * 50, [0.06] * 50)).comparisons
    assert not found.has_heavy_tails


def test_of_two_pools_only_pairs_count_in_which_both_reused() -> None:
    """One opens for every second request, the other for every third: neither, for a third."""
    script, rows = Script(("one", "pooled"), ("other", "pooled"), requests=60), {}
    for index in range(60):
        for arm, every in (("one", 2), ("other", 3)):
            if index % every == 0:
                rows[arm] = script.open(arm)
            script.send(arm, 0.02, on=rows[arm], index=index)
    (found,) = analyse(script.run()).comparisons
    assert (found.reused, found.in_pairs) == (20, 60)


def test_a_block_whose_reusing_requests_took_no_time_has_no_ratio_of_them() -> None:
    """A coarse clock makes such blocks."""
    script = Script("pooled", "unpooled", requests=160, concurrency=2)
    for index in range(160):
        opens = index % 20 < 12
        if opens:
            row = script.open("pooled")
        took, number = 0.01 if opens or index < 20 else 0.0, index // 20
        script.send("pooled", took, on=row, index=index, round_number=number)
        fresh = script.open("unpooled")
        script.send("unpooled", 0.02, on=fresh, index=index, round_number=number)
    (found,) = analyse(script.run()).comparisons
    assert (found.pairs, found.reused, found.in_pairs) == (8, 8, 160)
    assert found.mean_ratio.estimate == pytest.approx(160 * 0.02 / (104 * 0.01))


def test_slow_requests_that_matter_less_than_connections_opened_again_leave_them_the_lead() -> None:
    """Half of the requests open one and take three times as long; two take half as long again."""
    analysis = reopening(2, slow=(21, 91), late_s=0.01)
    assert analysis.comparisons[0].leads == "mean_ratio"
    assert "A few slow requests" not in analysis.verdict.text


def test_what_is_saved_on_all_requests_stands_behind_what_is_said_of_them() -> None:
    text = reopening(10, slow=(21, 91, 155)).verdict.text
    assert " A few slow requests decide the means, by which it is " in text
    typical, _, means = text.partition(" A few slow requests")
    assert "on average" not in typical
    assert " per request" in means


def test_connections_opened_now_and_then_are_no_tail() -> None:
    """A twentieth takes three times as long as the others, and still nothing is out of line."""
    assert not reopening(20).comparisons[0].has_heavy_tails


def test_of_blocks_those_that_reused_are_counted_by_request() -> None:
    script = Script("pooled", "unpooled", requests=240, concurrency=2)
    for number in range(12):
        rows = [script.open("pooled", slot=slot) for slot in range(2)]
        for position in range(20):
            index = number * 20 + position
            slow = 0.04 if position < 2 else 0.0
            took = 0.02 * (1 + (index * 7 % 13 - 6) / 1000)
            script.send(
                "pooled", took + slow, on=rows[position % 2], index=index, round_number=number
            )
            row = script.open("unpooled")
            script.send("unpooled", 0.06, on=row, index=index, round_number=number)
    (found,) = analyse(script.run()).comparisons
    assert (found.pairs, found.reused, found.in_pairs) == (12, 216, 240)
    assert found.speedup.estimate == pytest.approx(3.0, rel=0.01)
    assert found.mean_ratio.estimate == pytest.approx(0.06 / 0.024, rel=0.01)


def test_of_arms_that_keep_no_connection_all_pairs_count() -> None:
    script = Script("unpooled", "naive", requests=20)
    for index in range(20):
        for arm, latency_s in (("unpooled", 0.01), ("naive", 0.03)):
            script.send(arm, latency_s, on=script.open(arm), index=index)
    (found,) = analyse(script.run()).comparisons
    assert (found.reused, found.in_pairs) == (20, 20)
    assert found.speedup.estimate == pytest.approx(3.0)


@pytest.mark.parametrize("arms", [("pooled", "unpooled"), ("unpooled", "pooled")])
def test_the_arm_that_keeps_connections_counts_wherever_it_is_named(arms: tuple[str, str]) -> None:
    script, rows = Script(*arms, requests=20), dict.fromkeys(arms, 0)
    for index in range(20):
        for arm in arms:
            if arm == "unpooled" or index % 5 == 0:
                rows[arm] = script.open(arm)
            script.send(arm, 0.01, on=rows[arm], index=index)
    (found,) = analyse(script.run()).comparisons
    assert (found.reused, found.in_pairs) == (16, 20)


def test_nothing_reused_is_said_in_one_sentence() -> None:
    verdict = reopening(1).verdict
    assert verdict.code == "not-reused"
    assert verdict.text.startswith(
        "Nothing was reused, so there is no effect of reuse to measure: pooled opened 200 "
    )


def judged(ratio: float, spread: float) -> str:
    """The sentence about 60 pairs whose log ratios lie evenly around a ratio's."""
    shares = [number / 29.5 - 1 for number in range(60)]
    Random(3).shuffle(shares)  # noqa: S311  # not for secrets
    unpooled = [0.01 * ratio * exp(spread * share) for share in shares]
    return analyse(paired_run([0.01] * 60, unpooled)).verdict.text


@pytest.mark.parametrize(
    ("ratio", "spread", "said"),
    [
        (1.05, 0.1, "is 3.4–6.8 % faster here (95 % CI; estimate 5.0 %): "),
        (1 / 1.05, 0.1, "is 3.2–6.6 % slower here (95 % CI; estimate 5.0 %): "),
        (
            1.0,
            0.0,
            "makes no difference of more than 5 % here (95 % CI: 0 % slower to 0 % faster).",
        ),
        (1.0, 0.1, "of more than 5 % here (95 % CI: 1.5 % slower to 1.7 % faster)."),
        (
            1.1,
            0.9,
            "may be faster, or may not (95 % CI: 4.3 % slower to 28 % faster). About ",
        ),
        (1.5, 0.0, "is 1.50× faster here (95 % CI 1.50–1.50)"),
    ],
)
def test_a_ratio_near_one_is_said_in_per_cent(ratio: float, spread: float, said: str) -> None:
    text = judged(ratio, spread)
    assert said in text
    assert "1.00×" not in text


def test_an_end_near_one_is_said_in_per_cent_of_the_other_ratio_too() -> None:
    """Opening takes 0.6 % of a request, so all together, half of which open one, save 0.3 %."""
    text = reopening(2, connect_s=0.00012).verdict.text
    assert " % faster)" in text
    assert "1.00×" not in text
