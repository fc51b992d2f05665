"""A client with nothing between it and the socket, and servers in this process to talk to."""

from __future__ import annotations

import select
import socket
import ssl
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from support.patience import PATIENCE_S

from keepalive_bench.server import CERTIFICATE, Behaviour, Fault, Server, ServerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT_S = PATIENCE_S
AT_ONCE_S = 0.05
"""Long enough to see that nothing comes; a slow machine can't make a test fail with it."""
GET = b"GET / HTTP/1.1\r\nHost: kab\r\n\r\n"
STATS = b"GET /stats HTTP/1.1\r\nHost: kab\r\n\r\n"
_BEHAVIOUR_NAMES = {field.name for field in fields(Behaviour)}


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One response as it came over the wire."""

    status_line: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def status(self) -> int:
        return int(self.status_line.split(" ")[1])

    def header(self, wanted: str) -> str | None:
        return next((value for name, value in self.headers if name.lower() == wanted), None)


class Wire:
    """One connection; every read is bounded by a timeout, so that no test can hang."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(TIMEOUT_S)
        self.socket = connection
        self._file = connection.makefile("rb")

    def ask(self, request: bytes = GET) -> Reply:
        self.socket.sendall(request)
        return self.reply(bodiless=request.startswith(b"HEAD"))

    def reply(self, *, bodiless: bool = False) -> Reply:
        head = self.head()
        return head if bodiless else replace(head, body=self._body(head))

    def head(self) -> Reply:
        """Read a response up to its body."""
        status_line = self._line()
        headers = []
        while line := self._line():
            name, _, value = line.partition(": ")
            headers.append((name, value))
        return Reply(status_line=status_line, headers=headers, body=b"")

    def receive(self, size: int) -> bytes:
        """Read exactly so many bytes, as they come."""
        return self._file.read(size)

    def until_the_end(self) -> tuple[bytes, str]:
        """Read to the end of the connection, and say how it ended."""
        # Python before 3.13 takes a reset under TLS for the end of the stream: look underneath.
        reset = isinstance(self.socket, ssl.SSLSocket) and self._waits_for_reset()
        received = b""
        try:
            while data := self._file.read1(65536):
                received += data
        except ConnectionResetError:
            reset = True
        return received, "RST" if reset else "FIN"

    def is_silent(self) -> bool:
        """Whether the connection is open and nothing comes."""
        self.socket.settimeout(AT_ONCE_S)
        try:
            self.socket.recv(1)
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(TIMEOUT_S)
        return False

    def everything(self) -> bytes:
        """Read to the end of the connection."""
        return self._file.read()

    def close(self) -> None:
        self._file.close()
        self.socket.close()

    def _waits_for_reset(self) -> bool:
        poller = select.poll()
        poller.register(self.socket, select.POLLRDHUP)
        ((_, events),) = poller.poll(TIMEOUT_S * 1000)
        return bool(events & select.POLLERR)

    def _line(self) -> str:
        line = self._file.readline()
        assert line.endswith(b"\r\n"), f"the connection ended with {line!r}"
        return line[:-2].decode("latin-1")

    def _body(self, head: Reply) -> bytes:
        if head.header("transfer-encoding") != "chunked":
            return self._file.read(int(head.header("content-length") or "0"))
        body = b""
        while size := int(self._line(), 16):
            body += self._file.read(size)
            assert not self._line()
        assert not self._line()
        return body


def settings(**options: Any) -> ServerSettings:  # noqa: ANN401 - of a behaviour or of settings
    """Put each option where it belongs; a fault may be written as for ``--fault``."""
    if isinstance(options.get("fault"), str):
        options["fault"] = Fault.parse(options["fault"])
    behaviour = {name: options.pop(name) for name in _BEHAVIOUR_NAMES & options.keys()}
    return ServerSettings(behaviour=Behaviour(**behaviour), **options)


@contextmanager
def serving(**options: Any) -> Iterator[Server]:  # noqa: ANN401
    """Run a server in this process."""
    with Server(settings(**options)) as server:
        yield server


@contextmanager
def dialled(server: Server) -> Iterator[Wire]:
    """Open one connection to it."""
    host, _, port = server.url.partition("://")[2].rpartition(":")
    plain = socket.create_connection((host.strip("[]"), int(port)), TIMEOUT_S)
    if server.url.startswith("https:"):
        plain = trusting().wrap_socket(plain, server_hostname=host.strip("[]"))
    with closing(Wire(plain)) as wire:
        yield wire


@contextmanager
def served(**options: Any) -> Iterator[tuple[Server, Wire]]:  # noqa: ANN401
    """Run a server and open one connection to it."""
    with serving(**options) as server, dialled(server) as wire:
        yield server, wire


def trusting() -> ssl.SSLContext:
    """Trust the shipped certificate and check it as strictly as the newest Python does."""
    context = ssl.create_default_context(cafile=str(CERTIFICATE))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    if hasattr(ssl, "VERIFY_X509_PARTIAL_CHAIN"):
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context
