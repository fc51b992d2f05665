"""Ctrl-C: what was measured stays, what was under way is said to be interrupted."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from support.fakes import ANSWERED, Stage, stage
from support.misbehaving import Peer, forever, misbehaving
from support.patience import PATIENCE_S
from support.plans import plan
from support.runs import ENVIRONMENT

from keepalive_bench import Arm, analyse, benchmark
from keepalive_bench.engine import engine
from keepalive_bench.results.exchange import INTERRUPTED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.results.exchange import Outcome
    from keepalive_bench.results.measured import Environment


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


@contextmanager
def noticing_ctrl_c() -> Iterator[threading.Event]:
    """An event that is set when Ctrl-C is raised in the main thread."""
    noticed = threading.Event()

    def handler(number: int, frame: object) -> None:  # noqa: ARG001  # as Python calls it
        noticed.set()
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, handler)
    try:
        yield noticed
    finally:
        signal.signal(signal.SIGINT, before)


def interrupted(stages: Stage) -> list[tuple[str, int]]:
    return [
        (it.arm, it.index)
        for it in stages.exchanges
        if it.outcome.failure is not None and it.outcome.failure.kind == INTERRUPTED
    ]


def test_ctrl_c_ends_the_run_and_keeps_what_was_measured() -> None:
    def pressing(index: int) -> Outcome:
        if index == 10:
            press_ctrl_c()
        return ANSWERED

    stages = stage(pressing, requests=1_000_000)
    assert stages.run() is True
    assert 20 <= len(stages.exchanges) < 1_000_000
    # What was under way had a moment to end.
    assert interrupted(stages) == []
    assert [it.index for it in stages.exchanges if it.arm == "pooled"][:11] == list(range(11))


def test_what_does_not_end_in_a_moment_is_recorded_as_interrupted() -> None:
    released, hanging = threading.Event(), threading.Event()

    def blocking(index: int) -> Outcome:
        if index == 3:
            hanging.set()
            released.wait(PATIENCE_S)
        elif index == 4:
            assert hanging.wait(PATIENCE_S)
            press_ctrl_c()
        return ANSWERED

    stages = stage(blocking, requests=1_000_000, concurrency=2, order="sequential")
    try:
        assert stages.run() is True
        assert interrupted(stages) == [("pooled", 3)]
        (outcome,) = [it.outcome for it in stages.exchanges if it.index == 3]
        assert outcome.latency_s > 0
        recorded = len(stages.exchanges)
    finally:
        released.set()
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(PATIENCE_S)
    # Its end, when it comes, is not recorded a second time.
    assert len(stages.exchanges) == recorded


def test_threads_that_wait_for_the_others_are_woken_up() -> None:
    waiting = threading.Semaphore(0)

    def pressing(index: int) -> Outcome:
        if index == 0:
            for _ in range(3):
                assert waiting.acquire(timeout=PATIENCE_S)
            press_ctrl_c()
        else:
            waiting.release()
        return ANSWERED

    stages = stage(pressing, requests=4, concurrency=4)
    assert stages.run() is True
    assert {it.index for it in stages.exchanges if it.arm == "pooled"} == set(range(4))


def test_a_second_ctrl_c_waits_for_nothing_and_keeps_what_was_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine, "GRACE_S", 3600.0)  # the first alone would let it end
    released = threading.Event()

    def blocking(index: int) -> Outcome:
        if index < 3:
            return ANSWERED
        press_ctrl_c()
        assert noticed.wait(PATIENCE_S)
        press_ctrl_c()
        released.wait(PATIENCE_S)
        return ANSWERED

    stages = stage(blocking, requests=10, order="sequential")
    with noticing_ctrl_c() as noticed:
        assert stages.run() is True
        released.set()
    assert stages.order == [("pooled", index) for index in range(4)]
    assert interrupted(stages) == [("pooled", 3)]


def test_ctrl_c_while_the_threads_are_started_is_one_like_any_other() -> None:
    def pressing(_: int) -> Outcome:
        press_ctrl_c()
        return ANSWERED

    stages = stage(pressing, requests=1, arms=(Arm("pooled"),))
    assert stages.run() is True
    assert stages.order == [("pooled", 0)]


def test_a_real_run_can_be_interrupted_and_analysed() -> None:
    def answer_twice(peer: Peer) -> None:
        for _ in range(2):
            peer.answer()
        peer.read_request()
        press_ctrl_c()
        peer.stay()

    with misbehaving(answer_twice) as server:
        measured = benchmark(plan(server.url, arms=(Arm("pooled"),), warmup=0, requests=10))
    assert measured.run_info.interrupted
    (arm,) = analyse(measured).arms
    assert (arm.succeeded, arm.failed, arm.interrupted, arm.not_sent) == (2, 0, 1, 7)
    assert not arm.failures
    assert "interrupted" in {finding.code for finding in analyse(measured).findings}


@pytest.mark.parametrize("processes", [1, 2])
def test_ctrl_c_right_after_the_last_request_loses_nothing(
    monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    def pressing() -> Environment:
        press_ctrl_c()
        return ENVIRONMENT

    # The function of that name hides the module.
    module = sys.modules["keepalive_bench.engine.benchmark"]
    monkeypatch.setattr(module, "describe_environment", pressing)
    with noticing_ctrl_c(), misbehaving(forever()) as server:
        measured = benchmark(plan(server.url, requests=8, processes=processes))
        assert measured.run_info.interrupted
        assert len(measured.exchanges) == 16
        with pytest.raises(KeyboardInterrupt):  # from now on, as ever
            signal.raise_signal(signal.SIGINT)


def test_ctrl_c_in_the_warm_up_is_raised() -> None:
    def pressing(peer: Peer) -> None:
        peer.read_request()
        press_ctrl_c()
        peer.stay()

    with misbehaving(pressing) as server, pytest.raises(KeyboardInterrupt):
        benchmark(plan(server.url, timeout_s=10))
