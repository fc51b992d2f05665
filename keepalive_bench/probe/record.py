"""What a probe asked for and saw: all that is stored, and read back (docs/probe.md has the format).

Times in seconds. What isn't known is `None`.
"""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from keepalive_bench.probe.lives import Part  # noqa: TC001  # the types are read at run time
from keepalive_bench.results.exchange import Answer, Failure  # noqa: TC001  # the same
from keepalive_bench.typed_json import MOMENT, Count, Positive, Seconds

EndKind = Literal["fin", "rst", "close-notify", "408", "data"]

Untried = Literal["no-address", "openssl", "options"]
"""Why a connection isn't opened: the name has fewer addresses, this machine's OpenSSL can't offer
that TLS, or the user's options forbid it."""


class Asked(NamedTuple):
    """What was asked for, without secrets."""

    url: str
    """With secrets in it starred."""
    max_idle_s: Seconds
    """How long idle connections were watched at most."""
    timeout_s: Seconds
    """How long a response was waited for."""
    max_age_s: Seconds | None = None
    """How long connections were kept in use at most; `None`: none was."""
    scan_requests: Positive | None = None
    """How many requests were sent at most to find a limit; `None`: it wasn't looked for."""
    behaviours: tuple[str, ...] = ()
    """The groups of behaviours that were tried."""
    also: tuple[str, ...] = ()
    """Other paths that were asked for, secrets in them starred."""
    post_url: str | None = None
    """Where something was posted to; `None`: nowhere."""
    behind: str | None = None
    """The balancer in front of it, as the user says; `None`: not said."""
    server: str | None = None
    """Who ends connections there, as the user says; `None`: what answers say is taken."""
    proxied: bool = False
    """Whether requests went through a proxy of the client's side."""


class ProbeInfo(NamedTuple):
    """When a probe was made, and with what."""

    started_at: Annotated[str, MOMENT]
    """Date and time, ISO 8601, UTC, to the millisecond."""
    wall_s: Seconds
    """How long it took."""
    interrupted: bool
    """Whether it was stopped early."""
    kab: str
    """The version of kab."""
    python: str
    """Python's."""
    openssl: str
    """OpenSSL's."""
    os: str
    """The operating system, without the host's name."""


class Exchanged(NamedTuple):
    """A request on a connection, and what came of it."""

    began_s: Seconds
    """When it was sent, from the beginning of the probe."""
    idle_s: Seconds | None
    """How long the connection had been idle before; `None`: it was just opened."""
    latency_s: Seconds
    """Until the last byte of the response, or until it failed."""
    method: str
    """Of the request."""
    path: str
    """Secrets in it starred."""
    status: Count | None = None
    """Of the response; `None`: there was none."""
    answer: Answer | None = None
    """What the response said of itself and of its connection."""
    failure: Failure | None = None
    """Why there was no response; `None`: there was one."""
    acknowledged: bool | None = None
    """Of a request without a response, whether the peer's system acknowledged all of it; `None`:
    nobody tells."""
    interim: Count | None = None
    """The status of a response before the final one, such as 100."""
    early: bool = False
    """Whether the response began before the body of the request was sent."""
    closes: bool = False
    """Whether the response said that its connection ends."""


class Ended(NamedTuple):
    """How a connection ended while it was idle."""

    kind: EndKind
    """`fin`: closed. `rst`: reset. `close-notify`: closed with TLS's goodbye. `408`: closed with a
    response of that status. `data`: something else came that nobody had asked for."""
    idle_s: Seconds
    """How long it had been idle."""


class Seen(NamedTuple):
    """A connection, as it was seen."""

    part: Part
    """What it was opened for."""
    name: str = ""
    """Of a behaviour, what was tried."""
    opened_s: Seconds | None = None
    """When it was open, TLS included, from the beginning of the probe; `None`: it never was."""
    peer: str | None = None
    """The address and port it leads to, or was to lead to; `None`: not known."""
    connect_s: Seconds | None = None
    """How long TCP's handshake took."""
    tls_s: Seconds | None = None
    """How long TLS's handshake took; `None`: there was none."""
    round_trip_s: Seconds | None = None
    """The shortest round trip that the system measured; `None`: it doesn't tell."""
    tls_version: str | None = None
    """The version of TLS; `None`: there is no TLS."""
    cipher: str | None = None
    """TLS's cipher; `None`: there is no TLS."""
    alpn: str | None = None
    """The protocol that ALPN came to; `None`: to none."""
    resumed: bool | None = None
    """Whether TLS took up an earlier session; `None`: there is no TLS."""
    has_session: bool = False
    """Whether the server gave a TLS session to take up later."""
    failure: Failure | None = None
    """Why it couldn't be opened; `None`: it could."""
    untried: Untried | None = None
    """Why it wasn't even tried to open it; `None`: it was."""
    exchanges: tuple[Exchanged, ...] = ()
    """Where many were sent to find a limit, the first and the last ones."""
    carried: Count = 0
    """How many responses it carried."""
    ended: Ended | None = None
    """How it ended while it was idle; `None`: it didn't."""
    watched_s: Seconds = 0.0
    """How long it had been idle at last, when it ended, or kab closed it."""

    @property
    def was_tried(self) -> bool:
        """Whether it was begun, and there was something to begin: a name may have one address."""
        is_begun = self.opened_s is not None or self.failure is not None
        return is_begun or self.untried not in {None, "no-address"}

    @property
    def answered(self) -> tuple[Exchanged, ...]:
        """Those of its requests that got a response."""
        return tuple(it for it in self.exchanges if it.failure is None)

    @property
    def requests(self) -> int:
        """How many requests were sent on it."""
        return self.carried + sum(it.failure is not None for it in self.exchanges)

    @property
    def closes(self) -> bool:
        """Whether its last response said that it ends."""
        return bool(self.exchanges) and self.exchanges[-1].closes

    def idle_until(self, now_s: float) -> float:
        """How long it has been idle, if it still is, at a time from the beginning of the probe."""
        if not self.exchanges or self.exchanges[-1].failure is not None:
            return 0.0
        if self.ended is not None:
            return self.ended.idle_s
        last = self.exchanges[-1]
        return self.watched_s or max(0.0, now_s - last.began_s - last.latency_s)

    @property
    def age_s(self) -> float:
        """How old it was at last."""
        last = self.exchanges[-1] if self.exchanges else None
        if last is None or self.opened_s is None:
            return self.watched_s
        return last.began_s + last.latency_s + self.watched_s - self.opened_s


class ProbeRecord(NamedTuple):
    """All that a probe asked for and saw."""

    asked: Asked
    info: ProbeInfo
    connections: tuple[Seen, ...]
    """In the order in which they were begun."""
