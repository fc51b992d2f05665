"""Answers that say wrong things, or too much, about their bodies or in their heads."""

from __future__ import annotations

import zlib
from dataclasses import replace
from functools import lru_cache
from itertools import repeat
from os import urandom
from typing import TYPE_CHECKING

from keepalive_bench.server.faults.kinds import LARGEST, Do, FaultKind, Parameter, When, size
from keepalive_bench.server.responses import compose, status_line, text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keepalive_bench.server.faults.kinds import Scene, Step

_MOST_SAID = 2**60
_MIB = 1024 * 1024
_GZIP = 31  # zlib's word for its format: the widest window, in gzip's wrapping
_FRAMING = ("Content-Length", "Transfer-Encoding")
_SHOWN = ("Server", "Content-Type", "Connection", "Keep-Alive")
_LINE_SIZE = 60_000  # below the 65,536 bytes that Python's http.client allows a line
_INTERIM = {
    100: b"HTTP/1.1 100 Continue\r\n\r\n",
    102: b"HTTP/1.1 102 Processing\r\n\r\n",
    103: b"HTTP/1.1 103 Early Hints\r\nLink: </kab.css>; rel=preload\r\n\r\n",
}
HOSTILE_REASON = "\x1b[2J\x1b]0;kab\x07[bold red]kab[/][/] \x9b31m\xe9\x7f"
"""Escape sequences, a window's title, Rich's markup, C1 controls and bytes that aren't UTF-8."""
HOSTILE_VALUE = f"{HOSTILE_REASON}\r\n kab: folded\r\n\t[link=file:///kab]kab"
"""The same in three lines, as header values could once be folded (RFC 9112, section 5.2)."""


def _length(scene: Scene, said: object) -> tuple[Step, ...]:
    response = scene.response(chunked=False)
    return response.having(("Content-Length", str(said)), instead_of=_FRAMING).parts


def _another_length(scene: Scene, said: int, *, chunked: bool) -> tuple[Step, ...]:
    return scene.response(chunked=chunked).having(("Content-Length", str(said))).parts


def _malformed_chunk(scene: Scene) -> tuple[Step, ...]:
    response = scene.response(chunked=True)
    return replace(response, body=(b"nonsense\r\n", *response.body)).parts


def _until_close(scene: Scene) -> tuple[Step, ...]:
    return (*scene.response(chunked=False).having(instead_of=_FRAMING).parts, Do.CLOSE)


def _no_length(scene: Scene) -> tuple[Step, ...]:
    return (*scene.response(chunked=False).having(instead_of=_FRAMING).parts, Do.HOLD)


def _body_without_right(scene: Scene) -> tuple[Step, ...]:
    body = text(scene.behaviour.body_size)
    response = scene.response(chunked=False).having(
        ("Content-Length", str(len(body))), instead_of=_FRAMING
    )
    line = status_line(scene.behaviour, scene.count)
    return replace(response, status_line=line, body=(body,)).parts


def _gzip_bomb(scene: Scene) -> tuple[Step, ...]:
    body = _zeros_as_gzip(scene.count)
    response = scene.response(chunked=False).having(
        ("Content-Encoding", "gzip"), ("Content-Length", str(len(body))), instead_of=_FRAMING
    )
    return replace(response, body=(body,)).parts


@lru_cache(maxsize=1)
def _zeros_as_gzip(count: int) -> bytes:
    # Member after member, as RFC 1952 allows: a terabyte of zeros is not to be compressed here.
    full, rest = divmod(count, _MIB)
    return _member(_MIB) * full + _member(rest)


def _member(count: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, _GZIP)
    return packer.compress(bytes(count)) + packer.flush()


def _malformed_header(scene: Scene) -> tuple[Step, ...]:
    first, *others = scene.response().parts
    line, separator, rest = first.partition(b"\r\n")
    return (line + separator + str(scene.value).encode("latin-1") + separator + rest, *others)


def _headers_of(sizes: Iterable[int], scene: Scene) -> tuple[Step, ...]:
    more = ((f"X-{number}", "x" * size) for number, size in enumerate(sizes))
    return scene.response().having(*more).parts


def _big_head(scene: Scene) -> tuple[Step, ...]:
    full, rest = divmod(scene.count, _LINE_SIZE)
    return _headers_of((*[_LINE_SIZE] * full, rest), scene)


def _interim(scene: Scene) -> tuple[Step, ...]:
    # In one go with the answer, so that nothing depends on which arrives with what.
    first, *others = scene.response().parts
    return (_INTERIM[scene.count] + first, *others)


def _status(scene: Scene) -> tuple[Step, ...]:
    behaviour = replace(scene.behaviour, status=scene.count)
    return compose(behaviour, scene.request, scene.nth).parts


def _error_and_close(scene: Scene) -> tuple[Step, ...]:
    behaviour = replace(scene.behaviour, status=scene.count, connection_close=True)
    return (*compose(behaviour, scene.request, scene.nth).parts, Do.CLOSE)


def _bad_request(scene: Scene) -> tuple[Step, ...]:
    body = str(scene.value).encode("latin-1")
    response = scene.response(chunked=False).having(
        ("Content-Length", str(len(body))), instead_of=_FRAMING
    )
    return replace(response, status_line=status_line(scene.behaviour, 400), body=(body,)).parts


def _new_session(scene: Scene) -> tuple[Step, ...]:
    return scene.response().having(("Set-Cookie", f"{scene.value}={urandom(8).hex()}")).parts


def _hostile_text(scene: Scene) -> tuple[Step, ...]:
    response = scene.response()
    version, status, _ = response.status_line.split(" ", 2)
    said = dict(response.headers)
    hostile = [
        (name, f"{said[name]}, {HOSTILE_VALUE}" if name in said else HOSTILE_VALUE)
        for name in _SHOWN
    ]
    line = f"{version} {status} {HOSTILE_REASON}"
    return replace(response, status_line=line).having(*hostile, instead_of=_SHOWN).parts


MESSAGES = (
    FaultKind(
        "length-too-big",
        "Content-Length says BYTES more than are sent; the connection stays open.",
        act=lambda scene: _length(scene, scene.behaviour.body_size + scene.count),
        parameter=size(100, most=_MOST_SAID),
    ),
    FaultKind(
        "length-too-small",
        "Content-Length says BYTES less than are sent; the connection stays open.",
        act=lambda scene: _length(scene, max(0, scene.behaviour.body_size - scene.count)),
        parameter=size(100, most=_MOST_SAID),
    ),
    FaultKind(
        "odd-length",
        "Content-Length is TEXT.",
        act=lambda scene: _length(scene, scene.value),
        parameter=Parameter("TEXT", "-1"),
    ),
    FaultKind(
        "two-lengths",
        "Two Content-Lengths, the right one first, then 7 more.",
        act=lambda scene: _another_length(scene, scene.behaviour.body_size + 7, chunked=False),
    ),
    FaultKind(
        "length-and-chunks",
        "A body in chunks, with the Content-Length that it would have without.",
        act=lambda scene: _another_length(scene, scene.behaviour.body_size, chunked=True),
    ),
    FaultKind(
        "malformed-chunk",
        "A body in chunks, the first of which has no size but the word nonsense.",
        act=_malformed_chunk,
    ),
    FaultKind(
        "close-delimited", "No word of the body's length; it ends with FIN.", act=_until_close
    ),
    FaultKind(
        "no-length",
        "No word of the body's length; the connection stays open.",
        act=_no_length,
    ),
    FaultKind(
        "forbidden-body",
        "Status STATUS, which has no body, with a Content-Length and a body.",
        act=_body_without_right,
        parameter=Parameter("STATUS", 204, choices=(204, 304)),
    ),
    FaultKind(
        "gzip-bomb",
        "A gzip body a thousandth the size of the BYTES that it unpacks to.",
        act=_gzip_bomb,
        parameter=size(1024 * _MIB, most=1000 * LARGEST),
    ),
    FaultKind(
        "garbage-status",
        "TEXT in place of the status line.",
        act=lambda scene: replace(scene.response(), status_line=str(scene.value)).parts,
        parameter=Parameter("TEXT", "\x00\xff garbage"),
    ),
    FaultKind(
        "malformed-header",
        "TEXT in place of the first header line; the others follow.",
        act=_malformed_header,
        parameter=Parameter("TEXT", "no header at all"),
    ),
    FaultKind(
        "long-header",
        "One more header line, with a value of BYTES.",
        act=lambda scene: scene.response().having(("X-Long", "x" * scene.count)).parts,
        parameter=size(1024 * 1024),
    ),
    FaultKind(
        "many-headers",
        "COUNT more header lines.",
        act=lambda scene: _headers_of(repeat(1, scene.count), scene),
        parameter=Parameter("COUNT", 10_000, most=1_000_000),
    ),
    FaultKind(
        "big-head",
        "BYTES of header values more, none above 60,000 (http.client takes these).",
        act=_big_head,
        parameter=size(1024 * 1024),
    ),
    FaultKind(
        "interim",
        "A response of STATUS (100, 102 or 103), and the answer with it in one packet.",
        act=_interim,
        parameter=Parameter("STATUS", 103, choices=tuple(_INTERIM)),
    ),
    FaultKind(
        "error-close",
        "Status STATUS with `Connection: close`, then FIN.",
        act=_error_and_close,
        parameter=Parameter("STATUS", 500, choices=tuple(range(400, 600))),
    ),
    FaultKind(
        "unread-body",
        "The answer to a request whose body stays unread; it is taken for the next request.",
        when=When.BODY,
        act=lambda _: (),
    ),
    FaultKind(
        "status",
        "Status STATUS in place of the usual one.",
        act=_status,
        parameter=Parameter("STATUS", 500, choices=tuple(range(200, 600))),
    ),
    FaultKind(
        "bad-request",
        "Status 400 with TEXT for a body.",
        act=_bad_request,
        parameter=Parameter("TEXT", "The plain HTTP request was sent to HTTPS port"),
    ),
    FaultKind(
        "new-session",
        "A Set-Cookie field, in which the cookie NAME has another value each time.",
        act=_new_session,
        parameter=Parameter("NAME", "sid"),
    ),
    FaultKind(
        "http2",
        "An empty SETTINGS frame of HTTP/2 in place of an answer, then FIN.",
        act=lambda _: (b"\0\0\0\4\0\0\0\0\0", Do.CLOSE),
    ),
    FaultKind(
        "hostile-text",
        "Escape sequences, markup, folded lines, odd bytes in the reason and four headers.",
        act=_hostile_text,
    ),
)
