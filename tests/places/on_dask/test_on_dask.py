"""`kab run --dask` on a scheduler and workers that exist, held against what a server counts."""

from __future__ import annotations

import json
import shutil
import signal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.command import PROGRESS, ended, kab, started
from support.dask_cluster import ENDLESS, Cluster, cluster, until

import keepalive_bench
from keepalive_bench.places.on_dask.cluster import members
from keepalive_bench.places.on_dask.connecting import connected
from keepalive_bench.server import Server, ServerSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

slow = pytest.mark.slow  # a run on a cluster takes some seconds, however little it measures
NAMES = ("eu 2", "eu 10", "us")
"""In the order that they are to have."""


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("dask"), *reversed(NAMES)) as made:
        yield made


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(ServerSettings()) as made:
        yield made


def test_the_table_says_of_each_place_what_the_server_counted(
    workers: Cluster, server: Server, tmp_path: Path
) -> None:
    found = tmp_path / "places.json"
    words = ("-n", "6", "--warmup", "0", "--json", str(found))
    done = kab("run", server.url, *words, "--dask", workers.address)
    assert done.code == 0, done.text
    told = json.loads(found.read_text())
    assert sorted(it["name"] for it in told["places"]) == sorted(NAMES)
    assert told["totals"]["connections"] == server.stats.accepts
    assert told["totals"]["requests"] == 3 * 2 * 6
    assert server.stats.requests == 3 * 2 * 6
    rows = [line.split()[0] for line in done.lines if line.startswith(("eu ", "us "))]
    assert sorted(rows[:3]) == ["eu", "eu", "us"]


def test_what_all_places_will_send_is_said_before(workers: Cluster, server: Server) -> None:
    done = kab("run", server.url, "-n", "6", "--dask", workers.address, env=PROGRESS)
    first, second, *_ = done.err.splitlines()
    assert first == (
        "3 places (eu 2, eu 10 and us) will send 42 requests over about 24 connections, "
        "warm-ups included."
    )
    assert second.startswith("The clocks of 3 workers are within ")
    assert server.stats.requests == 42


@slow
def test_a_rate_that_is_not_split_is_each_workers_and_the_sum_is_said(
    workers: Cluster, server: Server
) -> None:
    words = ("-n", "4", "--rate", "50/s", "--dask", workers.address)
    done = kab("run", server.url, *words, env=PROGRESS)
    assert "150.0 requests per second with each arm" in done.err


def test_a_split_rate_adds_up_and_so_do_requests(
    workers: Cluster, server: Server, tmp_path: Path
) -> None:
    found = tmp_path / "places.json"
    words = ("-n", "100", "--rate", "100/s", "--split", "--arm", "pooled")
    done = kab("run", server.url, *words, "--dask", workers.address, "--json", str(found))
    assert done.code == 0, done.text
    told = json.loads(found.read_text())
    assert sorted(it["arms"]["pooled"]["requests"] for it in told["places"]) == [33, 33, 34]
    assert sum(it["plan"]["rate"] for it in told["places"]) == pytest.approx(100)
    assert server.stats.requests == 100 + 3
    assert told["differences"] == []


@slow
def test_what_was_kept_says_the_same_as_the_run_did(
    workers: Cluster, server: Server, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    words = ("-n", "6", "--vary", "u", "--keep-places", str(kept))
    done = kab("run", server.url, *words, "--dask", workers.address)
    assert done.code == 0, done.text
    again = kab("places", *(str(kept / f"{it.replace(' ', '-')}.json.gz") for it in NAMES))
    assert again.out == done.out
    assert "seed" not in done.out


@slow
def test_nothing_is_left_on_the_cluster(workers: Cluster, server: Server) -> None:
    done = kab("run", server.url, "-n", "2", "--dask", workers.address)
    assert done.code == 0, done.text
    until(workers.is_idle, "tasks and clients are gone")
    assert "WARNING" not in workers.logs()


@slow
def test_a_scheduler_is_found_by_its_file(workers: Cluster, server: Server) -> None:
    done = kab("run", server.url, "-n", "2", "--dask", str(workers.file))
    assert done.code == 0, done.text


def test_secrets_go_nowhere_without_tls(workers: Cluster, server: Server) -> None:
    words = ("-n", "2", "--bearer", "s3kr1t", "-x", "http://joe:pw@127.0.0.1:1")
    done = kab("run", f"{server.url}?token=t0ken", *words, "--dask", workers.address)
    assert done.code == 2
    assert done.err == (
        "Error: The plan has secrets (--bearer, --proxy and the URL's query or path), and "
        f"'{workers.address}' isn't TLS: connect over tls://, or send them all the same with "
        "--dask-insecure.\n"
    )
    assert server.stats.requests == 0


@slow
def test_secrets_are_sent_without_tls_after_a_warning_where_that_is_asked_for(
    workers: Cluster, server: Server
) -> None:
    words = ("-n", "2", "--cookie", "id=s3kr1t", "--dask-insecure")
    done = kab("run", server.url, *words, "--dask", workers.address)
    assert done.code == 0, done.text
    assert "Warning: secrets (--cookie) go to the Dask workers without TLS" in done.err


@slow
def test_files_reach_workers_by_what_is_in_them(
    workers: Cluster, server: Server, tmp_path: Path
) -> None:
    body = tmp_path / "body"
    body.write_bytes(b"x" * 1_000)
    kept = tmp_path / "kept"
    words = ("-n", "2", "-T", str(body), "--dask-insecure", "--keep-places", str(kept))
    done = kab("run", server.url, *words, "--dask", workers.address)
    assert done.code == 0, done.text
    shown = kab("report", str(kept / "us.json.gz"), "--json", "-").out
    assert json.loads(shown)["plan"]["upload"] == str(body)


def test_a_file_too_large_to_be_sent_is_refused(workers: Cluster, tmp_path: Path) -> None:
    body = tmp_path / "body"
    with body.open("wb") as file:
        file.truncate(2**26)
    words = ("-T", str(body), "--dask-insecure")
    done = kab("run", "http://127.0.0.1:9/", *words, "--dask", workers.address)
    assert done.code == 2
    assert "a body and files may have 32 MiB together" in done.err


def test_more_workers_than_expected_are_not_used(workers: Cluster, server: Server) -> None:
    words = ("-n", "2", "--dask-workers", "2")
    done = kab("run", server.url, *words, "--dask", workers.address)
    assert done.code == 2
    assert "has 3 workers, and each would send all requests" in done.err
    assert server.stats.requests == 0


def other_version(folder: Path, package: str) -> dict[str, str]:
    """The environment of a process that has a package in another version."""
    told = folder / f"{package.replace('-', '_')}-0.0.1.dist-info"
    told.mkdir()
    (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 0.0.1\n")
    return {"PYTHONPATH": str(folder)}


def other_code(folder: Path) -> dict[str, str]:
    """The same of kab's code, though not of its version."""
    copy = folder / "keepalive_bench"
    shutil.copytree(Path(keepalive_bench.__file__).parent, copy)
    with (copy / "units.py").open("a") as file:
        file.write("# changed\n")
    return {"PYTHONPATH": str(folder)}


@slow
@pytest.mark.parametrize(
    ("name", "env_of", "said"),
    [
        (
            "other urllib3",
            partial(other_version, package="urllib3"),
            "Dask workers need the same urllib3 as here",
        ),
        (
            "other kab",
            partial(other_version, package="keepalive-bench"),
            "Dask workers need the same keepalive-bench as here",
        ),
        ("other code", other_code, "Dask workers have another keepalive-bench than here, though"),
    ],
)
def test_a_worker_that_measures_otherwise_is_not_used(
    workers: Cluster,
    server: Server,
    tmp_path: Path,
    name: str,
    env_of: Callable[[Path], dict[str, str]],
    said: str,
) -> None:
    workers.start_worker(name, env=env_of(tmp_path))
    try:
        workers.joined(4)
        done = kab("run", server.url, "-n", "2", "--dask", workers.address)
    finally:
        workers.worker(name).kill()
        workers.joined(3)
    assert done.code == 2
    assert said in done.err
    assert done.err.endswith(f"{name}.\n")
    assert server.stats.requests == 0


@slow
def test_a_scheduler_with_another_version_is_not_used(server: Server, tmp_path: Path) -> None:
    made = Cluster(tmp_path, other_version(tmp_path, "keepalive-bench"))
    try:
        made.start_scheduler()
        made.start_worker("eu", env={"PYTHONPATH": ""})
        made.joined(1)
        done = kab("run", server.url, "-n", "2", "--dask", made.address)
    finally:
        made.end()
    assert done.code == 2
    assert "The Dask scheduler needs the same keepalive-bench as here" in done.err
    assert done.err.endswith("and has 0.0.1.\n")
    assert server.stats.requests == 0


def test_ctrl_c_keeps_what_came(workers: Cluster, server: Server) -> None:
    words = ("run", server.url, *ENDLESS, "--dask", workers.address)
    with started(*words) as process:
        until(lambda: server.stats.requests > 100, "places measure")
        process.send_signal(signal.SIGINT)
        done = ended(process)
    assert done.code == 130
    assert "Traceback" not in done.text
    assert "The run in us was interrupted." in done.out
    assert "3 places sent " in done.out
    until(workers.is_idle, "tasks and clients are gone")


@slow
def test_ctrl_c_before_the_start_sends_nothing(workers: Cluster, server: Server) -> None:
    words = ("run", server.url, "-n", "5", "--dask", workers.address)
    with started(*words, env=PROGRESS) as process:
        until(lambda: workers.told("/json/counts.json")["tasks"] == 3, "tasks are there")
        process.send_signal(signal.SIGINT)
        done = ended(process)
    assert done.code == 130
    assert "us is lost. It was stopped before it had begun." in done.err
    assert server.stats.requests == 0


@slow
def test_places_of_a_client_that_died_stop(workers: Cluster, server: Server) -> None:
    words = ("run", server.url, *ENDLESS, "--dask", workers.address)
    with started(*words) as process:
        until(lambda: server.stats.requests > 100, "places measure")
        process.kill()
        process.wait()
    until(workers.is_idle, "tasks and clients are gone")
    until(lambda: not workers.measuring(), "nobody measures")


def test_clocks_of_this_machine_are_found_to_agree(workers: Cluster) -> None:
    with connected(workers.address) as client:
        found = members(client, None)
    assert [it.name for it in found] == [*NAMES]
    assert all(abs(it.offset_s) <= it.offset_error_s + 0.001 for it in found)


@slow
def test_a_worker_killed_in_the_middle_is_a_lost_place_that_meets_nothing(
    workers: Cluster, server: Server
) -> None:
    workers.start_worker("gone")
    workers.joined(4)
    words = ("--duration", "8s", "--require", "failed==0", "--dask", workers.address)
    with started("run", server.url, *words) as process:
        until(lambda: server.stats.requests > 10, "places measure")
        workers.worker("gone").kill()
        done = ended(process)
    workers.joined(3)
    assert done.code == 4
    assert "gone is lost. Its worker died, or left the cluster." in done.text
    assert "gone: The place is lost." in done.text
    assert "3 places sent " in done.out
