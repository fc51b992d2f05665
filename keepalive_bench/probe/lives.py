"""What a probe's connections are to go through: scripts, decided beforehand."""

from __future__ import annotations

from typing import Literal, NamedTuple

Part = Literal["watched", "reused", "narrowed", "age", "requests", "behaviour"]
"""What a connection is opened for: to be watched while idle, to be reused once after some time, the
same between two such times, to be kept in use, to carry many requests, or to try something."""

GRACE_S = 1.0
"""How long an end that was announced is waited for."""


class Ask(NamedTuple):
    """A request, or several at once, and how long the connection is idle before."""

    idle_s: float = 0.0
    """From the end of the last response on; of the first request, from when it was opened."""
    method: str = "GET"
    path: str | None = None
    """`None`: that of the URL."""
    version: Literal["1.0", "1.1"] = "1.1"
    keep_alive: bool = True
    """Whether it says `Connection: keep-alive`, without which some servers don't tell."""
    times: int = 1
    """How many are written at once, before any response: pipelined."""
    body: bytes = b""
    late: bool = False
    """Whether its body waits for a response, or a second: a server that answers before doesn't read
    it."""
    expects: bool = False
    """Whether it says `Expect: 100-continue`: its body waits, and isn't sent after a response."""

    @property
    def waits(self) -> bool:
        """Whether its body doesn't go out with its head."""
        return self.late or self.expects


class Way(NamedTuple):
    """How a connection is opened, where that isn't as all others are."""

    address: int | None = None
    """Which of the addresses of the name, from 0; `None`: the first that answers."""
    tls: str = ""
    """The only version of TLS that is offered: `1.2`; empty: those that the plan allows."""
    alpn: tuple[str, ...] | None = None
    """The protocols that are offered by ALPN; `None`: as by urllib3."""
    resumes: Literal["", "ticket", "id"] = ""
    """Whether it takes up the TLS session of an earlier connection, and by what."""


class Life(NamedTuple):
    """What one connection is to go through."""

    part: Part
    asks: tuple[Ask, ...]
    watch_s: float = 0.0
    """How long it is watched after the last response."""
    patience_s: float | None = None
    """How long a response to a reuse is waited for; `None`: as the plan says."""
    way: Way = Way()
    name: str = ""
    """Of a behaviour, what is tried."""

    def longest_s(self, open_s: float, timeout_s: float) -> float:
        """How long it takes where each step takes all the time that it has."""
        asked_s = sum(it.idle_s + timeout_s for it in self.asks)
        return open_s + asked_s + max(self.watch_s, GRACE_S)
