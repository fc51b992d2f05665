"""A relay of TCP connections that counts them: before one server, or as a proxy for any."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from support.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 65536


class Relay:
    """A running one.

    Attributes:
        port: On 127.0.0.1.
        accepts: Connections that it has accepted so far.
        connects: How many of those asked for a tunnel.
    """

    def __init__(self, target: tuple[str, int] | None) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self.accepts = self.connects = 0
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept_all, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """Close all."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept_all(self) -> None:
        while True:
            try:
                client = self._listener.accept()[0]
            except OSError:
                return
            self.accepts += 1
            self._open.append(client)
            threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        head, target = b"", self._target
        try:
            if target is None:
                while b"\r\n\r\n" not in head:
                    head += client.recv(_CHUNK) or b"\r\n\r\n"
                method, place = head.split(b" ", 2)[:2]
                authority = place.partition(b"://")[2].partition(b"/")[0] or place
                host, _, port = authority.decode().rpartition(":")
                target = host, int(port)
            server = socket.create_connection(target)
            self._open.append(server)
            if head and method == b"CONNECT":
                self.connects += 1
                client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            else:
                server.sendall(head)
        except (OSError, ValueError):
            client.close()
            return
        join(client, server)


def join(one: socket.socket, other: socket.socket) -> None:
    """Copy what comes from each to the other, until both have ended."""
    back = threading.Thread(target=_copy, args=[other, one], daemon=True)
    back.start()
    _copy(one, other)
    back.join(PATIENCE_S)


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


@contextmanager
def relay(target: tuple[str, int] | None = None) -> Iterator[Relay]:
    """Run one before a server; without a target, a proxy."""
    running = Relay(target)
    try:
        yield running
    finally:
        running.stop()
