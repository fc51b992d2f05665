from __future__ import annotations

import socket
import time
from statistics import median

import pytest
from server.wire import GET, TIMEOUT_S, dialled, served, serving, settings

from keepalive_bench.server import Fault, ServerProcess

HEAD = b"HTTP/1.1 200 OK\r\nServer: kab\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\n"
TIMED_OUT = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def test_an_answer_can_come_byte_by_byte() -> None:
    with served(fault="drip=0.001", body_size=3) as (_, wire):
        began = time.monotonic()
        assert wire.ask().body == b"kee"
        assert time.monotonic() - began >= 0.001 * len(HEAD)
        assert wire.ask().body == b"kee"


def test_the_first_byte_of_a_drip_comes_at_once_and_the_second_does_not() -> None:
    with served(fault="drip=600") as (server, wire):
        wire.socket.sendall(GET)
        assert wire.socket.recv(1024) == b"H"
        assert wire.is_silent()
        server.stop()
        assert wire.everything() == b""


def test_a_body_alone_can_come_byte_by_byte() -> None:
    with served(fault="drip-body=600", body_size=3) as (_, wire):
        wire.socket.sendall(GET)
        assert wire.receive(len(HEAD) + 1) == HEAD + b"k"
        assert wire.is_silent()


@pytest.mark.parametrize(
    ("fault", "framing"),
    [
        ("endless-body", ("Transfer-Encoding", "chunked")),
        ("endless-length", ("Content-Length", "1000000000000000")),
    ],
)
def test_a_body_can_be_endless_and_ends_when_the_client_leaves(
    fault: str, framing: tuple[str, str]
) -> None:
    with serving(fault=fault) as server:
        with dialled(server) as wire:
            wire.socket.sendall(GET)
            head = wire.head()
            assert framing in head.headers
            assert len(wire.receive(20_000_000)) == 20_000_000
        while server._living:
            time.sleep(0.001)


def test_an_interim_response_can_be_repeated_for_ever() -> None:
    with served(fault="endless-interim=0.001") as (_, wire):
        wire.socket.sendall(GET)
        interim = b"HTTP/1.1 100 Continue\r\n\r\n"
        assert wire.receive(50 * len(interim)) == 50 * interim


def test_nagle_with_delayed_acks_makes_the_cluster_of_40_ms() -> None:
    # Linux acknowledges the first packets of a connection at once, and later ones in 40 ms.
    assert sum(0.035 < latency < 0.2 for latency in latencies(fault="nagle")) >= 5


def test_without_nagle_there_is_no_such_cluster() -> None:
    assert median(latencies()) < 0.035


def latencies(**behaviour: str) -> list[float]:
    """Of 30 requests on one connection, in seconds."""
    found = []
    with served(body_size=100, **behaviour) as (_, wire):
        for _ in range(30):
            began = time.monotonic()
            wire.ask()
            found.append(time.monotonic() - began)
    return found


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_an_idle_connection_can_be_reset(*, tls: bool) -> None:
    with served(fault="idle-reset=0.05", tls=tls) as (server, wire):
        wire.ask()
        assert wire.until_the_end() == (b"", "RST")
        assert server.stats.faults == 1


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_a_408_can_be_pushed_onto_an_idle_connection_before_it_is_closed(*, tls: bool) -> None:
    with served(fault="idle-408=0.05", tls=tls) as (_, wire):
        wire.ask()
        assert wire.until_the_end() == (TIMED_OUT, "FIN")


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_a_408_can_be_pushed_and_the_next_request_be_answered(*, tls: bool) -> None:
    fault = Fault("idle-push", 0.05, requests="1")
    with served(fault=fault, tls=tls) as (server, wire):
        assert wire.ask().status == 200
        assert wire.receive(len(TIMED_OUT)) == TIMED_OUT
        assert wire.ask().status == 200
        assert server.stats.faults == 1


def test_bytes_that_are_no_http_can_be_pushed() -> None:
    with served(fault=Fault("idle-garbage", 0.01, requests="1")) as (_, wire):
        wire.ask()
        assert wire.receive(5) == b"\x00\xffkab"
        assert wire.ask().status == 200


def test_data_can_be_pushed_right_behind_an_answer() -> None:
    with served(fault="idle-push=0") as (_, wire):
        assert [wire.ask().status, wire.reply().status] == [200, 408]


def test_a_connection_can_be_reset_right_behind_an_answer_whatever_comes() -> None:
    with served(fault="idle-reset=0") as (server, wire):
        wire.socket.sendall(GET * 2)
        assert wire.until_the_end()[1] == "RST"
        assert server.stats.requests == 1


def test_a_connection_without_a_request_is_not_idle() -> None:
    with served(fault="idle-reset=0") as (_, wire):
        assert wire.is_silent()


def test_a_connection_in_use_is_not_idle() -> None:
    with served(fault="idle-reset=600") as (server, wire):
        assert [wire.ask().status for _ in range(3)] == [200] * 3
        assert server.stats.faults == 0
        wire.socket.shutdown(socket.SHUT_WR)
        assert wire.until_the_end() == (b"", "FIN")


def test_idle_faults_choose_the_request_before() -> None:
    with served(fault=Fault("idle-reset", 0.01, requests="2")) as (_, wire):
        wire.ask()
        assert wire.is_silent()
        wire.ask()
        assert wire.until_the_end() == (b"", "RST")


def test_what_was_pushed_does_not_end_the_idle_timeout() -> None:
    with served(fault="idle-push=0.01", idle_timeout_s=0.5) as (_, wire):
        wire.ask()
        assert wire.until_the_end() == (TIMED_OUT, "FIN")


def test_an_answer_can_come_before_any_request() -> None:
    with served(fault="answer-first", body_size=3) as (server, wire):
        assert wire.reply().body == b"kee"
        assert server.stats.requests == 0
        assert wire.ask().body == b"kee"
        assert wire.is_silent()
        assert server.stats.faults == 1


def test_a_server_process_has_faults_too_and_counts_them() -> None:
    with ServerProcess(settings(fault=Fault("reset-on-request", connections="1"))) as server:
        with socket.create_connection((server.host, server.port), TIMEOUT_S) as client:
            client.sendall(GET)
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        assert server.stats().faults == 1
        assert server.stop().accepts == 2
