"""The timeout is a deadline for a whole exchange, whatever the server sends in the meantime."""

from __future__ import annotations

import socket
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from server.wire import settings
from support.misbehaving import ANSWER, Peer, misbehaving, never_connecting
from support.plans import exchange

from keepalive_bench import Network
from keepalive_bench.net import tcp
from keepalive_bench.server import CERTIFICATE, ServerProcess

if TYPE_CHECKING:
    from collections.abc import Callable

    from keepalive_bench.results.exchange import Outcome

TIMEOUT_S = 1.0
"""Within that, even a busy machine gets as far as the step that is to be cut."""
MUCH_LATER_S = 30.0
"""None of the answers would be whole by then: most are never."""

DRIPS = {
    "a status line": partial(Peer.drip, start=b"HTTP/1.1 ", drop=b"2", every_s=0.05),
    "header fields": partial(
        Peer.drip, start=b"HTTP/1.1 200 OK\r\n", drop=b"X: y\r\n", every_s=0.05
    ),
    "a body": partial(
        Peer.drip,
        start=b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n",
        drop=b"x",
        every_s=0.05,
    ),
    "chunks": partial(
        Peer.drip,
        start=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        drop=b"1\r\nx\r\n",
        every_s=0.05,
    ),
    "a body without an end": partial(
        Peer.drip, start=b"HTTP/1.1 200 OK\r\n\r\n", drop=b"x", every_s=0.05
    ),
    "continues": partial(Peer.drip, start=b"", drop=b"HTTP/1.1 100 Continue\r\n\r\n", every_s=0.05),
}


def assert_cut(outcome: Outcome, kind: str) -> None:
    assert outcome.failure is not None
    assert outcome.failure.kind == kind
    assert TIMEOUT_S <= outcome.latency_s < MUCH_LATER_S


@pytest.mark.slow
@pytest.mark.parametrize("script", DRIPS.values(), ids=DRIPS)
def test_an_answer_that_drips_is_cut(script: Callable[[Peer], None]) -> None:
    with misbehaving(script) as server:
        assert_cut(exchange(server.url, timeout_s=TIMEOUT_S).outcome, "deadline")


def test_a_dripping_body_is_counted_as_far_as_it_came() -> None:
    with misbehaving(DRIPS["chunks"]) as server:
        outcome = exchange(server.url, timeout_s=TIMEOUT_S).outcome
    assert outcome.status == 200
    assert outcome.body_bytes >= 1


def test_over_tls_too() -> None:
    with ServerProcess(settings(tls=True, delay_s=60)) as server:
        outcome = exchange(server.url, ca_file=CERTIFICATE, timeout_s=TIMEOUT_S).outcome
    assert_cut(outcome, "read-timeout")


def test_a_request_that_nobody_reads_is_cut() -> None:
    def script(peer: Peer) -> None:
        peer.pause(MUCH_LATER_S)

    with misbehaving(script) as server:
        options: dict[str, Any] = {"method": "POST", "body": b"x" * 50_000_000}
        assert_cut(exchange(server.url, timeout_s=TIMEOUT_S, **options).outcome, "deadline")


def test_the_deadline_ends_a_tls_handshake() -> None:
    with misbehaving(Peer.stay) as server:
        url = server.url.replace("http:", "https:")
        assert_cut(exchange(url, timeout_s=TIMEOUT_S).outcome, "connect-timeout")


def test_a_handshake_that_drips_is_cut() -> None:
    # The start of a long record, which is then sent a byte at a time.
    script = partial(Peer.drip_blindly, start=b"\x16\x03\x03\x40\x00", drop=b"\x00", every_s=0.05)
    with misbehaving(script) as server:
        url = server.url.replace("http:", "https:")
        assert_cut(exchange(url, timeout_s=TIMEOUT_S).outcome, "connect-timeout")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems let a full queue grow")
def test_the_deadline_ends_a_connect() -> None:
    with never_connecting() as address:
        assert_cut(exchange(f"http://{address}/", timeout_s=TIMEOUT_S).outcome, "connect-timeout")


def test_an_answer_just_in_time_is_none_too_late() -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        for byte in ANSWER:
            peer.socket.sendall(bytes([byte]))

    with misbehaving(script) as server:
        outcome = exchange(server.url, timeout_s=30).outcome
    assert (outcome.failure, outcome.body_bytes) == (None, 2)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems let a full queue grow")
def test_a_dead_first_address_leaves_time_for_the_second() -> None:
    dialer = tcp.Dialer(Network(), time.monotonic_ns)
    with never_connecting() as dead, misbehaving(Peer.stay) as alive:
        addresses = [address_of(dead), address_of(alive.address)]
        began = time.monotonic_ns()
        dialled = dialer.connect(addresses, (), began + 600_000_000)
        with dialled.socket:
            assert dialled.peer == alive.address
    assert dialled.failed == (f"{dead}: timed out",)
    assert dialled.began - began >= 290_000_000  # half of the budget


def test_no_address_is_tried_when_the_time_is_up() -> None:
    with misbehaving(Peer.stay) as server:
        with pytest.raises(TimeoutError):
            tcp.Dialer(Network(), lambda: 5).connect([address_of(server.address)], (), 5)
        assert server.accepts == 0


def address_of(text: str) -> tcp.Address:
    host, _, port = text.partition(":")
    return tcp.Address(socket.AF_INET, (host, int(port)))
