"""Other ways to a real nginx: a Unix socket, routes and given addresses. Names stay the URL's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.nginx import Nginx, nginx
from support.plans import failure, run

from keepalive_bench import Arm, Resolution, Route, Run
from keepalive_bench.plan.arms import KINDS
from keepalive_bench.server import CERTIFICATE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow
schemes = pytest.mark.parametrize("scheme", ["http", "https"])
NAME = "localhost:8443"  # the certificate's name, at a port where nothing is
_NAMED = """
location /http {
    if ($http_host != localhost:8443) { return 421; }
    return 200;
}
location /https {
    set $names "$http_host $ssl_server_name";
    if ($names != "localhost:8443 localhost") { return 421; }
    return 200;
}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Nginx, Path]]:
    folder = tmp_path_factory.mktemp("sockets")
    plain, secure = folder / "http", folder / "https"
    listen = f"listen unix:{plain}; listen unix:{secure} ssl;"
    with nginx(listen + _NAMED) as running:
        yield running, folder


def address(running: Nginx, scheme: str) -> tuple[str, int]:
    host, _, port = getattr(running, scheme).partition("://")[2].rstrip("/").rpartition(":")
    return host, int(port)


def statuses(measured: Run) -> set[int | None]:
    return {it.outcome.status for it in measured.exchanges}


def looked_up(measured: Run) -> bool:
    return any(it.outcome.phases.dns is not None for it in measured.exchanges)


def asked(scheme: str, **options: Any) -> Run:  # noqa: ANN401
    arms = tuple(map(Arm, KINDS if scheme == "https" else set(KINDS) - {"resumed"}))
    options = {"arms": arms, "requests": 3, "ca_file": CERTIFICATE, **options}
    return run(f"{scheme}://{NAME}/{scheme}", **options)


@schemes
def test_over_a_unix_socket(server: tuple[Nginx, Path], scheme: str) -> None:
    running, folder = server
    before = running.accepts()
    measured = asked(scheme, unix_socket=folder / scheme)
    assert statuses(measured) == {200}
    assert {it.peer for it in measured.connections} == {f"unix:{folder / scheme}"}
    assert not looked_up(measured)
    warmups = sum(it.connections for it in measured.warmup.values())
    expected = {"http": 10, "https": 14}[scheme]  # one of the pooled arm's, a warm-up an arm
    assert running.accepts() - before == len(measured.connections) + warmups == expected


@schemes
def test_a_route_changes_where_to_connect_and_no_name(
    server: tuple[Nginx, Path], scheme: str
) -> None:
    host, port = address(server[0], scheme)
    for route in (
        Route("localhost", 8443, host, port),
        Route("", 8443, host, port),
        Route("LOCALHOST", 0, host, port),
        Route("", 0, host, port),
    ):
        measured = asked(scheme, connect_to=(route,))
        assert statuses(measured) == {200}
        assert {it.peer for it in measured.connections} == {f"{host}:{port}"}


@schemes
def test_a_route_for_another_place_changes_nothing(server: tuple[Nginx, Path], scheme: str) -> None:
    running = server[0]
    routes = (Route("elsewhere.test", 0, "127.0.0.1", 1), Route("", 1, "127.0.0.1", 1))
    measured = run(getattr(running, scheme), ca_file=CERTIFICATE, connect_to=routes, requests=1)
    assert statuses(measured) == {200}


@schemes
def test_given_addresses_are_taken_in_place_of_a_look_up(
    server: tuple[Nginx, Path], scheme: str
) -> None:
    host, port = address(server[0], scheme)
    resolutions = (Resolution("kab.invalid", port, (host,)), Resolution("*", port, ("192.0.2.1",)))
    options: dict[str, Any] = {"resolve": resolutions, "verify": False, "requests": 3}
    measured = run(f"{scheme}://kab.invalid:{port}/", **options)
    assert statuses(measured) == {200}
    assert {it.peer for it in measured.connections} == {f"{host}:{port}"}
    assert not looked_up(measured)


def test_the_certificate_is_checked_against_the_urls_name_not_the_routes(
    server: tuple[Nginx, Path],
) -> None:
    host, port = address(server[0], "https")
    for way in (
        {"connect_to": (Route("kab.invalid", 443, host, port),)},
        {"unix_socket": server[1] / "https"},
    ):
        assert failure("https://kab.invalid/", ca_file=CERTIFICATE, **way) == "tls-untrusted"
