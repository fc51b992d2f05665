"""What `kab serve` says, and what a client sees of it, as one text."""

from __future__ import annotations

import re
import socket
import ssl
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING

from support.command import TIMEOUT_S, ended, started

if TYPE_CHECKING:
    from collections.abc import Iterator

_SLOW_S = 0.4
_PATIENCE_S = 0.4
"""How long a client waits for the end of a connection that may stay open."""
_REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def served(*words: str) -> str:
    """Start it with a command line, ask it two times, and stop it."""
    with started(*words) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        said = process.stdout.readline()
        seen: list[str] = []
        if url := re.search(r"(https?)://(.+):(\d+)", said):
            trusted = process.stderr.readline().split()[-2] if url[1] == "https" else None
            seen = list(_seen((url[2], int(url[3])), trusted))
            process.terminate()
        # What is read ahead already, `communicate` would miss.
        done = ended(process, said + process.stdout.read())
    return "\n".join([done.text, *seen])


def _seen(address: tuple[str, int], trusted: str | None) -> Iterator[str]:
    if trusted is None:
        with socket.create_connection(address, TIMEOUT_S) as client:
            yield from _answers(client)
            yield from _beside(address)
        return
    context = ssl.create_default_context(cafile=trusted)
    try:
        with _secured(address, context):
            pass
    except ssl.SSLError as error:
        yield str(error)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with _secured(address, context) as client:
        yield f"speaks {client.version()}"
        yield from _answers(client)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    try:
        with _secured(address, context):
            yield "takes TLS 1.2"
    except ssl.SSLError:
        yield "refuses TLS 1.2"


def _secured(address: tuple[str, int], context: ssl.SSLContext) -> ssl.SSLSocket:
    plain = socket.create_connection(address, TIMEOUT_S)
    try:
        return context.wrap_socket(plain, server_hostname="localhost")
    except BaseException:
        plain.close()
        raise


def _beside(address: tuple[str, int]) -> Iterator[str]:
    """Whether another client is answered, too."""
    with socket.create_connection(address, TIMEOUT_S) as other, suppress(ConnectionError):
        other.settimeout(_PATIENCE_S)
        other.sendall(_REQUEST)
        try:
            other.recv(1)
        except TimeoutError:
            yield "alone"


def _answers(client: socket.socket) -> Iterator[str]:
    took, answered, is_open = [], 0, True
    while is_open and answered < 2:
        began = monotonic()
        text, is_open = _answer(client)
        took.append(monotonic() - began)
        answered += bool(text)
        yield text
    if is_open:
        client.settimeout(_PATIENCE_S)
        with suppress(TimeoutError):
            is_open = bool(client.recv(1))
    yield f"{'open' if is_open else 'closed'} after {answered}"
    yield "slow" if min(took) >= _SLOW_S else "quick"


def _answer(client: socket.socket) -> tuple[str, bool]:
    """What came, and whether the connection is open."""
    came = b""
    with suppress(ConnectionError):
        client.sendall(_REQUEST)
        while not _is_whole(came) and (part := client.recv(65536)):
            came += part
    return came.decode("latin-1"), _is_whole(came)


def _is_whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"Content-Length: (\d+)", head)
    if not end:
        return False
    if length:
        return len(body) >= int(length[1])
    return b"chunked" not in head or body.endswith(b"0\r\n\r\n")
