"""Signals that reach a process of a run, and not the one that directs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from itertools import count
from queue import SimpleQueue
from typing import TYPE_CHECKING

import pytest
from support.command import COMMAND, ended, environment, started
from support.misbehaving import ANSWER, Halfway, forever, misbehaving
from support.patience import PATIENCE_S
from support.plans import run
from support.processes import children, linux

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.misbehaving import Peer

pytestmark = linux
TWO = ("--processes", "2", "-n", "100", "--arm", "pooled", "--warmup", "0", "--seed", "1")


@pytest.mark.parametrize(
    "sent", [signal.SIGTERM, pytest.param(signal.SIGHUP, marks=pytest.mark.slow)]
)
def test_a_process_that_is_told_to_end_ends_the_run_and_loses_nothing(
    tmp_path: Path, sent: signal.Signals
) -> None:
    results, halfway = tmp_path / "run.json", Halfway(60)
    with (
        misbehaving(halfway) as server,
        started("run", server.url, *TWO, "--json", str(results)) as process,
    ):
        assert halfway.reached.wait(PATIENCE_S)
        os.kill(children(process.pid)[0], sent)
        done = ended(process)
        halfway.released.set()
    assert (done.code, done.err) == (130, "")
    assert "The run was interrupted" in " ".join(done.out.split())
    document = json.loads(results.read_text())
    assert (document["run_info"]["interrupted"], document["run_info"]["lost"]) == (True, [])
    assert document["arms"]["pooled"]["succeeded"] == 60
    assert list(tmp_path.iterdir()) == [results]


@pytest.mark.parametrize(
    "to_all",
    [pytest.param(True, marks=pytest.mark.slow), False],
    ids=["with their coordinator", "without"],
)
def test_a_signal_that_all_processes_get_lets_requests_end(tmp_path: Path, *, to_all: bool) -> None:
    """As systemd and container runtimes send it."""
    results, halfway = tmp_path / "run.json", Halfway(60)
    with (
        misbehaving(halfway) as server,
        started("run", server.url, *TWO, "--json", str(results)) as process,
    ):
        assert halfway.reached.wait(PATIENCE_S)
        for pid in [*children(process.pid), *[process.pid] * to_all]:
            os.kill(pid, signal.SIGTERM)
        halfway.released.set()
        done = ended(process)
    assert (done.code, done.err) == (130, "")
    document = json.loads(results.read_text())
    assert document["run_info"]["lost"] == []
    arm = document["arms"]["pooled"]
    assert arm["failed"] == 0
    assert arm["succeeded"] >= 61


@pytest.mark.slow
def test_a_signal_that_was_ignored_when_kab_started_stays_so() -> None:
    """As under nohup."""
    halfway = Halfway(60)
    with misbehaving(halfway) as server:
        process = subprocess.Popen(
            ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *COMMAND, "run", server.url, *TWO],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env=environment(),
        )
        assert halfway.reached.wait(PATIENCE_S)
        for victim in children(process.pid):
            os.kill(victim, signal.SIGHUP)
        halfway.released.set()
        done = ended(process)
    assert (done.code, done.err) == (0, "")


def test_ctrl_c_is_none_of_their_business() -> None:
    halfway = Halfway(60)
    with misbehaving(halfway) as server, started("run", server.url, *TWO) as process:
        assert halfway.reached.wait(PATIENCE_S)
        for victim in children(process.pid):
            os.kill(victim, signal.SIGINT)
        halfway.released.set()
        done = ended(process)
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_at_a_process_s_birth_is_not_lost_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: signal.Signals
) -> None:
    """Before Python has started in it."""
    program = tmp_path / "python"
    signal_first = f'case "$3" in 0) kill -{int(sent)} $$;; esac'
    program.write_text(f'#!/bin/sh\n{signal_first}\nexec {sys.executable} "$@"\n')
    program.chmod(0o755)
    with misbehaving(forever()) as server:
        monkeypatch.setattr(sys, "executable", str(program))
        measured = run(server.url, processes=2, requests=20)
    assert measured.run_info.lost == ()
    assert measured.run_info.interrupted is (sent is not signal.SIGINT)
    assert sent is not signal.SIGINT or len(measured.exchanges) == 40


class AtRequest:
    """Answers all requests; before that of a given number, something is done."""

    def __init__(self, number: int, act: Callable[[], None]) -> None:
        self._numbers, self._number, self._act = count(1), number, act

    def __call__(self, peer: Peer) -> None:
        while peer.read_request():
            if next(self._numbers) == self._number:
                self._act()
            peer.socket.sendall(ANSWER)


@pytest.mark.slow
@pytest.mark.parametrize("number", [1, 2, 3, 4, 23, 42])
def test_whenever_processes_are_told_to_end_nothing_is_lost(tmp_path: Path, number: int) -> None:
    """While warming up (the first three requests), and up to the last request of all.

    All may be told before any has measured something; a run that had begun is written then, too.
    """
    results = tmp_path / "run.json"
    options = ("--processes", "3", "-n", "39", "--arm", "pooled", "--json", str(results))
    pid: SimpleQueue[int] = SimpleQueue()

    def act() -> None:
        for victim in children(pid.get()):
            os.kill(victim, signal.SIGTERM)

    script = AtRequest(number, act)
    with misbehaving(script) as server, started("run", server.url, *options) as process:
        pid.put(process.pid)
        done = ended(process)
    assert done.code == 130
    is_nothing = number <= 3 and "Nothing was measured" in done.err
    assert is_nothing or done.err == ""
    if is_nothing and not results.exists():
        return
    document = json.loads(results.read_text())
    assert (document["run_info"]["interrupted"], document["run_info"]["lost"]) == (True, [])
    assert document["arms"]["pooled"]["failed"] == 0
    assert document["arms"]["pooled"]["succeeded"] >= number - 3
