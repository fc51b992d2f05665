"""One process's records in the order of time: its connections, and why there was none to use."""

from __future__ import annotations

from collections import Counter, defaultdict
from math import inf
from typing import TYPE_CHECKING

from keepalive_bench.trace.analysis.clients import Clients
from keepalive_bench.trace.analysis.lives import Life, Peer, Route
from keepalive_bench.trace.analysis.pools import Pool
from keepalive_bench.trace.analysis.spans import Busy, UnderWay

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keepalive_bench.trace.analysis.call_sites import Calls
    from keepalive_bench.trace.analysis.lives import Scope
    from keepalive_bench.trace.recording import Connection, Exchange, Origin, Process


class Peers(dict["Origin", Peer]):
    """All origins, as they are met."""

    def __missing__(self, origin: Origin) -> Peer:
        found = self[origin] = Peer(origin)
        return found


class Routes(dict[tuple["Origin | str | None", bool], Route]):
    """All routes, as they are met."""

    def of(self, connection: Connection) -> Route:
        """That of a connection."""
        origin, is_shared = connection.origin, connection.is_shared
        key = (origin.via if is_shared else origin), is_shared
        found = self.get(key)
        if found is None:
            found = self[key] = Route(origin, is_shared=is_shared)
        return found


class Traced:
    """A process and what it did."""

    def __init__(
        self,
        process: Process,
        number: int,
        peers: Peers,
        routes: Routes,
        calls: Calls,
        scope: Scope,
    ) -> None:
        self.process, self.number = process, number
        self.clients, self._calls = Clients(process, calls), calls
        self.requests = 0
        """How many count."""
        self.lives: list[Life] = []
        """Connections that were opened or inherited, in the order of their opening."""
        self._scope, self._peers = scope, peers
        self._by_number: dict[int, Life] = {}
        self._pools: dict[tuple[int, Route], Pool] = defaultdict(Pool)
        self._siblings: dict[tuple[int, Route], list[Pool]] = defaultdict(list)
        self._redirects: dict[int, Origin] = {}
        """Where the last response led, by who got it."""
        self._read_connections(routes)
        self._read_exchanges()
        self.clients.match(self.lives)
        self._needed = {key: it.needed for key, it in self._pools.items() if it.needed > 1}
        self._origins = Counter(root for root, _ in self._siblings)
        for kept in (self._by_number, self._pools, self._siblings, self._redirects):
            kept.clear()

    def needed(self, life: Life) -> int:
        """How many connections the pool of one needed at once, at least; 0: nobody knows."""
        if life.client is None or self.clients.was_there(life):
            return 0
        return self._needed.get((life.client, life.route), 1)

    def origins_of(self, life: Life) -> int:
        """How many origins the client of a connection has pools for."""
        if life.client is None:
            return 1
        return self._origins[self.clients.root(life.client)]

    def _pool_of(self, life: Life) -> Pool | None:
        return None if life.client is None else self._pools.get((life.client, life.route))

    def counts(self, life: Life) -> bool:
        """Whether a connection counts: it was opened here, in the scope."""
        return life.is_opened and self._scope.has(life.began_s, life.who)

    def _read_connections(self, routes: Routes) -> None:
        previous: dict[int, int | None] = {}
        for it in self.process.connections():
            life = Life(it, self.number, self._peers[it.origin], routes.of(it))
            self._by_number[it.number] = life
            previous[it.number] = it.previous
            if it.failure is not None and self._scope.has(it.began_s, self._scope.who):
                life.peer.failed_connections += 1
                if self.counts(life):  # it was opened for a request that got no further
                    self._under_way(life.peer).add(life.began_s, life.free_from_s)
        for number, life in self._by_number.items():
            if not life.is_opened:
                continue
            earlier = previous[number]
            while earlier in self._by_number:  # of what never was open, the one before
                before = self._by_number[earlier]
                if before.is_opened or before.is_inherited:
                    if not before.is_taken:
                        life.before, before.is_taken = before, True
                    break
                earlier = previous[earlier]
        self.lives = sorted(
            (it for it in self._by_number.values() if it.is_opened or it.is_inherited),
            key=lambda it: it.began_s,
        )

    def _read_exchanges(self) -> None:
        """Go through time: what is opened before an exchange begins comes before it."""
        opened = iter(self.lives)
        coming = next(opened, None)
        for exchange in self.process.exchanges():
            while coming is not None and coming.began_s <= exchange.began_s:
                self._open(coming)
                coming = next(opened, None)
            self._exchange(exchange)
        while coming is not None:
            self._open(coming)
            coming = next(opened, None)
        for life in self.lives:
            if life.who is None and (pool := self._pool_of(life)) is not None:
                pool.check_holder(life)  # nobody ever sent anything on it

    def _open(self, life: Life) -> None:
        if life.client is None:
            if life.is_opened:
                life.link = "first" if life.before is None else "pool"
            return
        key = life.client, life.route
        is_new = key not in self._pools
        pool = self._pools[key]
        if is_new:
            siblings = self._siblings[self.clients.root(life.client), life.route]
            if life.is_opened and life.before is None and self._is_different(life, siblings):
                life.link = "different"
            siblings.append(pool)
        if life.is_opened and not life.link:
            pool.explain(life)
            if life.who is not None:
                pool.check_holder(life)
        elif life.link:
            pool.needed += 1
        pool.add(life)

    def _is_different(self, life: Life, siblings: Iterable[Pool]) -> bool:
        """Whether only its settings kept it from using a connection of its client's."""
        client = self.clients.of(life)
        if client is None or not client.differs:
            return False
        return any(it.had_free(life.began_s) for it in siblings)

    def _exchange(self, exchange: Exchange) -> None:
        life = None if exchange.connection is None else self._by_number.get(exchange.connection)
        if exchange.frame is not None:
            self._calls.note_own(exchange.frame)
        led_to = self._redirects.pop(exchange.who, None)
        if exchange.redirect is not None:
            self._redirects[exchange.who] = exchange.redirect
        if life is None or life.failure or not (life.is_opened or life.is_inherited):
            return
        since_s = exchange.began_s
        if life.exchanges and life.used_until_s < inf:  # it may have waited for the connection
            since_s = max(since_s, life.used_until_s)
        elif life.is_opened and not life.exchanges:
            since_s = min(since_s, life.began_s)
        is_first = life.route.note(exchange, life)
        if is_first and led_to is not None:
            life.is_redirected = led_to[:3] == life.peer.origin[:3]
        pool = self._pool_of(life)
        if pool is not None:
            pool.note(life)
            if is_first:
                pool.check_holder(life)
        self._count(exchange, life, since_s, is_first=is_first)

    def _count(self, exchange: Exchange, life: Life, since_s: float, *, is_first: bool) -> None:
        was_sent = exchange.sent_s is not None or exchange.answered_s is not None
        was_sent = was_sent or exchange.failure is not None
        if not was_sent or not self._scope.has(exchange.began_s, exchange.who):
            return
        peer = life.peer if exchange.origin is None else self._peers[exchange.origin]
        self.requests += 1
        peer.requests += 1
        life.requests += 1
        peer.failed += exchange.failure is not None and exchange.status is None
        peer.reused += not is_first
        until_s = min(life.used_until_s, inf if life.ended_s is None else life.ended_s)
        if life.busy is None:
            life.busy = Busy()
        life.busy.add(since_s, until_s)
        self._note_latency(exchange, life, peer, is_first=is_first)
        if self.counts(life):
            under_way = self._under_way(life.peer)
            if exchange.is_http_2:
                under_way.add_stream()
            else:
                under_way.add(since_s, until_s)

    def _under_way(self, peer: Peer) -> UnderWay:
        return peer.under_way.setdefault(self.number, UnderWay())

    def _note_latency(self, exchange: Exchange, life: Life, peer: Peer, *, is_first: bool) -> None:
        end_s = exchange.answered_s if exchange.ended_s is None else exchange.ended_s
        if exchange.status is None or exchange.failure is not None or end_s is None:
            return
        began_s = exchange.began_s
        if not is_first:
            peer.latency_reused.append(max(0.0, end_s - began_s))
        elif life.began_s <= began_s:
            peer.latency_opened.append(max(0.0, end_s - began_s) + (life.setup_s or 0.0))
        else:
            peer.latency_opened.append(max(0.0, end_s - began_s))
