"""How a connection is found that was to be used again: what is on the wire tells."""

from __future__ import annotations

import select
import socket
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from support.patience import PATIENCE_S

from keepalive_bench.server import CERTIFICATE, Behaviour, Server, ServerSettings
from keepalive_bench.trace.tracer._kab_tracer.closers import found_on

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")


class Secure:
    """TLS above a socket that knows nothing of it, as asyncio has it; records are read singly."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._received, self._to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = ssl.create_default_context(cafile=str(CERTIFICATE))
        self._tls = context.wrap_bio(self._received, self._to_send, server_hostname="127.0.0.1")

    def ask(self) -> None:
        """Send a request, and read its response, which has no body."""
        self._done(self._tls.do_handshake)
        self._tls.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        response = b""
        while not response.endswith(b"\r\n\r\n"):
            response += self._done(lambda: self._tls.read(1))

    def _done(self, step: Callable[[], _T]) -> _T:
        found = None
        while found is None:
            with suppress(ssl.SSLWantReadError):
                found = (step(),)
            self._sock.sendall(self._to_send.read())
            if found is None:
                head = self._sock.recv(5, socket.MSG_WAITALL)
                rest = self._sock.recv(int.from_bytes(head[3:], "big"), socket.MSG_WAITALL)
                self._received.write(head + rest)
        return found[0]


def test_a_goodbye_in_tls_is_no_data_where_the_socket_knows_nothing_of_tls() -> None:
    behaviour = Behaviour(body_size=0, silent_close_after=1)
    with (
        Server(ServerSettings(tls=True, behaviour=behaviour)) as server,
        socket.create_connection(("127.0.0.1", server.port), PATIENCE_S) as sock,
    ):
        Secure(sock).ask()
        readable, _, _ = select.select([sock], [], [], PATIENCE_S)
        assert readable
        assert sock.recv(1, socket.MSG_PEEK)  # the server says goodbye, which nobody has read
        assert found_on(sock) == "found-fin"
