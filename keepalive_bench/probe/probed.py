"""What a probe comes to: computed from its record whenever it is needed. Times in seconds."""

from __future__ import annotations

from typing import Literal, NamedTuple

from keepalive_bench.probe.record import EndKind, ProbeRecord  # noqa: TC001  # the types are read at run time
from keepalive_bench.typed_json import Count, Positive, Seconds

Persistence = Literal["kept", "closed", "silent"]
Together = Literal["", "moment", "age"]
DeathKind = Literal["silence", "rst", "fin", ""]


class Closings(NamedTuple):
    """Idle connections that were ended after about the same time, in about the same way."""

    least_s: Seconds
    """The shortest such time."""
    most_s: Seconds
    """The longest."""
    connections: Positive
    """How many were ended so."""
    kind: EndKind
    """How most of them ended."""


class IdleTimeout(NamedTuple):
    """How long idle connections are kept before somebody closes them, as the client sees it."""

    least_s: Seconds | None
    """The shortest time after which one was closed; `None`: none was."""
    most_s: Seconds | None
    """The longest such time; `None`: the same."""
    median_s: Seconds | None
    """The middle one; `None`: the same."""
    connections: Count
    """How many were closed so."""
    open: Count
    """How many were still open after the longest time that was looked at."""
    looked_s: Seconds
    """Up to which idle time it was looked for."""
    closings: tuple[Closings, ...] = ()
    """The same by time, the shortest first; several mean that backends differ."""
    backends_differ: bool = False
    """Whether the times are so far apart that it can't be one timer."""
    together: Together = ""
    """Whether all ended at one `moment`, or at one `age`, however long they had been idle: that is
    a restart, or a lifetime, and tells no idle timeout; empty: they didn't."""


class SilentDrop(NamedTuple):
    """After which idle time a connection is lost without notice: a reuse finds it dead."""

    answered_s: Seconds
    """The longest idle time after which a reuse was answered."""
    died_s: Seconds | None
    """The shortest after which one died, and no end had been seen; `None`: none did."""
    how: DeathKind
    """What a reuse was met with; empty: none died so."""
    unacknowledged: bool | None
    """Whether not even the peer's system acknowledged a request; `None`: unknown."""
    deaths: Count
    """How many reuses died so, also where that proves nothing."""
    reuses: Count = 0
    """How many there were."""

    @property
    def typical_s(self) -> float | None:
        """Between both ends."""
        return None if self.died_s is None else (self.answered_s + self.died_s) / 2

    @property
    def is_every_reuse(self) -> bool:
        """Whether no reuse was answered, whatever its idle time: that is no matter of time."""
        return self.deaths > 1 and not self.answered_s


class Lifetime(NamedTuple):
    """How old a connection gets though it is in use."""

    least_s: Seconds | None
    """It is longer than that; `None`: no connection ended by its age."""
    most_s: Seconds | None
    """It is no longer than that."""
    announced: bool
    """Whether the last response said that the connection would be closed."""
    looked_s: Seconds
    """Up to which age connections were in use."""
    requests: Count
    """How many requests that took."""
    ended: Count = 0
    """How many connections ended, at whatever age."""
    by_requests: Positive | None = None
    """After how many requests each ended, where that is as likely the cause; `None`: it isn't."""


class RequestLimit(NamedTuple):
    """After how many requests a connection is closed."""

    limit: Positive | None
    """How many it carries; `None`: none was found."""
    announced: bool
    """Whether the last response said that the connection would be closed."""
    confirmed: bool
    """Whether a second connection ended after as many."""
    looked: Count
    """How many requests one connection carried at most."""
    ended: Count | None = None
    """After how many requests a connection ended once, which may be chance; `None`: none did."""


class Announced(NamedTuple):
    """What responses announce of their connections (`Keep-Alive`)."""

    timeout_s: Count | None
    """Its `timeout`; `None`: none is announced."""
    most_requests: Count | None
    """Its `max`; `None`: none is announced."""


class RaceWindow(NamedTuple):
    """Idle times after which a request may meet a close that is on its way."""

    begins_s: Seconds
    """The shortest timeout that was seen, less a round trip."""
    ends_s: Seconds
    """The longest timeout that was seen."""
    round_trip_s: Seconds
    """The network's typical one."""
    spread_s: Seconds
    """How far timeouts lie apart."""


class Settings(NamedTuple):
    """What a client is to set."""

    idle_limit_s: Seconds | None
    """It is to drop connections that were idle for so long; `None`: there is no need."""
    probe_after_s: Positive | None
    """TCP's keep-alive probes are to begin after so many seconds; `None`: they don't help."""
    retries: bool
    """Whether idempotent requests should be sent again when a reused connection dies."""


class Behaviour(NamedTuple):
    """Something that was tried, and what came of it."""

    group: str
    """As `--behaviours` calls it."""
    name: str
    """What was tried."""
    keeps: bool | None
    """Whether the connection was kept; `None`: it isn't about that, or can't be told."""
    text: str
    """What came of it, for people."""


class Behind(NamedTuple):
    """What becomes of a balancer's connections to this backend."""

    name: str
    """What the balancer is called."""
    idle_s: Seconds
    """How long the balancer keeps its connections to backends idle."""
    safe: bool | None
    """Whether it drops them before the backend does; `None`: that isn't known."""
    text: str
    """The same for people."""


class Remark(NamedTuple):
    """Something to be careful with."""

    severity: Literal["info", "warning"]
    """How much it matters."""
    text: str
    """For people: its wording may change."""


class Probed(NamedTuple):
    """What a probe comes to."""

    record: ProbeRecord
    sentence: str
    """The answer."""
    persistence: Persistence
    """`kept`: connections are kept for a while. `closed`: they are closed after one response.
    `silent`: nothing answered."""
    idle_timeout: IdleTimeout
    silent_drop: SilentDrop
    lifetime: Lifetime | None
    """`None`: it wasn't looked for."""
    request_limit: RequestLimit | None
    """`None`: it wasn't looked for."""
    announced: Announced
    window: RaceWindow | None
    """`None`: nobody closes, or it isn't known."""
    settings: Settings
    consistent_with: tuple[str, ...] = ()
    """Products whose default it could be: `nginx's default (75 s)`."""
    behaviours: tuple[Behaviour, ...] = ()
    behind: Behind | None = None
    remarks: tuple[Remark, ...] = ()
    advice: tuple[str, ...] = ()
    """What to do, a sentence each."""
    code: str = ""
    """Lines of Python that do it with urllib3; empty: there is no need."""
    connections: Count = 0
    """How many were opened."""
    requests: Count = 0
    """How many were sent."""
    round_trip_s: Seconds | None = None
    """The network's typical round trip; `None`: no connection was opened."""
    product: str | None = None
    """Who ends connections, as far as answers tell, or the user says."""

    @property
    def is_complete(self) -> bool:
        """Whether the probe was carried to its end, and all that it watches got a response."""
        parts = {"watched", "reused", "narrowed"}
        idle = [it for it in self.record.connections if it.part in parts]
        is_told = self.silent_drop.died_s is not None or not self.silent_drop.deaths
        return is_told and not self.record.info.interrupted and all(it.answered for it in idle)
