"""Connections that end, or fall silent, where something should have followed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from keepalive_bench.server.faults.steps import Do, Kind, When, seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.server.faults.steps import Scene, Step

_HTTP_ON_A_TLS_PORT = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"


def _at_once(end: Do, scene: Scene) -> Iterator[Step]:
    yield scene.seconds
    yield end


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


def _no_last_chunk(scene: Scene) -> Iterator[Step]:
    response = scene.response(chunked=True)
    *first, last = response.parts
    yield from first
    yield last.removesuffix(b"0\r\n\r\n")
    yield Do.CLOSE


def _garbage_handshake(_: Scene) -> Iterator[Step]:
    yield _HTTP_ON_A_TLS_PORT
    yield Do.CLOSE


_HOW = {
    "close": (Do.CLOSE, "FIN"),
    "reset": (Do.RESET, "RST"),
    "stall": (Do.HOLD, "silence until the client leaves"),
}
_ON_OPEN = {
    f"{verb}-on-open": Kind(
        when=When.OPEN,
        line=f"{end} as soon as the connection is open, without reading anything.",
        act=partial(_at_once, do),
    )
    for verb, (do, end) in _HOW.items()
    if do is not Do.HOLD
}
_AT_ONCE = {
    f"{verb}-on-request": Kind(
        when=When.REQUEST,
        line=f"The request is read, then {end} SECONDS later, without an answer.",
        act=partial(_at_once, do),
        parameter=seconds(0.0),
    )
    for verb, (do, end) in _HOW.items()
    if do is not Do.HOLD
}
_IN_HEAD = {
    f"{verb}-in-head": Kind(
        when=When.REQUEST,
        line=f"Half of the head, then {end}.",
        act=partial(_in_head, do),
    )
    for verb, (do, end) in _HOW.items()
}
_IN_BODY = {
    f"{verb}-in-body": Kind(
        when=When.REQUEST,
        line=f"The head and half of the body, in chunks or not, then {end}.",
        act=partial(_in_body, do),
    )
    for verb, (do, end) in _HOW.items()
}
_IN_HANDSHAKE = {
    f"{verb}-in-handshake": Kind(
        when=When.HANDSHAKE,
        line=f"The client's TLS hello is read, then {end}.",
        act=partial(_at_once, do),
    )
    for verb, (do, end) in _HOW.items()
}

CUTS = {
    "never-answer": Kind(
        when=When.REQUEST,
        line="The request is read, then silence until the client leaves.",
        act=partial(_at_once, Do.HOLD),
    ),
    **_ON_OPEN,
    **_AT_ONCE,
    **_IN_HEAD,
    **_IN_BODY,
    "no-last-chunk": Kind(
        when=When.REQUEST,
        line="All chunks of the body but the empty one that ends it, then FIN.",
        act=_no_last_chunk,
    ),
    **_IN_HANDSHAKE,
    "garbage-in-handshake": Kind(
        when=When.HANDSHAKE,
        line="The client's TLS hello is answered with plain HTTP, then FIN.",
        act=_garbage_handshake,
    ),
}
