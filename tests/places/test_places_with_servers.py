"""What places tell of connections is what the servers themselves counted."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from support.command import called
from support.places import compared
from support.plans import run
from support.proxies import proxies

from keepalive_bench import Target
from keepalive_bench.places.report.words import place_table
from keepalive_bench.server import CERTIFICATE, Behaviour, ServerProcess, ServerSettings

if TYPE_CHECKING:
    from pathlib import Path

    from keepalive_bench import Run
    from keepalive_bench.server.counts import Stats

REQUESTS = 12
SERVERS = {
    "near": ServerSettings(),
    "far": ServerSettings(behaviour=Behaviour(delay_s=0.01)),
    "closing": ServerSettings(behaviour=Behaviour(close_after=4)),
}


@pytest.fixture(scope="module")
def measured() -> tuple[dict[str, Run], dict[str, Stats]]:
    runs, counted = {}, {}
    with ExitStack() as stack:
        for name, settings in SERVERS.items():
            server = stack.enter_context(ServerProcess(settings))
            runs[name] = run(server.url, requests=REQUESTS, warmup=0)
            counted[name] = server.stop()
    return runs, counted


def test_connections_and_requests_are_those_that_the_servers_counted(
    measured: tuple[dict[str, Run], dict[str, Stats]],
) -> None:
    runs, counted = measured
    found = compared(runs)
    for it in found.places:
        stats = counted[it.name]
        assert sum(arm.connections for arm in it.arms) == stats.accepts
        assert sum(arm.sent for arm in it.arms) == stats.requests == 2 * REQUESTS
        assert it.first.connections == stats.accepts - REQUESTS
    assert found.totals.connections == sum(it.accepts for it in counted.values())
    assert found.totals.requests == sum(it.requests for it in counted.values())


def test_the_table_has_these_numbers(
    measured: tuple[dict[str, Run], dict[str, Stats]],
) -> None:
    runs, counted = measured
    (connections,) = (
        column
        for group in place_table(compared(runs)).groups
        for part in group
        for column in part
        if column.heading == "connections pooled"
    )
    named = dict(zip((it.name for it in compared(runs).places), connections.cells, strict=True))
    assert named == {name: f"{it.accepts - REQUESTS}" for name, it in counted.items()}
    assert named["closing"] == f"{REQUESTS // 4}"


def test_a_server_that_closes_is_the_only_difference_but_for_its_port(
    measured: tuple[dict[str, Run], dict[str, Stats]],
) -> None:
    runs, _ = measured
    found = {it.kind: it for it in compared(runs).differences}
    assert {*found} == {"url", "address", "reason"}
    assert [*found["reason"].places.values()] == [("closing",)]


def differing(folder: Path, runs: dict[str, Run]) -> dict[str, dict[str, Any]]:
    """What `kab places` says of what differs, by kind."""
    files = []
    for name, it in runs.items():
        files.append(f"{folder / name}.json")
        it.save(files[-1])
    done = called("places", *files, "--json", "-")
    assert done.code == 0, done.text
    return {it["kind"]: it for it in json.loads(done.out)["differences"]}


@pytest.mark.slow  # a squid
def test_a_proxy_that_names_itself_is_a_difference(tmp_path: Path) -> None:
    with ServerProcess() as server, proxies() as running:
        straight = run(server.url, requests=REQUESTS)
        proxied = run(server.url, requests=REQUESTS, proxy=Target(running.http))
    found = differing(tmp_path, {"straight": straight, "proxied": proxied})
    assert {*found} == {"proxy", "via", "address"}
    ((named, places),) = found["via"]["places"].items()
    assert named.startswith("1.1 squid ")
    assert places == ["proxied"]
    assert found["via"]["missing"] == ["straight"]


def test_another_version_of_tls_is_a_difference(tmp_path: Path) -> None:
    with ServerProcess(ServerSettings(tls=True)) as server:
        options: dict[str, Any] = {"requests": REQUESTS, "ca_file": CERTIFICATE}
        newest = run(server.url, **options)
        older = run(server.url, maximum="1.2", **options)
    found = differing(tmp_path, {"newest": newest, "older": older})
    assert {*found} == {"tls_max", "TLS"}
    assert found["TLS"]["places"] == {"TLSv1.3": ["newest"], "TLSv1.2": ["older"]}
