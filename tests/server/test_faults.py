"""What each fault does on the wire, and that one can be had on HTTPS as on HTTP."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import NamedTuple

import pytest
from server.wire import GET, TIMEOUT_S, Wire, dialled, served, serving

from keepalive_bench.server import FAULTS
from keepalive_bench.server.faults.kinds import When

HEAD = b"HTTP/1.1 200 OK\r\nServer: kab\r\nContent-Type: text/plain\r\n"
LENGTH = b"Content-Length: 20\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
BODY = b"keep-alive\nkeep-aliv"
CHUNKS = b"14\r\n" + BODY + b"\r\n0\r\n\r\n"
PLAIN = HEAD + LENGTH + BODY
HALF_HEAD = (HEAD + LENGTH)[:39]
HTTP_ON_A_TLS_PORT = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"
TIMED_OUT = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HOSTILE = b"\x1b[2J\x1b]0;kab\x07[bold red]kab[/][/] \x9b31m\xe9\x7f"
FOLDED = HOSTILE + b"\r\n kab: folded\r\n\t[link=file:///kab]kab"

TRIGGERS = {
    **dict.fromkeys(When, GET),
    When.HANDSHAKE: b"\x16\x03\x01",
    When.OPEN: b"",
    When.BODY: b"POST / HTTP/1.1\r\nHost: kab\r\nContent-Length: 20\r\n\r\n",
}
"""What the client sends for a fault to strike; TLS begins with these bytes."""
STAYS, SILENCE, MORE = "stays open", "silence", "more of the same"


class Effect(NamedTuple):
    """What a client receives, and what becomes of the connection then."""

    fault: str
    sent: bytes
    then: str = STAYS
    flag: str = ""
    """What else of the behaviour is asked for."""


EFFECTS = [
    Effect("never-answer", b"", SILENCE),
    Effect("close-on-open", b"", "FIN"),
    Effect("close-on-request", b"", "FIN"),
    Effect("reset-on-request=0.01", b"", "RST"),
    Effect("close-in-head", HALF_HEAD, "FIN"),
    Effect("reset-in-head", HALF_HEAD, "RST"),
    Effect("stall-in-head", HALF_HEAD, SILENCE),
    Effect("close-in-body", HEAD + LENGTH + BODY[:10], "FIN"),
    Effect("reset-in-body", HEAD + LENGTH + BODY[:10], "RST"),
    Effect("stall-in-body", HEAD + LENGTH + BODY[:10], SILENCE),
    Effect("close-in-body", HEAD + CHUNKED + b"\r\n" + CHUNKS[:15], "FIN", "chunked"),
    Effect("no-last-chunk", HEAD + CHUNKED + b"\r\n" + CHUNKS[:-5], "FIN"),
    Effect("close-in-handshake", b"", "FIN"),
    Effect("reset-in-handshake", b"", "RST"),
    Effect("stall-in-handshake", b"", SILENCE),
    Effect("garbage-in-handshake", HTTP_ON_A_TLS_PORT, "FIN"),
    Effect("alert=certificate_required", b"\x15\x03\x03\x00\x02\x02\x74", "FIN"),
    Effect(
        "broken-record",
        HEAD + LENGTH + BODY[:10] + b"\x17\x03\x03\x00\x20" + bytes(32),
        SILENCE,
    ),
    Effect("answer-first", PLAIN),
    Effect("answer-twice", PLAIN * 2),
    Effect("idle-reset=0.02", b"", "RST"),
    Effect("idle-408=0.02", TIMED_OUT, "FIN"),
    Effect("idle-push=0.02", TIMED_OUT),
    Effect("idle-garbage=0.02", b"\x00\xffkab"),
    Effect("length-too-big=3", HEAD + b"Content-Length: 23\r\n\r\n" + BODY),
    Effect("length-too-small=3", HEAD + b"Content-Length: 17\r\n\r\n" + BODY),
    Effect("length-too-small", HEAD + b"Content-Length: 0\r\n\r\n" + BODY),
    Effect("odd-length=2e1", HEAD + b"Content-Length: 2e1\r\n\r\n" + BODY),
    Effect("two-lengths", HEAD + b"Content-Length: 20\r\nContent-Length: 27\r\n\r\n" + BODY),
    Effect("length-and-chunks", HEAD + CHUNKED + LENGTH + CHUNKS),
    Effect("malformed-chunk", HEAD + CHUNKED + b"\r\nnonsense\r\n" + CHUNKS),
    Effect("close-delimited", HEAD + b"\r\n" + BODY, "FIN"),
    Effect("close-delimited", HEAD + b"\r\n" + BODY, "FIN", "chunked"),
    Effect(
        "close-delimited", HEAD + b"Connection: close\r\n\r\n" + BODY, "FIN", "connection_close"
    ),
    Effect("forbidden-body=304", HEAD.replace(b"200 OK", b"304 Not Modified") + LENGTH + BODY),
    Effect("no-length", HEAD + b"\r\n" + BODY, SILENCE),
    Effect("gzip-bomb=1", HEAD + b"Content-Encoding: gzip\r\nContent-Length: ", MORE),
    Effect("garbage-status", HEAD.replace(b"HTTP/1.1 200 OK", b"\0\xff garbage") + LENGTH + BODY),
    Effect(
        "malformed-header", HEAD.replace(b"OK\r\n", b"OK\r\nno header at all\r\n") + LENGTH + BODY
    ),
    Effect(
        "long-header=70000", HEAD + LENGTH[:-2] + b"X-Long: " + b"x" * 70000 + b"\r\n\r\n" + BODY
    ),
    Effect("many-headers=2", HEAD + LENGTH[:-2] + b"X-0: x\r\nX-1: x\r\n\r\n" + BODY),
    Effect(
        "big-head=60001",
        HEAD + LENGTH[:-2] + b"X-0: " + b"x" * 60000 + b"\r\nX-1: x\r\n\r\n" + BODY,
    ),
    Effect("interim=102", b"HTTP/1.1 102 Processing\r\n\r\n" + PLAIN),
    Effect(
        "interim", b"HTTP/1.1 103 Early Hints\r\nLink: </kab.css>; rel=preload\r\n\r\n" + PLAIN
    ),
    Effect(
        "hostile-text",
        b"HTTP/1.1 200 " + HOSTILE + b"\r\n" + LENGTH[:-2] + b"Server: kab, " + FOLDED
        + b"\r\nContent-Type: text/plain, " + FOLDED + b"\r\nConnection: " + FOLDED
        + b"\r\nKeep-Alive: " + FOLDED + b"\r\n\r\n" + BODY,
    ),
    Effect("status=503", HEAD.replace(b"200 OK", b"503 Service Unavailable") + LENGTH + BODY),
    Effect(
        "error-close=413",
        HEAD.replace(b"200 OK", b"413 Request Entity Too Large") + LENGTH[:-2]
        + b"Connection: close\r\n\r\n" + BODY,
        "FIN",
    ),
    Effect(
        "bad-request=no",
        HEAD.replace(b"200 OK", b"400 Bad Request") + b"Content-Length: 2\r\n\r\nno",
    ),
    Effect("new-session=id", HEAD + LENGTH[:-2] + b"Set-Cookie: id=", MORE),
    Effect("unread-body", PLAIN),
    Effect("http2", b"\0\0\0\4\0\0\0\0\0", "FIN"),
    Effect("drip=0.0001", PLAIN),
    Effect("drip-body=0.001", PLAIN),
    Effect("endless-body", HEAD + CHUNKED + b"\r\n" + b"4000\r\nkeep-alive", MORE),
    Effect("endless-length", HEAD + b"Content-Length: 1000000000000000\r\n\r\n" + BODY, MORE),
    Effect("endless-interim=0.001", CONTINUE * 50, MORE),
    Effect("nagle", PLAIN),
]  # fmt: skip
ON_HTTPS = [
    each
    for each in EFFECTS
    if each.fault in {"reset-in-body", "no-last-chunk", "idle-408=0.02", "idle-push=0.02"}
]


def struck(wire: Wire, effect: Effect) -> None:
    """Do what makes a fault strike, and see what the client receives."""
    when = FAULTS[effect.fault.partition("=")[0]].when
    wire.socket.sendall(TRIGGERS[when])
    if when is When.IDLE:
        assert wire.receive(len(PLAIN)) == PLAIN
    assert wire.receive(len(effect.sent)) == effect.sent
    if effect.then in {"FIN", "RST"}:
        assert wire.until_the_end() == (b"", effect.then)
    elif effect.then == SILENCE:
        assert wire.is_silent()
        wire.socket.sendall(GET)  # It isn't read as a request, either.
        wire.socket.shutdown(socket.SHUT_WR)
        assert wire.until_the_end() == (b"", "FIN")
    elif effect.then == STAYS:
        wire.socket.sendall(GET)
        again = effect.sent if when is When.REQUEST else PLAIN
        assert wire.receive(len(again)) == again
        assert when is When.IDLE or wire.is_silent()


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: effect.fault)
def test_a_fault_does_on_the_wire_what_it_says(effect: Effect) -> None:
    name = effect.fault.partition("=")[0]
    tls = FAULTS[name].when is When.HANDSHAKE
    options = {effect.flag: True} if effect.flag else {}
    with serving(fault=effect.fault, body_size=20, tls=tls, **options) as server:
        plain = socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S)
        with closing(Wire(plain)) as wire:
            struck(wire, effect)
        assert server.stats.faults


@pytest.mark.parametrize("effect", ON_HTTPS, ids=lambda effect: effect.fault)
def test_it_does_the_same_on_https(effect: Effect) -> None:
    with served(fault=effect.fault, body_size=20, tls=True) as (_, wire):
        struck(wire, effect)


def test_a_connection_can_be_reset_as_soon_as_it_is_open() -> None:
    with (
        serving(fault="reset-on-open") as server,
        pytest.raises(ConnectionResetError),  # be it in connect() already
        dialled(server) as wire,
    ):
        wire.socket.recv(1)


def test_no_fault_is_left_out() -> None:
    shown = {effect.fault.partition("=")[0] for effect in EFFECTS}
    assert shown | {"reset-on-open"} == set(FAULTS)
