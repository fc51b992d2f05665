from __future__ import annotations

from math import fsum

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.runs import HTML, REFUSED, Script, paired_run

from keepalive_bench import analyse
from keepalive_bench.analysis.arm_summary import REMAINDER, ArmSummary
from keepalive_bench.analysis.arm_view import Latency
from keepalive_bench.results.exchange import (
    PHASES,
    QUEUED,
    Answer,
    Exchange,
    Failure,
    Outcome,
    Phases,
)

SECONDS = st.floats(0, 1, width=32)
FEW = 7
"""Too few for a bootstrap, which no mean itself is about."""


def summary(script: Script, label: str = "pooled") -> ArmSummary:
    return next(arm for arm in analyse(script.run()).arms if arm.label == label)


def test_requests_sent_failed_and_not_sent_are_those_planned() -> None:
    script = Script("pooled", requests=10)
    row = script.open("pooled")
    for _ in range(4):
        script.send("pooled", 0.01, on=row)
    script.fail("pooled")
    arm = summary(script)
    assert (arm.requests, arm.succeeded, arm.failed, arm.not_sent) == (10, 4, 1, 5)
    assert arm.sent == 5


def test_fifty_requests_on_one_connection_are_a_reuse_of_98_per_cent() -> None:
    pooled, unpooled = analyse(paired_run([0.01] * 50, [0.02] * 50)).arms
    assert (pooled.connections, pooled.reuse, pooled.requests_per_connection) == (1, 1.0, 50.0)
    assert (unpooled.connections, unpooled.reuse, unpooled.requests_per_connection) == (50, 0, 1)


def test_a_connection_in_place_of_an_earlier_one_is_reopened() -> None:
    script = Script("pooled", requests=6, concurrency=2)
    for slot in (0, 1, 0, 0, 1):
        script.send("pooled", 0.01, on=script.open("pooled", slot))
    assert summary(script).connections == 5
    assert summary(script).reopened == 3


def test_keep_alive_that_works_reopens_nothing_whatever_the_concurrency() -> None:
    script = Script("pooled", requests=8, concurrency=4)
    rows = [script.open("pooled", slot) for slot in range(4)]
    for row in rows * 2:
        script.send("pooled", 0.01, on=row)
    assert summary(script).reopened == 0
    assert summary(script).reuse == 1.0


def test_the_first_use_of_each_place_could_reuse_nothing() -> None:
    """Of two places, one had its connection taken away once: 6 of 7 requests reused one."""
    script = Script("pooled", requests=9, concurrency=2)
    rows = [script.open("pooled", slot) for slot in (0, 1)]
    for row in (*rows * 2, rows[0], *[script.open("pooled", 1)] * 4):
        script.send("pooled", 0.01, on=row)
    arm = summary(script)
    assert (arm.could_reuse, arm.reuse) == (7, 6 / 7)


def test_requests_that_got_no_connection_could_have_had_one_that_was_used_and_free() -> None:
    script = Script("pooled", requests=4)
    script.fail("pooled")  # before there was any
    script.send("pooled", 0.01, on=script.open("pooled"))
    script.fail("pooled")  # the server has closed it, and refuses another one
    arm = summary(script)
    assert (arm.could_reuse, arm.reuse) == (1, 0.0)


def test_while_all_are_in_use_a_request_that_got_none_could_have_had_none() -> None:
    script = Script("pooled", requests=4, concurrency=2)
    row = script.open("pooled")
    script.send("pooled", 0.01, on=row)
    script.send("pooled", 1.0, on=row, began_s=0.1)
    outcome = Outcome(0.2, 0.1, failure=REFUSED)
    script.exchanges.append(Exchange("pooled", 2, 2, outcome))
    arm = summary(script)
    assert (arm.could_reuse, arm.reuse) == (1, 1.0)


def test_each_process_has_places_of_its_own() -> None:
    """What was refused in the second process had no use of the first one's connection."""
    script = Script("pooled", requests=4, processes=2)
    script.send("pooled", 0.01, on=script.open("pooled"), index=0)
    script.fail("pooled", index=1)
    assert summary(script).could_reuse == 0
    script.fail("pooled", index=2)
    assert summary(script).could_reuse == 1


def test_a_connection_that_carried_nothing_counts_as_opened() -> None:
    script = Script("pooled", requests=2)
    script.fail("pooled", on=script.open("pooled"))
    script.fail("pooled")
    arm = summary(script)
    assert (arm.connections, arm.reuse, arm.requests_per_connection) == (1, 0.0, 0.0)


def test_an_arm_that_sent_nothing_has_no_figures_rather_than_noughts() -> None:
    arm = summary(Script("pooled", requests=10))
    assert (arm.not_sent, arm.connections, arm.reopened) == (10, 0, 0)
    assert arm.latency == Latency()
    unknown = (arm.reuse, arm.requests_per_connection, arm.requests_per_second, arm.body_bytes)
    assert unknown == (None,) * 4
    assert {(time.count, time.mean) for time in arm.phases.values()} == {(0, None)}


def test_failed_requests_are_counted_and_never_timed() -> None:
    script = Script("pooled", requests=3)
    script.send("pooled", 0.01)
    script.fail("pooled", 30.0)
    script.fail("pooled", 30.0, failure=Failure("deadline", "timed out"))
    arm = summary(script)
    assert arm.latency.max == 0.01
    assert arm.failures == {REFUSED: 1, Failure("deadline", "timed out"): 1}


def test_latencies_are_summed_up() -> None:
    script = Script("pooled", requests=100)
    for milliseconds in range(100, 0, -1):
        script.send("pooled", milliseconds / 1000)
    # numpy.quantile(..., method="median_unbiased"): 0.09063333, 0.09565, 0.09966333
    assert summary(script).latency == pytest.approx(
        Latency(0.0505, 0.029011491975882, 0.001, 0.0505, 0.0906333333, 0.09565, 0.0996633333, 0.1)
    )


def test_requests_per_second_leave_out_the_time_of_the_other_arm() -> None:
    script = Script("pooled", "unpooled", requests=2)
    for index, began_s in enumerate((0.0, 10.0)):
        script.send("pooled", 0.5, began_s=began_s, index=index)
        script.send("unpooled", 2.0, began_s=began_s + 5, index=index)
    assert summary(script, "pooled").requests_per_second == 2.0
    assert summary(script, "unpooled").requests_per_second == 0.5


def test_requests_per_second_count_what_ran_at_once_once() -> None:
    script = Script("pooled", requests=40, concurrency=2)
    for index in range(40):  # two threads, 20 blocks each of half a second a round
        began_s = (index // 20) * 100.0 + (index % 20) // 2 * 0.5
        script.send("pooled", 0.5, began_s=began_s, round_number=index // 20)
    assert summary(script).requests_per_second == pytest.approx(40 / 10.0)


def test_a_round_is_one_stretch_of_time_in_whatever_order_its_requests_are_noted() -> None:
    script = Script("pooled", requests=4, concurrency=2)
    for began_s, number in ((0.0, 0), (100.0, 1), (0.5, 0), (100.5, 1)):
        script.send("pooled", 0.5, began_s=began_s, round_number=number)
    assert summary(script).requests_per_second == 4 / 2.0


def test_status_codes_and_answers_are_counted() -> None:
    other = Answer("HTTP/1.0", None, "close", "timeout=5")
    script = Script("pooled", requests=5)
    for status, answer, size in ((503, other, 7), (200, HTML, 30), (200, HTML, 10)):
        script.send("pooled", 0.01, status=status, answer=answer, body_bytes=size)
    script.fail("pooled")
    arm = summary(script)
    assert list(arm.status_codes.items()) == [(200, 2), (503, 1)]
    assert list(arm.answers.items()) == [(HTML, 2), (other, 1)]
    assert arm.body_bytes == (7, 30)
    assert arm.bytes_received == 47


PHASE_TIMES = st.builds(Phases, *[st.none() | SECONDS] * len(PHASES))


@given(st.lists(st.tuples(PHASE_TIMES, st.floats(0, 1)), min_size=1, max_size=FEW))
def test_phases_and_the_remainder_add_up_to_the_mean_latency(
    times: list[tuple[Phases, float]],
) -> None:
    script = Script("pooled", requests=len(times))
    for phases, remainder in times:
        script.send("pooled", fsum(filter(None, phases)) + remainder, phases=phases)
    arm = summary(script)
    assert list(arm.phases) == [QUEUED, *PHASES, REMAINDER]
    total = fsum(time.per_request for time in arm.phases.values())
    assert total == pytest.approx(arm.latency.mean, rel=1e-9, abs=1e-12)


def test_no_interval_of_a_mean_goes_below_nothing() -> None:
    pooled = [0.04] * 4 + [0.0001] * 46
    low, high = analyse(paired_run(pooled, [0.2] * 50)).first.latency_bounds["mean"]
    assert 0 < low < sum(pooled) / 50 < high


@given(st.lists(st.floats(1e-6, 1), min_size=1, max_size=FEW // 2))
def test_a_phase_s_count_times_its_mean_is_its_time_per_request(tls: list[float]) -> None:
    script = Script("pooled", requests=2 * len(tls))
    for value in tls:
        script.send("pooled", 2.0, phases=Phases(tls=value))
        script.send("pooled", 2.0, phases=Phases())
    phase = summary(script).phases["tls"]
    assert phase.count == len(tls)
    assert phase.mean is not None
    assert phase.count * phase.mean / (2 * len(tls)) == pytest.approx(phase.per_request)


def test_a_phase_that_took_no_time_did_happen() -> None:
    script = Script("pooled", requests=2)
    script.send("pooled", 0.01, phases=Phases(dns=0.0))
    script.send("pooled", 0.01, phases=Phases())
    arm = summary(script)
    assert (arm.phases["dns"].count, arm.phases["dns"].mean) == (1, 0.0)
    assert (arm.phases["tls"].count, arm.phases["tls"].mean) == (0, None)


def test_urllib3_s_own_numbers_are_handed_on() -> None:
    run = paired_run([0.01] * 3, [0.02] * 3)
    assert analyse(run).arms[1].counters == run.counters["unpooled"] == (3, 3)
