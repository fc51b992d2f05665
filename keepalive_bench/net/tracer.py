"""Notes, for one arm, which connections were opened and how each of them ended."""

from __future__ import annotations

import errno
import threading
from typing import TYPE_CHECKING

from urllib3.util.ssltransport import SSLTransport

from keepalive_bench.net import tcp
from keepalive_bench.net.exchange_trace import ExchangeTrace
from keepalive_bench.net.tcp_info import min_rtt_s
from keepalive_bench.results.exchange import Connection, Ending

if TYPE_CHECKING:
    import ssl

    from keepalive_bench.net.tls import Sessions
    from keepalive_bench.plan.network import Network
    from keepalive_bench.results.columns import ConnectionColumns

_SECOND = 1_000_000_000


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
        slot = self._take_slot(last_slot)
        row = self._connections.append(
            Connection(
                arm=self._arm,
                slot=slot,
                opened_s=(trace.established - self.origin) / _SECOND,
                peer=dialled.peer,
                failed="; ".join(dialled.failed) or None,
                lost=lost / _SECOND if dialled.failed else None,
                min_rtt=min_rtt_s(dialled.socket),
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
