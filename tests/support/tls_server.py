"""A TLS server that notes, for each handshake, whether it resumed a session: its own word."""

from __future__ import annotations

import socket
import ssl
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from support.misbehaving import ANSWER, Misbehaving, Peer, misbehaving

from keepalive_bench.server import CERTIFICATE

if TYPE_CHECKING:
    from collections.abc import Iterator

_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


@dataclass
class TlsServer:
    """Where it listens, and what it noted, in the order in which handshakes ended."""

    server: Misbehaving
    resumed: list[bool] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"https://{self.server.address}/"


def server_context(version: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, CERTIFICATE.with_suffix(".key"))
    context.minimum_version = context.maximum_version = _VERSIONS[version]
    return context


@contextmanager
def resuming(
    version: str, *, forgets: bool = False, tickets: bool = True, answer: bytes = ANSWER
) -> Iterator[TlsServer]:
    """A server of one version of TLS; one that forgets has other keys at each handshake.

    Without tickets, TLS 1.2 still resumes by a session's number, from the server's memory.
    """
    shared = server_context(version)
    if not tickets:
        shared.options |= ssl.OP_NO_TICKET

    def serve(peer: Peer) -> None:
        context = server_context(version) if forgets else shared
        # Else a ticket that isn't acknowledged yet holds back the answer, for 40 ms.
        peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with context.wrap_socket(peer.socket, server_side=True) as secured:
            running.resumed.append(bool(secured.session_reused))
            while secured.recv(65536):
                secured.sendall(answer)
            with suppress(OSError):  # one that isn't ended properly can't be resumed
                secured.unwrap()

    with misbehaving(serve) as server:
        running = TlsServer(server)
        yield running
