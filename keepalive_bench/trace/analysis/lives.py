"""What happened on each connection of a program, and at each origin, exchange by exchange.

A program may have millions of exchanges: each is looked at once, and only numbers are kept of it.
"""

from __future__ import annotations

from array import array
from collections import Counter
from math import inf
from typing import TYPE_CHECKING, Literal, NamedTuple

from keepalive_bench.connections.deaths import died_under_request, hung
from keepalive_bench.connections.lives import Fates, Uses
from keepalive_bench.connections.records import LastExchange
from keepalive_bench.trace.analysis.failures import GIVEN_UP, code_of

if TYPE_CHECKING:
    from keepalive_bench.results.exchange import Answer
    from keepalive_bench.trace.analysis.spans import Busy, UnderWay
    from keepalive_bench.trace.recording import Connection, Exchange, Origin, Stack


Link = Literal[
    "",
    "different",
    "first",
    "gone",
    "held",
    "held-by-others",
    "idle",
    "more",
    "perhaps",
    "place",
    "pool",
    "sibling",
]
"""How a connection came about: it took the place of one that its `pool` had lost, of one that its
own thread `held`, unread, or that others did; there was an `idle` one; it is the `first` of its
pool, or one `more`; the first of a pool whose client has `different` ones; it took the place of one
of another pool of its client's (`sibling`), or of another client, made at the same `place`, or
`perhaps` so, if that one isn't used again; or of one like it, made elsewhere, that is `gone`."""


class Scope(NamedTuple):
    """Which exchanges and connections count; those before are known, and counted nowhere."""

    since_s: float = -inf
    until_s: float = inf
    who: int | None = None
    """Of one thread, greenlet or task only."""

    def has(self, began_s: float, who: int | None) -> bool:
        """Whether what began then counts, which that thread began; `None`: nobody knows."""
        return self.since_s <= began_s < self.until_s and self.who in {None, who}


class Life:
    """One connection, and what is known of its last exchange."""

    __slots__ = (
        "after_idle_s",
        "answer",
        "asks_to_close",
        "before",
        "began_s",
        "busy",
        "client",
        "closing_stack",
        "code",
        "ended_s",
        "ending",
        "exchanges",
        "failure",
        "has_answer",
        "has_body",
        "is_http_2",
        "is_in_doubt",
        "is_inherited",
        "is_opened",
        "is_redirected",
        "is_taken",
        "is_unread",
        "last_who",
        "link",
        "opened_s",
        "peer",
        "process",
        "requests",
        "route",
        "served",
        "setup_s",
        "stack",
        "status",
        "survived_s",
        "used_until_s",
        "who",
    )

    def __init__(self, connection: Connection, process: int, peer: Peer, route: Route) -> None:
        self.process, self.peer, self.route = process, peer, route
        self.client, self.stack = connection.client, connection.stack
        self.closing_stack: Stack = connection.closing_stack
        self.is_inherited = connection.inherited_from is not None
        self.is_opened = connection.connected_s is not None and not self.is_inherited
        """Whether there was a TCP connection that this process opened."""
        self.failure = connection.failure
        self.began_s, self.ended_s = connection.began_s, connection.ended_s
        self.opened_s = connection.connected_s or connection.began_s
        ready_s = None if self.is_inherited else connection.ready_s
        self.setup_s = None if ready_s is None else ready_s - self.began_s
        self.ending = connection.ending
        self.exchanges = self.requests = self.served = 0
        """Exchanges of any kind; those that count; and responses that it carried."""
        self.who: int | None = None
        """Who sent the first request on it."""
        self.last_who: int | None = None
        self.used_until_s = inf
        """When its last exchange ended; to its head, where nobody read the rest."""
        self.is_unread = self.has_body = self.asks_to_close = self.is_http_2 = False
        self.code: str | None = None
        """How its last exchange failed."""
        self.has_answer = False
        self.answer: Answer | None = None
        self.status: int | None = None
        self.after_idle_s: float | None = None
        self.survived_s = 0.0
        self.before: Life | None = None
        """The one whose place it took."""
        self.link: Link = ""
        self.is_taken = self.is_redirected = False
        """Whether another one took its place; whether a redirect led to its origin."""
        self.is_in_doubt = False
        """Whether another one may have taken its place, and nobody knows."""
        self.busy: Busy | None = None

    @property
    def free_from_s(self) -> float:
        """When it was of no more use to whoever had it."""
        ended_s = inf if self.ended_s is None else self.ended_s
        if not self.exchanges:
            return ended_s if self.failure else min(ended_s, self.began_s + (self.setup_s or 0.0))
        return min(self.used_until_s, ended_s)

    @property
    def last(self) -> LastExchange | None:
        """Its last exchange; `None`: there was none."""
        if not self.exchanges:
            return None
        return LastExchange(self.code, self.has_answer, self.answer, self.status, self.after_idle_s)


class Peer:
    """One origin, through one proxy or none, and the requests that went there."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.requests = self.failed = self.reused = 0
        self.failed_connections = 0
        self.latency_reused, self.latency_opened = array("d"), array("d")
        self.under_way: dict[int, UnderWay] = {}
        """By process: when requests were under way that count, on connections opened for it."""


class Route:
    """What connections have in common that can serve each other's requests, and went through.

    They lead to one origin; or to one proxy, where requests to any server may go over them.
    """

    def __init__(self, origin: Origin, *, is_shared: bool) -> None:
        self.origin, self.is_shared = origin, is_shared
        self.answers: Counter[Answer] = Counter()
        self.statuses: Counter[int] = Counter()
        """Of all answers."""
        self._shortest_s = inf
        self.goes_on_after_close = False
        """Whether a connection carried a request after one that had asked for the close."""
        self._idle_s = array("d")
        self._age_s = self._kept_age_s = 0.0
        self._most_served = 0
        self._first, self._later = _Counts(), _Counts()

    def note(self, exchange: Exchange, life: Life) -> bool:
        """Note an exchange on one of its connections; return whether it is that one's first."""
        is_first = not life.exchanges and not life.is_inherited
        until_s = exchange.ended_s if exchange.ended_s is not None else exchange.answered_s
        idle_s: float | None = None
        if not is_first and life.used_until_s < inf:
            idle_s = max(0.0, exchange.began_s - life.used_until_s)
        if life.exchanges and life.asks_to_close:
            self.goes_on_after_close = True
        if not life.exchanges:
            life.who = exchange.who
        life.exchanges += 1
        life.last_who = exchange.who
        life.asks_to_close, life.is_http_2 = exchange.asks_to_close, exchange.is_http_2
        life.has_body = life.has_body or exchange.has_body
        has_answer = exchange.status is not None
        life.code = (
            None if exchange.failure is None else code_of(exchange.failure, has_answer=has_answer)
        )
        life.has_answer, life.after_idle_s = has_answer, idle_s
        life.is_unread = has_answer and exchange.ended_s is None
        if life.code != GIVEN_UP:
            (self._first if is_first else self._later).note(life.code, exchange.status)
        if exchange.status is not None:
            self._answered(exchange, life, exchange.status, idle_s)
        used_s = inf if until_s is None else until_s
        is_later = life.exchanges > 1 and life.used_until_s < inf
        life.used_until_s = max(life.used_until_s, used_s) if is_later else used_s
        return is_first

    def _answered(self, exchange: Exchange, life: Life, status: int, idle_s: float | None) -> None:
        life.status = status
        life.answer = exchange.answer
        self.statuses[status] += 1
        if exchange.answer is not None:
            self.answers[exchange.answer] += 1
        if life.code is None:
            life.served += 1
            self._most_served = max(self._most_served, life.served)
        asked_s = exchange.began_s if exchange.sent_s is None else exchange.sent_s
        if exchange.answered_s is not None and (idle_s is not None or exchange.sent_s is not None):
            self._shortest_s = min(self._shortest_s, max(0.0, exchange.answered_s - asked_s))
        if idle_s is not None:
            self._idle_s.append(idle_s)
            life.survived_s = max(life.survived_s, idle_s)
            self._age_s = max(self._age_s, exchange.began_s - life.opened_s)
            self._kept_age_s = max(self._kept_age_s, life.used_until_s - life.opened_s)

    @property
    def shortest_round_trip_s(self) -> float:
        """The shortest time in which anything was answered."""
        return self._shortest_s if self._shortest_s < inf else 0.0

    def uses(self, longest_s: array[float]) -> Uses:
        """What its connections came through; `longest_s`: see `Uses`."""
        return Uses(
            idle_s=array("d", sorted(self._idle_s)),
            longest_s=longest_s,
            age_s=self._age_s,
            kept_age_s=self._kept_age_s,
            most_served=self._most_served,
            first=self._first.fates,
            later=self._later.fates,
        )


class _Counts:
    """How exchanges fared."""

    def __init__(self) -> None:
        self._counts: Counter[int | str] = Counter()

    def note(self, code: str | None, status: int | None) -> None:
        said = status if status is not None else code
        if said is not None:
            self._counts[said] += 1

    @property
    def fates(self) -> Fates:
        lost = timed_out = 0
        for said, count in self._counts.items():
            if isinstance(said, str):
                exchange = LastExchange(said, has_answer=False, answer=None)
                lost += count * died_under_request(exchange)
                timed_out += count * hung(exchange)
        return Fates(self._counts.total(), lost, timed_out, self._counts)
