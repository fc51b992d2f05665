"""What is sent without having been asked for, and what befalls idle connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.server.faults.steps import Do, Kind, When, seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.server.faults.steps import Scene, Step

_TIMEOUT = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_NO_HTTP = b"\x00\xffkab"


def _answer_first(scene: Scene) -> Iterator[Step]:
    yield from scene.response().parts


def _answer_twice(scene: Scene) -> Iterator[Step]:
    yield b"".join(scene.response().parts) * 2


def _idle_reset(_: Scene) -> Iterator[Step]:
    yield Do.RESET


def _idle_408(_: Scene) -> Iterator[Step]:
    yield _TIMEOUT
    yield Do.CLOSE


def _idle_push(_: Scene) -> Iterator[Step]:
    yield _TIMEOUT


def _idle_garbage(_: Scene) -> Iterator[Step]:
    yield _NO_HTTP


UNASKED = {
    "answer-first": Kind(
        when=When.OPEN,
        line="A whole answer before the first request, which then gets one, too.",
        act=_answer_first,
    ),
    "answer-twice": Kind(
        when=When.REQUEST,
        line="The answer two times in one packet.",
        act=_answer_twice,
    ),
    "idle-reset": Kind(
        when=When.IDLE,
        line="RST after SECONDS without a request (for FIN: --idle-timeout).",
        act=_idle_reset,
        parameter=seconds(1.0),
    ),
    "idle-408": Kind(
        when=When.IDLE,
        line="A 408 response after SECONDS without a request, then FIN, as HAProxy does it.",
        act=_idle_408,
        parameter=seconds(1.0),
    ),
    "idle-push": Kind(
        when=When.IDLE,
        line="A 408 response after SECONDS without a request; the connection stays open.",
        act=_idle_push,
        parameter=seconds(1.0),
    ),
    "idle-garbage": Kind(
        when=When.IDLE,
        line="Bytes that aren't HTTP after SECONDS without a request; the connection stays open.",
        act=_idle_garbage,
        parameter=seconds(1.0),
    ),
}
