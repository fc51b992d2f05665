"""One connection's life: handshake, requests and answers in turn, and how it ends."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from keepalive_bench.server.received import BadRequestError, Reader, parse_request
from keepalive_bench.server.responses import CONTINUE

if TYPE_CHECKING:
    import ssl
    import threading

    from keepalive_bench.server.behaviour import Behaviour
    from keepalive_bench.server.counts import Counter, Recorder
    from keepalive_bench.server.received import ReceivedRequest
    from keepalive_bench.server.responses import Response, ResponseFactory

_HANDSHAKE_TIMEOUT_S = 10.0
"""A client that stays silent doesn't hold its thread for ever."""
_LINGER_S = 2.0
_AT_ONCE_S = 1e-6
"""A socket's timeout of 0 would mean not to wait at all."""
_DRAIN_SIZE = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class Service:
    """What all connections of a server share.

    Attributes:
        stopping: Set when the server ends; no delay outlasts it.
    """

    behaviour: Behaviour
    responses: ResponseFactory
    counter: Counter
    recorder: Recorder | None
    tls: ssl.SSLContext | None
    stopping: threading.Event


class ClientConnection:
    """The server's nth connection; its own thread calls `run`, any other may `hang_up`."""

    def __init__(self, accepted: socket.socket, number: int, service: Service) -> None:
        self._socket = accepted
        self._number = number
        self._service = service
        self._secured: ssl.SSLSocket | None = None
        self._accepted = time.monotonic()

    def run(self) -> None:
        """Live until the client, the behaviour or the server ends the connection."""
        linger = True  # What TLS says of a failed handshake must arrive.
        # An OSError is the client's leaving, its silence, or `hang_up`: an end, no mishap.
        with suppress(OSError):
            self._open()
            linger = False
            linger = self._serve(Reader(self._socket.recv))
        with suppress(OSError):
            self._close(linger=linger)
        self._socket.close()

    def hang_up(self) -> None:
        """End the connection from another thread: whoever waits on the socket wakes up."""
        # Not SSLSocket's own shutdown, which takes the TLS state away under a reading thread.
        with suppress(OSError):
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _open(self) -> None:
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if (tls := self._service.tls) is not None:
            secured = tls.wrap_socket(self._socket, server_side=True, do_handshake_on_connect=False)
            self._socket = self._secured = secured
            if self._service.stopping.is_set():
                # `hang_up` may have met the socket that has just been replaced.
                raise ConnectionAbortedError
            secured.settimeout(_HANDSHAKE_TIMEOUT_S)
            secured.do_handshake()
            secured.settimeout(None)
            self._service.counter.add("handshakes")

    def _serve(self, reader: Reader) -> bool:
        """Answer requests until the end; tell whether the client may still be sending."""
        for nth in count(1):
            try:
                request = self._next_request(reader)
            except BadRequestError as error:
                self._send(self._service.responses.to_nonsense(error))
                return True
            if request is None or self._service.stopping.is_set():
                break
            if not self._respond(request, nth):
                break
        return reader.holds_more

    def _respond(self, request: ReceivedRequest, nth: int) -> bool:
        """Answer a request; tell whether the connection outlives that."""
        if request.is_for_stats:
            stats = self._service.counter.snapshot()
            response = self._service.responses.to_stats(request, nth, stats)
        else:
            self._pause(self._service.behaviour.delay_s)
            response = self._service.responses.to(request, nth)
        self._send(response)
        return not response.closes

    def _next_request(self, reader: Reader) -> ReceivedRequest | None:
        """Wait for a request and read, record and count it; ``None`` is the client's end."""
        patience_s = self._patience_s()
        if patience_s is not None:
            self._socket.settimeout(patience_s)
        head = reader.head()
        if patience_s is not None:
            self._socket.settimeout(None)
        if head is None:
            return None
        request = parse_request(head)
        body = self._read_body(reader, request) if request.has_body else b""
        counted = ("requests", "stats_requests") if request.is_for_stats else ("requests",)
        self._service.counter.add(*counted)
        if self._service.recorder is not None:
            self._service.recorder.write(self._number, request, body)
        return request

    def _patience_s(self) -> float | None:
        """How long to wait for a request; `None`: for ever."""
        behaviour = self._service.behaviour
        if behaviour.max_age_s is None:
            return behaviour.idle_timeout_s
        left_s = max(_AT_ONCE_S, self._accepted + behaviour.max_age_s - time.monotonic())
        return left_s if behaviour.idle_timeout_s is None else min(left_s, behaviour.idle_timeout_s)

    def _read_body(self, reader: Reader, request: ReceivedRequest) -> bytes:
        """Read a body to its end; unless it is recorded, it is not held."""
        if request.fields.expects_continue and request.minor_version and not reader.holds_more:
            self._socket.sendall(CONTINUE)
        pieces = reader.body(request)
        if self._service.recorder is not None:
            return b"".join(pieces)
        for _ in pieces:
            pass
        return b""

    def _pause(self, seconds: float) -> None:
        """Let time pass, but no longer than the server lives."""
        if seconds and self._service.stopping.wait(seconds):
            raise ConnectionAbortedError

    def _send(self, response: Response) -> None:
        for part in response.parts:
            self._socket.sendall(part)

    def _close(self, *, linger: bool) -> None:
        """End the connection so that the client gets all that was sent to it.

        Closing a socket while the client still sends makes the system answer with a reset,
        which can overtake our last answer: RFC 9112, section 9.6.
        """
        if self._secured is not None:
            # TLS's own end, or it would look like a truncation; the client's may never come.
            self._secured.settimeout(0)
            with suppress(OSError, ValueError):
                self._secured.unwrap()
        if linger and not self._service.stopping.is_set():
            socket.socket.shutdown(self._socket, socket.SHUT_WR)
            deadline = time.monotonic() + _LINGER_S
            while (left := deadline - time.monotonic()) > 0:
                self._socket.settimeout(left)
                if not socket.socket.recv(self._socket, _DRAIN_SIZE):
                    break
