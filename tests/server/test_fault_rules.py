"""Where faults strike, what else of an answer is as it would have been, and what else they meet."""

from __future__ import annotations

import gzip
import socket
import time
import zlib
from statistics import median
from typing import Any

import pytest
from server.test_faults import BODY, FOLDED, HEAD, LENGTH, PLAIN, TIMED_OUT
from server.wire import GET, STATS, TIMEOUT_S, dialled, served, serving, settings

from keepalive_bench.server import Fault, ServerProcess


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


def test_handshakes_go_wrong_on_the_chosen_connections_only() -> None:
    fault = Fault("reset-in-handshake", connections="2-")
    with serving(fault=fault, tls=True) as server:
        with dialled(server) as wire:
            assert wire.ask().status == 200
        with pytest.raises(ConnectionResetError):
            dialled(server).__enter__()
        assert server.stats.handshakes == 1


def test_a_client_that_leaves_before_the_handshake_meets_no_fault() -> None:
    with serving(fault="reset-in-handshake", tls=True) as server:
        with socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S) as plain:
            plain.shutdown(socket.SHUT_WR)
            assert plain.recv(1) == b""
        assert server.stop().faults == 0


def test_requests_for_stats_are_never_hit() -> None:
    with served(fault="never-answer") as (_, wire):
        assert wire.ask(STATS).status == 200


@pytest.mark.parametrize("fault", ["never-answer", "reset-on-request=600", "drip=600"])
def test_stopping_ends_a_silence(fault: str) -> None:
    with served(fault=fault) as (server, wire):
        wire.socket.sendall(GET)
        assert wire.receive(fault.startswith("drip")) == (b"H" if "drip" in fault else b"")
        assert wire.is_silent()
        server.stop()
        assert wire.everything() == b""


def test_half_of_a_body_of_many_parts_is_half_of_it() -> None:
    size = 5 * 1024 * 1024
    with served(fault="close-in-body", body_size=size) as (_, wire):
        wire.socket.sendall(GET)
        received, ending = wire.until_the_end()
    assert len(received.partition(b"\r\n\r\n")[2]) == size // 2
    assert ending == "FIN"


@pytest.mark.parametrize(
    ("fault", "sent"),
    [
        ("answer-twice", PLAIN * 2),
        ("interim=100", b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN),
        ("forbidden-body", HEAD.replace(b"200 OK", b"204 No Content") + LENGTH + BODY),
    ],
)
def test_what_is_too_much_comes_in_the_same_packet(fault: str, sent: bytes) -> None:
    with served(fault=fault, body_size=20) as (_, wire):
        wire.socket.sendall(GET)
        assert wire.socket.recv(65536) == sent


def test_a_faulty_answer_announced_as_the_last_one_is_the_last_one() -> None:
    with served(fault="length-too-small=3", body_size=20, close_after=1) as (_, wire):
        wire.socket.sendall(GET)
        head = HEAD + b"Content-Length: 17\r\n\r\n"
        received, ending = wire.until_the_end()
    assert received.replace(b"Connection: close\r\n", b"") == head + BODY
    assert ending == "FIN"


def test_a_head_request_gets_no_body_of_a_faulty_answer_either() -> None:
    with served(fault="two-lengths", body_size=20) as (_, wire):
        reply = wire.ask(GET.replace(b"GET", b"HEAD"))
        assert [value for name, value in reply.headers if name == "Content-Length"] == ["20", "27"]
        assert wire.is_silent()


def test_what_is_not_faulty_about_an_answer_is_as_asked_for() -> None:
    options: dict[str, Any] = {"status": 404, "reason": "Gone", "headers": (("X-Odd", "1"),)}
    with served(fault="many-headers=1", delay_s=0.01, http_10=True, **options) as (_, wire):
        reply = wire.ask()
    assert reply.status_line == "HTTP/1.0 404 Gone"
    assert reply.headers[-2:] == [("X-Odd", "1"), ("X-0", "x")]


def test_hostile_text_leaves_alone_what_the_connection_says() -> None:
    options: dict[str, Any] = {"close_after": 2, "keep_alive_header": "timeout=5"}
    with served(fault="hostile-text", body_size=20, **options) as (_, wire):
        wire.socket.sendall(GET * 2)
        received, ending = wire.until_the_end()
    assert received.count(b"Keep-Alive: timeout=5, " + FOLDED) == 1
    assert received.count(b"Connection: close, " + FOLDED) == 1
    assert ending == "FIN"


def test_a_gzip_bomb_unpacks_to_what_was_asked_for() -> None:
    size = 5 * 1024 * 1024 + 7
    with served(fault=f"gzip-bomb={size}") as (_, wire):
        reply = wire.ask()
    assert reply.header("content-encoding") == "gzip"
    assert len(reply.body) < size / 900
    assert gzip.decompress(reply.body) == bytes(size)


def test_a_gzip_bomb_of_a_gigabyte_is_small_and_begins_to_unpack() -> None:
    with served(fault="gzip-bomb") as (_, wire):
        body = wire.ask().body
    assert 1024**3 / 1100 < len(body) < 1024**3 / 900
    assert zlib.decompressobj(31).decompress(body) == bytes(1024 * 1024)


def test_a_big_head_is_made_of_lines_that_are_not_too_long() -> None:
    with served(fault="big-head") as (_, wire):
        sizes = [len(value) for name, value in wire.ask().headers if name.startswith("X-")]
    assert sum(sizes) == 1024 * 1024
    assert max(sizes) == 60_000
    assert len(sizes) == 18


def test_an_answer_comes_byte_by_byte_at_its_pace() -> None:
    with served(fault="drip=0.001", body_size=3) as (_, wire):
        began = time.monotonic()
        assert wire.ask().body == b"kee"
        assert time.monotonic() - began >= 0.001 * len(HEAD)


def test_the_head_of_a_dripping_body_comes_at_once() -> None:
    with served(fault="drip-body=600", body_size=20) as (_, wire):
        wire.socket.sendall(GET)
        assert wire.receive(len(HEAD + LENGTH) + 1) == HEAD + LENGTH + b"k"
        assert wire.is_silent()


def test_an_endless_body_ends_when_the_client_leaves() -> None:
    with serving(fault="endless-body") as server:
        with dialled(server) as wire:
            wire.socket.sendall(GET)
            assert len(wire.receive(20_000_000)) == 20_000_000
        while server._living:
            time.sleep(0.001)


def test_nagle_with_delayed_acks_makes_the_cluster_of_40_ms() -> None:
    # Linux acknowledges the first packets of a connection at once, and later ones in 40 ms.
    assert sum(0.035 < latency < 0.2 for latency in latencies(fault="nagle")) >= 5
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


def test_a_fault_strikes_on_the_requests_chosen_only() -> None:
    with served(fault=Fault("interim", requests="*/2")) as (server, wire):
        assert [wire.ask().status for _ in range(2)] == [200, 103]
        assert [wire.reply().status, wire.ask().status] == [200, 200]
        assert server.stats.faults == 1


def test_a_server_process_has_faults_too_and_counts_them() -> None:
    with ServerProcess(settings(fault=Fault("reset-on-request", connections="1"))) as server:
        with socket.create_connection((server.host, server.port), TIMEOUT_S) as client:
            client.sendall(GET)
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        assert server.stats().faults == 1
        assert server.stop().accepts == 2
