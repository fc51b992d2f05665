"""Answers changed at random: no crash, no hang, no lost exchange, and no connection uncounted."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.misbehaving import Peer, misbehaving
from support.patience import PATIENCE_S
from support.plans import run

from keepalive_bench import Arm, analyse
from keepalive_bench.results.failure_kinds import FAILURE_KINDS, OTHER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench import Run

ANSWERS = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nContent-Type: text/plain\r\n\r\n0123456789",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n01\r\n3;x=y\r\n567\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n0\r\n0\r\nTrailer: x\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\nKeep-Alive: timeout=5, max=100\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc",
    b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 500 Oh\r\nConnection: close\r\nContent-Length: 2\r\n\r\noh",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00",
)
TOKENS = (
    *(b"\r\n", b"\n", b"\r", b" ", b":", b"\x00", b"\xff", b"\x1b[2J", b"-", b"0", b"9999999999"),
    *(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 103 Early Hints\r\n\r\n", b"HTTP/", b"HTTP/2 200"),
    *(b"Content-Length: 5\r\n", b"Content-Length: -1\r\n", b"Content-Length: 5, 6\r\n"),
    *(b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip, chunked\r\n", b"ffffffff\r\n"),
    *(b"Connection: close\r\n", b"Connection: keep-alive\r\n", b"X: " + b"y" * 70_000 + b"\r\n"),
)


class Change(NamedTuple):
    """Bytes that are put in the place of others, somewhere in an answer."""

    place: float
    removed: int
    token: bytes

    def applied(self, answer: bytes) -> bytes:
        at = int(self.place * len(answer))
        return answer[:at] + self.token + answer[at + self.removed :]


class Answer(NamedTuple):
    """An answer as it is sent; one that was changed is the last on its connection."""

    data: bytes
    is_last: bool


changes = st.builds(
    Change,
    place=st.floats(0, 1),
    removed=st.sampled_from([0, 0, 1, 2, 5, 40]),
    token=st.sampled_from(TOKENS) | st.binary(max_size=4),
)


def _changed(base: bytes, wanted: list[Change]) -> Answer:
    data = base
    for change in wanted:
        data = change.applied(data)
    return Answer(data, is_last=data != base)


answers = st.builds(_changed, st.sampled_from(ANSWERS), st.lists(changes, max_size=3))


def measured(wanted: list[Answer]) -> tuple[Run, int]:
    """A run with one request for each answer, and the number of connections that were accepted."""
    remaining: Iterator[Answer] = iter(wanted)

    def script(peer: Peer) -> None:
        while peer.read_request():
            answer = next(remaining)
            peer.socket.sendall(answer.data)
            if answer.is_last or b"HTTP/1.0 200 OK\r\n\r\n" in answer.data:
                return

    with misbehaving(script) as server:
        arms = (Arm("pooled"),)
        found = run(
            server.url, arms=arms, requests=len(wanted), warmup=0, timeout_s=2, keep_going=True
        )
        return found, server.accepts


def check(wanted: list[Answer]) -> None:
    began = time.monotonic()
    found, accepts = measured(wanted)
    assert time.monotonic() - began < 2.0 * len(wanted) + PATIENCE_S
    arm = analyse(found).first
    assert accepts == arm.connections
    assert len(found.exchanges) == arm.succeeded + arm.failed == len(wanted)
    assert set(arm.failure_kinds) <= {kind.code for kind in FAILURE_KINDS} - {OTHER.code}
    assert len(arm.reasons) == arm.connections
    given_up: set[int | None] = set()
    for exchange in found.exchanges:
        assert exchange.outcome.connection not in given_up
        if exchange.outcome.failure is not None:
            given_up.add(exchange.outcome.connection)


many_answers = st.lists(answers, min_size=25, max_size=25)
profile = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@settings(profile, max_examples=10)
@given(many_answers)
def test_changed_answers(wanted: list[Answer]) -> None:
    check(wanted)


@pytest.mark.slow
@pytest.mark.timeout(400)  # ten thousand answers, on a machine that does other things as well
@settings(profile, max_examples=200)
@given(many_answers)
def test_thousands_of_changed_answers(wanted: list[Answer]) -> None:
    check(wanted)
