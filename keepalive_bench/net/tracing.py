"""What urllib3's connections really do, and when: the only file that touches `urllib3.connection`.

urllib3 counts connection *objects*; a dropped one reconnects silently. So the truth is taken where
it happens: a TCP connection counts when its handshake is done, and each step is timed around the
methods that urllib3 calls. Nothing is copied. Three of them are private, because only there things
can be told apart: `_new_conn` (a look-up from a TCP handshake), `_tunnel` (a proxy's answer from
the server's) and a response's `_close_conn` (what was left behind it from what comes later).
"""

from __future__ import annotations

import errno
import ssl
from email.errors import MissingHeaderBodySeparatorDefect
from http.client import BadStatusLine, HTTPException, HTTPResponse
from traceback import clear_frames
from typing import TYPE_CHECKING, Any, ClassVar

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NewConnectionError
from urllib3.util.ssltransport import SSLTransport

from keepalive_bench.net.tcp import OpenedAndResetError
from keepalive_bench.net.tcp_info import found_ended, was_reset
from keepalive_bench.net.tls import say_goodbye
from keepalive_bench.results.exchange import Ending

if TYPE_CHECKING:
    import queue
    import socket

    from urllib3 import HTTPResponse as URLLib3Response

    from keepalive_bench.net.tracer import Tracer

_SECOND = 1_000_000_000
_SHOWN = 40
_START = 9
"""Bytes by which TLS and HTTP/2 are told: a head of a frame (RFC 9113, section 4.1)."""
_MOST_OF_A_HEAD = 2**20
"""Bytes of one, interim responses included: `http.client` alone takes 100 lines of 64 KiB."""
_LEAST_S = 1e-3
"""A socket's timeout of 0 would mean not to wait at all."""
_CLOSE_ENOUGH = 1_000_000
"""Nanoseconds for which a socket keeps its timeout: setting one lets other threads in."""


class _TracedConnection(HTTPConnection):
    """urllib3's connection, with its steps timed. One thread uses it at a time."""

    tracer: ClassVar[Tracer]
    ending: Ending | None = None
    """How it is about to end, where that is known before it is closed."""
    idle_since = 0
    _row = 0
    _slot: int | None = None
    _last_slot: int | None = None

    def _new_conn(self) -> socket.socket:
        tracer, trace = self.tracer, self.tracer.trace
        clock = tracer.clock
        trace.stage = "dns"
        began = clock()
        deadline = self._deadline = tracer.connect_deadline(trace, began)
        # `host` lacks the dot that ends an absolute name; only this one is looked up.
        looked_up = True
        try:
            addresses, looked_up = tracer.dialer.resolve(self._dns_host, self.port)
        finally:
            resolved = clock()
            if looked_up:
                trace.dns = resolved - began
        trace.stage = "connect"
        try:
            dialled = tracer.dialer.connect(addresses, self.socket_options or (), deadline)
        except OpenedAndResetError as error:
            trace.established, trace.stage = clock(), "open"
            tracer.opened_and_reset(trace, error.peer, self._last_slot)
            # Anything with ECONNRESET in it would make urllib3 go on without a socket.
            raise NewConnectionError(self, str(error)) from error
        finally:
            trace.established = clock()
            trace.tcp = trace.established - resolved
        connected = dialled.socket
        lost = dialled.began - resolved
        try:
            self._row, self._slot = tracer.opened(trace, dialled, lost, self._last_slot)
        except BaseException:
            connected.close()
            raise
        self._last_slot, self.ending = self._slot, None
        trace.connection = self._row
        trace.stage = "tls"
        # The handshake shares the connection's budget.
        connected.settimeout(max((deadline - trace.established) / _SECOND, _LEAST_S))
        return connected

    def connect(self) -> None:
        tracer, trace = self.tracer, self.tracer.trace
        began = tracer.clock()
        super().connect()
        ended = tracer.clock()
        secured = self.sock
        if isinstance(secured, ssl.SSLSocket | SSLTransport):  # the latter is TLS within TLS
            trace.tls = ended - trace.established - (trace.tunnel or 0)
            tracer.secured(self._row, secured)
        trace.setup += ended - began
        trace.stage = "send"
        self.sock.settimeout(trace.remaining_s(ended))

    def _tunnel(self) -> None:
        """Ask a proxy for a tunnel: `http.client`'s own step, timed, in the connection's budget."""
        clock, trace = self.tracer.clock, self.tracer.trace
        deadline_ns, trace.deadline_ns = trace.deadline_ns, self._deadline
        trace.stage, began = "tunnel", clock()
        try:
            super()._tunnel()
        except OSError as error:
            clear_frames(error.__traceback__)  # Python 3.10 leaves the answer, so the socket, open
            raise
        finally:
            ended = clock()
            trace.tunnel = ended - began
            # What the proxy answers is not the server's answer, even where it is the last one.
            trace.stage, trace.deadline_ns, trace.first_byte = "tunnel", deadline_ns, 0
        trace.stage = "tls"
        self.sock.settimeout(max((self._deadline - ended) / _SECOND, _LEAST_S))

    def endheaders(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # as it is called
        try:
            super().endheaders(*args, **kwargs)
        except OSError:
            self.tracer.trace.is_unwritten = True
            raise

    def request(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # as it is called
        clock, trace = self.tracer.clock, self.tracer.trace
        began, setup = clock(), trace.setup
        trace.carrier = self
        if self._slot is not None:
            trace.connection, trace.stage = self._row, "send"
        self.timeout = trace.remaining_s(began)
        try:
            super().request(*args, **kwargs)
        except ssl.SSLEOFError as error:  # TLS's word for a broken pipe
            raise BrokenPipeError(errno.EPIPE, "Broken pipe") from error
        finally:  # urllib3 goes on after a broken pipe: the answer may be there already
            trace.sent = clock()
            if self._slot is not None:
                trace.send = trace.sent - began - (trace.setup - setup)

    def getresponse(self) -> URLLib3Response:  # type: ignore[override]  # urllib3's own return type
        trace, now = self.tracer.trace, self.tracer.clock()
        # What urllib3 sets for the first read, which needn't be set once more.
        self.timeout, trace.timed, trace.stage = trace.remaining_s(now), now, "wait"
        response = super().getresponse()
        if self._slot is None:  # http.client closes it when the response says that it ends
            self.tracer.set_ending(self._row, Ending("announced"))
        return response

    def close(self) -> None:
        if self._slot is not None:
            tracer, ending = self.tracer, self.ending
            if ending is None and not tracer.is_closing and tracer.trace.stage == "pool":
                # The pool took it out, found it readable, and closes it before it is used.
                idle = tracer.clock() - self.idle_since
                ending = found_ended(self.sock, idle / _SECOND)
            if tracer.sessions is not None:
                tracer.sessions.keep(self.sock)
                if self.ending is not None and self.ending.kind == "retired":
                    say_goodbye(self.sock)
            tracer.ended(self._row, self._slot, ending or Ending("failed"))
            self._slot = None
        super().close()

    def end(self, ending: Ending) -> None:
        """Close it for a reason of our own."""
        self.ending = ending
        self.close()


class _TracedSecureConnection(_TracedConnection, HTTPSConnection):
    """The same over TLS."""


class _TracedResponse(HTTPResponse):
    """`http.client`'s response: notes the first byte, and gives each read only the time left.

    A socket's own timeout starts anew at each read, so a server that sends a byte now and then
    would hold a request for ever.

    A body that breaks off ends for `http.client` as at the end of the stream, or it would throw
    away what had come; what broke it off is in the trace.
    """

    tracer: ClassVar[Tracer]

    def __init__(self, source: socket.socket, **kwargs: Any) -> None:  # noqa: ANN401  # as it is called
        super().__init__(source, **kwargs)
        clock, trace = self.tracer.clock, self.tracer.trace
        self._trace, self._head_left = trace, _MOST_OF_A_HEAD

        def readinto(buffer: memoryview) -> int:
            now = clock()
            try:
                if now - trace.timed > _CLOSE_ENOUGH:
                    source.settimeout(trace.remaining_s(now))
                    trace.timed = now
                count = source.recv_into(buffer)
                if not count:
                    trace.is_over = True
                    if was_reset(source):
                        raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
            except OSError as error:
                trace.silent_since = trace.silent_since or now
                if self._head_left:
                    raise
                trace.broken = trace.broken or error.with_traceback(None)
                return 0
            if self._head_left:
                self._head_left -= count
                if self._head_left <= 0:
                    raise HTTPException("headers of more than 1 MiB, the most that kab reads")
            if not trace.first_byte and count:
                trace.first_byte, trace.start = clock(), bytes(buffer[:_START])
            return count

        # In the place of the raw stream's own: a stream around it would cost more at each request.
        raw: Any = self.fp.raw
        raw.readinto = readinto

    def begin(self) -> None:
        """Read the head, and refuse what `http.client` lets pass though its end can't be told."""
        super().begin()
        trace, self._head_left = self._trace, 0
        trace.head = self.msg
        if trace.is_over:  # http.client takes the end of the stream for the head's end
            raise BadStatusLine("the connection ended in the middle of the head")
        for defect in self.msg.defects:
            if isinstance(defect, MissingHeaderBodySeparatorDefect):  # the lines after it are lost
                raise BadStatusLine("a line of the head isn't a header field")
        if self.length is None and not self.chunked:
            length = self.msg.get("Content-Length")
            if length is not None:  # RFC 9112, section 6.3: an error that can't be recovered from
                raise BadStatusLine(f"Content-Length is {length[:_SHOWN]!r}")

    def _close_conn(self) -> None:
        """Let go of the stream, which `http.client` does when the response has ended.

        Bytes that are left in it belong to no request of ours, and looking at the socket later
        doesn't show them. So the connection can't be trusted any more.
        """
        stream: Any = self.fp
        leftover = b""
        if stream is not None and self.headers is not None:
            stream.raw.readinto = _nothing
            leftover = stream.peek()
        super()._close_conn()  # type: ignore[misc]  # not in typeshed
        if leftover:
            self._trace.end_carrier(Ending("leftover", data=leftover.decode("latin-1")))


def _nothing(_buffer: memoryview) -> int:
    return 0


def traced_pool(
    tracer: Tracer, *, secure: bool, queue_class: type[queue.LifoQueue[Any]] | None
) -> type[HTTPConnectionPool | HTTPSConnectionPool]:
    """A pool class whose connections report to a tracer."""
    connection = _TracedSecureConnection if secure else _TracedConnection
    response = type("TracedResponse", (_TracedResponse,), {"tracer": tracer})
    namespace: dict[str, Any] = {
        "ConnectionCls": type(
            "TracedConnection", (connection,), {"tracer": tracer, "response_class": response}
        )
    }
    if queue_class is not None:
        namespace["QueueCls"] = type("TracedQueue", (queue_class,), {"tracer": tracer})
    return type("TracedPool", (HTTPSConnectionPool if secure else HTTPConnectionPool,), namespace)
