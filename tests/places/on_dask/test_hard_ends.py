"""Workers that hang or are killed, a scheduler that dies, and what all of them get to know."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.command import PROGRESS, ended, kab, started
from support.dask_cluster import ENDLESS, Cluster, cluster, until

from keepalive_bench.server import Server, ServerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
NAMES = ("one", "two")


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path, *NAMES) as made:
        yield made


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(ServerSettings()) as made:
        yield made


def said(text: str) -> str:
    """A report as one line, however it is wrapped."""
    return " ".join(text.split())


def test_a_frozen_worker_is_lost_when_no_run_can_take_so_long(
    workers: Cluster, server: Server
) -> None:
    words = ("run", server.url, "--duration", "2s", "-t", "1", "--dask", workers.address)
    with started(*words) as process:
        until(lambda: server.stats.requests > 10, "places measure, and it is known of each")
        workers.worker("two").send_signal(signal.SIGSTOP)
        done = ended(process)
    assert done.code == 3
    assert "two is lost. It said nothing for longer than its run can take." in said(done.out)
    before = server.stats.requests
    workers.worker("two").send_signal(signal.SIGCONT)
    until(workers.is_idle, "tasks and clients are gone")
    until(lambda: not workers.measuring(), "nobody measures")
    assert server.stats.requests == before


def test_a_frozen_worker_is_told_of_before_anything_is_sent(
    workers: Cluster, server: Server
) -> None:
    workers.worker("two").send_signal(signal.SIGSTOP)
    done = kab("run", server.url, "-n", "3", "--dask", workers.address)
    assert done.code == 1
    assert done.err == "Error: Dask workers don't answer for 15.0 s: two.\n"
    assert server.stats.requests == 0


def test_the_second_ctrl_c_waits_for_nobody(workers: Cluster, server: Server) -> None:
    words = ("run", server.url, *ENDLESS, "--dask", workers.address)
    with started(*words, env=PROGRESS) as process:
        until(lambda: server.stats.requests > 100, "places measure")
        workers.worker("two").send_signal(signal.SIGSTOP)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        while "one was interrupted." not in process.stderr.readline():
            pass
        process.send_signal(signal.SIGINT)
        done = ended(process)
    assert done.code == 130
    assert "two is lost. It was stopped before its result arrived." in said(done.out)
    assert "1 place sent " in done.out
    workers.worker("two").send_signal(signal.SIGCONT)
    until(lambda: not workers.measuring(), "nobody measures")


def test_a_scheduler_that_dies_loses_all_places_and_stops_them(
    workers: Cluster, server: Server
) -> None:
    words = ("run", server.url, *ENDLESS, "--dask", workers.address)
    with started(*words) as process:
        until(lambda: server.stats.requests > 100, "places measure")
        workers.processes["scheduler"].kill()
        done = ended(process)
    assert done.code == 1
    assert "one is lost. The Dask scheduler is gone." in said(done.out)
    assert "Traceback" not in done.text
    assert "ERROR" not in done.text
    until(lambda: not workers.measuring(), "nobody measures")


def test_a_scheduler_that_hangs_keeps_nobody_from_leaving(workers: Cluster, server: Server) -> None:
    words = ("run", server.url, *ENDLESS, "--dask", workers.address)
    with started(*words) as process:
        until(lambda: server.stats.requests > 100, "places measure")
        workers.processes["scheduler"].send_signal(signal.SIGSTOP)
        done = ended(process)
    assert done.code == 1
    assert "one is lost. The Dask scheduler is gone." in said(done.out)


def test_a_task_goes_to_no_other_worker_when_its_own_was_killed(
    workers: Cluster, server: Server
) -> None:
    words = ("run", server.url, "--duration", "8s", "--dask", workers.address)
    with started(*words) as process:
        until(lambda: len(workers.measuring()) == len(NAMES), "places measure")
        workers.start_worker("free")
        workers.joined(len(NAMES) + 1)
        workers.worker("two").kill()
        done = ended(process)
    assert done.code == 3
    assert "two is lost. Its worker died, or left the cluster." in said(done.out)
    assert "1 place sent " in done.out
    assert workers.given("free") == []


def test_no_task_runs_again_under_the_name_of_a_worker_that_was_killed(
    workers: Cluster, server: Server
) -> None:
    """Whoever directs is stopped meanwhile, and so can't know that it was another for a while."""
    port = f"{workers.asked(lambda dask_worker: dask_worker.port)['two']}"
    words = ("run", server.url, "--duration", "2s", "--dask", workers.address)
    with started(*words) as process:
        until(lambda: server.stats.requests > 10, "places measure, and it is known of each")
        process.send_signal(signal.SIGSTOP)
        theirs = workers.measuring()
        workers.worker("two").kill()
        workers.worker("two").wait()
        until(lambda: not any(Path("/proc", it).exists() for it in theirs), "all have measured")
        before = server.stats.requests
        workers.start_worker("free")
        workers.start_worker("two", "--worker-port", port)
        workers.joined(len(NAMES) + 1)
        until(lambda: len(workers.given("two")) > 0, "it has the task")
        process.send_signal(signal.SIGCONT)
        done = ended(process)
    assert done.code == 3
    assert "two is lost. Another worker has taken over its address." in said(done.out)
    assert "1 place sent " in done.out
    assert server.stats.requests == before
    assert workers.measuring() == []
    assert workers.given("free") == []
