"""What one thread notes of the exchange that it is in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from keepalive_bench.results.exchange import Phases

if TYPE_CHECKING:
    from email.message import Message

    from keepalive_bench.net.failures import Stage
    from keepalive_bench.results.exchange import Ending

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

    __slots__ = (
        "began",
        "carrier",
        "connection",
        "deadline_ns",
        "dns",
        "established",
        "first_byte",
        "head",
        "is_over",
        "is_unwritten",
        "pool_wait",
        "retired",
        "send",
        "sent",
        "setup",
        "stage",
        "tcp",
        "timed",
        "tls",
        "tunnel",
    )

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

    stage: Stage
    is_unwritten: bool
    """Whether the request's head could not be written."""
    head: Message
    """Of the last response that has one."""
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
