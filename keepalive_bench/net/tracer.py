"""What is noted of connections and exchanges as they happen, for one arm."""

from __future__ import annotations

import errno
import threading
from typing import TYPE_CHECKING, Protocol

from urllib3.util.ssltransport import SSLTransport

from keepalive_bench.net import tcp
from keepalive_bench.net.tcp_info import handshake_of
from keepalive_bench.results.exchange import Connection, Ending, Phases

if TYPE_CHECKING:
    import ssl
    from email.message import Message

    from keepalive_bench.net.failures import Stage
    from keepalive_bench.net.tls import Sessions
    from keepalive_bench.plan.network import Network
    from keepalive_bench.results.columns import ConnectionColumns

_SECOND = 1_000_000_000


class Carrier(Protocol):
    """A connection, as far as the exchange on it is concerned."""

    idle_since: int

    def close(self) -> None:
        """Close it."""
        ...

    def end(self, ending: Ending) -> None:
        """Close it for a reason of our own."""
        ...


class InconsistentTraceError(Exception):
    """What was noted of an exchange can't be: a defect of kab's own."""


class ExchangeTrace:
    """What one thread notes of the exchange that it is in; times in the clock's nanoseconds."""

    def __init__(self) -> None:
        self.begin(0, 0)
        self.stage = "idle"

    def begin(self, now: int, timeout: int) -> None:
        """Forget the exchange before; the new one has to be over after a time."""
        self.began, self.deadline_ns = now, now + timeout
        self.stage = "pool"
        self.connection: int | None = None
        self.retired: Carrier | None = None
        self.pool_wait = self.dns = self.tcp = self.tunnel = self.tls = self.send = None
        self.carrier: Carrier | None = None
        self.is_over = self.is_unwritten = False
        self.setup = self.established = self.sent = self.first_byte = self.timed = 0
        self.silent_since, self.broken = 0, None

    stage: Stage
    is_unwritten: bool
    """Whether the request's head could not be written."""
    head: Message
    """Of the last response that has one."""
    start: bytes
    """The first bytes that came, where any did (`first_byte`)."""
    broken: OSError | None
    """What ended a body before its end."""
    silent_since: int
    """When the read began that failed: all before it had come by then."""
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
        left = self.deadline_ns - now
        if left <= 0:
            raise TimeoutError("the exchange's time is up")
        return left / _SECOND

    @property
    def reached(self) -> Stage:
        """How far the exchange has got."""
        if self.stage == "wait" and self.first_byte:
            return "receive"
        # urllib3 goes on after a broken pipe. That a kept connection breaks is another story.
        is_new = self.tcp is not None and self.connection is not None
        return "open" if self.is_unwritten and is_new else self.stage

    def end_carrier(self, ending: Ending) -> None:
        """Close the connection that the exchange is on, for a reason of our own."""
        if self.carrier is not None:
            self.carrier.end(ending)

    def phases(self, ended: int) -> Phases:
        """What each phase took, of an exchange that ended, or broke off, at a time.

        Raises:
            InconsistentTraceError: one is negative, or together they took longer than the exchange.
        """
        tunnel = tls = wait = receive = None
        if self.tcp is not None:
            tunnel, tls = self.tunnel, self.tls
        if self.first_byte:
            wait, receive = self.first_byte - self.sent, ended - self.first_byte
        took = (self.pool_wait, self.dns, self.tcp, tunnel, tls, self.send, wait, receive)
        phases: list[float | None] = []
        left = ended - self.began
        for nanoseconds in took:
            if nanoseconds is None:
                phases.append(None)
                continue
            left -= nanoseconds
            if nanoseconds < 0 or left < 0:
                noted = f"phases of {Phases(*took)} ns in {ended - self.began} ns"
                raise InconsistentTraceError(noted)
            phases.append(nanoseconds / _SECOND)
        return Phases(*phases)


class Tracer:
    """Notes what the connections of one arm do. Safe from any thread."""

    def __init__(
        self,
        arm: str,
        connections: ConnectionColumns,
        network: Network,
        clock: tcp.Clock,
        origin: int,
    ) -> None:
        self.network, self.clock, self.origin = network, clock, origin
        self.dialer = tcp.Dialer(network, clock)
        self.is_closing = False
        """Whether the arm is done: connections that are closed now were open to the end."""
        self.sessions: Sessions | None = None
        """Where an arm that resumes TLS sessions keeps them."""
        self._arm, self._connections = arm, connections
        self._local = threading.local()
        self._lock = threading.Lock()
        self._free_slots: set[int] = set()
        self._slots = 0

    @property
    def trace(self) -> ExchangeTrace:
        """The calling thread's own."""
        try:
            return self._local.trace  # type: ignore[no-any-return]  # a local's attributes are Any
        except AttributeError:
            trace = self._local.trace = ExchangeTrace()
            return trace

    def connect_deadline(self, trace: ExchangeTrace, now: int) -> int:
        """When a connection that is begun now has to be ready."""
        budget = self.network.connect_timeout_s
        return (
            trace.deadline_ns
            if budget is None
            else min(trace.deadline_ns, now + int(budget * _SECOND))
        )

    def opened(
        self, trace: ExchangeTrace, dialled: tcp.Dialled, lost: int, last_slot: int | None
    ) -> tuple[int, int]:
        """Note a connection whose TCP handshake is done; return its row and its slot.

        It takes the slot that the same object of urllib3's had before, or else any free one.

        Raises:
            ConnectionAbortedError: the arm is done, and nothing of it is kept any more.
        """
        if self.is_closing:
            raise ConnectionAbortedError(errno.ECONNABORTED, "the arm is done")
        handshake = handshake_of(dialled.socket)
        slot = self._take_slot(last_slot)
        row = self._connections.append(
            Connection(
                arm=self._arm,
                slot=slot,
                opened_s=(trace.established - self.origin) / _SECOND,
                peer=dialled.peer,
                failed="; ".join(dialled.failed) or None,
                lost=lost / _SECOND if dialled.failed else None,
                min_rtt=handshake.min_rtt_s,
                retransmissions=handshake.retransmissions,
            )
        )
        return row, slot

    def opened_and_reset(self, trace: ExchangeTrace, peer: str, last_slot: int | None) -> None:
        """Note a connection that was reset before anybody could use it."""
        if self.is_closing:
            return
        slot = self._take_slot(last_slot)
        opened_s = (trace.established - self.origin) / _SECOND
        trace.connection = self._connections.append(
            Connection(arm=self._arm, slot=slot, opened_s=opened_s, peer=peer)
        )
        self.ended(trace.connection, slot, Ending("failed"))

    def _take_slot(self, last_slot: int | None) -> int:
        """The slot that is asked for if it is free, or else any free one."""
        with self._lock:
            if last_slot not in self._free_slots:
                last_slot = min(self._free_slots, default=None)
            if last_slot is None:
                last_slot, self._slots = self._slots, self._slots + 1
            self._free_slots.discard(last_slot)
            return last_slot

    def secured(self, row: int, secured: ssl.SSLSocket | SSLTransport) -> None:
        """Note a finished TLS handshake."""
        if self.is_closing:
            return
        cipher = secured.cipher()
        within = secured.sslobj if isinstance(secured, SSLTransport) else secured
        self._connections.secured(
            row,
            secured.version() or "?",
            cipher[0] if cipher else "?",
            resumed=bool(within.session_reused),
        )

    def answered(self, row: int) -> None:
        """Note one more response on a connection."""
        if not self.is_closing:
            self._connections.answered(row)

    def ended(self, row: int, slot: int, ending: Ending) -> None:
        """Note that a connection is closed, and how that came: the next one takes its place."""
        if self.is_closing:
            return
        ended_s = (self.clock() - self.origin) / _SECOND
        self._connections.ended(row, ending, ended_s)
        with self._lock:
            self._free_slots.add(slot)

    def set_ending(self, row: int, ending: Ending) -> None:
        """Say better how a connection ended that is closed already."""
        if not self.is_closing:
            self._connections.set_ending(row, ending)
