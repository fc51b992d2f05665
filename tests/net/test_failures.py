"""Every kind of failure, made by a server that really misbehaves so."""

from __future__ import annotations

import errno
import socket
import sys
import time
from typing import TYPE_CHECKING

import pytest
from server.wire import serving
from support.misbehaving import ANSWER, Peer, forever, misbehaving, never_connecting, refusing
from support.patience import PATIENCE_S
from support.plans import exchange, failure, plan, run

from keepalive_bench import Arm, Network
from keepalive_bench.net.arms import arm_context, open_arm
from keepalive_bench.net.failures import failure_of
from keepalive_bench.net.tcp import Address, Dialer, LookUpTookAllError, PortsExhaustedError
from keepalive_bench.results.columns import ConnectionColumns
from keepalive_bench.results.failure_kinds import advice_on
from keepalive_bench.server import CERTIFICATE

if TYPE_CHECKING:
    from collections.abc import Callable

linux_only = pytest.mark.skipif(
    sys.platform != "linux", reason="other systems treat such an address in other ways"
)
ENOUGH_S = 1.0
"""Within that, even a busy machine gets as far as the step that takes too long."""
both_kinds = pytest.mark.parametrize("kind", ["pooled", "unpooled"])
HEAD = b"HTTP/1.1 200 OK\r\n"


def says(data: bytes) -> Callable[[Peer], None]:
    """Answer once with these bytes, and close."""

    def script(peer: Peer) -> None:
        peer.answer(data)

    return script


def reset_at_once(peer: Peer) -> None:
    peer.read_request()
    peer.reset()


ANSWERS = {
    "a close without a word": (b"", "closed-before-response"),
    "half a status line": (b"HTTP/1.1 20", "malformed-response"),
    "no status line": (b"nonsense\r\n\r\n", "malformed-response"),
    "a status that is none": (b"HTTP/1.1 abc OK\r\n\r\n", "malformed-response"),
    "an endless status line": (b"HTTP/1.1 200 " + b"x" * 70_000, "malformed-response"),
    "an endless header": (HEAD + b"X: " + b"x" * 70_000, "malformed-response"),
    "too many headers": (HEAD + b"X: y\r\n" * 101 + b"\r\n", "too-many-headers"),
    "half a body": (HEAD + b"Content-Length: 10\r\n\r\nhalf", "truncated-body"),
    "half a chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\na\r\nhalf", "truncated-body"),
    "a missing last chunk": (
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        "truncated-body",
    ),
    "a chunk of no size": (
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhalf\r\n",
        "malformed-response",
    ),
}


@pytest.mark.parametrize(("data", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_that_is_none_has_a_name(data: bytes, expected: str) -> None:
    with misbehaving(says(data)) as server:
        failed = exchange(server.url).outcome
        assert server.accepts == 1
    assert failed.failure is not None
    assert failed.failure.kind == expected
    assert failed.failure.message
    assert failed.connection == 0


@pytest.mark.parametrize("early", [102, 103])
def test_an_early_answer_never_passes_for_the_real_one(early: int) -> None:
    def script(peer: Peer) -> None:
        while peer.read_request():
            peer.socket.sendall(f"HTTP/1.1 {early} Early\r\n\r\n".encode())
            peer.pause(0.05)  # http.client has taken that for the answer by now
            peer.socket.sendall(ANSWER)

    with misbehaving(script) as server:
        measured = run(server.url, arms=(Arm("pooled"),), requests=3, warmup=0)
        assert server.accepts == len(measured.connections) == 3
    failed = [it.outcome.failure for it in measured.exchanges]
    assert [it and it.kind for it in failed] == ["informational-response"] * 3


def test_what_comes_after_an_answer_is_not_taken_for_the_next_one() -> None:
    unasked = b"HTTP/1.1 500 Unasked\r\nContent-Length: 0\r\n\r\n"
    with misbehaving(forever(ANSWER + unasked)) as server:
        measured = run(server.url, requests=3, warmup=0)
        assert server.accepts == len(measured.connections)
    assert {it.outcome.status for it in measured.exchanges} == {200}


@both_kinds
def test_a_reset_before_the_answer_is_a_reset(kind: str) -> None:
    with misbehaving(reset_at_once) as server:
        assert failure(server.url, kind) == "reset"


def test_nobody_listening_is_a_refused_connect() -> None:
    with refusing() as address:
        failed = exchange(f"http://{address}/").outcome
    assert failed.failure == ("connect-refused", "Connection refused")
    assert failed.connection is None


def test_a_name_that_nothing_has_fails_in_dns() -> None:
    # RFC 6761, section 6.4: nothing under .invalid ever resolves.
    failed = exchange("http://kab.invalid/").outcome
    assert failed.failure is not None
    assert failed.failure.kind == "dns"
    assert failed.phases.dns is not None
    assert (failed.connection, failed.phases.connect) == (None, None)


def test_an_address_of_the_other_version_fails_in_dns() -> None:
    assert failure("http://127.0.0.1:9/", ip_version=6) == "dns"


@linux_only
def test_an_address_that_no_way_leads_to_is_a_failed_connect() -> None:
    # Loopback's broadcast address: TCP refuses it before anything is sent.
    assert failure("http://127.255.255.255:9/") == "connect-failed"


@linux_only
def test_a_connect_without_an_answer_ends_at_the_connect_timeout() -> None:
    with never_connecting() as address:
        failed = exchange(f"http://{address}/", connect_timeout_s=ENOUGH_S).outcome
    assert failed.failure is not None
    assert failed.failure == ("connect-timeout", "no answer to the request for a connection")
    assert ENOUGH_S <= failed.latency_s < PATIENCE_S


def test_a_tls_handshake_without_an_answer_ends_at_the_connect_timeout() -> None:
    with misbehaving(Peer.stay) as server:
        url = server.url.replace("http:", "https:")
        failed = exchange(url, connect_timeout_s=ENOUGH_S).outcome
    assert failed.failure is not None
    assert failed.failure == ("connect-timeout", "the TLS handshake wasn't finished")
    assert ENOUGH_S <= failed.latency_s < PATIENCE_S
    assert failed.connection == 0


def test_a_look_up_that_took_all_of_the_time_says_so() -> None:
    dialer, now = Dialer(Network(), time.perf_counter_ns), time.perf_counter_ns()
    with pytest.raises(LookUpTookAllError) as raised:
        dialer.connect([Address(socket.AF_INET, ("127.0.0.1", 9))], (), now)
    failure = failure_of(raised.value, "connect")
    assert failure == ("connect-timeout", "no time was left after the look-up")
    assert "--resolve" in advice_on(failure)


@pytest.mark.parametrize(
    "garbage", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x00" * 100, b""], ids=repr
)
def test_an_answer_that_is_no_tls_is_a_failed_handshake(garbage: bytes) -> None:
    def script(peer: Peer) -> None:
        peer.socket.recv(65536)
        peer.socket.sendall(garbage)

    with misbehaving(script) as server:
        assert failure(server.url.replace("http:", "https:")) == "tls-handshake"


def test_https_asked_of_http_is_a_failed_handshake() -> None:
    with serving() as server:
        assert failure(server.url.replace("http:", "https:")) == "tls-handshake"


@both_kinds
def test_a_certificate_that_nobody_trusts_is_untrusted(kind: str) -> None:
    with serving(tls=True) as server:
        failed = exchange(server.url, kind).outcome
    assert failed.failure is not None
    assert failed.failure.kind == "tls-untrusted"
    assert "self-signed" in failed.failure.message.replace("self signed", "self-signed")


def test_a_certificate_for_another_name_is_untrusted() -> None:
    with serving(tls=True, host="127.0.0.2") as server:
        failed = exchange(server.url, ca_file=CERTIFICATE).outcome
        assert failure(server.url, verify=False) is None
    assert failed.failure is not None
    assert failed.failure.kind == "tls-untrusted"
    assert "127.0.0.2" in failed.failure.message


@both_kinds
def test_silence_ends_at_the_timeout_as_one_of_reading(kind: str) -> None:
    with misbehaving(Peer.stay) as server:
        failed = exchange(server.url, kind, timeout_s=ENOUGH_S).outcome
    assert failed.failure is not None
    assert failed.failure.kind == "read-timeout"
    assert ENOUGH_S <= failed.latency_s < PATIENCE_S
    assert failed.phases.send is not None
    assert failed.phases.wait is None


def test_a_pool_without_a_free_connection_ends_at_the_deadline() -> None:
    arm = Arm("pooled")
    with misbehaving(forever()) as server:
        wanted = plan(server.url, arms=(arm,), maxsize=1, block=True, timeout_s=ENOUGH_S)
        shared = arm_context(wanted, "kab", time.perf_counter_ns)
        transport = open_arm(arm, shared, ConnectionColumns(("pooled",)))
        queue = transport.pools.take().pool
        assert queue is not None
        place = queue.get()  # as a thread has it whose exchange doesn't end
        outcome = transport.exchange("/")
        assert server.accepts == 0
        queue.put(place)
        assert transport.exchange("/").failure is None
        transport.close()
    assert outcome.failure is not None
    assert outcome.failure.kind == "deadline"
    assert outcome.phases.pool_wait is not None
    assert 0.19 <= outcome.phases.pool_wait <= outcome.latency_s


def test_used_up_ports_have_a_name_of_their_own() -> None:
    # That they are what is lacking is found out where the connection fails: test_local_ports.py.
    why = "Cannot assign requested address"
    exhausted = PortsExhaustedError(errno.EADDRNOTAVAIL, why)
    assert failure_of(exhausted, "connect") == ("ports-exhausted", why)
    assert failure_of(OSError(errno.EADDRNOTAVAIL, why), "connect") == ("connect-failed", why)


def test_a_failed_exchange_leaves_nothing_behind_for_the_next_one() -> None:
    answered = iter([says(b"nonsense\r\n\r\n"), reset_at_once, forever()])

    def script(peer: Peer) -> None:
        next(answered)(peer)

    with misbehaving(script) as server:
        measured = run(server.url, arms=(Arm("pooled"),), requests=5, warmup=0)
        assert server.accepts == len(measured.connections) == 3
    failed = [it.outcome.failure for it in measured.exchanges]
    assert [it and it.kind for it in failed] == ["malformed-response", "reset", None, None, None]
    assert [it.outcome.connection for it in measured.exchanges] == [0, 1, 2, 2, 2]
    assert {it.slot for it in measured.connections} == {0}
