"""What urllib3's connections really do, and when: the only file that touches `urllib3.connection`.

urllib3 counts connection *objects*; a dropped one reconnects silently. So the truth is taken where
it happens: a TCP connection counts when its handshake is done, and each step is timed around the
public methods that urllib3 calls. Nothing is copied, and nothing private is touched but `_new_conn`
and the name it looks up, because only there a look-up and a TCP handshake can be told apart.
"""

from __future__ import annotations

import queue
import ssl
import threading
from functools import partial
from heapq import heappop, heappush
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any, ClassVar

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.ssltransport import SSLTransport

from keepalive_bench.model.exchange import Connection, Phases
from keepalive_bench.net import tcp

if TYPE_CHECKING:
    import socket

    from keepalive_bench.model.columns import ConnectionColumns
    from keepalive_bench.model.plan import Network
    from keepalive_bench.net.failures import Stage

_SECOND = 1_000_000_000


class Probe:
    """What one thread notes of the exchange that it is in; times in the clock's nanoseconds."""

    __slots__ = (
        "connection",
        "dns",
        "established",
        "first_byte",
        "over",
        "pool_wait",
        "retired",
        "send",
        "sent",
        "setup",
        "stage",
        "tcp",
        "tls",
        "tunnel",
    )

    def begin(self, over: int) -> None:
        """Forget the exchange before; the new one has to be over at a time."""
        self.over = over
        self.stage: Stage = "pool"
        self.connection: int | None = None
        self.retired: HTTPConnection | None = None
        self.pool_wait = self.dns = self.tcp = self.tunnel = self.tls = self.send = None
        self.setup = self.established = self.sent = self.first_byte = 0

    pool_wait: int | None
    dns: int | None
    tcp: int | None
    tunnel: int | None
    tls: int | None
    send: int | None

    def remaining_s(self, now: int) -> float:
        """The time left for this exchange.

        Raises:
            TimeoutError: there is none.
        """
        left = self.over - now
        if left <= 0:
            raise TimeoutError("the exchange's time is up")
        return left / _SECOND

    @property
    def reached(self) -> Stage:
        """How far the exchange has got."""
        return "receive" if self.stage == "wait" and self.first_byte else self.stage

    def phases(self, ended: int) -> Phases:
        """What each phase took, of an exchange that ended, or broke off, at a time."""
        first_byte = self.first_byte
        return Phases(
            _seconds(self.pool_wait),
            _seconds(self.dns),
            _seconds(self.tcp),
            _seconds(self.tunnel),
            _seconds(self.tls),
            _seconds(self.send),
            (first_byte - self.sent) / _SECOND if first_byte else None,
            (ended - first_byte) / _SECOND if first_byte else None,
        )


def _seconds(nanoseconds: int | None) -> float | None:
    return None if nanoseconds is None else nanoseconds / _SECOND


class Tracer:
    """Notes what the connections of one arm do."""

    def __init__(
        self,
        arm: str,
        connections: ConnectionColumns,
        network: Network,
        clock: tcp.Clock,
        origin: int,
    ) -> None:
        self.network, self.clock = network, clock
        self.dialer = tcp.Dialer(network, clock)
        self._arm, self._connections, self._origin = arm, connections, origin
        self._local = threading.local()
        self._lock = threading.Lock()
        self._free_slots: list[int] = []
        self._slots = 0

    @property
    def probe(self) -> Probe:
        """The calling thread's own."""
        try:
            return self._local.probe  # type: ignore[no-any-return]  # a local's attributes are Any
        except AttributeError:
            probe = self._local.probe = Probe()
            return probe

    def connect_deadline(self, probe: Probe, now: int) -> int:
        """When a connection that is begun now has to be ready."""
        budget = self.network.connect_timeout_s
        return probe.over if budget is None else min(probe.over, now + int(budget * _SECOND))

    def opened(self, probe: Probe, dialled: tcp.Dialled, lost: int) -> tuple[int, int]:
        """Note a connection whose TCP handshake is done; return its row and its slot."""
        with self._lock:
            if self._free_slots:
                slot = heappop(self._free_slots)
            else:
                slot, self._slots = self._slots, self._slots + 1
        row = self._connections.append(
            Connection(
                arm=self._arm,
                slot=slot,
                opened_s=(probe.established - self._origin) / _SECOND,
                peer=tcp.peer_name(dialled.socket),
                dns=_seconds(probe.dns),
                connect=(probe.tcp or 0) / _SECOND,
                failed="; ".join(dialled.failed) or None,
                lost=lost / _SECOND if dialled.failed else None,
            )
        )
        return row, slot

    def secured(self, row: int, probe: Probe, secured: ssl.SSLSocket | SSLTransport) -> None:
        """Note a finished TLS handshake, and a tunnel if it goes through one."""
        cipher = secured.cipher()
        self._connections.secured(
            row,
            _seconds(probe.tunnel),
            (probe.tls or 0) / _SECOND,
            secured.version() or "?",
            cipher[0] if cipher else "?",
        )

    def answered(self, row: int) -> None:
        """Note a response on a connection."""
        self._connections.answered(row)

    def ended(self, slot: int) -> None:
        """Note that a connection is closed: the next one takes its place."""
        with self._lock:
            heappush(self._free_slots, slot)


class _TracedConnection(HTTPConnection):
    """urllib3's connection, with its steps timed. One thread uses it at a time."""

    tracer: ClassVar[Tracer]
    _row = 0
    _slot: int | None = None

    def _new_conn(self) -> socket.socket:
        tracer, probe = self.tracer, self.tracer.probe
        clock = tracer.clock
        probe.stage = "dns"
        began = clock()
        deadline = tracer.connect_deadline(probe, began)
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
        self._row, self._slot = tracer.opened(probe, dialled, dialled.began - resolved)
        probe.connection = self._row
        probe.stage = "tls"
        # The handshake shares the connection's budget; at 0 it would not wait at all.
        connected.settimeout(max((deadline - probe.established) / _SECOND, 1e-3))
        return connected

    def connect(self) -> None:
        tracer, probe = self.tracer, self.tracer.probe
        began = tracer.clock()
        super().connect()
        ended = tracer.clock()
        secured = self.sock
        if isinstance(secured, ssl.SSLSocket | SSLTransport):  # the latter is TLS within TLS
            probe.tls = ended - probe.established - (probe.tunnel or 0)
            tracer.secured(self._row, probe, secured)
        probe.setup += ended - began
        probe.stage = "send"
        self.sock.settimeout(probe.remaining_s(ended))

    def _tunnel(self) -> None:
        """Ask a proxy for a tunnel: `http.client`'s own step, timed."""
        clock, probe = self.tracer.clock, self.tracer.probe
        probe.stage, began = "tunnel", clock()
        super()._tunnel()
        probe.tunnel = clock() - began
        probe.stage, probe.first_byte = "tls", 0  # the proxy's answer is not the server's

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

    def close(self) -> None:
        if self._slot is not None:
            self.tracer.ended(self._slot)
            self._slot = None
        super().close()


class _TracedSecureConnection(_TracedConnection, HTTPSConnection):
    """The same over TLS."""


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
                probe.stage = "receive"
            return count

        # In the place of the raw stream's own: a stream around it would cost more at each request.
        self.fp.raw.readinto = readinto  # type: ignore[method-assign]  # meant so


class _TracedQueue(queue.LifoQueue[Any]):
    """A pool's queue, which times the wait for a free connection."""

    tracer: ClassVar[Tracer]

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
