from __future__ import annotations

import socket
import threading
import time

import pytest
from server.wire import GET, STATS, TIMEOUT_S, Reply, Wire, dialled, served, serving

CLOSE = GET[:-2] + b"Connection: close\r\n\r\n"
OLD = b"GET / HTTP/1.0\r\n\r\n"
OLD_KEEP_ALIVE = b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"


def asked(wire: Wire, times: int) -> list[Reply]:
    return [wire.ask() for _ in range(times)]


def test_a_second_request_travels_on_the_same_connection() -> None:
    with served() as (server, wire):
        for _ in range(100):
            assert wire.ask().header("connection") is None
        assert (server.stats.accepts, server.stats.requests) == (1, 100)


def test_a_client_that_says_close_is_answered_and_left() -> None:
    with served() as (_, wire):
        assert wire.ask(CLOSE).header("connection") == "close"
        assert wire.everything() == b""


def test_close_after_announces_the_last_answer_of_a_connection() -> None:
    with serving(close_after=3) as server:
        for _ in range(2):
            with dialled(server) as wire:
                said = [wire.ask().header("connection") for _ in range(3)]
                assert said == [None, None, "close"]
                assert wire.everything() == b""
        assert (server.stats.accepts, server.stats.requests) == (2, 6)


def test_silent_close_after_ends_a_connection_without_a_word() -> None:
    with served(silent_close_after=2) as (_, wire):
        assert [wire.ask().header("connection") for _ in range(2)] == [None, None]
        assert wire.everything() == b""


def test_requests_for_stats_count_towards_the_last_answer() -> None:
    with served(close_after=2) as (_, wire):
        wire.ask(STATS)
        assert wire.ask(STATS).header("connection") == "close"
        assert wire.everything() == b""


def test_connection_close_ends_every_connection_after_one_answer() -> None:
    with served(connection_close=True, keep_alive_header="timeout=5") as (_, wire):
        reply = wire.ask()
        assert reply.header("connection") == "close"
        assert reply.header("keep-alive") is None
        assert wire.everything() == b""


def test_pipelined_requests_after_the_last_answer_are_not_answered() -> None:
    with served(close_after=1) as (server, wire):
        wire.socket.sendall(GET * 3)
        assert wire.reply().header("connection") == "close"
        wire.socket.shutdown(socket.SHUT_WR)
        assert wire.everything() == b""
        assert server.stats.requests == 1


IDLE_S = 0.5
"""A busy machine sends a request sooner than that after the connection is open."""


def test_an_idle_connection_is_closed_in_time() -> None:
    with served(idle_timeout_s=IDLE_S) as (_, wire):
        began = time.monotonic()  # before the server begins to count, however late it is noted
        wire.ask()
        assert wire.everything() == b""
        assert IDLE_S <= time.monotonic() - began < TIMEOUT_S


def test_a_connection_without_any_request_is_closed_in_time_too() -> None:
    with served(idle_timeout_s=0.1) as (server, wire):
        assert wire.everything() == b""
        assert server.stats.requests == 0


def test_a_slow_answer_is_not_idleness() -> None:
    with served(idle_timeout_s=IDLE_S, delay_s=1.5 * IDLE_S) as (_, wire):
        assert wire.ask().status == 200


def test_the_keep_alive_header_is_said_as_given() -> None:
    with served(keep_alive_header="timeout=5, max=100") as (_, wire):
        assert wire.ask().header("keep-alive") == "timeout=5, max=100"
        assert wire.ask(CLOSE).header("keep-alive") is None


def test_a_maximum_is_counted_down_and_kept_as_apache_does() -> None:
    with served(keep_alive_max=2, keep_alive_header="timeout=5") as (server, wire):
        said = [
            (reply.header("keep-alive"), reply.header("connection")) for reply in asked(wire, 3)
        ]
        assert said == [("timeout=5, max=2", None), ("timeout=5, max=1", None), (None, "close")]
        assert wire.everything() == b""
        assert server.stats.requests == 3


def test_a_maximum_can_be_kept_without_a_word() -> None:
    with served(keep_alive_max=2, silent_close_after=3) as (_, wire):
        said = [
            (reply.header("keep-alive"), reply.header("connection")) for reply in asked(wire, 3)
        ]
        assert said == [("max=2", None), ("max=1", None), ("max=0", None)]
        assert wire.everything() == b""


def test_a_maximum_can_be_broken() -> None:
    with served(keep_alive_max=100, silent_close_after=1) as (_, wire):
        assert wire.ask().header("keep-alive") == "max=100"
        assert wire.everything() == b""


def test_http_10_ends_the_connection_without_saying_so() -> None:
    with served(http_10=True) as (_, wire):
        reply = wire.ask()
        assert reply.status_line == "HTTP/1.0 200 OK"
        assert reply.header("connection") is None
        assert wire.everything() == b""


@pytest.mark.parametrize("http_10", [False, True])
def test_keep_alive_in_http_10_is_given_when_asked_for(*, http_10: bool) -> None:
    with served(http_10=http_10) as (server, wire):
        for _ in range(2):
            reply = wire.ask(OLD_KEEP_ALIVE)
            assert reply.status_line == ("HTTP/1.0 200 OK" if http_10 else "HTTP/1.1 200 OK")
            assert reply.header("connection") == "keep-alive"
        assert server.stats.accepts == 1


def test_a_client_of_http_10_that_asks_for_nothing_is_told_that_the_connection_ends() -> None:
    with served() as (_, wire):
        assert wire.ask(OLD).header("connection") == "close"
        assert wire.everything() == b""


def test_many_connections_at_once_are_all_served_and_counted() -> None:
    def work() -> None:
        with dialled(server) as wire:
            for _ in range(20):
                wire.ask()

    with serving() as server:
        threads = [threading.Thread(target=work) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (server.stats.accepts, server.stats.requests) == (20, 400)


def test_stopping_ends_idle_connections_and_waiting_answers_at_once() -> None:
    began = time.monotonic()
    with serving(delay_s=600) as server, dialled(server) as idle, dialled(server) as waiting:
        waiting.socket.sendall(GET)
        while server.stats.requests == server.stats.stats_requests:
            idle.ask(STATS)  # Until the other's request has been read.
        server.stop()
        assert idle.everything() == b""
        assert waiting.everything() == b""
    assert time.monotonic() - began < TIMEOUT_S


def test_stopping_ends_an_answer_that_nobody_reads() -> None:
    with served(body_size=10**9) as (server, wire):
        wire.socket.sendall(GET)
        wire.socket.recv(1)
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < TIMEOUT_S


def test_a_connection_that_gets_no_thread_is_closed_and_the_next_one_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serving() as server:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", _no_thread)
            with dialled(server) as wire:
                assert wire.everything() == b""
        with dialled(server) as wire:
            assert wire.ask().status == 200
        assert server.stats.accepts == 2


def _no_thread(_: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")
