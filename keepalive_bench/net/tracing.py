"""What urllib3's connections really do, and when: the only file that touches `urllib3.connection`.

urllib3 counts connection *objects*; a dropped one reconnects silently. So the truth is taken where
it happens: a TCP connection counts when its handshake is done, and each step is timed around the
public methods that urllib3 calls. Nothing is copied, and nothing private is touched but `_new_conn`
and the name it looks up, because only there a look-up and a TCP handshake can be told apart.
"""

from __future__ import annotations

import io
import queue
import ssl
from contextlib import suppress
from functools import partial
from http.client import BadStatusLine, HTTPResponse
from typing import TYPE_CHECKING, Any, ClassVar

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.ssltransport import SSLTransport

from keepalive_bench.model.exchange import Ending
from keepalive_bench.net.endings import found_ended

if TYPE_CHECKING:
    import socket

    from urllib3 import HTTPResponse as URLLib3Response
    from urllib3._base_connection import BaseHTTPConnection

    from keepalive_bench.net.probe import Probe
    from keepalive_bench.net.tracer import Tracer

_SECOND = 1_000_000_000
_LEAST_S = 1e-3
"""A socket's timeout of 0 would mean not to wait at all."""


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
        tracer, probe = self.tracer, self.tracer.probe
        clock = tracer.clock
        probe.stage = "dns"
        began = clock()
        deadline = self._deadline = tracer.connect_deadline(probe, began)
        # `host` lacks the dot that ends an absolute name; only this one is looked up.
        looked_up = True
        try:
            addresses, looked_up = tracer.dialer.resolve(self._dns_host, self.port)
        finally:
            resolved = clock()
            if looked_up:
                probe.dns = resolved - began
        probe.stage = "connect"
        try:
            dialled = tracer.dialer.connect(addresses, self.socket_options or (), deadline)
        finally:
            probe.established = clock()
            probe.tcp = probe.established - resolved
        connected = dialled.socket
        lost = dialled.began - resolved
        self._row, self._slot = tracer.opened(probe, dialled, lost, self._last_slot)
        self._last_slot, self.ending = self._slot, None
        probe.connection = self._row
        probe.stage = "tls"
        # The handshake shares the connection's budget.
        connected.settimeout(max((deadline - probe.established) / _SECOND, _LEAST_S))
        return connected

    def connect(self) -> None:
        tracer, probe = self.tracer, self.tracer.probe
        began = tracer.clock()
        super().connect()
        ended = tracer.clock()
        secured = self.sock
        if isinstance(secured, ssl.SSLSocket | SSLTransport):  # the latter is TLS within TLS
            probe.tls = ended - probe.established - (probe.tunnel or 0)
            tracer.secured(self._row, secured)
        probe.setup += ended - began
        probe.stage = "send"
        self.sock.settimeout(probe.remaining_s(ended))

    def _tunnel(self) -> None:
        """Ask a proxy for a tunnel: `http.client`'s own step, timed, in the connection's budget."""
        clock, probe = self.tracer.clock, self.tracer.probe
        over, probe.over = probe.over, self._deadline
        probe.stage, began = "tunnel", clock()
        try:
            super()._tunnel()
        finally:
            ended = clock()
            probe.tunnel = ended - began
            # What the proxy answers is not the server's answer, even where it is the last one.
            probe.stage, probe.over, probe.first_byte = "tunnel", over, 0
        probe.stage = "tls"
        self.sock.settimeout(max((self._deadline - ended) / _SECOND, _LEAST_S))

    def request(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # as it is called
        clock, probe = self.tracer.clock, self.tracer.probe
        began, setup = clock(), probe.setup
        if self._slot is not None:
            probe.connection, probe.stage = self._row, "send"
        self.timeout = probe.remaining_s(began)
        try:
            super().request(*args, **kwargs)
        finally:  # urllib3 goes on after a broken pipe: the answer may be there already
            probe.sent = clock()
            if self._slot is not None:
                probe.send = probe.sent - began - (probe.setup - setup)
        probe.stage = "wait"

    def getresponse(self) -> URLLib3Response:  # type: ignore[override]  # urllib3's own return type
        response = super().getresponse()
        if self.tracer.probe.is_over:  # http.client takes the end of the stream for the head's end
            raise BadStatusLine("the connection ended in the middle of the head")
        if self._slot is None:  # http.client closes it when the response says that it ends
            self.tracer.refined(self._row, Ending("announced"))
        return response

    @property
    def is_connected(self) -> bool:
        is_connected = super().is_connected
        if not is_connected and self._slot is not None:
            idle = self.tracer.clock() - self.idle_since
            self.ending = found_ended(self.sock, idle / _SECOND)
        return is_connected

    def close(self) -> None:
        if self._slot is not None:
            self.tracer.ended(self._row, self._slot, self.ending or Ending("failed"))
            self._slot = None
        super().close()


class _TracedSecureConnection(_TracedConnection, HTTPSConnection):
    """The same over TLS."""


class _Body(io.BufferedReader):
    """A response's stream that tells what is left in it when the response has ended.

    Such bytes belong to no request of ours. A socket that is looked at later doesn't show them.
    """

    def __init__(self, raw: Any, probe: Probe) -> None:  # noqa: ANN401  # a SocketIO, patched
        super().__init__(raw)
        self._raw, self._probe = raw, probe

    def close(self) -> None:
        if not self.closed:
            self._raw.readinto = _nothing
            with suppress(OSError, ValueError):
                self._probe.leftover = self.peek()
        super().close()


def _nothing(_buffer: memoryview) -> int:
    return 0


class _TracedResponse(HTTPResponse):
    """`http.client`'s response: notes the first byte, and gives each read only the time left.

    A socket's own timeout starts anew at each read, so a server that sends a byte now and then
    would hold a request for ever.
    """

    def __init__(self, tracer: Tracer, source: socket.socket, **kwargs: Any) -> None:  # noqa: ANN401  # as it is called
        super().__init__(source, **kwargs)
        clock, probe = tracer.clock, tracer.probe

        def readinto(buffer: memoryview) -> int:
            source.settimeout(probe.remaining_s(clock()))
            count = source.recv_into(buffer)
            if not probe.first_byte and count:
                probe.first_byte = clock()
            probe.is_over = not count
            return count

        # In the place of the raw stream's own: a stream around it would cost more at each request.
        raw: Any = self.fp.detach()
        raw.readinto = readinto
        self.fp = _Body(raw, probe)


class _TracedQueue(queue.LifoQueue[Any]):
    """A pool's queue: times the wait for a free connection, and notes which are thrown away."""

    tracer: ClassVar[Tracer]

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:  # noqa: ANN401, FBT001, FBT002  # the queue's signature
        if item is not None:
            item.idle_since = self.tracer.clock()
        try:
            super().put(item, block, timeout)
        except queue.Full:
            if item is not None:
                item.ending = Ending("discarded")
            raise

    def get(self, block: bool = True, timeout: float | None = None) -> Any:  # noqa: ANN401, FBT001, FBT002  # the queue's signature
        try:
            return super().get(block=False)
        except queue.Empty:
            if not block:
                raise
        clock, probe = self.tracer.clock, self.tracer.probe
        began = clock()
        try:
            return super().get(timeout=timeout)
        finally:
            probe.pool_wait = clock() - began


class _SingleUseQueue(_TracedQueue):
    """A pool's queue that keeps no connection: the place becomes free, the connection is retired.

    Whoever asked for the exchange closes it when the clock has stopped.
    """

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:  # noqa: ANN401, FBT001, FBT002  # the queue's signature
        if item is not None:
            item.ending = Ending("retired")
            self.tracer.probe.retired = item
        super().put(None, block, timeout)


def traced_pool(
    tracer: Tracer, *, secure: bool, single_use: bool
) -> type[HTTPConnectionPool | HTTPSConnectionPool]:
    """A pool class whose connections report to a tracer, and are used once only if asked for."""
    namespace = {
        "tracer": tracer,
        "response_class": staticmethod(partial(_TracedResponse, tracer)),
    }
    connection = _TracedSecureConnection if secure else _TracedConnection
    queue_class = _SingleUseQueue if single_use else _TracedQueue
    return type(
        "TracedPool",
        (HTTPSConnectionPool if secure else HTTPConnectionPool,),
        {
            "ConnectionCls": type("TracedConnection", (connection,), namespace),
            "QueueCls": type("TracedQueue", (queue_class,), {"tracer": tracer}),
        },
    )


def end_with(connection: BaseHTTPConnection | None, ending: Ending) -> None:
    """Close a connection for a reason of our own."""
    if isinstance(connection, _TracedConnection):
        connection.ending = ending
        connection.close()
