"""A path, a connection as both of its ends have it, and what the far one does with it."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from support.histories.truth import Truth

By = Literal["fin", "rst"]


class Path(NamedTuple):
    """What lies between, and what the client's system tells of it."""

    rtt_s: float
    service_s: float
    """What an answer takes, typically."""
    noise: float
    """Of that time: the spread of its logarithm."""
    stalls: float
    """The share of answers that take far longer."""
    hz: int | None
    """Ticks a second of the clock in which Linux notes arrivals; `None`: another system."""


class Closing(NamedTuple):
    """The far end's closing of a connection, done or to come."""

    at_s: float
    """When, at the far end."""
    by: By
    found: Truth
    """What is true where it is met on an idle connection."""
    raced: Truth
    """What is true of a request that was on its way then."""
    cut: Truth | None = None
    """What is true of a request in work that it cuts off; `None`: it waits for idle ones."""
    deaf_s: float = inf
    """From when on the far end takes no more requests, where that is sooner."""

    def misses(self, now_s: float) -> bool:
        """Whether a request that arrives now is never read."""
        return min(self.at_s, self.deaf_s) <= now_s


class Death(NamedTuple):
    """A request that is taken, and ends its connection without an answer."""

    by: By
    why: Truth


class Saying(NamedTuple):
    """What an answer says."""

    status: int = 200
    connection: str | None = None
    """Its field `Connection`."""
    why: Truth | None = None
    """What is true of a close that it announces."""


@dataclass
class Wire:
    """An open connection. Times in seconds."""

    arm: str
    row: int
    slot: int
    accepted_s: float
    served: int = 0
    """Answers that were sent on it."""
    idle_since_s: float = 0.0
    """When the client had the last one."""
    is_idle: bool = False
    """Whether the far end waits for a request."""
    closing: Closing | None = None


class Peer:
    """The far end of all connections, with all that stands before it. This one does nothing."""

    def accepted(self, _wire: Wire, _now_s: float, /) -> None:
        """A connection was opened."""

    def forgets(self, _wire: Wire, _idle_s: float, /) -> tuple[By | None, Truth] | None:
        """What the path does to a request after so long a silence: a reset, or nothing at all."""

    def takes(self, _wire: Wire, _now_s: float, /) -> Death | None:
        """A request arrived."""

    def says(self, _wire: Wire, _now_s: float, /) -> Saying:
        """What its answer says."""
        return Saying()

    def answered(self, _wire: Wire, _now_s: float, /) -> None:
        """An answer was sent, which didn't announce a close."""
