"""Connections without a pool: to whom they lead, what is read of them, and how they end."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from server.wire import serving, settings
from support.misbehaving import ANSWER, Peer, forever, misbehaving, refusing
from support.patience import PATIENCE_S
from support.proxies import PASSWORD, USER, Proxies, proxies
from support.tls_server import server_context

from keepalive_bench import Network, Target, Tls
from keepalive_bench.net.wire import (
    LARGEST,
    LateBody,
    NoResponseError,
    Wire,
    WireEnd,
    WireResponse,
)
from keepalive_bench.net.wire_opener import WayOfTls, WireOpener
from keepalive_bench.plan.request import basic
from keepalive_bench.plan.values import Route
from keepalive_bench.server import CERTIFICATE, ServerProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

GET = b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\n\r\n"
TRUSTING = Tls(ca_file=CERTIFICATE)
_SECOND = 1_000_000_000
SHORT_S = 0.3
both = pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])


def in_s(seconds: float) -> int:
    return time.monotonic_ns() + round(seconds * _SECOND)


@contextmanager
def opened(url: str, network: Network | None = None) -> Iterator[Wire]:
    opener = WireOpener(Target(url), network or Network(), TRUSTING, time.monotonic_ns)
    wire = opener.open(WayOfTls())
    try:
        yield wire
    finally:
        wire.close()


def asked(
    wire: Wire, message: bytes = GET, *, within_s: float = PATIENCE_S, times: int = 1
) -> list[WireResponse]:
    methods = [message.split(b" ", 1)[0].decode()] * times
    return [*wire.exchange(message * times, methods, in_s(within_s))]


def watched(wire: Wire, seconds: float = PATIENCE_S) -> WireEnd | None:
    return wire.watch(in_s(seconds))


def kind_of_failure(wire: Wire, message: bytes = GET, *, within_s: float = PATIENCE_S) -> str:
    with pytest.raises(NoResponseError) as caught:
        asked(wire, message, within_s=within_s)
    return caught.value.failure.kind


@contextmanager
def scripted(script: Callable[[Peer], None], *, tls: bool = False) -> Iterator[str]:
    """A server that does what it is told, over TLS where it is to; its URL."""
    if not tls:
        with misbehaving(script) as server:
            yield server.url
        return
    context = server_context("1.3")

    def secured(peer: Peer) -> None:
        # Else a ticket that isn't acknowledged yet holds back the answer, and a reset drops it.
        peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with context.wrap_socket(peer.socket, server_side=True, suppress_ragged_eofs=False) as it:
            script(Peer(it, threading.Event()))

    with misbehaving(secured) as server:
        yield server.url.replace("http:", "https:")


# --- to whom they lead


@pytest.fixture(scope="module")
def origins() -> Iterator[dict[str, str]]:
    with ServerProcess() as plain, ServerProcess(settings(tls=True)) as secure:
        yield {"http": plain.url, "https": secure.url}


@pytest.fixture(scope="module")
def guarded() -> Iterator[Proxies]:
    with proxies(password=True) as running:
        yield running


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("proxy_scheme", ["http", "https"])
def test_a_proxy_is_led_through(
    guarded: Proxies, origins: dict[str, str], scheme: str, proxy_scheme: str
) -> None:
    address = getattr(guarded, proxy_scheme).replace("://", f"://{USER}:{PASSWORD}@")
    url, before = origins[scheme], guarded.accepts()
    start = f"{url}/" if scheme == "http" else "/"
    allowed = basic((USER, PASSWORD)) if scheme == "http" else "-"
    fields = f"Host: {Target(url).host}\r\nProxy-Authorization: {allowed}\r\n\r\n"
    message = f"GET {start} HTTP/1.1\r\n{fields}".encode()
    with opened(url, Network(proxy=Target(address))) as wire:
        statuses = [asked(wire, message)[0].status for _ in range(3)]
        assert watched(wire, 0.01) is None
    assert statuses == [200, 200, 200]
    assert guarded.accepts() - before == 1
    assert (wire.facts.tls_version is not None) == (scheme == "https")


@pytest.mark.slow
def test_a_proxy_that_refuses_a_tunnel_is_the_failure(
    guarded: Proxies, origins: dict[str, str]
) -> None:
    network = Network(proxy=Target(guarded.http))
    with pytest.raises(NoResponseError) as caught, opened(origins["https"], network):
        pass
    assert caught.value.failure.kind == "proxy"
    assert "407" in caught.value.failure.message


def test_a_tunnel_that_drips_ends_at_the_deadline() -> None:
    def script(peer: Peer) -> None:
        peer.drip(b"HTTP/1.1 ", b"2", 0.05)

    began = time.monotonic()
    with misbehaving(script) as proxy:
        network = Network(proxy=Target(proxy.url), timeout_s=SHORT_S)
        with pytest.raises(NoResponseError) as caught, opened("https://a.test/", network):
            pass
    assert caught.value.failure.kind == "connect-timeout"
    assert time.monotonic() - began < SHORT_S + PATIENCE_S / 4


def test_a_unix_socket_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "server"
    with (
        misbehaving(forever(), str(path)),
        opened("http://a.test/", Network(unix_socket=path)) as wire,
    ):
        assert asked(wire)[0].status == 200
        assert wire.facts.peer.startswith("unix:")
        assert wire.facts.round_trip_s is None


def test_another_place_to_connect_to_is_taken() -> None:
    with serving(tls=True) as server:
        target = Target(server.url)
        url = f"https://localhost:{target.port}/"
        network = Network(connect_to=(Route("localhost", 0, target.host, 0),))
        with opened(url, network) as wire:
            assert asked(wire)[0].status == 200
            assert wire.facts.peer == f"{target.host}:{target.port}"


def test_a_refused_connection_is_named() -> None:
    with (
        refusing() as address,
        pytest.raises(NoResponseError) as caught,
        opened(f"http://{address}/"),
    ):
        pass
    assert caught.value.failure.kind == "connect-refused"


def test_a_server_that_closes_at_once_gives_no_response() -> None:
    with scripted(Peer.close) as url, opened(url) as wire:
        assert watched(wire) is not None
        assert kind_of_failure(wire) in {"closed-before-response", "reset"}


# --- how they end while idle


@both
def test_an_end_without_a_goodbye_is_a_fin(*, tls: bool) -> None:
    with scripted(Peer.answer, tls=tls) as url, opened(url) as wire:
        assert asked(wire)[0].status == 200
        end = watched(wire)
    assert end is not None
    assert end.kind == "fin"


def test_an_end_of_tls_is_told_from_a_fin() -> None:
    def script(peer: Peer) -> None:
        peer.answer()
        assert isinstance(peer.socket, ssl.SSLSocket)
        peer.socket.unwrap()

    with scripted(script, tls=True) as url, opened(url) as wire:
        asked(wire)
        end = watched(wire)
    assert end is not None
    assert end.kind == "close-notify"


@both
def test_a_reset_is_told(*, tls: bool) -> None:
    def script(peer: Peer) -> None:
        peer.answer()
        peer.reset()

    with scripted(script, tls=tls) as url, opened(url) as wire:
        asked(wire)
        end = watched(wire)
    assert end is not None
    assert end.kind == "rst"


@both
def test_a_408_is_told(*, tls: bool) -> None:
    def script(peer: Peer) -> None:
        peer.answer()
        peer.socket.sendall(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")

    with scripted(script, tls=tls) as url, opened(url) as wire:
        asked(wire)
        end = watched(wire)
    assert end is not None
    assert end.kind == "408"


@both
def test_bytes_behind_a_response_are_unsolicited(*, tls: bool) -> None:
    def script(peer: Peer) -> None:
        peer.answer(ANSWER + b"more")
        peer.stay()

    with scripted(script, tls=tls) as url, opened(url) as wire:
        asked(wire)
        end = watched(wire)
    assert end is not None
    assert end.kind == "data"


@both
def test_an_idle_connection_that_stays_open_has_no_end(*, tls: bool) -> None:
    """TLS 1.3's session tickets, which come while it is idle, are none."""
    with scripted(Peer.stay, tls=tls) as url, opened(url) as wire:
        assert watched(wire, 0.1) is None


def test_a_connection_that_is_halted_while_it_is_watched_has_no_end() -> None:
    with scripted(Peer.stay) as url, opened(url) as wire:
        timer = threading.Timer(0.05, wire.halt)
        timer.start()
        assert wire.watch(in_s(PATIENCE_S)) is None
        timer.join()


# --- what is read of them


@both
def test_two_requests_at_once_are_answered_one_after_the_other(*, tls: bool) -> None:
    with scripted(forever(), tls=tls) as url, opened(url) as wire:
        assert [it.status for it in asked(wire, times=2)] == [200, 200]
        assert watched(wire, 0.01) is None


def test_chunks_are_read_to_the_end_and_the_connection_goes_on() -> None:
    with serving(chunked=True, body_size=100_000) as server, opened(server.url) as wire:
        assert [asked(wire)[0].status for _ in range(3)] == [200, 200, 200]
        assert watched(wire, 0.01) is None


chunks = pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])


@chunks
def test_a_body_of_a_mebibyte_is_read(*, chunked: bool) -> None:
    with serving(chunked=chunked, body_size=LARGEST) as server, opened(server.url) as wire:
        assert asked(wire)[0].status == 200


@chunks
def test_a_larger_body_is_refused(*, chunked: bool) -> None:
    with serving(chunked=chunked, body_size=LARGEST + 1) as server, opened(server.url) as wire:
        assert kind_of_failure(wire) == "other"


def test_a_body_that_is_too_large_by_its_announced_length_isnt_read() -> None:
    def script(peer: Peer) -> None:
        peer.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n")
        peer.stay()

    with scripted(script) as url, opened(url) as wire:
        assert kind_of_failure(wire) == "other"


def test_a_body_that_ends_too_early_is_truncated() -> None:
    with (
        scripted(lambda peer: peer.answer(ANSWER[:-1])) as url,
        opened(url) as wire,
    ):
        assert kind_of_failure(wire) == "truncated-body"


@pytest.mark.parametrize(
    ("start", "drop", "kind"),
    [
        (b"", b"H", "deadline"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", b"x", "deadline"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", "deadline"),
        (b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n", "deadline"),
    ],
    ids=["status", "body", "chunks", "head"],
)
@both
def test_a_response_that_drips_ends_at_the_deadline(
    start: bytes, drop: bytes, kind: str, *, tls: bool
) -> None:
    def script(peer: Peer) -> None:
        peer.drip(start, drop, 0.05)

    with scripted(script, tls=tls) as url, opened(url) as wire:
        began = time.monotonic()
        assert kind_of_failure(wire, within_s=SHORT_S) == kind
        assert time.monotonic() - began < SHORT_S + PATIENCE_S / 4


def test_no_byte_of_a_response_is_a_read_timeout() -> None:
    with scripted(Peer.stay) as url, opened(url) as wire:
        assert kind_of_failure(wire, within_s=0.1) == "read-timeout"


def test_whether_a_request_without_a_response_arrived_is_known() -> None:
    with scripted(Peer.stay) as url, opened(url) as wire:
        with pytest.raises(NoResponseError) as caught:
            asked(wire, within_s=0.1)
        assert caught.value.acknowledged in {True, None}


# --- bodies that wait


def test_a_late_body_goes_out_when_the_server_says_100() -> None:
    bodies: list[bytes] = []

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.socket.sendall(b"HTTP/1.1 100 Continue\r\nX-A: b\r\n\r\n")
        bodies.append(peer.socket.recv(4, socket.MSG_WAITALL))
        peer.socket.sendall(ANSWER)

    with scripted(script) as url, opened(url) as wire:
        (response,) = wire.exchange(
            POST, ["POST"], in_s(PATIENCE_S), LateBody(b"body", is_owed=False)
        )
    assert (response.status, response.interim, response.early) == (200, 100, False)
    assert bodies == [b"body"]


@pytest.mark.parametrize("is_owed", [False, True])
def test_a_late_body_follows_a_response_only_where_it_is_owed(*, is_owed: bool) -> None:
    bodies: list[bytes] = []

    def script(peer: Peer) -> None:
        peer.answer()
        bodies.append(peer.socket.recv(65536))

    with scripted(script) as url, opened(url) as wire:
        (response,) = wire.exchange(
            POST, ["POST"], in_s(PATIENCE_S), LateBody(b"body", is_owed=is_owed)
        )
    assert (response.status, response.interim, response.early) == (200, None, True)
    assert bodies == [b"body" if is_owed else b""]


def test_a_status_line_in_two_parts_is_read_whole_before_a_body_is_sent() -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.socket.sendall(ANSWER[:10])
        peer.pause(0.05)
        peer.socket.sendall(ANSWER[10:])
        peer.stay()

    with scripted(script) as url, opened(url) as wire:
        (response,) = wire.exchange(
            POST, ["POST"], in_s(PATIENCE_S), LateBody(b"body", is_owed=False)
        )
    assert (response.status, response.early) == (200, True)


# --- TLS within TLS


def test_an_end_within_a_proxys_tls_is_seen_whatever_came_with_it() -> None:
    """A response and TLS's goodbye, in one piece: the socket has nothing left to say."""
    inner = server_context("1.3")
    outer = server_context("1.3")

    def script(peer: Peer) -> None:
        with outer.wrap_socket(peer.socket, server_side=True) as carrier:
            head = b""
            while b"\r\n\r\n" not in head:
                head += carrier.recv(65536)
            carrier.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            secured = inner.wrap_bio(incoming, outgoing, server_side=True)
            _stepped(secured.do_handshake, carrier, incoming, outgoing)
            _stepped(lambda: secured.read(65536), carrier, incoming, outgoing)
            secured.write(ANSWER)
            with pytest.raises(ssl.SSLWantReadError):
                secured.unwrap()
            carrier.sendall(outgoing.read())
            while carrier.recv(65536):
                pass

    with misbehaving(script) as proxy:
        address = proxy.url.replace("http:", "https:")
        with opened("https://localhost/", Network(proxy=Target(address))) as wire:
            (response,) = asked(wire)
            end = watched(wire, 5)
    assert end is not None
    assert end.kind == "close-notify"
    assert end.at_ns - response.ended_ns < _SECOND


def _stepped(
    step: Callable[[], object],
    carrier: ssl.SSLSocket,
    incoming: ssl.MemoryBIO,
    outgoing: ssl.MemoryBIO,
) -> None:
    """Do something of TLS, and carry to and fro what it takes."""
    is_done = False
    while not is_done:
        with suppress(ssl.SSLWantReadError):
            step()
            is_done = True
        carrier.sendall(outgoing.read())
        if not is_done:
            incoming.write(carrier.recv(65536))
