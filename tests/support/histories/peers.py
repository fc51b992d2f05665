"""Far ends, each with one cause for which its connections end, and paths that lose them."""

from __future__ import annotations

from math import ceil, inf
from typing import TYPE_CHECKING, Literal, NamedTuple

from support.histories import truth as true
from support.histories.wire import By, Closing, Death, Peer, Saying, Wire

if TYPE_CHECKING:
    from random import Random

    from support.histories.truth import Truth

CLOSE = "close"
_AT_ONCE_S = (1e-6, 5e-4)
"""What a server takes to close after its answer is written."""


def _at_once(now_s: float, by: By, found: Truth, raced: Truth, random: Random) -> Closing:
    """The close behind an answer that was written just now, which nothing is read after."""
    at_s = now_s + random.uniform(*_AT_ONCE_S)
    return Closing(at_s, by, found, raced, deaf_s=now_s)


class CountLimit(Peer):
    """Ends each connection with its n-th answer: in silence, announced, or under the next one."""

    def __init__(
        self, most: int, way: Literal["silent", "announced", "dies"], by: By, random: Random
    ) -> None:
        self._most, self._way, self._by, self._random = most, way, by, random

    def takes(self, wire: Wire, _now_s: float, /) -> Death | None:
        """One more than it takes."""
        dies = self._way == "dies" and wire.served >= self._most
        return Death(self._by, true.DIES_AT_LIMIT) if dies else None

    def says(self, wire: Wire, _now_s: float, /) -> Saying:
        """Whether it was the last one."""
        if self._way == "announced" and wire.served + 1 >= self._most:
            return Saying(connection=CLOSE, why=true.SERVER_CLOSE)
        return Saying()

    def answered(self, wire: Wire, now_s: float, /) -> None:
        """Close at once after the last one."""
        if self._way == "silent" and wire.served >= self._most:
            truths = true.REQUEST_LIMIT, true.DIES_AT_LIMIT
            wire.closing = _at_once(now_s, self._by, *truths, self._random)


class MaxAge(Peer):
    """Ends each connection at an age: in silence whatever it does, or with the next answer."""

    def __init__(
        self, most_s: float, by: By, random: Random, *, announces: bool, differs: float
    ) -> None:
        """`differs`: the share by which it is longer for some connections."""
        self._most_s, self._by, self._random = most_s, by, random
        self._announces, self._differs = announces, differs
        self._ripe_s: dict[int, float] = {}

    def accepted(self, wire: Wire, now_s: float, /) -> None:
        """Its end is settled."""
        at_s = now_s + self._most_s * (1 + self._random.uniform(0.0, self._differs))
        wire.closing = Closing(at_s, self._by, true.MAX_AGE, true.MAX_AGE_RACED, true.MAX_AGE_CUT)
        if self._announces:
            self._ripe_s[wire.row], wire.closing = at_s, None

    def says(self, wire: Wire, now_s: float, /) -> Saying:
        """Whether it has that age."""
        if self._announces and now_s >= self._ripe_s[wire.row]:
            return Saying(connection=CLOSE, why=true.MAX_AGE_ANNOUNCED)
        return Saying()


class Timer(NamedTuple):
    """How exact an idle timeout is. Times in seconds."""

    after_s: float
    looks_every_s: float = 0.0
    """How often somebody looks at it; 0: it has a timer of its own."""
    differs: float = 0.0
    """The share by which it is longer for some connections."""
    escapes: float = 0.0
    """The share of pauses that it overlooks."""


class IdleTimeout(Peer):
    """Closes what was idle for a time."""

    def __init__(self, timer: Timer, by: By, random: Random) -> None:
        self._timer, self._by, self._random = timer, by, random
        self._phase_s = random.uniform(0.0, timer.looks_every_s)
        self._longer: dict[int, float] = {}

    def accepted(self, wire: Wire, _now_s: float, /) -> None:
        """It has a timeout of its own."""
        self._longer[wire.row] = 1.0 + self._random.uniform(0.0, self._timer.differs)

    def takes(self, wire: Wire, _now_s: float, /) -> None:
        """It is idle no more."""
        wire.closing = None

    def answered(self, wire: Wire, now_s: float, /) -> None:
        """Its time begins."""
        timer = self._timer
        at_s = now_s + timer.after_s * self._longer[wire.row]
        if self._random.random() < timer.escapes:
            at_s += timer.after_s * self._random.uniform(1.0, 2.0)
        if timer.looks_every_s:
            looks = ceil((at_s - self._phase_s) / timer.looks_every_s)
            at_s = self._phase_s + looks * timer.looks_every_s
        at_s += self._random.uniform(*_AT_ONCE_S)
        wire.closing = Closing(at_s, self._by, true.IDLE_TIMEOUT, true.STALE_RACE)


class Restart(Peer):
    """Closes all idle connections at some moments, and those at work in one of three ways."""

    def __init__(
        self, at_s: tuple[float, ...], by: By, busy: Literal["announced", "silent", "cut"]
    ) -> None:
        self._at_s, self._by, self._busy = sorted(at_s), by, busy

    def accepted(self, wire: Wire, now_s: float, /) -> None:
        """The next moment is its end."""
        at_s = min((it for it in self._at_s if it > now_s), default=inf)
        cut = true.RECYCLED_CUT if self._busy == "cut" else None
        wire.closing = Closing(at_s, self._by, true.RECYCLED, true.RECYCLED_RACED, cut)

    def says(self, wire: Wire, now_s: float, /) -> Saying:
        """Whether the moment came meanwhile."""
        if self._busy == "announced" and wire.closing is not None and wire.closing.at_s <= now_s:
            return Saying(connection=CLOSE, why=true.RECYCLED_ANNOUNCED)
        return Saying()


class KeptLimit(Peer):
    """Keeps so many idle connections: of more, the oldest or the newest one is closed."""

    def __init__(self, most: int, by: By, *, closes_oldest: bool) -> None:
        self._most, self._by, self._closes_oldest = most, by, closes_oldest
        self._idle: list[Wire] = []

    def answered(self, wire: Wire, now_s: float, /) -> None:
        """It is one more."""
        self._idle = [it for it in self._idle if it.is_idle and it is not wire and not it.closing]
        self._idle.append(wire)
        if len(self._idle) > self._most:
            closed = self._idle[0 if self._closes_oldest else -1]
            found = true.SURPLUS if closed.served == 1 else true.RECYCLED
            closed.closing = Closing(now_s, self._by, found, true.RECYCLED_RACED)


class Whim(Peer):
    """Closes idle connections at random, at a rate."""

    def __init__(self, mean_s: float, by: By, random: Random) -> None:
        self._mean_s, self._by, self._random = mean_s, by, random

    def takes(self, wire: Wire, _now_s: float, /) -> None:
        """It is idle no more."""
        wire.closing = None

    def answered(self, wire: Wire, now_s: float, /) -> None:
        """Nothing is remembered of how long it lasted so far."""
        at_s = now_s + self._random.expovariate(1 / self._mean_s)
        wire.closing = Closing(at_s, self._by, true.RECYCLED, true.RECYCLED_RACED)


class Forgetful(Peer):
    """A path that forgets what was silent for a time: it drops what comes then, or resets."""

    def __init__(self, after_s: float, by: By | None) -> None:
        self._after_s, self._by = after_s, by

    def forgets(self, _wire: Wire, idle_s: float, /) -> tuple[By | None, Truth] | None:
        """Whether it does."""
        return (self._by, true.IDLE_DROP) if idle_s > self._after_s else None


class Crashing(Peer):
    """Dies of some requests, whatever they come on."""

    def __init__(self, share: float, by: By, random: Random) -> None:
        self._share, self._by, self._random = share, by, random

    def takes(self, _wire: Wire, _now_s: float, /) -> Death | None:
        """Whether it does."""
        crashes = self._random.random() < self._share
        return Death(self._by, true.AFTER_ERROR) if crashes else None


class Asked(Peer):
    """Does what the client's own `Connection: close` asks for: announced, or in silence."""

    def __init__(self, random: Random, *, announces: bool) -> None:
        self._random, self._announces = random, announces

    def says(self, _wire: Wire, _now_s: float, /) -> Saying:
        """Each answer is the last one."""
        return Saying(connection=CLOSE, why=true.ASKED_TO_CLOSE) if self._announces else Saying()

    def answered(self, wire: Wire, now_s: float, /) -> None:
        """Close at once."""
        truths = true.ASKED_TO_CLOSE, true.ASKED_TO_CLOSE
        wire.closing = _at_once(now_s, "fin", *truths, self._random)


class Erring(Peer):
    """Answers some requests with an error, and announces a close with those only."""

    def __init__(self, share: float, status: int, random: Random) -> None:
        self._share, self._status, self._random = share, status, random

    def says(self, _wire: Wire, _now_s: float, /) -> Saying:
        """Whether it is one."""
        if self._random.random() < self._share:
            return Saying(self._status, CLOSE, true.ERROR_RESPONSE)
        return Saying()


class Unread(Peer):
    """Answers without reading the request's body, and closes: the system resets, then.

    At times that comes before the answer was read.
    """

    def __init__(self, status: int, dies: float, random: Random) -> None:
        self._status, self._dies, self._random = status, dies, random

    def takes(self, _wire: Wire, _now_s: float, /) -> Death | None:
        """Whether the reset is first."""
        is_first = self._random.random() < self._dies
        return Death("rst", true.UNREAD_CUT) if is_first else None

    def says(self, _wire: Wire, _now_s: float, /) -> Saying:
        """What needs no body to be said."""
        return Saying(self._status)

    def answered(self, wire: Wire, now_s: float, /) -> None:
        """Close with bytes unread."""
        truths = true.UNREAD_REQUEST, true.UNREAD_CUT
        wire.closing = _at_once(now_s, "rst", *truths, self._random)


class Leftover(Peer):
    """Answers without reading the request's body, and takes that for the next request."""

    def __init__(self, status: int) -> None:
        self._status = status

    def says(self, wire: Wire, _now_s: float, /) -> Saying:
        """First an answer, then what it thinks of the body."""
        if not wire.served:
            return Saying(self._status)
        return Saying(501, CLOSE, true.UNREAD_PARSED)
