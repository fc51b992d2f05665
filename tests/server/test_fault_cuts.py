from __future__ import annotations

import socket
import ssl
from typing import Any

import pytest
from server.wire import GET, STATS, TIMEOUT_S, dialled, served, serving, trusting

from keepalive_bench.server import Fault

HEAD = b"HTTP/1.1 200 OK\r\nServer: kab\r\nContent-Type: text/plain\r\nContent-Length: 20\r\n\r\n"
CHUNKED_HEAD = HEAD.replace(b"Content-Length: 20", b"Transfer-Encoding: chunked")
HALF_HEAD = HEAD[:39]
BODY = b"keep-alive\nkeep-aliv"
CHUNKS = b"14\r\n" + BODY + b"\r\n0\r\n\r\n"

ENDINGS = [
    ("close-on-request", {}, b"", "FIN"),
    ("reset-on-request", {}, b"", "RST"),
    ("close-in-head", {}, HALF_HEAD, "FIN"),
    ("reset-in-head", {}, HALF_HEAD, "RST"),
    ("close-in-body", {}, HEAD + BODY[:10], "FIN"),
    ("reset-in-body", {}, HEAD + BODY[:10], "RST"),
    ("close-in-body", {"chunked": True}, CHUNKED_HEAD + CHUNKS[:15], "FIN"),
    ("reset-in-body", {"chunked": True}, CHUNKED_HEAD + CHUNKS[:15], "RST"),
    ("no-last-chunk", {}, CHUNKED_HEAD + CHUNKS[:-5], "FIN"),
]
SILENCES = [
    ("never-answer", b""),
    ("stall-in-head", HALF_HEAD),
    ("stall-in-body", HEAD + BODY[:10]),
]


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize(("fault", "options", "sent", "ending"), ENDINGS)
def test_a_connection_ends_where_and_how_the_fault_says(
    fault: str, options: dict[str, Any], sent: bytes, ending: str, *, tls: bool
) -> None:
    with served(fault=fault, body_size=20, tls=tls, **options) as (server, wire):
        wire.socket.sendall(GET)
        assert wire.until_the_end() == (sent, ending)
        assert (server.stats.accepts, server.stats.requests, server.stats.faults) == (1, 1, 1)


@pytest.mark.parametrize(("fault", "sent"), SILENCES)
def test_a_connection_falls_silent_where_the_fault_says(fault: str, sent: bytes) -> None:
    with served(fault=fault, body_size=20) as (server, wire):
        wire.socket.sendall(GET)
        assert wire.receive(len(sent)) == sent
        assert wire.is_silent()
        wire.socket.sendall(GET)  # It isn't read as a request, either.
        wire.socket.shutdown(socket.SHUT_WR)
        assert wire.until_the_end() == (b"", "FIN")
        assert server.stats.requests == 1


def test_half_of_a_body_of_many_parts_is_half_of_it() -> None:
    size = 5 * 1024 * 1024
    with served(fault="close-in-body", body_size=size) as (_, wire):
        wire.socket.sendall(GET)
        received, ending = wire.until_the_end()
    assert len(received.partition(b"\r\n\r\n")[2]) == size // 2
    assert ending == "FIN"


def test_stopping_ends_a_silence() -> None:
    with served(fault="never-answer") as (server, wire):
        wire.socket.sendall(GET)
        assert wire.is_silent()
        server.stop()
        assert wire.everything() == b""


def test_stopping_ends_the_wait_before_an_end() -> None:
    with served(fault="reset-on-request=600") as (server, wire):
        wire.socket.sendall(GET)
        assert wire.is_silent()
        server.stop()
        assert wire.everything() == b""


def test_a_stale_race_hits_the_chosen_request_of_every_connection() -> None:
    with serving(fault=Fault("close-on-request", requests="3")) as server:
        for _ in range(2):
            with dialled(server) as wire:
                assert [wire.ask().status for _ in range(2)] == [200, 200]
                wire.socket.sendall(GET)
                assert wire.until_the_end() == (b"", "FIN")
        assert (server.stats.requests, server.stats.faults) == (6, 2)


def test_only_the_chosen_connections_are_hit() -> None:
    with serving(fault=Fault("reset-on-request", connections="1-2")) as server:
        endings = []
        for _ in range(3):
            with dialled(server) as wire:
                wire.socket.sendall(GET[:-2] + b"Connection: close\r\n\r\n")
                received, ending = wire.until_the_end()
                endings.append((bool(received), ending))
    assert endings == [(False, "RST"), (False, "RST"), (True, "FIN")]


def test_requests_for_stats_are_never_hit() -> None:
    with served(fault="never-answer") as (_, wire):
        assert wire.ask(STATS).status == 200


@pytest.mark.parametrize(
    ("fault", "ending"), [("close-in-handshake", "FIN"), ("reset-in-handshake", "RST")]
)
def test_a_handshake_ends_as_the_fault_says(fault: str, ending: str) -> None:
    with serving(fault=fault, tls=True) as server:
        with socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S) as plain:
            plain.sendall(b"\x16\x03\x01")  # as TLS begins
            try:
                assert plain.recv(1) == b""
                assert ending == "FIN"
            except ConnectionResetError:
                assert ending == "RST"
        stats = server.stop()
    assert (stats.accepts, stats.handshakes, stats.requests, stats.faults) == (1, 0, 0, 1)


def test_a_client_that_leaves_before_the_handshake_meets_no_fault() -> None:
    with serving(fault="reset-in-handshake", tls=True) as server:
        with socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S) as plain:
            plain.shutdown(socket.SHUT_WR)
            assert plain.recv(1) == b""
        assert server.stop().faults == 0


def test_a_handshake_can_be_met_with_silence() -> None:
    with serving(fault="stall-in-handshake", tls=True) as server:
        plain = socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S)
        plain.settimeout(0.1)
        with plain, pytest.raises(TimeoutError):
            trusting().wrap_socket(plain, server_hostname="127.0.0.1")


def test_a_handshake_can_be_met_with_plain_http() -> None:
    with (
        serving(fault="garbage-in-handshake", tls=True) as server,
        socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S) as plain,
        pytest.raises(ssl.SSLError, match=r"(?i)wrong.version.number|record.layer.failure"),
    ):
        trusting().wrap_socket(plain, server_hostname="127.0.0.1")


def test_handshakes_go_wrong_on_the_chosen_connections_only() -> None:
    fault = Fault("reset-in-handshake", connections="2-")
    with serving(fault=fault, tls=True) as server:
        with dialled(server) as wire:
            assert wire.ask().status == 200
        with pytest.raises(ConnectionResetError):
            dialled(server).__enter__()
        assert server.stats.handshakes == 1
