"""kab's counts of connections, handshakes and requests, held against the server's own."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from server.wire import serving
from support.misbehaving import Peer, misbehaving, never_connecting, refusing
from support.patience import PATIENCE_S
from support.plans import plan, run

from keepalive_bench import Arm, Run, analyse, benchmark
from keepalive_bench.server import CERTIFICATE

if TYPE_CHECKING:
    from keepalive_bench.analysis.arm_summary import ArmSummary

POOLED, UNPOOLED = Arm("pooled"), Arm("unpooled")
REQUESTS = 30

SERVERS: dict[str, dict[str, Any]] = {
    "keeps alive": {},
    "says close at the 4th": {"close_after": 4},
    "closes silently at the 4th": {"silent_close_after": 4},
    "always says close": {"connection_close": True},
    "speaks HTTP/1.0": {"http_10": True},
    "closes when idle": {"idle_timeout_s": 0.02},
    "sends empty bodies": {"body_size": 0},
    "sends chunks": {"chunked": True, "body_size": 40_000},
}
POOLS: dict[str, dict[str, Any]] = {
    "one thread": {},
    "four threads": {"concurrency": 4},
    "four threads, maxsize 2, blocking": {"concurrency": 4, "maxsize": 2, "block": True},
    "one thread, maxsize 4": {"maxsize": 4},
    "four threads, maxsize 1": {"concurrency": 4, "maxsize": 1},
    "four threads, maxsize 2, paired": {"concurrency": 4, "maxsize": 2, "order": "paired"},
    "four threads, maxsize 1, blocking": {"concurrency": 4, "maxsize": 1, "block": True},
}


@pytest.mark.parametrize("behaviour", SERVERS.values(), ids=SERVERS)
def test_the_counts_are_the_servers_own(behaviour: dict[str, Any]) -> None:
    assert_counted({}, behaviour, tls=False)


@pytest.mark.parametrize(
    "behaviour", ["keeps alive", "says close at the 4th", "closes silently at the 4th"]
)
def test_the_counts_of_several_threads_over_tls_are_too(behaviour: str) -> None:
    assert_counted(POOLS["four threads, maxsize 2, blocking"], SERVERS[behaviour], tls=True)


@pytest.mark.slow
@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("behaviour", SERVERS.values(), ids=SERVERS)
@pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS)
def test_the_counts_are_the_servers_own_in_every_pool(
    pool: dict[str, Any], behaviour: dict[str, Any], *, tls: bool
) -> None:
    assert_counted(pool, behaviour, tls=tls)


def assert_counted(pool: dict[str, Any], behaviour: dict[str, Any], *, tls: bool) -> None:
    with serving(tls=tls, **behaviour) as server:
        measured = run(server.url, requests=REQUESTS, ca_file=CERTIFICATE, warmup=2, **pool)
        counted = server.stop()
    assert connections(measured) == counted.accepts
    assert handshakes(measured) == (counted.accepts if tls else 0) == counted.handshakes
    # What meets a connection that the server is just closing fails, and is read by nobody.
    assert answered(measured) == counted.requests
    for arm in analyse(measured).arms:
        assert (arm.sent, arm.not_sent) == (REQUESTS, 0)


def test_a_server_that_keeps_alive_is_sent_everything_on_one_connection() -> None:
    with serving() as server:
        pooled, unpooled = analyse(run(server.url, requests=50)).arms
    assert (pooled.connections, pooled.reuse, pooled.reopened) == (1, 1.0, 0)
    assert (unpooled.connections, unpooled.reuse) == (50, 0.0)
    assert pooled.requests_per_connection == 50


@pytest.mark.parametrize(("threads", "limit"), [(1, 4), (4, 1), (4, 2)])
def test_a_blocking_pool_never_has_more_connections_than_its_maxsize(
    threads: int, limit: int
) -> None:
    options: dict[str, Any] = {"concurrency": threads, "maxsize": limit, "block": True}
    with serving() as server:
        arm = only(run(server.url, arms=(POOLED,), requests=100, warmup=0, **options))
        assert server.stop().accepts == arm.connections
    assert 1 <= arm.connections <= min(limit, threads)
    assert arm.reopened == 0


def test_urllib3s_own_count_misses_what_it_reconnects_silently() -> None:
    closed = threading.Semaphore(0)

    def close_after_each(peer: Peer) -> None:
        peer.answer()
        peer.close()
        closed.release()

    with misbehaving(close_after_each) as server:
        # The next request goes only when the connection is gone for sure.
        measured = benchmark(
            plan(server.url, arms=(POOLED,), requests=10, warmup=0),
            lambda _: assert_acquired(closed),
        )
    arm = only(measured)
    assert (arm.succeeded, arm.connections, server.accepts) == (10, 10, 10)
    assert arm.counters == (1, 10)
    assert (arm.reuse, arm.reopened) == (0.0, 9)


def assert_acquired(closed: threading.Semaphore) -> None:
    assert closed.acquire(timeout=PATIENCE_S)


def test_a_refused_connect_is_a_failure_and_no_connection() -> None:
    with refusing() as address:
        measured = run(f"http://{address}/", requests=3)
    assert connections(measured) == 0
    assert [arm.failed for arm in analyse(measured).arms] == [3, 3]
    assert measured.warmup["pooled"].failures[0].kind == "connect-refused"
    assert all(exchange.outcome.connection is None for exchange in measured.exchanges)
    # Where urllib3 counts the objects that it made.
    assert measured.counters["pooled"].num_connections > 0


def test_a_connect_that_times_out_is_a_failure_and_no_connection() -> None:
    with never_connecting() as address:
        measured = run(f"http://{address}/", requests=1, warmup=0, connect_timeout_s=0.1)
    assert connections(measured) == 0
    assert [arm.failed for arm in analyse(measured).arms] == [1, 1]


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_an_untrusted_certificate_leaves_a_connection_that_was_opened_and_a_failure(
    version: str,
) -> None:
    with serving(tls=True, tls_min=version, tls_max=version) as server:
        measured = run(server.url, requests=3)
        assert connections(measured) == server.stop().accepts == 8
    assert handshakes(measured) == 0
    assert [arm.failures for arm in analyse(measured).arms] == [
        {measured.exchanges.failures.values[0]: 3},
    ] * 2


def test_connections_count_the_responses_they_carried() -> None:
    with serving(close_after=4) as server:
        measured = run(server.url, arms=(POOLED,), requests=10, warmup=0)
    assert [connection.exchanges for connection in measured.connections] == [4, 4, 2]
    assert [exchange.outcome.connection for exchange in measured.exchanges] == [0] * 4 + [1] * 4 + [
        2
    ] * 2


@pytest.mark.parametrize(("requests", "threads"), [(1, 4), (7, 3), (97, 4)])
def test_requests_is_exact_at_any_concurrency(requests: int, threads: int) -> None:
    with serving() as server:
        measured = run(server.url, requests=requests, concurrency=threads, warmup=3)
        assert server.stop().requests == 2 * (requests + 3)
    for arm in ("pooled", "unpooled"):
        indexes = [exchange.index for exchange in measured.exchanges if exchange.arm == arm]
        assert sorted(indexes) == list(range(requests))


def only(measured: Run) -> ArmSummary:
    (arm,) = analyse(measured).arms
    return arm


def connections(measured: Run) -> int:
    return len(measured.connections) + sum(
        warmup.connections for warmup in measured.warmup.values()
    )


def handshakes(measured: Run) -> int:
    """All connections over TLS; warm-ups don't say, but went the same way."""
    secured = [connection.tls_version is not None for connection in measured.connections]
    return connections(measured) if all(secured) else sum(secured)


def answered(measured: Run) -> int:
    warmups = measured.warmup.values()
    return sum(arm.succeeded for arm in analyse(measured).arms) + sum(
        warmup.requests - len(warmup.failures) for warmup in warmups
    )
