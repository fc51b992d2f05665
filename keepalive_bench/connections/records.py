"""What is known of a connection whose place another one took, and of who opened both.

Plain records, so that whoever opened the connections can have their reasons named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.connections.patterns import Pattern

if TYPE_CHECKING:
    from keepalive_bench.results.exchange import Answer, Ending
    from keepalive_bench.results.failure_kinds import Actor


class Idle(NamedTuple):
    """How long a connection was idle before another one took its place, in seconds."""

    total_s: float
    by_kab_s: float = 0.0
    """The part of it in which kab was busy with other requests, which nobody asked it to wait
    for."""


class LastExchange(NamedTuple):
    """The last exchange on a connection; one that was cut off says nothing of its peer."""

    failure: str | None
    """The code of its `FailureKind`; `None`: it didn't fail."""
    has_answer: bool
    """Whether a byte of an answer came."""
    answer: Answer | None
    """What its answer announced; where it has none, what the last one before it did."""
    status: int | None = None
    """That answer's; `None`: there is none."""
    after_idle_s: float | None = None
    """How long the connection had been idle before it; `None`: it was the first."""


class Before(NamedTuple):
    """A connection whose place another one took."""

    served: int
    """How many responses it carried."""
    ending: Ending | None
    """What ended it, and how that was seen; `None`: nobody saw an end."""
    last: LastExchange | None
    idle: Idle | None
    """`None`: it wasn't found out while it was idle (`FOUND_IDLE`)."""
    age_s: float = 0.0
    """From its opening to the end of its last exchange."""
    survived_s: float = 0.0
    """The longest time that it was idle before a request that was answered."""
    round_trip_s: float = 0.0
    """To whoever answers, at most: the shortest time in which anything was answered."""


FOUND_IDLE = frozenset({"fin", "rst", "data"})
"""Endings that are met when an idle connection is looked at, so that its idle time tells."""


class Closer(NamedTuple):
    """Who is at the other end of a connection: who can have closed it."""

    who: Actor
    name: str
    """As a sentence begins with it."""


SERVER = Closer("server", "The server")


class Owner(NamedTuple):
    """Who opens connections and keeps them: a pool, or whatever takes its place."""

    kept: int
    """How many connections it keeps open."""
    is_single_use: bool = False
    """Whether it uses each connection once, by design."""
    closer: Closer = SERVER
    asks_to_close: bool = False
    """Whether its requests carry `Connection: close`, and no connection outlived one of them."""
    sends_bodies: bool = False
    """Whether its requests have bodies."""
    pattern: Pattern = Pattern()
    """What the ends of its connections have in common."""
