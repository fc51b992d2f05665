"""Servers that do with a connection what a test tells them, however wrong that is."""

from __future__ import annotations

import re
import socket
import struct
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from support.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TIMEOUT_S = PATIENCE_S
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Peer:
    """The server's end of one connection."""

    def __init__(self, connection: socket.socket, stopping: threading.Event) -> None:
        connection.settimeout(TIMEOUT_S)
        self.socket, self._stopping = connection, stopping
        self._file = connection.makefile("rb")

    def read_request(self) -> bytes:
        """The head of a request; nothing at the connection's end."""
        head = b""
        while (line := self._file.readline()) not in {b"", b"\r\n"}:
            head += line
        return head

    def read_whole_request(self) -> bytes:
        """The same, after which its body was read, too."""
        head = self.read_request()
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        self._file.read(int(length[1]) if length else 0)
        return head

    def answer(self, data: bytes = ANSWER) -> None:
        """Read a request and answer it."""
        if self.read_request():
            self.socket.sendall(data)

    def drip(self, start: bytes, drop: bytes, every_s: float) -> None:
        """Answer with something now and then, for as long as somebody listens."""
        self.read_request()
        self.drip_blindly(start, drop, every_s)

    def drip_blindly(self, start: bytes, drop: bytes, every_s: float) -> None:
        """The same without reading anything."""
        self.socket.sendall(start)
        while not self.pause(every_s):
            self.socket.sendall(drop)

    def pause(self, seconds: float) -> bool:
        """Wait; whether the server ends meanwhile."""
        return self._stopping.wait(seconds)

    def stay(self) -> None:
        """Say nothing until the client goes, or the server ends."""
        with suppress(TimeoutError):
            while self.socket.recv(65536):
                pass

    def reset(self) -> None:
        """End the connection with RST instead of FIN."""
        self._file.close()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.close()

    def close(self) -> None:
        self._file.close()
        self.socket.close()


class Misbehaving:
    """A listening socket, whose connections each get a thread that runs the same script."""

    def __init__(self, script: Callable[[Peer], None], path: str = "") -> None:
        self._script, self._stopping = script, threading.Event()
        if path:
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(path)
            self._listener.listen()
        else:
            self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = path or f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.accepts = 0
        self._peers: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"http://{self.address}/"

    def stop(self) -> None:
        self._stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        for peer in self._peers:
            with suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(TIMEOUT_S)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.accepts += 1
                self._peers.append(connection)
                thread = threading.Thread(target=self._serve, args=(connection,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        peer = Peer(connection, self._stopping)
        with suppress(OSError, threading.BrokenBarrierError):
            self._script(peer)
        peer.close()


@contextmanager
def misbehaving(script: Callable[[Peer], None], path: str = "") -> Iterator[Misbehaving]:
    """Run one; with a path, on a Unix socket there."""
    server = Misbehaving(script, path)
    try:
        yield server
    finally:
        server.stop()


def forever(answer: bytes = ANSWER) -> Callable[[Peer], None]:
    """A script: give the same answer to every request of a connection."""

    def script(peer: Peer) -> None:
        while peer.read_request():
            peer.socket.sendall(answer)

    return script


class Halfway:
    """A script: answer a number of requests, then hold every one until it is told to go on."""

    def __init__(self, answers: int) -> None:
        self._left = threading.Semaphore(answers)
        self.reached, self.released = threading.Event(), threading.Event()

    def __call__(self, peer: Peer) -> None:
        while peer.read_request():
            if not self._left.acquire(blocking=False):
                self.reached.set()
                self.released.wait(60)
            peer.socket.sendall(ANSWER)


@contextmanager
def refusing() -> Iterator[str]:
    """An address at which nobody listens, and nobody else can begin to."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{bound.getsockname()[1]}"


@contextmanager
def never_connecting() -> Iterator[str]:
    """An address whose queue is full: Linux drops what else asks for a connection."""
    with socket.socket() as listener, socket.socket() as first:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        host, port = listener.getsockname()
        first.connect((host, port))
        yield f"{host}:{port}"
