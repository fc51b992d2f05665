from __future__ import annotations

import socket
import ssl
import threading
from datetime import datetime, timedelta, timezone

import pytest
from server.wire import TIMEOUT_S, dialled, served, serving, settings, trusting

from keepalive_bench.server import CERTIFICATE, Behaviour, Server, connection
from keepalive_bench.server.connection import ClientConnection, Service
from keepalive_bench.server.counts import Counter
from keepalive_bench.server.listener import tls_context
from keepalive_bench.server.responses import ResponseFactory


def connect(server: Server, name: str, context: ssl.SSLContext) -> str | None:
    address = server.url.partition("://")[2].rpartition(":")[0].strip("[]")
    with (
        socket.create_connection((address, server.port), TIMEOUT_S) as plain,
        context.wrap_socket(plain, server_hostname=name) as secured,
    ):
        return secured.version()


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
def test_the_certificate_passes_the_strictest_check_for_loopback(name: str) -> None:
    with serving(tls=True, host="::1" if name == "::1" else "127.0.0.1") as server:
        assert server.url.startswith("https://")
        assert connect(server, name, trusting()) == "TLSv1.3"


def test_the_certificate_is_good_for_nothing_but_loopback() -> None:
    with serving(tls=True) as server, pytest.raises(ssl.SSLError, match="Hostname mismatch"):
        connect(server, "example.com", trusting())


def test_the_certificate_is_trusted_by_nobody_who_was_not_told_to() -> None:
    with serving(tls=True) as server, pytest.raises(ssl.SSLError, match=r"self.signed"):
        connect(server, "localhost", ssl.create_default_context())


def test_the_certificate_says_that_its_key_is_public_and_is_valid_for_decades() -> None:
    with serving(tls=True) as server, dialled(server) as wire:
        assert isinstance(wire.socket, ssl.SSLSocket)
        certificate = wire.socket.getpeercert()
    assert certificate is not None
    assert "kab loopback only - this key is public" in str(certificate["subject"])
    end = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
    assert datetime.fromtimestamp(end, timezone.utc) - datetime.now(timezone.utc) > timedelta(
        days=30 * 365
    )
    assert CERTIFICATE.with_suffix(".key").exists()


@pytest.mark.parametrize(("option", "version"), [("tls_max", "1.2"), ("tls_min", "1.3")])
def test_the_versions_of_tls_can_be_limited(option: str, version: str) -> None:
    with serving(tls=True, **{option: version}) as server:
        assert connect(server, "localhost", trusting()) == f"TLSv{version}"


def test_a_version_outside_the_limits_is_refused() -> None:
    context = trusting()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with serving(tls=True, tls_min="1.3") as server:
        with pytest.raises(ssl.SSLError):
            connect(server, "localhost", context)
        assert server.stats.handshakes == 0


def test_requests_share_a_connection_and_its_handshake() -> None:
    with served(tls=True, body_size=2 * 1024 * 1024) as (server, wire):
        for _ in range(3):
            assert len(wire.ask().body) == 2 * 1024 * 1024
        assert (server.stats.accepts, server.stats.handshakes, server.stats.requests) == (1, 1, 3)


def test_the_end_of_a_connection_is_said_in_tls_too() -> None:
    with served(tls=True, close_after=1) as (_, wire):
        assert isinstance(wire.socket, ssl.SSLSocket)
        # Else a truncation would pass as the end.
        wire.socket.suppress_ragged_eofs = False  # type: ignore[attr-defined]  # typeshed's gap
        wire.ask()
        assert wire.everything() == b""


def test_an_idle_connection_is_closed_in_tls_too() -> None:
    with served(tls=True, idle_timeout_s=0.5) as (_, wire):
        wire.ask()
        assert wire.everything() == b""


def test_a_refused_client_gets_its_answer_in_tls_too() -> None:
    with served(tls=True) as (_, wire):
        assert wire.ask(b"GET / HTTP/1.1\r\n\r\n").status == 400
        assert wire.everything() == b""


def test_http_spoken_to_a_tls_server_ends_the_connection() -> None:
    with serving(tls=True) as server:
        with socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: kab\r\n\r\n")
            assert not plain.recv(1024).startswith(b"HTTP")  # And no reset.
        assert server.stats.handshakes == 0


def test_a_client_that_never_shakes_hands_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_HANDSHAKE_TIMEOUT_S", 0.05)
    with (
        serving(tls=True) as server,
        socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S) as silent,
    ):
        assert silent.recv(1) == b""
    assert (server.stats.accepts, server.stats.handshakes) == (1, 0)


def test_stopping_ends_a_handshake_that_never_comes() -> None:
    with (
        serving(tls=True) as server,
        socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S) as silent,
        dialled(server) as wire,
    ):
        wire.ask()  # The silent one was accepted before.
        server.stop()
        assert silent.recv(1) == b""


def test_a_handshake_that_begins_while_the_server_stops_is_not_waited_for() -> None:
    # What `hang_up` does is lost when it meets the socket that TLS is just replacing.
    stopping = threading.Event()
    stopping.set()
    service = Service(
        behaviour=Behaviour(),
        responses=ResponseFactory(Behaviour()),
        counter=Counter(),
        recorder=None,
        tls=tls_context(settings(tls=True)),
        stopping=stopping,
    )
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname(), TIMEOUT_S) as silent,
    ):
        ClientConnection(listener.accept()[0], 1, service).run()
        assert silent.recv(1) == b""
