"""kab against a real nginx, whose own count of accepted connections is the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.nginx import Nginx, nginx
from support.plans import run

from keepalive_bench import Run, analyse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.analysis.arm_summary import ArmSummary

pytestmark = pytest.mark.slow
POOLS: list[dict[str, Any]] = [{}, {"concurrency": 4}, {"concurrency": 4, "maxsize": 2}]


@pytest.fixture(scope="module")
def plain() -> Iterator[Nginx]:
    with nginx() as server:
        yield server


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_connections_and_requests_are_what_nginx_counts(
    plain: Nginx, scheme: str, pool: dict[str, Any]
) -> None:
    measured = counted(plain, getattr(plain, scheme), requests=100, warmup=2, **pool)
    pooled, unpooled = analyse(measured).arms
    assert pooled.succeeded == unpooled.succeeded == unpooled.connections == 100
    if "maxsize" not in pool:
        assert pooled.connections <= pool.get("concurrency", 1)
        assert pooled.reopened == 0


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_over_each_version_of_tls(version: str) -> None:
    with nginx(f"ssl_protocols TLSv{version};") as server:
        measured = counted(server, server.https, requests=30)
    assert {it.tls_version for it in measured.connections} == {f"TLSv{version}"}
    assert all(it.tls_version for it in measured.connections)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_limit_of_ten_requests_a_connection_makes_ten_connections_of_a_hundred(
    scheme: str,
) -> None:
    with nginx("keepalive_requests 10;") as server:
        pooled, unpooled = arms(counted(server, getattr(server, scheme), requests=100))
    assert (pooled.connections, pooled.requests_per_connection) == (10, 10)
    assert (pooled.reuse, pooled.reopened) == (90 / 99, 9)
    assert (unpooled.connections, unpooled.reuse) == (100, 0)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_keep_alive_switched_off_makes_a_connection_of_each_request(scheme: str) -> None:
    with nginx("keepalive_timeout 0;") as server:
        pooled, unpooled = arms(counted(server, getattr(server, scheme), requests=20))
    assert pooled.connections == unpooled.connections == 20
    assert (pooled.reuse, pooled.reopened) == (0, 19)
    assert {answer.connection for answer in pooled.answers} == {"close"}


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_over_ipv6(scheme: str) -> None:
    with nginx(host="::1") as server:
        measured = counted(server, getattr(server, scheme), requests=20)
    assert {it.peer.rpartition(":")[0] for it in measured.connections} == {"[::1]"}


def counted(server: Nginx, url: str, **options: Any) -> Run:  # noqa: ANN401
    """Run, and hold the counts against nginx's own."""
    accepts, requests = server.accepts(), server.requests()
    measured = run(url, ca_file=server.certificate, **options)
    warmups = measured.warmup.values()
    opened = len(measured.connections) + sum(it.connections for it in warmups)
    assert server.accepts() - accepts == opened
    sent = sum(it.succeeded for it in analyse(measured).arms) + sum(it.requests for it in warmups)
    assert server.requests() - requests == sent
    return measured


def arms(measured: Run) -> tuple[ArmSummary, ...]:
    return analyse(measured).arms
