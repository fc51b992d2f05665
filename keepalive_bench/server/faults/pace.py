"""Answers that come too slowly, or never end."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING

from keepalive_bench.server.faults.kinds import Do, FaultKind, seconds
from keepalive_bench.server.responses import CONTINUE, in_chunks, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.server.faults.kinds import Scene, Step

_BLOCK_SIZE = 64 * 1024


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


PACE = (
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
