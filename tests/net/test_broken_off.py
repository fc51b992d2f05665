"""Answers that break off: how much came of them, and what is said of that."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal

import pytest
from support.command import called
from support.misbehaving import Peer, misbehaving
from support.plans import exchange

from keepalive_bench.results.failure_kinds import advice_on

if TYPE_CHECKING:
    from collections.abc import Callable

End = Literal["close", "reset", "stay", "drip"]
ENOUGH_S = 0.6
LENGTH_23 = b"Content-Length: 23\r\n\r\n" + b"x" * 13
CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n"
LARGE = b"Content-Length: 2000000\r\n\r\n" + b"x" * 1_000_013
SETTINGS = bytes.fromhex("000006 04 00 00000000 000300000064")
GOAWAY = bytes.fromhex("000008 07 00 00000000 00000000 00000001")
TLS_ALERT = bytes.fromhex("15 0301 0002 0246")

ANSWERS: dict[str, tuple[bytes, End, int, str, str]] = {
    "a length too large, closed": (
        LENGTH_23, "close", 13, "truncated-body", "13 of 23 bytes came, then the connection ended",
    ),
    "a length too large, kept open": (
        LENGTH_23, "stay", 13, "deadline", "13 of 23 bytes came, then silence",
    ),
    "a length too large, reset": (
        LENGTH_23, "reset", 13, "reset", "13 of 23 bytes came, then: Connection reset by peer",
    ),
    "a large body, kept open": (
        LARGE, "stay", 1_000_013, "deadline", "1,000,013 of 2,000,000 bytes came, then silence",
    ),
    "a head alone": (
        b"Content-Length: 23\r\n\r\n", "stay", 0, "deadline", "0 of 23 bytes came, then silence",
    ),
    "no length, kept open": (
        b"\r\n" + b"x" * 13, "stay", 13, "deadline",
        "13 bytes came, then silence: the server sent no length and keeps the connection open",
    ),
    "no length, reset": (
        b"\r\nx", "reset", 1, "reset", "1 byte came, then: Connection reset by peer",
    ),
    "half a chunk, closed": (
        CHUNKS + b"a\r\nhalf", "close", 4, "truncated-body",
        "4 bytes came in chunks, without the last one, then the connection ended",
    ),
    "half a chunk, kept open": (
        CHUNKS + b"a\r\nhalf", "stay", 4, "deadline",
        "4 bytes came in chunks, without the last one, then silence",
    ),
    "a chunk without its end": (
        CHUNKS + b"4\r\nhalf", "stay", 4, "deadline",
        "4 bytes came in chunks, without the last one, then silence",
    ),
    "no last chunk": (
        CHUNKS + b"4\r\nhalf\r\n3\r\nmor\r\n", "stay", 7, "deadline",
        "7 bytes came in chunks, without the last one, then silence",
    ),
}  # fmt: skip


def breaking_off(data: bytes, end: End) -> Callable[[Peer], None]:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.socket.sendall(data)
        if end == "reset":
            peer.pause(0.1)  # or the system throws away what it has not handed out
            peer.reset()
        elif end == "stay":
            peer.stay()

    return script


@pytest.mark.parametrize(("data", "end", "came", "kind", "message"), ANSWERS.values(), ids=ANSWERS)
def test_it_is_counted_what_came_and_said_how_it_went_on(
    data: bytes, end: End, came: int, kind: str, message: str
) -> None:
    with misbehaving(breaking_off(b"HTTP/1.1 200 OK\r\n" + data, end)) as server:
        outcome = exchange(server.url, timeout_s=ENOUGH_S).outcome
    assert outcome.failure == (kind, message)
    assert (outcome.status, outcome.body_bytes) == (200, came)


@pytest.mark.parametrize(
    "head", [b"Content-Length: 10000\r\n\r\n", b"\r\n"], ids=["length", "none"]
)
def test_a_longer_timeout_is_advised_only_while_more_is_coming(head: bytes) -> None:
    def dripping(peer: Peer) -> None:
        peer.drip(b"HTTP/1.1 200 OK\r\n" + head, b"x", 0.02)

    with misbehaving(dripping) as server:
        outcome = exchange(server.url, timeout_s=ENOUGH_S).outcome
    assert outcome.failure is not None
    assert outcome.failure.message.endswith(" and more was coming")
    assert outcome.failure.message.startswith(f"{outcome.body_bytes} ")
    assert 0 < outcome.body_bytes <= ENOUGH_S / 0.02
    assert "A longer --timeout" in advice_on(outcome.failure)
    with misbehaving(breaking_off(b"HTTP/1.1 200 OK\r\n" + head + b"x", "stay")) as server:
        silent = exchange(server.url, timeout_s=ENOUGH_S).outcome.failure
    assert silent is not None
    assert "no --timeout is long enough" in advice_on(silent)


@pytest.mark.parametrize(("end", "kind"), [("stay", "deadline"), ("close", "truncated-body")])
@pytest.mark.parametrize("status", [204, 304])
def test_chunks_of_a_response_that_has_no_body_are_waited_for_in_vain(
    status: int, end: End, kind: str
) -> None:
    """RFC 9112, section 6.3, ends it with its head; http.client and urllib3 wait all the same."""
    head = f"HTTP/1.1 {status} None\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    with misbehaving(breaking_off(head, end)) as server:
        failure = exchange(server.url, timeout_s=ENOUGH_S).outcome.failure
    assert failure is not None
    assert failure.kind == kind
    assert failure.message.startswith(f"a {status} has no body, whatever its Transfer-Encoding")
    assert "leave Transfer-Encoding out" in advice_on(failure)


@pytest.mark.parametrize("kind", ["text/event-stream; charset=utf-8", "Text/Event-Stream"])
def test_no_timeout_is_advised_where_a_stream_never_ends(kind: str) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n\r\n".encode()
    with misbehaving(lambda peer: peer.drip(head, b"data: x\n\n", 0.02)) as server:
        failure = exchange(server.url, timeout_s=ENOUGH_S).outcome.failure
        cured = exchange(server.url, timeout_s=5.0, max_body=9).outcome
    assert failure is not None
    assert "--max-body" in advice_on(failure)
    assert "A longer --timeout" not in advice_on(failure)
    assert cured.failure is None


def test_a_head_that_breaks_off_says_so() -> None:
    with misbehaving(breaking_off(b"HTTP/1.1 200 OK\r\nContent-", "stay")) as server:
        outcome = exchange(server.url, timeout_s=ENOUGH_S).outcome
    assert outcome.failure == ("deadline", "the head began, then silence")


@pytest.mark.parametrize("end", ["close", "stay", "reset"])
@pytest.mark.parametrize("frames", [SETTINGS, SETTINGS + GOAWAY, GOAWAY], ids=["1", "2", "goaway"])
def test_http_2_is_called_so(frames: bytes, end: End) -> None:
    with misbehaving(breaking_off(frames, end)) as server:
        failure = exchange(server.url, timeout_s=ENOUGH_S).outcome.failure
    assert failure == ("http2-spoken", "a frame of HTTP/2 came")


def test_tls_on_an_http_port_is_called_so() -> None:
    with misbehaving(breaking_off(TLS_ALERT, "close")) as server:
        failure = exchange(server.url).outcome.failure
    assert failure == ("malformed-response", "a TLS record came in place of a status line")
    assert "https://" in advice_on(failure)


@pytest.mark.parametrize("start", [b"HTTP/1.1 abc OK\r\n\r\n", b"\x00\xff garbage", b"\x16"])
def test_other_garbage_is_neither(start: bytes) -> None:
    with misbehaving(breaking_off(start, "close")) as server:
        failure = exchange(server.url).outcome.failure
    assert failure is not None
    assert failure.kind == "malformed-response"
    assert "in place of" not in failure.message


def test_what_came_of_failed_requests_is_in_the_document_and_the_finding() -> None:
    nth = iter(range(10))

    def third(peer: Peer) -> None:
        while peer.read_request():
            whole = next(nth) != 2  # the third
            body = b"hello" if whole else b"hel"
            peer.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + body)
            if not whole:
                return

    with misbehaving(third) as server:
        done = called("run", server.url, "--arm=pooled", "-n4", "--warmup=0", "--json", "-")
    document = json.loads(done.out)
    assert document["arms"]["pooled"]["bytes_received"] == 18
    (finding,) = (it for it in document["findings"] if it["code"] == "requests-failed")
    assert finding["evidence"]["message"] == "3 of 5 bytes came, then the connection ended"
    assert finding["advice"].startswith("Content-Length announces more than came. Does the server")
