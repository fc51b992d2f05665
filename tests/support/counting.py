"""Servers that count, for programs to talk to: what a tracer says is held against their word.

Each is a context manager; its words are what the program is given after its name.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import ExitStack, contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from support.misbehaving import ANSWER, Misbehaving, Peer, misbehaving, refusing
from support.patience import PATIENCE_S
from support.relays import join
from support.socks import socks_proxy

from keepalive_bench.server import CERTIFICATE, Behaviour, Fault, Server, ServerSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


class Counts(NamedTuple):
    """What a server has seen."""

    connections: int
    requests: int


class Counting(NamedTuple):
    """A running one."""

    words: tuple[str, ...]
    counts: Callable[[], Counts]


@contextmanager
def embedded(
    behaviour: Behaviour | None = None, *, fault: Fault | None = None, tls: bool = False
) -> Iterator[Counting]:
    """The embedded server: its URL, and with TLS its certificate."""
    settings = ServerSettings(behaviour=behaviour or Behaviour(), fault=fault, tls=tls)
    with Server(settings) as server:
        words = (server.url, str(CERTIFICATE)) if tls else (server.url,)
        yield Counting(words, lambda: _seen_by(server))


def _seen_by(*servers: Server) -> Counts:
    stats = [server.stats for server in servers]
    return Counts(sum(it.accepts for it in stats), sum(it.requests for it in stats))


@contextmanager
def two() -> Iterator[Counting]:
    """Two servers."""
    with Server(ServerSettings()) as first, Server(ServerSettings()) as second:
        yield Counting((first.url, second.url), lambda: _seen_by(first, second))


@contextmanager
def redirecting() -> Iterator[Counting]:
    """A server that sends everybody to another one."""
    with ExitStack() as stack:
        there = stack.enter_context(Server(ServerSettings()))
        behaviour = Behaviour(status=302, headers=(("Location", f"{there.url}/elsewhere"),))
        here = stack.enter_context(Server(ServerSettings(behaviour=behaviour)))
        yield Counting((here.url,), lambda: _seen_by(here, there))


@contextmanager
def untrusted() -> Iterator[Counting]:
    """A server whose certificate nobody trusts; the program isn't told where it is."""
    with Server(ServerSettings(tls=True)) as server:
        yield Counting((server.url,), lambda: _seen_by(server))


@contextmanager
def nobody() -> Iterator[Counting]:
    """An address at which nobody listens."""
    with refusing() as address:
        yield Counting((f"http://{address}",), lambda: Counts(0, 0))


@contextmanager
def meeting(parties: int) -> Iterator[Counting]:
    """A server that answers no request before so many are under way."""
    barrier, requests = threading.Barrier(parties), threading.Semaphore(0)

    def script(peer: Peer) -> None:
        while peer.read_request():
            requests.release()
            barrier.wait(PATIENCE_S)
            peer.socket.sendall(ANSWER)

    with misbehaving(script) as server:
        yield Counting((server.url.rstrip("/"),), lambda: Counts(server.accepts, requests._value))
        barrier.abort()


@contextmanager
def forgetful(after_s: float = 1.0) -> Iterator[Counting]:
    """A server behind a path that forgets connections: what comes after a while is reset."""
    requests = threading.Semaphore(0)

    def script(peer: Peer) -> None:
        answered = time.monotonic()
        while peer.read_request():
            requests.release()
            if time.monotonic() - answered > after_s:
                peer.reset()
                return
            peer.socket.sendall(ANSWER)
            answered = time.monotonic()

    with misbehaving(script) as server:
        yield Counting((server.url.rstrip("/"),), lambda: Counts(server.accepts, requests._value))


@contextmanager
def files(contents: Mapping[str, tuple[str, bytes]]) -> Iterator[Counting]:
    """A server of files: by path, their media type and their bytes."""
    requests = threading.Semaphore(0)

    def script(peer: Peer) -> None:
        while head := peer.read_whole_request():
            requests.release()
            kind, body = contents.get(head.split()[1].decode(), ("text/plain", b""))
            fields = f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
            status = "200 OK" if body else "404 Not Found"
            peer.socket.sendall(f"HTTP/1.1 {status}\r\n{fields}".encode() + body)

    with misbehaving(script) as server:
        yield Counting((server.url.rstrip("/"),), lambda: Counts(server.accepts, requests._value))


@contextmanager
def on_a_unix_socket(path: str = "") -> Iterator[Counting]:
    """A server on one: its path, which may be given."""
    requests = threading.Semaphore(0)

    def script(peer: Peer) -> None:
        while peer.read_request():
            requests.release()
            peer.socket.sendall(ANSWER)

    with TemporaryDirectory() as folder, misbehaving(script, path or f"{folder}/it") as server:
        yield Counting((server.address,), lambda: Counts(server.accepts, requests._value))


@contextmanager
def through_socks() -> Iterator[Counting]:
    """A server with TLS, a SOCKS proxy that all came through, and the server's certificate."""
    with Server(ServerSettings(tls=True)) as server, socks_proxy() as proxy:
        words = (server.url, proxy.address, str(CERTIFICATE))
        yield Counting(words, lambda: _through(proxy, server))


@contextmanager
def behind_a_proxy() -> Iterator[Counting]:
    """A server with TLS, its certificate, and a proxy: all that it counts came through there."""
    with Server(ServerSettings(tls=True)) as server, misbehaving(_tunnel) as proxy:
        words = (server.url, str(CERTIFICATE), proxy.url.rstrip("/"))
        yield Counting(words, lambda: _through(proxy, server))


def _through(proxy: Misbehaving, server: Server) -> Counts:
    seen = _seen_by(server)
    assert proxy.accepts == seen.connections
    return seen


def _tunnel(peer: Peer) -> None:
    host, _, port = peer.read_request().split()[1].decode().rpartition(":")
    with socket.create_connection((host, int(port)), PATIENCE_S) as there:
        peer.socket.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        join(peer.socket, there)
