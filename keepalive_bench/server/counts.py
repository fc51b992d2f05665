"""What the server has seen: the outside truth that a client's own counts are held against."""

from __future__ import annotations

import threading
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Stats:
    """How often what happened since the server was started.

    Attributes:
        accepts: TCP connections accepted, health checks and `/stats` included.
        handshakes: TLS handshakes completed.
        requests: Complete requests read, those for `/stats` included.
        stats_requests: The requests for `/stats` among them.
        faults: Times that the server did what a `Fault` asks for, or began to.
    """

    accepts: int = 0
    handshakes: int = 0
    requests: int = 0
    stats_requests: int = 0
    faults: int = 0

    def __str__(self) -> str:
        plain = f"accepts {self.accepts}, handshakes {self.handshakes}, requests {self.requests}"
        return f"{plain}, faults {self.faults}" if self.faults else plain


class Counter:
    """Counts for many threads at once: none is lost, and a snapshot is consistent."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._accepts = self._handshakes = self._requests = self._stats_requests = 0
        self._faults = 0

    def accept(self) -> int:
        """Count a connection and return its number, from 1."""
        with self._lock:
            self._accepts += 1
            return self._accepts

    def handshake(self) -> None:
        """Count a completed TLS handshake."""
        with self._lock:
            self._handshakes += 1

    def request(self, *, for_stats: bool) -> None:
        """Count a complete request."""
        with self._lock:
            self._requests += 1
            self._stats_requests += for_stats

    def fault(self) -> None:
        """Count a fault that begins."""
        with self._lock:
            self._faults += 1

    def snapshot(self) -> Stats:
        """Read all counts at one moment."""
        with self._lock:
            return Stats(
                accepts=self._accepts,
                handshakes=self._handshakes,
                requests=self._requests,
                stats_requests=self._stats_requests,
                faults=self._faults,
            )
