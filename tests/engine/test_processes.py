"""Several processes that share a run: real ones, on real servers that count for themselves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from server.wire import serving
from support.command import called, started
from support.misbehaving import ANSWER, Halfway, Peer, forever, misbehaving
from support.patience import PATIENCE_S
from support.plans import plan, run
from support.processes import children, linux, peak_bytes

from keepalive_bench import Arm, Load, Tls, UsageError, analyse, benchmark
from keepalive_bench.engine.processes.worker import ending
from keepalive_bench.server import CERTIFICATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench import Run

TWO = {"processes": 2, "concurrency": 2}
ONE_ARM = (Arm("pooled"),)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving() as server:
        yield server.url


def check_merged(measured: Run, accepts: int) -> None:
    """All is there once, in the order of time, and fits together; and the server agrees."""
    exchanges, connections = list(measured.exchanges), list(measured.connections)
    warmed_up = sum(warmup.connections for warmup in measured.warmup.values())
    assert accepts == len(connections) + warmed_up
    rounds = [it.round for it in exchanges]
    assert rounds == sorted(rounds)
    carried = Counter(it.outcome.connection for it in exchanges)
    for row, connection in enumerate(connections):
        assert carried[row] == connection.exchanges
    by: dict[int, set[int]] = {}
    for it in exchanges:
        assert it.outcome.connection is not None
        assert connections[it.outcome.connection].arm == it.arm
        by.setdefault(it.outcome.connection, set()).add(it.index % processes_of(measured))
    assert all(len(processes) == 1 for processes in by.values())  # no pool is shared


def processes_of(measured: Run) -> int:
    return measured.plan.experiment.processes


@pytest.mark.parametrize(
    ("processes", "options"),
    [
        (3, {"concurrency": 2, "requests": 60}),
        pytest.param(2, {"concurrency": 4, "maxsize": 1, "requests": 80}, marks=pytest.mark.slow),
        pytest.param(
            2, {"concurrency": 2, "requests": 61, "order": "sequential"}, marks=pytest.mark.slow
        ),
        (2, {"concurrency": 2, "requests": 18, "load": Load(traffic="bursts")}),
        pytest.param(5, {"requests": 3}, marks=pytest.mark.slow),
    ],
    ids=["blocks", "contention", "sequential", "bursts", "fewer requests than processes"],
)
def test_every_request_is_sent_once_and_the_server_counts_the_same(
    processes: int, options: dict[str, Any]
) -> None:
    with serving() as server:
        measured = run(server.url, processes=processes, **options)
        accepts = server.stop().accepts
    requests = measured.plan.experiment.requests
    assert {warmup.requests for warmup in measured.warmup.values()} == {processes}
    for arm in analyse(measured).arms:
        assert (arm.succeeded, arm.failed, arm.not_sent) == (requests, 0, 0)
        indexes = sorted(it.index for it in measured.exchanges if it.arm == arm.label)
        assert indexes == list(range(requests))
    assert measured.run_info.cpu_s > 0
    check_merged(measured, accepts)


def test_each_process_has_a_pool_of_its_own_and_a_slot_is_one_process_s(url: str) -> None:
    analysis = analyse(run(url, **TWO, requests=100))
    pooled, unpooled = analysis.arms
    assert 2 <= pooled.connections <= 4
    assert pooled.reopened == 0
    assert pooled.counters == (pooled.connections, 100)
    assert unpooled.reason_counts["by-design"] == 100 - unpooled.reason_counts["first-use"]


@pytest.mark.slow
def test_a_run_can_be_repeated(url: str) -> None:
    def order() -> list[str]:
        arms: dict[int, list[str]] = {}
        for it in run(url, **TWO, requests=240).exchanges:
            if it.arm not in arms.setdefault(it.round, []):
                arms[it.round].append(it.arm)
        return [arm for number in sorted(arms) for arm in arms[number]]

    assert order() == order()


def test_processes_share_one_schedule(url: str) -> None:
    measured = run(url, **TWO, requests=120, load=Load(rate=400))
    blocks: dict[tuple[str, int, int], list[float]] = {}
    for it in measured.exchanges:  # each process takes up what it is behind with by itself
        blocks.setdefault((it.arm, it.round, it.index % 2), []).append(it.outcome.began_s)
    assert len(blocks) == 2 * 2 * 3
    for starts in blocks.values():
        starts.sort()
        gaps = [after - before for before, after in pairwise(starts)]
        assert gaps == pytest.approx([2 / 400] * len(gaps), abs=1e-6)


def test_the_threads_of_all_processes_start_a_burst_together() -> None:
    together = threading.Barrier(4)

    def script(peer: Peer) -> None:
        while peer.read_request():
            together.wait(PATIENCE_S)  # passes only when four are under way
            peer.socket.sendall(ANSWER)

    bursts = Load(traffic="bursts", think_s=(0.01, 0.01))
    with misbehaving(script) as server:
        measured = run(
            server.url, **TWO, requests=12, arms=ONE_ARM, load=bursts, warmup=0, timeout_s=20
        )
    assert [it.outcome.failure for it in measured.exchanges] == [None] * 12
    ended_s = 0.0
    for burst in range(3):
        own = [it.outcome for it in measured.exchanges if it.index // 4 == burst]
        assert min(it.began_s for it in own) >= ended_s
        ended_s = max(it.began_s + it.latency_s for it in own) + 0.01


@pytest.mark.slow
@pytest.mark.parametrize("order", ["paired", "sequential"])
@pytest.mark.slow
def test_a_duration_ends_all_of_them(url: str, order: str) -> None:
    measured = run(url, **TWO, duration_s=0.5, order=order)
    due = measured.run_info.requests
    assert due is not None
    assert 0.5 <= measured.run_info.wall_s < 3
    for arm in analyse(measured).arms:
        assert (arm.succeeded, arm.failed, arm.not_sent) == (due[arm.label], 0, 0)
        assert arm.succeeded > 10


@pytest.mark.slow
def test_a_precision_ends_all_of_them(url: str) -> None:
    due = run(url, **TWO, precision=0.5).run_info.requests
    assert due is not None
    assert 0 < due["pooled"] == due["unpooled"] < 10_000


def test_an_arm_that_is_never_answered_is_stopped_in_each_process() -> None:
    with misbehaving(lambda peer: peer.close()) as server:
        analysis = analyse(run(server.url, processes=2, requests=40, warmup=0, arms=ONE_ARM))
    assert (analysis.first.failed, analysis.first.not_sent) == (10, 30)


def test_a_file_that_can_t_be_used_is_refused_before_any_process_begins(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nothing\.pem"):
        benchmark(plan("https://127.0.0.1:9/", processes=2, ca_file=tmp_path / "nothing.pem"))


def test_relative_names_of_files_mean_what_they_mean_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(tls=True) as server:
        (tmp_path / "own.pem").write_bytes(CERTIFICATE.read_bytes())
        monkeypatch.chdir(tmp_path)
        tls = Tls(ca_file=Path("own.pem"))
        analysis = analyse(run(server.url, processes=2, requests=20, ca_file=tls.ca_file))
    assert [arm.succeeded for arm in analysis.arms] == [20, 20]


@linux
def test_of_a_process_that_dies_the_others_results_are_kept(tmp_path: Path) -> None:
    results, halfway = tmp_path / "run.json", Halfway(60)
    options = ("--processes", "2", "-n", "100", "--arm", "pooled", "--json", str(results))
    with (
        misbehaving(halfway) as server,
        started("run", server.url, *options, "--warmup", "0", "--seed", "1") as process,
    ):
        assert halfway.reached.wait(PATIENCE_S)
        victim, _ = children(process.pid)
        os.kill(victim, signal.SIGKILL)
        halfway.released.set()
        out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, err) == (3, "")
    document = json.loads(results.read_text())
    (lost,) = document["run_info"]["lost"]
    assert lost["why"] == "it was ended by SIGKILL"
    arm = document["arms"]["pooled"]
    assert (arm["succeeded"], arm["failed"], arm["not_sent"]) == (50, 0, 50)
    kept = {index % 2 for index in document["exchanges"]["columns"]["index"]}
    assert kept == {1 - lost["process"]}
    number = lost["process"]
    said = f"Process {number} of 2 (counted from 0) was lost: it was ended by SIGKILL."
    assert said in " ".join(out.split())
    again = called("report", str(results))
    assert (again.code, again.out) == (3, out)


@pytest.mark.slow
@linux
def test_when_all_die_nothing_is_measured_and_that_is_said() -> None:
    halfway = Halfway(5)
    with (
        misbehaving(halfway) as server,
        started("run", server.url, "--processes", "2", "--warmup", "0") as process,
    ):
        assert halfway.reached.wait(PATIENCE_S)
        for victim in children(process.pid):
            os.kill(victim, signal.SIGKILL)
        out, err = process.communicate(timeout=PATIENCE_S)
        halfway.released.set()
    assert (process.returncode, out) == (1, "")
    assert "SIGKILL" in err
    assert "Traceback" not in err


@linux
def test_the_processes_end_with_the_one_that_directs_them() -> None:
    halfway = Halfway(5)
    with (
        misbehaving(halfway) as server,
        started("run", server.url, "--processes", "2", "--warmup", "0") as process,
    ):
        assert halfway.reached.wait(PATIENCE_S)
        measuring = children(process.pid)
        assert len(measuring) == 2
        process.kill()
        process.wait(PATIENCE_S)
        halfway.released.set()
        deadline = time.monotonic() + PATIENCE_S
        while any(Path(f"/proc/{it}/exe").exists() for it in measuring):
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.mark.slow
@linux
@pytest.mark.parametrize("when", ["warming up", "measuring for a time"])
@pytest.mark.slow
def test_a_process_that_dies_makes_the_run_a_partial_one(when: str) -> None:
    halfway = Halfway(1 if when == "warming up" else 40)
    options = ("--processes", "2", "--arm", "pooled", "-z", "5s", "--think-time", "10ms")
    with (
        misbehaving(halfway) as server,
        started("run", server.url, *options) as process,
    ):
        assert halfway.reached.wait(PATIENCE_S)
        os.kill(children(process.pid)[0], signal.SIGKILL)
        halfway.released.set()
        out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, err) == (3, "")
    assert "was lost: it was ended by SIGKILL." in " ".join(out.split())


@pytest.mark.slow
@pytest.mark.parametrize(
    "load", [Load(rate=200), Load(traffic="bursts", think_s=(0.2, 0.2))], ids=["rate", "bursts"]
)
@pytest.mark.slow
def test_arms_one_after_the_other_share_a_time(url: str, load: Load) -> None:
    measured = run(url, **TWO, duration_s=3.0, order="sequential", load=load)
    assert 1.5 < measured.run_info.wall_s < PATIENCE_S  # and not a billion requests' time
    pooled, unpooled = analyse(measured).arms
    assert min(pooled.succeeded, unpooled.succeeded) >= 4


def test_an_arm_that_is_stopped_is_not_waited_for() -> None:
    with misbehaving(lambda peer: peer.close()) as server:
        began = time.monotonic()
        options = {"order": "sequential", "requests": 3600, "warmup": 0, "load": Load(rate=40)}
        analysis = analyse(run(server.url, **TWO, **options))
    assert time.monotonic() - began < 60  # all of it would take three minutes
    assert all(arm.succeeded == 0 and arm.not_sent > 3500 for arm in analysis.arms)


def test_processes_do_without_standard_streams(url: str) -> None:
    command = f"{sys.executable} -m keepalive_bench run {url} -n 4 --processes 2 --json -"
    done = subprocess.run(
        ["sh", "-c", f"{command} 2>&- <&-"], stdout=subprocess.PIPE, check=False, timeout=60
    )
    assert done.returncode == 0
    assert json.loads(done.stdout)["run_info"]["lost"] == []


@pytest.mark.parametrize("presses", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_ctrl_c_keeps_what_all_of_them_measured(tmp_path: Path, presses: int) -> None:
    results, halfway = tmp_path / "run.json", Halfway(50)
    options = ("--processes", "2", "-n", "100000", "--json", str(results), "--warmup", "0")
    with (
        misbehaving(halfway) as server,
        started("run", server.url, *options) as process,
    ):
        assert halfway.reached.wait(PATIENCE_S)
        for _ in range(presses):
            process.send_signal(signal.SIGINT)
            time.sleep(0.1)
        out, err = process.communicate(timeout=PATIENCE_S)
        halfway.released.set()
    assert (process.returncode, err) == (130, "")
    document = json.loads(results.read_text())
    assert document["run_info"]["interrupted"]
    assert document["run_info"]["lost"] == []
    arms = document["arms"].values()
    # An answer that is sent as the signal comes may be too late to be read: one a process.
    assert sum(arm["succeeded"] for arm in arms) in {49, 50}
    assert sum(arm["interrupted"] for arm in arms) in {1, 2}
    assert sum(arm["failed"] for arm in arms) == 0
    assert "The run was interrupted" in " ".join(out.split())


def test_the_report_says_how_many_and_v_has_a_line_for_each_response() -> None:
    with misbehaving(forever()) as server:
        options = ("--processes", "2", "-c", "2", "-n", "40", "-v", "--no-plot")
        done = called("run", server.url, *options)
    assert done.code == 0, done.text
    assert "2 processes, each with 2 at a time and maxsize 2" in " ".join(done.out.split())
    assert "84 requests in all, warm-ups included" in done.out
    assert sum(line.startswith(("pooled #", "unpooled #")) for line in done.lines) == 80


def test_a_number_of_processes_that_makes_no_sense_is_refused() -> None:
    done = called("run", "http://127.0.0.1:9/", "--processes", "0")
    assert (done.code, done.err) == (2, "Error: processes must be from 1 to 256, not 0.\n")


def test_how_a_process_ended_is_told_in_words() -> None:
    assert ending(-9) == "it was ended by SIGKILL"
    assert ending(-99) == "it was ended by signal 99"
    assert ending(3) == "it ended by itself, with exit code 3"


_RUN = """
import sys
from keepalive_bench import Arm, Experiment, Plan, Target, benchmark
two = {"processes": 2, "concurrency": 2}
experiment = Experiment(requests=int(sys.argv[2]), arms=(Arm("pooled"),), **two)
run = benchmark(Plan(Target(sys.argv[1]), experiment=experiment))
assert len(run.exchanges) == experiment.requests
"""


@pytest.mark.slow
@linux
def test_a_process_keeps_no_exchange_that_it_has_sent(url: str) -> None:
    held, few, many = [], 4_000, 64_000
    for requests in (few, many):
        peaks: dict[int, int] = {}
        with subprocess.Popen([sys.executable, "-c", _RUN, url, str(requests)]) as process:
            while process.poll() is None:
                for child in children(process.pid):
                    peaks[child] = max(peaks.get(child, 0), peak_bytes(child))
                time.sleep(0.05)
        assert process.returncode == 0
        assert len(peaks) == 2
        held.append(min(peaks.values()))
    assert held[1] - held[0] < (many - few) / 2 * 75 / 2  # kept, an exchange would take 75 bytes


@pytest.mark.slow
def test_a_slow_server_is_waited_for_by_all_of_them() -> None:
    with serving(delay_s=0.05) as server:
        measured = run(server.url, **TWO, requests=40)
    assert all(it.outcome.latency_s >= 0.05 for it in measured.exchanges)
