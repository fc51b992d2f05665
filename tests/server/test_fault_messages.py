from __future__ import annotations

import gzip
import zlib
from typing import Any

import pytest
from server.wire import GET, served

HEAD = b"HTTP/1.1 200 OK\r\nServer: kab\r\nContent-Type: text/plain\r\n"
LENGTH = b"Content-Length: 20\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
BODY = b"keep-alive\nkeep-aliv"
CHUNKS = b"14\r\n" + BODY + b"\r\n0\r\n\r\n"
HOSTILE = b"\x1b[2J\x1b]0;kab\x07[bold red]kab[/][/] \x9b31m\xe9\x7f"
FOLDED = HOSTILE + b"\r\n kab: folded\r\n\t[link=file:///kab]kab"

WORD_FOR_WORD = [
    ("length-too-big", HEAD + b"Content-Length: 120\r\n\r\n" + BODY),
    ("length-too-big=3", HEAD + b"Content-Length: 23\r\n\r\n" + BODY),
    ("length-too-small", HEAD + b"Content-Length: 0\r\n\r\n" + BODY),
    ("length-too-small=3", HEAD + b"Content-Length: 17\r\n\r\n" + BODY),
    ("odd-length", HEAD + b"Content-Length: -1\r\n\r\n" + BODY),
    ("odd-length=2e1", HEAD + b"Content-Length: 2e1\r\n\r\n" + BODY),
    ("two-lengths", HEAD + b"Content-Length: 20\r\nContent-Length: 27\r\n\r\n" + BODY),
    ("length-and-chunks", HEAD + CHUNKED + LENGTH + CHUNKS),
    ("malformed-chunk", HEAD + CHUNKED + b"\r\nnonsense\r\n" + CHUNKS),
    ("forbidden-body", HEAD.replace(b"200 OK", b"204 No Content") + LENGTH + BODY),
    ("forbidden-body=304", HEAD.replace(b"200 OK", b"304 Not Modified") + LENGTH + BODY),
    ("garbage-status", HEAD.replace(b"HTTP/1.1 200 OK", b"\0\xff garbage") + LENGTH + BODY),
    ("garbage-status=HTTP/9 x", HEAD.replace(b"HTTP/1.1 200 OK", b"HTTP/9 x") + LENGTH + BODY),
    ("malformed-header", HEAD.replace(b"OK\r\n", b"OK\r\nno header at all\r\n") + LENGTH + BODY),
    ("interim=100", b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + LENGTH + BODY),
    ("interim=102", b"HTTP/1.1 102 Processing\r\n\r\n" + HEAD + LENGTH + BODY),
    (
        "interim",
        b"HTTP/1.1 103 Early Hints\r\nLink: </kab.css>; rel=preload\r\n\r\n" + HEAD + LENGTH + BODY,
    ),
    ("long-header=70000", HEAD + LENGTH[:-2] + b"X-Long: " + b"x" * 70000 + b"\r\n\r\n" + BODY),
    ("many-headers=2", HEAD + LENGTH[:-2] + b"X-0: x\r\nX-1: x\r\n\r\n" + BODY),
    (
        "hostile-text",
        b"HTTP/1.1 200 " + HOSTILE + b"\r\n" + LENGTH[:-2] + b"Server: kab, " + FOLDED
        + b"\r\nContent-Type: text/plain, " + FOLDED + b"\r\nConnection: " + FOLDED
        + b"\r\nKeep-Alive: " + FOLDED + b"\r\n\r\n" + BODY,
    ),
]  # fmt: skip
IN_ONE_GO = [
    ("answer-twice", (HEAD + LENGTH + BODY) * 2),
    *[
        case
        for case in WORD_FOR_WORD
        if case[0].startswith(("length-too-small", "forb", "interim"))
    ],
]


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize(("fault", "sent"), WORD_FOR_WORD)
def test_the_answer_is_wrong_word_for_word_and_the_connection_stays(
    fault: str, sent: bytes, *, tls: bool
) -> None:
    with served(fault=fault, body_size=20, tls=tls) as (server, wire):
        for _ in range(2):
            wire.socket.sendall(GET)
            assert wire.receive(len(sent)) == sent
        assert wire.is_silent()
        assert (server.stats.requests, server.stats.faults) == (2, 2)


@pytest.mark.parametrize(("fault", "sent"), IN_ONE_GO)
def test_what_is_too_much_comes_in_the_same_packet(fault: str, sent: bytes) -> None:
    with served(fault=fault, body_size=20) as (_, wire):
        wire.socket.sendall(GET)
        assert wire.socket.recv(65536) == sent


@pytest.mark.parametrize("options", [{}, {"chunked": True}, {"http_10": True}])
def test_a_body_ends_with_its_connection(options: dict[str, Any]) -> None:
    with served(fault="close-delimited", body_size=20, **options) as (_, wire):
        wire.socket.sendall(GET)
        head = HEAD.replace(b"1.1", b"1.0") if options.get("http_10") else HEAD
        assert wire.until_the_end() == (head + b"\r\n" + BODY, "FIN")


def test_a_body_that_ends_with_its_connection_can_say_so() -> None:
    with served(fault="close-delimited", body_size=20, connection_close=True) as (_, wire):
        wire.socket.sendall(GET)
        assert wire.until_the_end() == (HEAD + b"Connection: close\r\n\r\n" + BODY, "FIN")


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


def test_a_header_line_can_be_a_megabyte_long() -> None:
    with served(fault="long-header") as (_, wire):
        assert len(wire.ask().header("x-long") or "") == 1024 * 1024


def test_ten_thousand_headers_can_be_had() -> None:
    with served(fault="many-headers") as (_, wire):
        assert len(wire.ask().headers) == 10_003


def test_a_big_head_is_made_of_lines_that_are_not_too_long() -> None:
    with served(fault="big-head") as (_, wire):
        sizes = [len(value) for name, value in wire.ask().headers if name.startswith("X-")]
    assert sum(sizes) == 1024 * 1024
    assert max(sizes) == 60_000
    assert len(sizes) == 18


def test_hostile_text_leaves_alone_what_the_connection_says() -> None:
    options: dict[str, Any] = {"close_after": 2, "keep_alive_header": "timeout=5"}
    with served(fault="hostile-text", body_size=20, **options) as (_, wire):
        wire.socket.sendall(GET * 2)
        received, ending = wire.until_the_end()
    assert received.count(b"Keep-Alive: timeout=5, " + FOLDED) == 1
    assert received.count(b"Connection: close, " + FOLDED) == 1
    assert ending == "FIN"


def test_what_is_not_faulty_about_an_answer_is_as_asked_for() -> None:
    options: dict[str, Any] = {"status": 404, "reason": "Gone", "headers": (("X-Odd", "1"),)}
    with served(fault="many-headers=1", delay_s=0.01, **options) as (_, wire):
        reply = wire.ask()
    assert reply.status_line == "HTTP/1.1 404 Gone"
    assert reply.headers[-2:] == [("X-Odd", "1"), ("X-0", "x")]
