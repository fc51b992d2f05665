"""Answers that say wrong things, or too much, about their bodies."""

from __future__ import annotations

import zlib
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from keepalive_bench.server.faults.steps import LARGEST, Do, Kind, Parameter, When, size
from keepalive_bench.server.responses import status_line, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.server.faults.steps import Scene, Step

_MOST_SAID = 2**60
_MIB = 1024 * 1024
_GZIP = 31  # zlib's word for its format: the widest window, in gzip's wrapping
_FRAMING = ("Content-Length", "Transfer-Encoding")


def _length_off_by(scene: Scene, difference: int) -> Iterator[Step]:
    response = scene.response(chunked=False)
    length = max(0, scene.behaviour.body_size + difference)
    headers = (*response.without(*_FRAMING), ("Content-Length", str(length)))
    yield from replace(response, headers=headers).parts


def _two_lengths(scene: Scene) -> Iterator[Step]:
    response = scene.response(chunked=False)
    other = ("Content-Length", str(scene.behaviour.body_size + 7))
    yield from replace(response, headers=(*response.headers, other)).parts


def _odd_length(scene: Scene) -> Iterator[Step]:
    response = scene.response(chunked=False)
    headers = (*response.without(*_FRAMING), ("Content-Length", str(scene.value)))
    yield from replace(response, headers=headers).parts


def _length_and_chunks(scene: Scene) -> Iterator[Step]:
    response = scene.response(chunked=True)
    length = ("Content-Length", str(scene.behaviour.body_size))
    yield from replace(response, headers=(*response.headers, length)).parts


def _malformed_chunk(scene: Scene) -> Iterator[Step]:
    response = scene.response(chunked=True)
    yield from replace(response, body=(b"nonsense\r\n", *response.body)).parts


def _until_close(scene: Scene) -> Iterator[Step]:
    response = scene.response(chunked=False)
    yield from replace(response, headers=response.without(*_FRAMING)).parts
    yield Do.CLOSE


def _body_without_right(scene: Scene) -> Iterator[Step]:
    body = text(scene.behaviour.body_size)
    response = replace(
        scene.response(chunked=False),
        status_line=status_line(scene.behaviour, scene.count),
        body=(body,),
    )
    length = ("Content-Length", str(len(body)))
    yield from replace(response, headers=(*response.without(*_FRAMING), length)).parts


def _gzip_bomb(scene: Scene) -> Iterator[Step]:
    response = scene.response(chunked=False)
    body = _zeros_as_gzip(scene.count)
    coding = (("Content-Encoding", "gzip"), ("Content-Length", str(len(body))))
    headers = (*response.without(*_FRAMING), *coding)
    yield from replace(response, headers=headers, body=(body,)).parts


@lru_cache(maxsize=1)
def _zeros_as_gzip(count: int) -> bytes:
    # Member after member, as RFC 1952 allows: a terabyte of zeros is not to be compressed here.
    full, rest = divmod(count, _MIB)
    return _member(_MIB) * full + _member(rest)


def _member(count: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, _GZIP)
    return packer.compress(bytes(count)) + packer.flush()


FRAMING = {
    "length-too-big": Kind(
        when=When.REQUEST,
        line="Content-Length says BYTES more than are sent; the connection stays open.",
        act=lambda scene: _length_off_by(scene, scene.count),
        parameter=size(100, most=_MOST_SAID),
    ),
    "length-too-small": Kind(
        when=When.REQUEST,
        line="Content-Length says BYTES less than are sent; the connection stays open.",
        act=lambda scene: _length_off_by(scene, -scene.count),
        parameter=size(100, most=_MOST_SAID),
    ),
    "odd-length": Kind(
        when=When.REQUEST,
        line="Content-Length is TEXT.",
        act=_odd_length,
        parameter=Parameter(name="TEXT", default="-1"),
    ),
    "two-lengths": Kind(
        when=When.REQUEST,
        line="Two Content-Lengths, the right one first, then 7 more.",
        act=_two_lengths,
    ),
    "length-and-chunks": Kind(
        when=When.REQUEST,
        line="A body in chunks, with the Content-Length that it would have without.",
        act=_length_and_chunks,
    ),
    "malformed-chunk": Kind(
        when=When.REQUEST,
        line="A body in chunks, the first of which has no size but the word nonsense.",
        act=_malformed_chunk,
    ),
    "close-delimited": Kind(
        when=When.REQUEST,
        line="No word of the body's length; it ends with FIN.",
        act=_until_close,
    ),
    "forbidden-body": Kind(
        when=When.REQUEST,
        line="Status STATUS, which has no body, with a Content-Length and a body.",
        act=_body_without_right,
        parameter=Parameter(name="STATUS", default=204, choices=(204, 304)),
    ),
    "gzip-bomb": Kind(
        when=When.REQUEST,
        line="A gzip body a thousandth the size of the BYTES that it unpacks to.",
        act=_gzip_bomb,
        parameter=size(1024 * _MIB, most=1000 * LARGEST),
    ),
}
