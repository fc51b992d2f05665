"""The round that time, or Ctrl-C, cuts is counted, and in no figure of times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.runs import CUT_OFF, Script

from keepalive_bench import Load, analyse
from keepalive_bench.report.histogram import latencies_of

if TYPE_CHECKING:
    from keepalive_bench import Analysis, Run

TIME: dict[str, Any] = {"duration_s": 1.0, "requests": 100}


def rounds(script: Script, count: int, latency_s: float = 0.1) -> None:
    """Whole rounds, one after the other."""
    shared = script.open("pooled")
    for index in range(count):
        script.send("pooled", latency_s, on=shared, index=index)
        script.send("unpooled", latency_s, on=script.open("unpooled"), index=index)


def straddling(script: Script, *latencies_s: float) -> Run:
    """Four rounds of 0.2 s, and one of these latencies, most of which is after a second."""
    rounds(script, 4)
    for arm, latency_s in zip(script.plan.experiment.labels, latencies_s, strict=False):
        script.send(arm, latency_s, on=script.open(arm), index=4)
    due = dict(zip(("pooled", "unpooled"), (5, 3 + len(latencies_s)), strict=True))
    return script.run(requests=due, wall_s=5.0)


def means(analysis: Analysis) -> list[float | None]:
    return [arm.latency.mean for arm in analysis.arms]


def test_the_round_that_ends_after_its_time_is_counted_only() -> None:
    run = straddling(Script("pooled", "unpooled", **TIME), 0.9, 0.7)
    analysis = analyse(run)
    pooled, unpooled = analysis.arms
    assert (pooled.succeeded, pooled.connections, pooled.untimed) == (5, 2, 1)
    assert (unpooled.succeeded, unpooled.connections, unpooled.untimed) == (5, 5, 1)
    assert means(analysis) == [pytest.approx(0.1)] * 2
    assert pooled.latency.max == pytest.approx(0.1)
    assert pooled.phases["remainder"].count == 4
    assert pooled.requests_per_second == pytest.approx(10)
    (comparison,) = analysis.comparisons
    assert (comparison.pairs, comparison.left_out) == (4, 0)
    assert latencies_of(run) == {"pooled": [0.1] * 4, "unpooled": [0.1] * 4}


def test_so_is_one_that_lacks_a_request_and_was_over_in_time() -> None:
    """A pause lay where time was over."""
    analysis = analyse(straddling(Script("pooled", "unpooled", **TIME), 0.05))
    assert [arm.untimed for arm in analysis.arms] == [1, 0]
    assert means(analysis) == [pytest.approx(0.1)] * 2


def test_a_round_that_was_over_in_time_is_timed_like_all_others() -> None:
    analysis = analyse(straddling(Script("pooled", "unpooled", **TIME), 0.05, 0.05))
    assert [arm.untimed for arm in analysis.arms] == [0, 0]
    assert means(analysis) == [pytest.approx(0.09)] * 2


def test_a_run_that_sent_all_its_requests_has_cut_nothing() -> None:
    script = Script("pooled", "unpooled", requests=4, duration_s=9.0)
    rounds(script, 4)
    assert [arm.untimed for arm in analyse(script.run(wall_s=0.8)).arms] == [0, 0]


def test_ctrl_c_cuts_the_last_round_that_anything_came_of() -> None:
    script = Script("pooled", "unpooled", requests=100)
    rounds(script, 4)
    script.send("pooled", 0.9, on=0)
    script.fail("unpooled", 1.0, failure=CUT_OFF)
    analysis = analyse(script.run(interrupted=True))
    assert [arm.untimed for arm in analysis.arms] == [1, 0]
    assert means(analysis) == [pytest.approx(0.1)] * 2


@pytest.mark.parametrize(("seconds", "untimed", "mean"), [(0.5, 1, 0.1), (0.05, 0, 0.09)])
def test_an_arm_alone_leaves_out_the_request_that_was_under_way(
    seconds: float, untimed: int, mean: float
) -> None:
    script = Script("pooled", duration_s=0.48, requests=100)
    shared = script.open("pooled")
    for latency_s in (*[0.1] * 4, seconds):
        script.send("pooled", latency_s, on=shared)
    (arm,) = analyse(script.run(requests={"pooled": 5}, wall_s=1.0)).arms
    assert arm.untimed == untimed
    assert arm.latency.mean == pytest.approx(mean)


def test_of_several_under_way_one_is_left_out_whichever_the_seed_says() -> None:
    left_out = set()
    for seed in range(20):
        script = Script("pooled", duration_s=1.0, requests=100, concurrency=4, seed=seed)
        for index in range(8):
            began_s = index // 4 * 0.6
            script.send("pooled", 0.6 + index / 100, index=index, began_s=began_s, round_number=0)
        (arm,) = analyse(script.run(requests={"pooled": 8}, wall_s=1.3)).arms
        assert arm.untimed == 1
        left_out.add(round(100 * (8 * 0.6 + 0.28 - 7 * (arm.latency.mean or 0))))
    assert left_out == {64, 65, 66, 67}


def test_a_burst_is_left_out_as_a_whole() -> None:
    load = Load(traffic="bursts")
    script = Script("pooled", duration_s=1.0, requests=100, concurrency=4, load=load)
    for index in range(8):
        began_s = index // 4 * 0.6
        script.send("pooled", 0.5 + index / 100, index=index, began_s=began_s, round_number=0)
    (arm,) = analyse(script.run(requests={"pooled": 8}, wall_s=1.2)).arms
    assert arm.untimed == 4
    assert arm.latency.max == pytest.approx(0.53)


def test_an_open_load_starts_its_requests_whatever_answers_do_so_nothing_is_left_out() -> None:
    script = Script("pooled", "unpooled", load=Load(rate=5.0), **TIME)
    for index in range(5):
        for arm in ("pooled", "unpooled"):
            script.send(arm, 0.9, index=index, queued_s=0.0, round_number=0)
    assert [arm.untimed for arm in analyse(script.run(wall_s=9.0)).arms] == [0, 0]


@pytest.mark.parametrize(
    ("run_info", "why"),
    [({"wall_s": 5.0}, "Time was up before"), ({"interrupted": True}, "The run was stopped in")],
)
def test_where_there_is_no_other_round_the_first_one_is_timed_and_it_is_said(
    run_info: dict[str, Any], why: str
) -> None:
    script = Script("pooled", "unpooled", **TIME)
    rounds(script, 1, latency_s=0.8)
    run = script.run(requests={"pooled": 1, "unpooled": 1}, **run_info)
    analysis = analyse(run._replace(plan=script.plan))
    assert means(analysis) == [pytest.approx(0.8)] * 2
    (found,) = (it for it in analysis.findings if it.code == "only-round-cut")
    assert found.text.startswith(why)
