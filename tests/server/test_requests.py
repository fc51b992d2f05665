"""What the server makes of the bytes of a request: RFC 9112, strictly."""

from __future__ import annotations

import socket
from collections import deque

import pytest
from server.wire import GET, dialled, served, serving

from keepalive_bench.server.received import HEAD_LIMIT, BadRequestError, Reader, parse_request

POST = b"POST /x HTTP/1.1\r\nHost: kab\r\n"


def reader_of(*pieces: bytes) -> Reader:
    """A stream that arrives in these pieces, and then ends."""
    left = deque(pieces)
    return Reader(lambda _: left.popleft() if left else b"")


@pytest.mark.parametrize(
    "head",
    [
        b"GET /",
        b"GET  / HTTP/1.1",
        b"GET / HTTP/2.0",
        b"GET /\xff HTTP/1.1",
        b"GET / HTTP/1.1\nHost: kab",
        b"GET / HTTP/1.1",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b",
        b"GET / HTTP/1.0\r\nHost: a\r\nHost: b",
        b"GET / HTTP/1.1\r\nHost : kab",
        b"GET / HTTP/1.1\r\nHost: kab\r\nno colon",
        b"GET / HTTP/1.1\r\nHost: kab\r\n folded: line",
        b"GET / HTTP/1.1\r\nHost: kab\r\nX: \0",
        b"GET / HTTP/1.1\r\nHost: kab\r\nX: a\rb",
        b"GET / HTTP/1.1\r\nHost: kab\r\nContent-Length: -1",
        b"GET / HTTP/1.1\r\nHost: kab\r\nContent-Length: 1\r\nContent-Length: 2",
        b"GET / HTTP/1.1\r\nHost: kab\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
    ],
)
def test_a_malformed_head_is_a_bad_request(head: bytes) -> None:
    with pytest.raises(BadRequestError) as caught:
        parse_request(head)
    assert caught.value.status == 400


def test_a_transfer_coding_that_is_not_known_is_not_implemented() -> None:
    with pytest.raises(BadRequestError) as caught:
        parse_request(POST + b"Transfer-Encoding: gzip, chunked")
    assert caught.value.status == 501


def test_a_head_is_read_as_it_was_written() -> None:
    request = parse_request(b"OPTIONS * HTTP/1.1\r\nHost:kab\r\nX-Empty:\r\nX: \xe9 b \t")
    assert (request.method, request.target, request.minor_version) == (b"OPTIONS", b"*", 1)
    assert request.fields.lines == ((b"Host", b"kab"), (b"X-Empty", b""), (b"X", b"\xe9 b"))


def test_http_1_0_needs_no_host() -> None:
    assert parse_request(b"GET / HTTP/1.0").minor_version == 0


def test_connection_options_are_found_among_others_and_in_any_case() -> None:
    head = GET[:-4] + b"\r\nConnection: te, Keep-Alive\r\nconnection:\tCLOSE"
    request = parse_request(head)
    assert request.wants_close
    assert not request.wants_keep_alive


def test_a_request_may_arrive_byte_by_byte() -> None:
    stream = POST + b"Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nTrailer: 1\r\n\r\n"
    reader = reader_of(*(bytes([byte]) for byte in stream + GET))
    head = reader.head()
    assert head is not None
    assert b"".join(reader.body(parse_request(head))) == b"abc"
    assert reader.head() == GET[:-4]
    assert reader.head() is None


def test_empty_lines_before_a_request_are_skipped() -> None:
    reader = reader_of(b"\r\n", b"\r\n" + GET + b"\r\n" + GET)
    assert reader.head() == reader.head() == GET[:-4]


@pytest.mark.parametrize("chunks", [b"1\r\nab\r\n", b"0x1\r\n", b"1" * 70000])
def test_malformed_chunks_are_a_bad_request(chunks: bytes) -> None:
    reader = reader_of(POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
    request = parse_request(reader.head() or b"")
    with pytest.raises(BadRequestError):
        list(reader.body(request))


def test_a_body_that_ends_too_early_is_no_request() -> None:
    reader = reader_of(POST + b"Content-Length: 3\r\n\r\n", b"ab")
    request = parse_request(reader.head() or b"")
    with pytest.raises(ConnectionAbortedError):
        list(reader.body(request))


def test_a_malformed_request_gets_400_and_the_end_of_the_connection() -> None:
    with served() as (server, wire):
        reply = wire.ask(b"GET nonsense\r\n\r\n")
        assert reply.status_line == "HTTP/1.1 400 Bad Request"
        assert reply.header("connection") == "close"
        assert reply.body == b"The request line is malformed.\n"
        assert wire.everything() == b""
        assert server.stats.requests == 0


def test_tls_spoken_to_a_plain_server_is_refused_without_waiting_for_more() -> None:
    with served() as (_, wire):
        assert wire.ask(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc").status == 400


def test_a_head_over_64_kib_gets_431_and_the_end_of_the_connection() -> None:
    with served() as (_, wire):
        reply = wire.ask(GET[:-2] + b"X: " + b"x" * HEAD_LIMIT + b"\r\n\r\n")
        assert reply.status_line == "HTTP/1.1 431 Request Header Fields Too Large"
        assert wire.everything() == b""


def test_a_refused_client_that_is_still_sending_gets_its_answer() -> None:
    with served() as (_, wire):
        wire.socket.sendall(GET[:-2] + b"X: " + b"x" * 4 * 1024 * 1024)
        wire.socket.shutdown(socket.SHUT_WR)
        assert wire.reply().status == 431


@pytest.mark.parametrize(
    ("framing", "body"),
    [
        (b"Content-Length: 5\r\n\r\n", b"hello"),
        (b"Transfer-Encoding: Chunked\r\n\r\n", b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"),
    ],
    ids=["content-length", "chunked"],
)
def test_a_request_body_is_read_to_its_end(framing: bytes, body: bytes) -> None:
    with served() as (server, wire):
        assert wire.ask(POST + framing + body).status == 200
        assert wire.ask(GET).status == 200
        assert server.stats.requests == 2


def test_malformed_chunks_get_400_over_the_wire() -> None:
    with served() as (_, wire):
        assert wire.ask(POST + b"Transfer-Encoding: chunked\r\n\r\nx\r\n").status == 400


def test_a_client_that_expects_100_continue_gets_it_before_it_sends_the_body() -> None:
    with served() as (_, wire):
        wire.socket.sendall(POST + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert wire.reply().status_line == "HTTP/1.1 100 Continue"
        assert wire.ask(b"ab").status == 200


def test_pipelined_requests_are_answered_in_turn() -> None:
    with served(body_size=1) as (server, wire):
        wire.socket.sendall(GET * 2 + POST + b"Content-Length: 3\r\n\r\nabc" + GET)
        assert [wire.reply().body for _ in range(4)] == [b"k"] * 4
        assert server.stats.requests == 4


def test_a_client_that_leaves_in_the_middle_harms_nobody() -> None:
    with serving() as server:
        for fragment in (b"", b"GE", GET[:-2], POST + b"Content-Length: 9\r\n\r\nabc"):
            with dialled(server) as wire:
                wire.socket.sendall(fragment)
        with dialled(server) as wire:
            assert wire.ask().status == 200
        assert server.stats.accepts == 5
        assert server.stats.requests == 1
