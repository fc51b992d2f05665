from __future__ import annotations

import socket
import time
from contextlib import closing
from http.client import HTTPConnection

import pytest
from server.wire import GET, STATS, TIMEOUT_S, served, serving

from keepalive_bench.server.behaviour import Behaviour
from keepalive_bench.server.received import parse_request
from keepalive_bench.server.responses import ResponseFactory

HEAD = GET.replace(b"GET", b"HEAD")


def test_the_plain_answer_says_what_it_is_and_no_more() -> None:
    with served() as (_, wire):
        reply = wire.ask()
    assert reply.status_line == "HTTP/1.1 200 OK"
    assert reply.headers == [
        ("Server", "kab"),
        ("Content-Type", "text/plain"),
        ("Content-Length", "1024"),
    ]
    assert reply.body.startswith(b"keep-alive\nkeep-alive\n")


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [0, 16 * 1024 + 1, 1024 * 1024, 3 * 1024 * 1024 + 5])
def test_a_body_has_the_size_asked_for(size: int, *, chunked: bool) -> None:
    with serving(body_size=size, chunked=chunked) as server:
        with closing(HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT_S)) as client:
            for _ in range(2):
                client.request("GET", "/")
                response = client.getresponse()
                assert response.getheader("Transfer-Encoding") == ("chunked" if chunked else None)
                assert len(response.read()) == size
        assert server.stats.accepts == 1


def test_a_huge_body_costs_no_memory() -> None:
    answer = ResponseFactory(Behaviour(body_size=10**10)).to(parse_request(GET[:-4]), 1)
    assert sum(map(len, answer.parts)) > 10**10
    assert len({id(part) for part in answer.parts}) == 3


def test_an_ordinary_answer_is_sent_in_one_go() -> None:
    request = parse_request(GET[:-4])
    assert len(ResponseFactory(Behaviour(body_size=1000_000)).to(request, 1).parts) == 1
    assert len(ResponseFactory(Behaviour(chunked=True)).to(request, 1).parts) == 1


@pytest.mark.parametrize("chunked", [False, True])
def test_a_head_request_gets_the_same_head_and_no_body(*, chunked: bool) -> None:
    with served(chunked=chunked) as (_, wire):
        reply = wire.ask(HEAD)
        following = wire.ask(GET)
    assert reply.headers == following.headers
    assert reply.status_line == following.status_line


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_body_has_none(status: int) -> None:
    with served(status=status) as (_, wire):
        for _ in range(2):
            reply = wire.ask()
            assert reply.status == status
            assert reply.headers == [("Server", "kab")]


def test_any_final_status_can_be_answered() -> None:
    with served(status=503) as (_, wire):
        assert wire.ask().status_line == "HTTP/1.1 503 Service Unavailable"
    with served(status=299) as (_, wire):
        assert wire.ask().status_line == "HTTP/1.1 299 Unknown"


def test_the_reason_can_be_any_text() -> None:
    with served(status=404, reason="\x1b[31mNo\xff") as (_, wire):
        assert wire.ask().status_line == "HTTP/1.1 404 \x1b[31mNo\xff"
        assert wire.ask(STATS).status_line == "HTTP/1.1 200 OK"


def test_extra_headers_are_sent_as_they_are() -> None:
    odd = (("X-Odd", "\x1b[31m[bold]é\x00"), ("X-Odd", "a\r\nX-Smuggled: b"))
    with served(headers=odd) as (_, wire):
        headers = wire.ask().headers
    assert headers[-3:] == [
        ("X-Odd", "\x1b[31m[bold]é\x00"),
        ("X-Odd", "a"),
        ("X-Smuggled", "b"),
    ]


def test_an_extra_header_replaces_the_default_of_its_name() -> None:
    with served(headers=(("content-type", "text/html"), ("SERVER", "odd"))) as (_, wire):
        headers = wire.ask().headers
    assert headers == [("Content-Length", "1024"), ("content-type", "text/html"), ("SERVER", "odd")]


def test_the_answer_is_delayed_as_long_as_asked() -> None:
    with served(delay_s=0.1) as (_, wire):
        began = time.monotonic()
        wire.ask()
        assert 0.1 <= time.monotonic() - began < TIMEOUT_S


def test_a_client_of_http_1_0_gets_no_chunks() -> None:
    with served(chunked=True) as (_, wire):
        reply = wire.ask(b"GET / HTTP/1.0\r\n\r\n")
        assert reply.header("transfer-encoding") is None
        assert reply.header("content-length") == "1024"


def test_nagle_is_off_on_every_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    # The kernel tells nobody but the socket's owner, so the setting itself is watched.
    accepted: list[socket.socket] = []
    original = socket.socket.accept

    def accept(listener: socket.socket) -> tuple[socket.socket, object]:
        connection, address = original(listener)
        accepted.append(connection)
        return connection, address

    monkeypatch.setattr(socket.socket, "accept", accept)
    with served() as (_, wire):
        wire.ask()
        assert accepted[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
