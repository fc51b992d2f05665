"""What befalls connections: an end, silence or slowness in place of more, or unasked bytes."""

from __future__ import annotations

from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING

from keepalive_bench.server.faults.kinds import Beneath, Do, FaultKind, Parameter, When, seconds
from keepalive_bench.server.responses import CONTINUE, in_chunks, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.server.faults.kinds import Scene, Step

_HTTP_ON_A_TLS_PORT = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"
_TIMEOUT = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_ALERTS = {
    "unexpected_message": 10,
    "handshake_failure": 40,
    "bad_certificate": 42,
    "unknown_ca": 48,
    "access_denied": 49,
    "decode_error": 50,
    "protocol_version": 70,
    "insufficient_security": 71,
    "internal_error": 80,
    "unrecognized_name": 112,
    "certificate_required": 116,
    "no_application_protocol": 120,
}
"""RFC 8446, section 6."""
_NO_RECORD = b"\x17\x03\x03\x00\x20" + bytes(32)
"""Application data that no key has encrypted."""
_BLOCK_SIZE = 64 * 1024
_NO_HTTP = b"\x00\xffkab"
_ENDS = (("close", Do.CLOSE, "FIN"), ("reset", Do.RESET, "RST"))
_ENDS_OR_SILENCE = (*_ENDS, ("stall", Do.HOLD, "silence until the client leaves"))


def _at_once(end: Do, scene: Scene) -> tuple[Step, ...]:
    return (scene.seconds, end)


def _in_head(end: Do, scene: Scene) -> Iterator[Step]:
    head = scene.response().head
    yield head[: len(head) // 2]
    yield end


def _in_body(end: Do, scene: Scene) -> Iterator[Step]:
    response = scene.response()
    yield response.head
    wanted = sum(map(len, response.body)) // 2
    for part in response.body:
        yield part[:wanted]
        wanted -= len(part[:wanted])
    yield end


def _broken_record(scene: Scene) -> Iterator[Step]:
    *steps, _ = _in_body(Do.CLOSE, scene)
    yield from steps
    yield Beneath(_NO_RECORD)
    yield Do.HOLD


def _alert(scene: Scene) -> tuple[Step, ...]:
    fatal, code = 2, _ALERTS[str(scene.value)]
    return (bytes((21, 3, 3, 0, 2, fatal, code)), Do.CLOSE)


def _no_last_chunk(scene: Scene) -> tuple[Step, ...]:
    *first, last = scene.response(chunked=True).parts
    return (*first, last.removesuffix(b"0\r\n\r\n"), Do.CLOSE)


def _drip(data: bytes, every_s: float) -> Iterator[Step]:
    for byte in data:
        yield bytes((byte,))
        yield every_s


def _drip_all(scene: Scene) -> Iterator[Step]:
    for part in scene.response().parts:
        yield from _drip(part, scene.seconds)


def _drip_body(scene: Scene) -> Iterator[Step]:
    response = scene.response()
    yield response.head
    for part in response.body:
        yield from _drip(part, scene.seconds)


def _endless_body(scene: Scene) -> Iterator[Step]:
    response = scene.response(chunked=True)
    yield response.head
    yield from repeat(in_chunks(text(_BLOCK_SIZE)))


def _endless_length(scene: Scene) -> Iterator[Step]:
    response = scene.response(chunked=False)
    yield response.having(("Content-Length", str(10**15)), instead_of=("Content-Length",)).head
    yield from repeat(text(_BLOCK_SIZE))


def _endless_interim(scene: Scene) -> Iterator[Step]:
    while True:
        yield CONTINUE
        yield scene.seconds


def _nagle(scene: Scene) -> Iterator[Step]:
    response = scene.response()
    yield Do.NAGLE
    yield response.head
    yield from response.body


CUTS = (
    FaultKind(
        "never-answer",
        "The request is read, then silence until the client leaves.",
        act=partial(_at_once, Do.HOLD),
    ),
    *(
        FaultKind(
            f"{verb}-on-open",
            f"{end} as soon as the connection is open, without reading anything.",
            when=When.OPEN,
            act=partial(_at_once, do),
        )
        for verb, do, end in _ENDS
    ),
    *(
        FaultKind(
            f"{verb}-on-request",
            f"The request is read, then {end} SECONDS later, without an answer.",
            act=partial(_at_once, do),
            parameter=seconds(0.0),
        )
        for verb, do, end in _ENDS
    ),
    *(
        FaultKind(f"{verb}-in-head", f"Half of the head, then {end}.", act=partial(_in_head, do))
        for verb, do, end in _ENDS_OR_SILENCE
    ),
    *(
        FaultKind(
            f"{verb}-in-body",
            f"The head and half of the body, in chunks or not, then {end}.",
            act=partial(_in_body, do),
        )
        for verb, do, end in _ENDS_OR_SILENCE
    ),
    FaultKind(
        "no-last-chunk",
        "All chunks of the body but the empty one that ends it, then FIN.",
        act=_no_last_chunk,
    ),
    *(
        FaultKind(
            f"{verb}-in-handshake",
            f"The client's TLS hello is read, then {end}.",
            when=When.HANDSHAKE,
            act=partial(_at_once, do),
        )
        for verb, do, end in _ENDS_OR_SILENCE
    ),
    FaultKind(
        "garbage-in-handshake",
        "The client's TLS hello is answered with plain HTTP, then FIN.",
        when=When.HANDSHAKE,
        act=lambda _: (_HTTP_ON_A_TLS_PORT, Do.CLOSE),
    ),
    FaultKind(
        "alert",
        "The client's TLS hello is answered with the alert NAME, then FIN.",
        when=When.HANDSHAKE,
        act=_alert,
        parameter=Parameter("NAME", "unrecognized_name", choices=tuple(_ALERTS)),
    ),
    FaultKind(
        "broken-record",
        "The head and half of the body, then what is no TLS record of this connection's.",
        act=_broken_record,
    ),
    FaultKind(
        "answer-first",
        "A whole answer before the first request, which then gets one, too.",
        when=When.OPEN,
        act=lambda scene: scene.response().parts,
    ),
    FaultKind(
        "answer-twice",
        "The answer two times in one packet.",
        act=lambda scene: (b"".join(scene.response().parts) * 2,),
    ),
    FaultKind(
        "idle-reset",
        "RST after SECONDS without a request (for FIN: --idle-timeout).",
        when=When.IDLE,
        act=lambda _: (Do.RESET,),
        parameter=seconds(1.0),
    ),
    FaultKind(
        "idle-408",
        "A 408 response after SECONDS without a request, then FIN, as HAProxy does it.",
        when=When.IDLE,
        act=lambda _: (_TIMEOUT, Do.CLOSE),
        parameter=seconds(1.0),
    ),
    FaultKind(
        "idle-push",
        "A 408 response after SECONDS without a request; the connection stays open.",
        when=When.IDLE,
        act=lambda _: (_TIMEOUT,),
        parameter=seconds(1.0),
    ),
    FaultKind(
        "idle-garbage",
        "Bytes that aren't HTTP after SECONDS without a request; the connection stays open.",
        when=When.IDLE,
        act=lambda _: (_NO_HTTP,),
        parameter=seconds(1.0),
    ),
    FaultKind(
        "drip", "The answer byte by byte, SECONDS apart.", act=_drip_all, parameter=seconds(1.0)
    ),
    FaultKind(
        "drip-body",
        "The head at once, then the body byte by byte, SECONDS apart.",
        act=_drip_body,
        parameter=seconds(1.0),
    ),
    FaultKind(
        "endless-body",
        "A body in chunks that never ends, as fast as it is read.",
        act=_endless_body,
    ),
    FaultKind(
        "endless-length",
        "A body with a Content-Length of 10^15, as fast as it is read.",
        act=_endless_length,
    ),
    FaultKind(
        "endless-interim",
        "100 Continue again and again, SECONDS apart, and never an answer.",
        act=_endless_interim,
        parameter=seconds(0.1),
    ),
    FaultKind(
        "nagle",
        "Head and body sent apart with Nagle's algorithm on: with delayed ACKs, 40 ms.",
        act=_nagle,
    ),
)
