"""A process of a run that is stopped (SIGSTOP), or only silent, holds the others up for a while."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

import pytest
from support.command import ended, started
from support.misbehaving import Halfway, misbehaving
from support.patience import PATIENCE_S
from support.plans import plan, run
from support.processes import children, linux

from keepalive_bench import Arm
from keepalive_bench.engine.interrupts import Interrupts
from keepalive_bench.engine.processes.coordinator import Coordinator
from keepalive_bench.engine.processes.messages import Failed, Task
from keepalive_bench.engine.processes.worker import LOOK_S, Patience, Worker
from keepalive_bench.engine.schedule import schedule
from keepalive_bench.server import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from keepalive_bench.engine.schedule import Blocks

STOPPED = r"it was stopped \(SIGSTOP\) for \d+\.\d s, longer than the timeout and grace"
pytestmark = pytest.mark.skipif(not hasattr(os, "waitid"), reason="nobody tells who is stopped")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ServerProcess() as server:
        yield server.url


def stop(process: int) -> None:
    """Stop a process, and wait until it is."""
    os.kill(process, signal.SIGSTOP)
    while Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "T":
        time.sleep(0.001)


@linux
@pytest.mark.parametrize(
    ("options", "answers"),
    [
        (("-n", "100"), 60),
        pytest.param(("-n", "100", "--warmup", "1"), 1, marks=pytest.mark.slow),
        pytest.param(("-n", "60", "--rate", "200/s"), 30, marks=pytest.mark.slow),
        pytest.param(("-n", "60", "--traffic", "bursts", "-c", "2"), 30, marks=pytest.mark.slow),
        pytest.param(("-z", "1s"), 60, marks=pytest.mark.slow),
    ],
    ids=["blocks", "warming up", "rate", "bursts", "duration"],
)
def test_a_process_that_stays_stopped_is_lost_and_the_others_results_are_kept(
    tmp_path: Path, options: tuple[str, ...], answers: int
) -> None:
    results, halfway = tmp_path / "run.json", Halfway(answers)
    usual = ("--processes", "2", "--arm", "pooled", "--timeout", "1", "--warmup", "0")
    with (
        misbehaving(halfway) as server,
        started("run", server.url, *usual, *options, "--json", str(results)) as process,
    ):
        assert halfway.reached.wait(PATIENCE_S)
        victim, other = children(process.pid)
        stop(victim)
        halfway.released.set()
        done = ended(process)
    assert (done.code, done.err) == (3, "")
    document = json.loads(results.read_text())
    (lost,) = document["run_info"]["lost"]
    assert lost["process"] == 0
    assert lost["why"].startswith("it was stopped (SIGSTOP) for ")
    kept = {index % 2 for index in document["exchanges"]["columns"]["index"]}
    assert kept == {1}
    assert document["arms"]["pooled"]["succeeded"] > 0
    assert not any(Path(f"/proc/{it}/exe").exists() for it in (victim, other))


@linux
def test_a_process_that_is_continued_in_time_goes_on() -> None:
    halfway = Halfway(40)
    options = ("--processes", "2", "-n", "100", "--arm", "pooled", "--warmup", "0")
    with (
        misbehaving(halfway) as server,
        started("run", server.url, *options) as process,
    ):
        assert halfway.reached.wait(PATIENCE_S)
        victim, _ = children(process.pid)
        stop(victim)
        halfway.released.set()
        with pytest.raises(subprocess.TimeoutExpired):  # it is seen, and waited for
            process.wait(3 * LOOK_S)
        os.kill(victim, signal.SIGCONT)
        done = ended(process)
    assert (done.code, done.err) == (0, "")
    assert "is lost" not in done.out


@pytest.mark.slow
@linux
def test_ctrl_c_ends_a_run_that_waits_for_a_stopped_process(tmp_path: Path) -> None:
    results, halfway = tmp_path / "run.json", Halfway(60)
    options = ("--processes", "2", "-n", "1000", "--arm", "pooled", "--timeout", "1")
    with (
        misbehaving(halfway) as server,
        started("run", server.url, *options, "--json", str(results)) as process,
    ):
        assert halfway.reached.wait(PATIENCE_S)
        stop(children(process.pid)[0])
        process.send_signal(signal.SIGINT)
        done = ended(process)
        halfway.released.set()
    assert (done.code, done.err) == (130, "")
    run_info = json.loads(results.read_text())["run_info"]
    assert run_info["interrupted"] is True
    assert [it["process"] for it in run_info["lost"]] == [0]


@linux
def test_a_process_that_is_stopped_before_it_has_reported_is_lost(url: str) -> None:
    asked = plan(url, processes=2, requests=40, arms=(Arm("pooled"),), timeout_s=1.0)

    def blocks() -> Blocks:
        yield from schedule(asked.experiment)
        stop(coordinator.pids[0])

    with Coordinator(asked) as coordinator:
        assert not coordinator.run(blocks(), time.perf_counter_ns(), Interrupts())
    (lost,) = coordinator.lost
    assert lost.process == 0
    assert re.fullmatch(STOPPED, lost.why)
    assert [len(part.exchanges) for part in coordinator.parts] == [0, 20]


@pytest.fixture
def stopping_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first process of a run stops itself before it has read anything."""
    program = tmp_path / "python"
    stop_first = 'case "$3" in 0) kill -STOP $$;; esac'
    program.write_text(f'#!/bin/sh\n{stop_first}\nexec {sys.executable} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))


@pytest.mark.usefixtures("stopping_itself")
def test_a_process_that_doesn_t_read_a_large_body_holds_nobody_up(url: str) -> None:
    larger_than_a_pipe = {"method": "POST", "body": bytes(2 * 1024 * 1024)}
    measured = run(url, processes=2, requests=10, timeout_s=1.0, **larger_than_a_pipe)
    (lost,) = measured.run_info.lost
    assert lost.process == 0
    assert re.fullmatch(STOPPED, lost.why)
    assert [it.outcome.failure for it in measured.exchanges] == [None] * 10


@pytest.mark.usefixtures("stopping_itself")
def test_a_stopped_process_is_ended_by_force() -> None:
    inbox: SimpleQueue[tuple[int, object]] = SimpleQueue()
    task = Task(plan=plan("http://127.0.0.1/"), folder=Path())
    worker = Worker(0, task, inbox)
    while worker.stopped_by() is None:
        time.sleep(0.001)
    worker.hang_up()
    worker.end(0.01)
    assert inbox.get(timeout=10) == (0, Failed("it was ended by SIGKILL"))
    assert worker.stopped_by() is None
    with pytest.raises(ProcessLookupError):
        os.kill(worker.pid, 0)


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def looks(
    states: Iterable[tuple[float, set[int]]], *, halted: bool = False, limit_s: float = 5.0
) -> dict[int, str]:
    """What comes of looks at three processes: each so long after the last, some being stopped."""
    clock = Clock()
    patience = Patience(limit_s, clock)
    for passed_s, stopped in states:
        clock.now_s += passed_s
        by = dict.fromkeys(stopped, signal.SIGTSTP)
        if given_up := patience.look({0, 1, 2}, by.get, halted=halted):
            return given_up
    return {}


def test_a_process_that_is_stopped_for_too_long_is_given_up() -> None:
    given_up = looks([(0.6, {1})] * 100)
    assert given_up == {
        1: "it was stopped (SIGTSTP) for 5.4 s, longer than the timeout and grace",
    }


@pytest.mark.parametrize(
    "states",
    [
        [(0.6, {0, 2})] * 9,
        [(0.6, {1})] * 9 + [(0.6, set())] + [(0.6, {1})] * 9,
        [(0.6, set()), (86_400.0, {1}), (0.6, {1})],
        [(0.6, {1}), (86_400.0, {1}), (0.6, {1})],
        [(0.6, set())] * 1000,
    ],
    ids=["not yet", "continued", "asleep before", "asleep meanwhile", "never stopped"],
)
def test_no_other_process_is_given_up(states: list[tuple[float, set[int]]]) -> None:
    assert looks(states) == {}


def test_processes_that_were_told_to_stop_may_be_silent_for_ten_seconds() -> None:
    given_up = looks([(0.6, {1})] * 100, halted=True, limit_s=100.0)
    silent = "it said nothing for 10 s after it was told to stop"
    assert given_up == {0: silent, 1: f"{silent}, because it was stopped (SIGTSTP)", 2: silent}


def test_who_says_something_has_more_time() -> None:
    clock = Clock()
    patience = Patience(100.0, clock)
    for _ in range(100):
        clock.now_s += 0.6
        assert not patience.look({0}, lambda _: None, halted=True)
        patience.heard()


def test_a_look_that_comes_too_soon_looks_at_nothing() -> None:
    clock = Clock()
    looked: list[int] = []
    patience = Patience(100.0, clock)
    for _ in range(1000):
        clock.now_s += 0.001
        patience.look({0}, looked.append, halted=False)
    assert len(looked) == 1
