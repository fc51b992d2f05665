"""Ctrl-C shows and writes what was measured so far; a second one ends at once."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from support.command import called, ended, next_line, started
from support.misbehaving import Halfway, misbehaving
from support.patience import PATIENCE_S
from support.scripted_server import answering, response

from keepalive_bench.errors import ENDING_SIGNALS
from keepalive_bench.report import verbose
from keepalive_bench.server import Behaviour, ServerProcess, ServerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ENDLESS = ("-n", "100000", "--verbose")
_INTERRUPTED_IMPORT = """
import os, signal, sys
from importlib.machinery import PathFinder
from keepalive_bench.__main__ import main

class Finder(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        found = super().find_spec(name, path, target)
        if name == "keepalive_bench.cli.output_file":
            found.loader.exec_module = lambda _: os.kill(os.getpid(), signal.SIGINT)
        return found

sys.meta_path.insert(0, Finder)
main()
"""


@pytest.fixture(scope="module")
def slow_server() -> Iterator[ServerProcess]:
    with ServerProcess(ServerSettings(behaviour=Behaviour(delay_s=0.02))) as process:
        yield process


@pytest.mark.parametrize("sent", ENDING_SIGNALS)
def test_ctrl_c_shows_and_writes_what_was_measured(
    slow_server: ServerProcess, tmp_path: Path, sent: signal.Signals
) -> None:
    results = tmp_path / "run.json"
    with started("run", slow_server.url, *_ENDLESS, "--json", str(results)) as process:
        seen = "".join(next_line(process) for _ in range(6))
        process.send_signal(sent)
        done = ended(process, seen)
    assert done.code == 130
    assert "Traceback" not in done.err
    assert "latency mean" in done.out
    assert "The run was interrupted after" in done.out
    document = json.loads(results.read_text())
    assert document["run_info"]["interrupted"] is True
    lines = [line for line in done.lines if line.startswith(("pooled #", "unpooled #"))]
    assert document["exchanges"]["count"] == len(lines) >= 6
    assert list(tmp_path.iterdir()) == [results]


def test_a_closed_terminal_loses_nothing_with_nohup_or_without(
    slow_server: ServerProcess, tmp_path: Path
) -> None:
    results = tmp_path / "run.json"
    arguments = ("run", slow_server.url, "-n", "20", "--verbose", "--json", str(results))
    with started(*arguments, with_nohup=True) as process:
        seen = "".join(next_line(process) for _ in range(6))
        process.send_signal(signal.SIGHUP)
        done = ended(process, seen)
    assert (done.code, done.err) == (0, "")
    assert json.loads(results.read_text())["exchanges"]["count"] == 40


_DEADLY = ("SIGQUIT", "SIGUSR1")
_AS_DEADLY = ("SIGUSR2", "SIGALRM", "SIGXCPU", "SIGVTALRM", "SIGPROF")


@pytest.mark.parametrize(
    "name", [*_DEADLY, *(pytest.param(name, marks=pytest.mark.slow) for name in _AS_DEADLY)]
)
def test_what_ends_kab_at_once_leaves_no_draft(
    slow_server: ServerProcess, tmp_path: Path, name: str
) -> None:
    sent = signal.Signals[name]
    files = ("--json", str(tmp_path / "run.json"), "--csv", str(tmp_path / "run.csv.gz"))
    with started("run", slow_server.url, *_ENDLESS, *files) as process:
        seen = next_line(process)
        assert len(list(tmp_path.iterdir())) == 2
        process.send_signal(sent)
        done = ended(process, seen)
    assert done.code == -sent
    assert not list(tmp_path.iterdir())


def test_a_signal_that_is_ignored_stays_so(slow_server: ServerProcess, tmp_path: Path) -> None:
    before = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    try:
        options = ("-n", "20", "--verbose", "--json", str(tmp_path / "run.json"))
        with started("run", slow_server.url, *options) as process:
            seen = next_line(process)
            process.send_signal(signal.SIGUSR1)
            done = ended(process, seen)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert done.code == 0
    assert [it.name for it in tmp_path.iterdir()] == ["run.json"]


def test_ctrl_c_with_results_on_standard_output_still_leaves_whole_json(
    slow_server: ServerProcess,
) -> None:
    with started("run", slow_server.url, *_ENDLESS, "--json", "-") as process:
        assert process.stderr is not None
        assert "#" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        done = ended(process)
    assert done.code == 130
    assert json.loads(done.out)["run_info"]["interrupted"] is True


def test_what_hangs_when_ctrl_c_comes_is_counted_as_interrupted(tmp_path: Path) -> None:
    results = tmp_path / "run.json"
    arguments = ("--arm", "pooled", "--warmup", "0", "--json", str(results))
    with (
        answering(response(), None) as server,
        started("run", server.url, *_ENDLESS, *arguments) as process,
    ):
        assert server.held.wait(PATIENCE_S)
        process.send_signal(signal.SIGINT)
        done = ended(process)
    assert done.code == 130
    arm = json.loads(results.read_text())["arms"]["pooled"]
    assert (arm["succeeded"], arm["failed"], arm["interrupted"]) == (1, 0, 1)
    assert arm["not_sent"] == 100_000 - 2
    assert "pooled #1  -  -  0 B  connection -  " in done.out
    assert "failed: " not in done.out


ANSWERS, THREADS = 400, 8


@pytest.mark.parametrize(
    "options",
    [
        ("run", "-c", "8"),
        ("run", "--processes", "2", "-c", "4"),
        ("run", "--rate", "2000/s", "-c", "8"),
        ("sweep", "-c", "8", "--maxsize", "1,8"),
        pytest.param(
            ("sweep", "-c", "8", "--maxsize", "1,8", "--block", "--traffic", "steady"),
            marks=pytest.mark.slow,
        ),
        pytest.param(("sweep", "--concurrency", "4,8"), marks=pytest.mark.slow),
    ],
    ids=" ".join,
)
def test_what_is_cut_off_is_no_failure_and_leaves_the_arms_comparable(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    """The server answers some, and then holds all: as many of one arm only as there are threads."""
    results, halfway = tmp_path / "run.json", Halfway(ANSWERS)
    command, *rest = options
    common = ("--json", str(results), "--require", "failed==0", "--require", "interrupted>=1")
    requests = () if command == "sweep" else ("--warmup", "0")
    with (
        misbehaving(halfway) as server,
        started(command, server.url, "-n", "100000", *rest, *requests, *common) as process,
    ):
        assert halfway.reached.wait(60)
        process.send_signal(signal.SIGINT)
        done = ended(process)
        halfway.released.set()
    assert (done.code, done.err) == (130, "")
    document = json.loads(results.read_text())
    arms = document["arms"].values()
    assert {arm["failed"] for arm in arms} == {0}
    assert not any(arm["failures"] for arm in arms)
    assert 1 <= sum(arm["interrupted"] for arm in arms) <= THREADS
    # Each thread has one under way at most, whose answer may come too late to be read.
    assert ANSWERS - THREADS <= sum(arm["succeeded"] for arm in arms) <= ANSWERS
    for arm in arms:
        ended_or_not = ("succeeded", "failed", "interrupted", "not_sent")
        assert sum(arm[name] for name in ended_or_not) == arm["requests"]
    codes = {finding["code"] for finding in document["findings"]}
    assert "interrupted" in codes
    assert not codes & {"requests-failed", "after-error"}
    assert document["verdict"]["code"] not in {"not-comparable", "not-measured"}
    assert {it["status"] for it in document["requirements"]} == {"met"}
    assert "failed: " not in done.out


def test_interrupted_comes_before_nothing_measured() -> None:
    with (
        answering(None) as server,
        started("run", server.url, "--arm", "pooled", "--warmup", "0") as process,
    ):
        assert server.held.wait(PATIENCE_S)
        process.send_signal(signal.SIGINT)
        done = ended(process)
    assert (done.code, done.out) == (130, "")
    assert done.err.count("\n") == 1
    assert "interrupted" in done.err


def test_ctrl_c_while_warming_up_leaves_no_file(tmp_path: Path) -> None:
    with (
        answering(None) as server,
        started("run", server.url, "--json", str(tmp_path / "run.json")) as process,
    ):
        assert server.held.wait(PATIENCE_S)
        process.send_signal(signal.SIGINT)
        done = ended(process)
    assert (done.code, done.out, done.err.strip()) == (130, "", "Interrupted.")
    assert not list(tmp_path.iterdir())


def test_ctrl_c_while_what_writes_files_is_imported_is_no_traceback() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _INTERRUPTED_IMPORT, "run", "http://127.0.0.1:1/"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Interrupted.\n")


def test_a_second_ctrl_c_loses_nothing_either(tmp_path: Path) -> None:
    results = tmp_path / "run.json"
    arguments = ("--arm", "pooled", "--warmup", "0", "--json", str(results))
    with (
        answering(response(), None) as server,
        started("run", server.url, "-n", "9", *arguments) as process,
    ):
        assert server.held.wait(PATIENCE_S)
        process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):  # the first lets what is under way end
            process.wait(0.2)
        process.send_signal(signal.SIGINT)
        done = ended(process)
    assert (done.code, done.err.strip()) == (130, "")
    arm = json.loads(results.read_text())["arms"]["pooled"]
    counts = [arm[name] for name in ("succeeded", "failed", "interrupted", "not_sent")]
    assert counts == [1, 0, 1, 7]


def test_ctrl_c_ends_a_list_of_responses_and_loses_no_result(
    slow_server: ServerProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressing(*_: object) -> str:
        signal.raise_signal(signal.SIGINT)
        return "a line"

    monkeypatch.setattr(verbose, "exchange_line", pressing)
    results = tmp_path / "run.json"
    options = ("-n", "4", "--processes", "2", "-v", "--json", str(results))
    done = called("run", slow_server.url, *options)
    assert done.code == 0
    assert done.lines.count("a line") == 1
    assert json.loads(results.read_text())["exchanges"]["count"] == 8


def test_hammering_ctrl_c_gives_no_traceback() -> None:
    with (
        answering(response(), None) as server,
        started("run", server.url, "--arm", "pooled", "--warmup", "0") as process,
    ):
        assert server.held.wait(PATIENCE_S)
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            time.sleep(0.002)
        done = ended(process)
    assert "Traceback" not in done.err
    assert done.code in {130, -signal.SIGINT}
