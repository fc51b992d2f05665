"""The loop itself, with transports that do as they are told: no sockets, no sleeps."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from support.fakes import ANSWERED, FAILED, answering, failing, stage
from support.patience import PATIENCE_S
from support.plans import plan

from keepalive_bench.engine.schedule import schedule
from keepalive_bench.results.exchange import Failure, Outcome

if TYPE_CHECKING:
    from keepalive_bench import Exchange


def test_exchanges_come_in_the_order_of_the_schedule() -> None:
    stages = stage(requests=20)
    assert stages.run() is False
    experiment = plan("http://127.0.0.1/", requests=20).experiment
    assert stages.order == [(block.arm, block.indexes[0]) for block in schedule(experiment)]
    assert [it.round for it in stages.exchanges] == [number // 2 for number in range(40)]


def test_a_sequential_run_ends_one_arm_before_it_begins_the_next() -> None:
    stages = stage(requests=5, order="sequential")
    stages.run()
    assert stages.order == [(arm, index) for arm in ("pooled", "unpooled") for index in range(5)]


@pytest.mark.parametrize("order", ["paired", "sequential"])
@pytest.mark.parametrize("threads", [2, 8])
def test_many_threads_send_every_index_once(threads: int, order: str) -> None:
    stages = stage(requests=500, concurrency=threads, order=order)
    stages.run()
    expected = {(arm, index): 1 for arm in ("pooled", "unpooled") for index in range(500)}
    assert Counter(stages.order) == expected


def test_all_threads_work_at_once_and_on_one_arm() -> None:
    together = threading.Barrier(4)
    arms_under_way: set[str] = set()

    def meeting(arm: str) -> Outcome:
        arms_under_way.add(arm)
        together.wait(PATIENCE_S)  # passes only when four are under way
        assert arms_under_way == {arm}
        together.wait(PATIENCE_S)
        arms_under_way.clear()
        together.wait(PATIENCE_S)
        return ANSWERED

    stages = stage(
        lambda _: meeting("pooled"),
        lambda _: meeting("unpooled"),
        requests=80,
        concurrency=4,
    )
    stages.run()
    assert len(stages.exchanges) == 160


def test_an_arm_whose_first_five_fail_is_stopped_and_the_other_is_not() -> None:
    stages = stage(unpooled=failing, requests=50)
    assert stages.run() is False
    assert (stages.count("pooled"), stages.count("unpooled")) == (50, 5)


def test_a_sequential_arm_whose_first_five_fail_is_stopped_within_its_block() -> None:
    stages = stage(failing, requests=50, order="sequential")
    stages.run()
    assert (stages.count("pooled"), stages.count("unpooled")) == (5, 50)


def test_keep_going_sends_them_all() -> None:
    stages = stage(failing, failing, requests=50, keep_going=True)
    stages.run()
    assert len(stages.exchanges) == 100


@pytest.mark.parametrize("good", [0, 4])
def test_one_answer_among_the_first_five_keeps_an_arm_going(good: int) -> None:
    stages = stage(lambda index: ANSWERED if index == good else FAILED, requests=50)
    stages.run()
    assert stages.count("pooled") == 50


def test_an_answer_that_comes_sixth_comes_too_late() -> None:
    stages = stage(lambda index: ANSWERED if index >= 5 else FAILED, requests=50)
    stages.run()
    assert stages.count("pooled") == 5


def test_failures_after_an_answer_stop_nothing() -> None:
    stages = stage(lambda index: FAILED if index else ANSWERED, requests=50)
    stages.run()
    assert stages.count("pooled") == 50


@pytest.mark.parametrize(("keep_going", "sent"), [(False, 15), (True, 50)])
def test_when_local_ports_have_run_out_no_arm_goes_on(sent: int, *, keep_going: bool) -> None:
    portless = Outcome(0.0, 0.0, failure=Failure("ports-exhausted", "no local port is free"))
    stages = stage(
        unpooled=lambda index: portless if index >= 10 else ANSWERED,
        requests=50,
        keep_going=keep_going,
    )
    assert stages.run() is False
    assert stages.count("unpooled") == sent
    assert abs(stages.count("pooled") - sent) <= 1


def test_a_port_that_is_lacking_now_and_then_stops_nothing() -> None:
    portless = Outcome(0.0, 0.0, failure=Failure("ports-exhausted", "no local port is free"))
    stages = stage(unpooled=lambda index: portless if index % 5 else ANSWERED, requests=50)
    stages.run()
    assert stages.count("unpooled") == 50


def test_many_threads_stop_an_arm_after_what_was_under_way() -> None:
    stages = stage(failing, requests=500, concurrency=8)
    stages.run()
    assert 5 <= stages.count("pooled") < 5 + 8
    assert stages.count("unpooled") == 500


@pytest.mark.parametrize("threads", [1, 4])
def test_an_error_in_a_transport_is_raised_in_the_caller(threads: int) -> None:
    def broken(index: int) -> Outcome:
        if index == 3:
            raise LookupError("a mistake")
        return ANSWERED

    with pytest.raises(LookupError, match="a mistake"):
        stage(broken, requests=100, concurrency=threads).run()


@pytest.mark.parametrize("threads", [1, 4])
def test_an_error_in_the_callback_is_raised_in_the_caller(threads: int) -> None:
    def broken(_: Exchange) -> None:
        raise LookupError("a mistake")

    stages = stage(requests=100, concurrency=threads)
    stages.on_record = broken
    with pytest.raises(LookupError, match="a mistake"):
        stages.run()


def test_exchanges_are_recorded_one_at_a_time() -> None:
    stages = stage(answering, requests=400, concurrency=8)
    # A record that takes long lets the others come in between, if they could: the stage looks out.
    stages.on_record = lambda _: take_long()
    stages.run()
    assert len(stages.exchanges) == 800


def take_long() -> None:
    sum(range(10_000))


def test_more_threads_than_requests_is_no_trouble() -> None:
    stages = stage(requests=3, concurrency=16)
    stages.run()
    assert len(stages.exchanges) == 6
