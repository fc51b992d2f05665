"""Where connections come from and which options they have: asked of the real sockets."""

from __future__ import annotations

import socket
import sys
import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from server.wire import serving
from support.misbehaving import ANSWER, Peer, misbehaving
from support.patience import PATIENCE_S
from support.plans import exchange, plan, run

from keepalive_bench import Arm, ProbeTimes, Resolution, Target
from keepalive_bench.errors import UsageError
from keepalive_bench.net.arms import arm_context, open_arm
from keepalive_bench.results.columns import ConnectionColumns

if TYPE_CHECKING:
    from collections.abc import Iterator

kinds = pytest.mark.parametrize("kind", ["pooled", "unpooled"])
# Linux answers on all of 127.0.0.0/8, others on 127.0.0.1 alone.
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="needs a second loopback address")

IDLE: int = getattr(socket, "TCP_KEEPIDLE", getattr(socket, "TCP_KEEPALIVE", 0))  # or macOS's name


@contextmanager
def noting_clients() -> Iterator[tuple[str, Counter[str]]]:
    """A server that notes the address of each connection's client."""
    seen: Counter[str] = Counter()

    def script(peer: Peer) -> None:
        seen[peer.socket.getpeername()[0]] += 1
        while peer.read_request():
            peer.socket.sendall(ANSWER)

    with misbehaving(script) as server:
        yield server.url, seen


@linux_only
@kinds
def test_the_server_sees_the_source_address(kind: str) -> None:
    with noting_clients() as (url, seen):
        run(url, arms=(Arm(kind),), requests=4, warmup=0, source_addresses=("127.0.0.2",))
        assert seen == {"127.0.0.2": 1 if kind == "pooled" else 4}


@linux_only
def test_several_source_addresses_take_turns() -> None:
    sources = ("127.0.0.2", "127.0.0.3", "127.0.0.4")
    with noting_clients() as (url, seen):
        run(url, arms=(Arm("unpooled"),), requests=6, warmup=0, source_addresses=sources)
        assert seen == dict.fromkeys(sources, 2)


@linux_only
def test_only_addresses_of_the_sources_kind_are_tried() -> None:
    with noting_clients() as (url, seen):
        port = int(url.rstrip("/").rpartition(":")[2])
        both = Resolution("many.test", port, ("::1", "127.0.0.1"))
        measured = run(
            f"http://many.test:{port}/",
            resolve=(both,),
            source_addresses=("127.0.0.2",),
            requests=1,
            warmup=0,
        )
        assert seen == {"127.0.0.2": 2}
    assert {it.failed for it in measured.connections} == {None}


def test_a_source_of_another_kind_than_the_server_fails_to_connect() -> None:
    with noting_clients() as (url, seen):
        outcome = exchange(url, source_addresses=("::1",)).outcome
        assert not seen
    assert outcome.failure == ("connect-failed", "no address can be reached from ::1")


def test_a_source_that_is_not_this_machines_is_refused_before_anything_is_sent() -> None:
    # 192.0.2.0/24 is for documentation (RFC 5737): nobody has it.
    with (
        noting_clients() as (url, seen),
        pytest.raises(UsageError, match=r"192\.0\.2\.1 isn't an address of this machine"),
    ):
        run(url, source_addresses=("192.0.2.1",))
    assert not seen


@pytest.mark.parametrize(
    ("options", "behind_proxy", "expected"),
    [
        ({}, False, True),
        ({}, True, False),  # so urllib3 has it
        ({"tcp_nodelay": True}, True, True),
        ({"tcp_nodelay": False}, False, False),
    ],
)
def test_nagle_is_on_the_socket_as_asked_for(
    options: dict[str, Any], *, behind_proxy: bool, expected: bool
) -> None:
    with connected(behind_proxy=behind_proxy, **options) as opened:
        assert bool(opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)) is expected


@pytest.mark.parametrize("wanted", [False, True])
def test_probes_of_idle_connections_are_on_the_socket_as_asked_for(*, wanted: bool) -> None:
    with connected(tcp_keepalive=wanted) as opened:
        assert bool(opened.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)) is wanted
        assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize("times", [ProbeTimes(40), ProbeTimes(40, 7)])
def test_probes_come_when_they_were_asked_for(times: ProbeTimes) -> None:
    with connected(tcp_keepalive_time=times) as opened:
        assert opened.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert opened.getsockopt(socket.IPPROTO_TCP, IDLE) == 40
        if times.interval is not None:
            assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) == 7


@pytest.mark.slow
@linux_only
def test_the_system_really_probes_an_idle_connection() -> None:
    with connected(tcp_keepalive_time=ProbeTimes(1, 1)) as opened:
        # A probe is acknowledged though nothing is asked or answered.
        before, now, until = 0, acknowledged_ms(opened), time.monotonic() + PATIENCE_S
        while now >= before and time.monotonic() < until:
            time.sleep(0.02)
            before, now = now, acknowledged_ms(opened)
    assert now < before
    assert before >= 900


def acknowledged_ms(opened: socket.socket) -> int:
    """Milliseconds since the peer's last acknowledgement (`struct tcp_info`, Linux)."""
    info = opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 60)
    return int.from_bytes(info[56:60], sys.byteorder)


@pytest.mark.parametrize("times", [ProbeTimes(0), ProbeTimes(1, 0), ProbeTimes(32_768)])
def test_probes_come_after_a_second_at_least_and_as_late_as_linux_takes(times: ProbeTimes) -> None:
    with pytest.raises(UsageError, match=r"must be from 1 to 32,767, not"):
        plan("http://127.0.0.1/", tcp_keepalive_time=times)


def test_a_system_that_can_not_be_told_when_to_probe_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("TCP_KEEPIDLE", "TCP_KEEPALIVE"):
        monkeypatch.delattr(socket, name, raising=False)
    with pytest.raises(UsageError, match=r"no TCP_KEEPIDLE: leave --tcp-keepalive-time out"):
        run("http://127.0.0.1/", tcp_keepalive_time=ProbeTimes(1))


def test_macos_has_another_name_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "TCP_KEEPIDLE", raising=False)
    monkeypatch.setattr(socket, "TCP_KEEPALIVE", IDLE, raising=False)
    with connected(tcp_keepalive_time=ProbeTimes(41)) as opened:
        assert opened.getsockopt(socket.IPPROTO_TCP, IDLE) == 41


@contextmanager
def connected(*, behind_proxy: bool = False, **options: Any) -> Iterator[socket.socket]:  # noqa: ANN401
    """The socket that a pool keeps after one exchange; a server can pass for a proxy."""
    with serving() as server:
        if behind_proxy:
            options["proxy"] = Target(server.url)
        shared = arm_context(plan(server.url, **options), "kab/test", time.perf_counter_ns)
        transport = open_arm(Arm("pooled"), shared, ConnectionColumns(("pooled",)))
        try:
            assert transport.exchange("/").status == 200
            queue = transport.pools.take().pool
            assert queue is not None
            yield queue.queue[-1].sock
        finally:
            transport.close()
