"""A server that says exactly what it is told to, however wrong."""

from __future__ import annotations

import socket
import threading
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from support.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Iterator

_TIMEOUT_S = PATIENCE_S
_READ_BYTES = 65536


@dataclass
class ScriptedServer:
    """Where it listens, and what it was sent."""

    url: str
    requests: list[bytes] = field(default_factory=list)
    held: threading.Event = field(default_factory=threading.Event)
    """Set once a request is held back."""


def response(*header_lines: bytes, status_line: bytes = b"HTTP/1.1 200 OK") -> bytes:
    """A response of two bytes, after which the connection ends."""
    lines = (status_line, b"Content-Length: 2", b"Connection: close", *header_lines)
    return b"\r\n".join(lines) + b"\r\n\r\nok"


@contextmanager
def answering(*script: bytes | None) -> Iterator[ScriptedServer]:
    """Answer the k-th connection with the k-th bytes, further ones as the last, and close.

    `None` is never answered: the connection stays open until the client closes it.
    """
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        server = ScriptedServer(f"http://127.0.0.1:{listener.getsockname()[1]}/")
        thread = threading.Thread(target=_serve, args=(listener, server, script), daemon=True)
        thread.start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(_TIMEOUT_S)


def _serve(
    listener: socket.socket, server: ScriptedServer, script: tuple[bytes | None, ...]
) -> None:
    number = 0
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with closing(connection):
            _answer(connection, server, script[min(number, len(script) - 1)])
        number += 1


def _answer(connection: socket.socket, server: ScriptedServer, answer: bytes | None) -> None:
    connection.settimeout(_TIMEOUT_S)
    request = b""
    while b"\r\n\r\n" not in request:
        part = connection.recv(_READ_BYTES)
        if not part:
            return
        request += part
    server.requests.append(request)
    if answer is not None:
        connection.sendall(answer)
        return
    server.held.set()
    with suppress(ConnectionResetError):
        connection.recv(_READ_BYTES)
