"""What answers announced of connections, held against what then happened to these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.misbehaving import Peer, misbehaving
from support.plans import plan

from keepalive_bench import Arm, Load, analyse, benchmark

if TYPE_CHECKING:
    from collections.abc import Callable

    from keepalive_bench.analysis import Analysis

POOLED = (Arm("pooled"),)


def answer(*fields: str, status: str = "200 OK") -> bytes:
    head = "".join(f"{field}\r\n" for field in (*fields, "Content-Length: 2"))
    return f"HTTP/1.1 {status}\r\n{head}\r\nok".encode()


def measured(script: Callable[[Peer], None], **options: Any) -> Analysis:  # noqa: ANN401  # a plan's
    """A run on pooled connections, as many as the server accepted."""
    with misbehaving(script) as server:
        wanted = plan(server.url, arms=POOLED, warmup=0, keep_going=True, **options)
        analysis = analyse(benchmark(wanted))
        assert server.accepts == analysis.first.connections
    return analysis


def dying_after(data: bytes) -> Callable[[Peer], None]:
    """Answer once, and end the connection under its second request."""

    def script(peer: Peer) -> None:
        peer.answer(data)
        peer.read_request()

    return script


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("Connection: keep-alive\r\nConnection: upgrade, Close", "server-close"),
        ("Keep-Alive: timeout=5, max=0", "keep-alive-max"),
        ("Keep-Alive: max=1", "keep-alive-max"),
        ("Keep-Alive: max=9", "request-limit"),
    ],
)
def test_a_request_that_dies_of_what_the_answer_before_announced_is_no_surprise(
    field: str, code: str
) -> None:
    """http.client reads the first `Connection` field alone, and nobody reads `max`."""
    analysis = measured(dying_after(answer(field)), requests=6)
    assert analysis.first.failure_kinds == {"closed-before-response": 3}
    assert analysis.first.reason_counts == {code: 2, "first-use": 1}


@pytest.mark.slow
def test_a_request_that_dies_near_the_announced_idle_timeout_is_a_race() -> None:
    def script(peer: Peer) -> None:
        peer.answer(answer("Keep-Alive: timeout=1"))
        peer.answer(answer("Keep-Alive: timeout=1"))
        peer.read_request()
        peer.reset()

    load = Load(think_s=(1.0, 1.0))
    arm = measured(script, requests=6, load=load).first
    assert arm.failure_kinds == {"reset": 2}
    assert arm.reason_counts == {"stale-race": 1, "first-use": 1}
