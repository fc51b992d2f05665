"""Why each connection of a program was opened: one reason, from evidence.

What a server or the path did is named by the rules of `kab run`, wherever the connection before
belonged to: a client that is kept would have lost it, too.
"""

from __future__ import annotations

from collections import defaultdict
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.connections import program_reasons as programs
from keepalive_bench.connections import reason_kinds as kinds
from keepalive_bench.connections.announcements import (
    announced_max,
    announced_timeout,
    is_old,
    says_close,
)
from keepalive_bench.connections.records import SERVER, Before, Closer, Idle, Owner
from keepalive_bench.connections.rules import actor, reason_for
from keepalive_bench.results.exchange import Ending
from keepalive_bench.trace.analysis.clients import SINGLE_USE
from keepalive_bench.trace.analysis.failures import GIVEN_UP
from keepalive_bench.trace.analysis.patterns import BY_OTHERS, SILENT, age_s, idle_s
from keepalive_bench.units import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keepalive_bench.connections.patterns import Pattern
    from keepalive_bench.connections.reason_kinds import ReasonKind
    from keepalive_bench.results.failure_kinds import Actor
    from keepalive_bench.trace.analysis.clients import Clients
    from keepalive_bench.trace.analysis.lives import Life, Route
    from keepalive_bench.trace.analysis.processes import Traced
    from keepalive_bench.trace.recording import Process

_KEPT_S = 60.0
"""So long, balancers and servers usually keep a connection that is idle, if nothing tells."""
_CLOSED = {"client-closed", "connection-closed"}
_UNDECIDED = {
    "held-by-others": "a response that nobody has read to its end",
    "idle": "a free connection of the same client",
    "perhaps": "an earlier client that was made at the same place, and may be used again",
}
"""What was seen that may have been the reason, by how a connection came about."""
_SHARED = "data on a connection that a forked process has, too, and may have asked for"
_OF_KAB = {"idle_by_kab_s", "interleaved"}
"""What evidence tells of kab's own requests, which a program has none of."""


class Reason(NamedTuple):
    """Why a connection was opened."""

    kind: ReasonKind
    who: Actor
    evidence: dict[str, object]
    is_avoidable: bool = False
    """Whether a client that keeps its connections would have done without."""
    would_be_lost: bool = False
    """Or it would have, had the server kept the connection before until then."""


class Reasons:
    """Names the reasons for connections on one route."""

    def __init__(self, route: Route, pattern: Pattern, forks: Forks) -> None:
        self._route, self._pattern, self._forks = route, pattern, forks
        self.closer = closer_of(route)

    def of(self, life: Life, traced: Traced) -> Reason:
        """The reason for a connection."""
        before = life.before
        kind, evidence = (
            self._unreplacing(life, traced) if before is None else self._after(life, before, traced)
        )
        who = actor(kind, Owner(kept=0, closer=self.closer))
        if before is None or kind.code not in programs.AVOIDABLE:
            return Reason(kind, who, evidence)
        would_last = self._would_last(before, life)
        return Reason(kind, who, evidence, would_last, not would_last)

    def _would_last(self, before: Life, life: Life) -> bool:
        """Whether the server would have kept the connection before until then."""
        pattern = self._pattern
        if pattern.limit is not None and before.served >= pattern.limit:
            return False
        if announced_max(before.answer) == 0:
            return False
        ages = (
            pattern.age if pattern.is_aged else None,
            pattern.announced_age if pattern.is_announced_aged else None,
        )
        if any(it is not None and life.began_s - before.opened_s > it.least_s for it in ages):
            return False
        announced_s, span = announced_timeout(before.answer), pattern.idle.span
        limit_s = _KEPT_S if announced_s is None else announced_s
        if span is not None:
            limit_s = span.least_s if announced_s is None else min(span.least_s, announced_s)
        return life.began_s - before.free_from_s <= limit_s

    def _unreplacing(self, life: Life, traced: Traced) -> tuple[ReasonKind, dict[str, object]]:
        """Of one that took no other's place."""
        if life.link in _UNDECIDED:
            return kinds.UNKNOWN, {"seen": _UNDECIDED[life.link]}
        clients = traced.clients
        if life.link == "different":
            client = clients.of(life)
            differs = "" if client is None else ", ".join(client.differs)
            return programs.DIFFERENT_KEYS, {"differs": differs}
        if life.link == "first" and self._forks.had(life, clients):
            return programs.FORKED, {}
        if life.is_redirected:
            return programs.REDIRECT, {}
        return kinds.FIRST_USE, {"busy": True} if life.link == "more" else {}

    def _after(
        self, life: Life, before: Life, traced: Traced
    ) -> tuple[ReasonKind, dict[str, object]]:
        """Of one that took another's place."""
        clients = traced.clients
        if before.failure is not None:
            return kinds.AFTER_ERROR, {"failure": printable(before.failure)}
        if before.code == GIVEN_UP:
            return programs.CANCELLED, {}
        is_elsewhere = life.link in {"place", "gone"}
        if who := _keeps_none(life, before, clients, is_elsewhere=is_elsewhere):
            return programs.KEEPS_NONE, {"made_by": who}
        is_single_use = is_elsewhere and clients.making(life).name == SINGLE_USE
        is_by_rule = _is_ended_by_others(before) or self._had_to_end(before)
        if is_by_rule and not (is_single_use and before.asks_to_close):
            return self._by_rules(before, clients)
        if is_elsewhere:
            facts = _making(life, clients)
            facts |= {"unread": True} if before.is_unread else {}
            facts |= {"thrown_away": True} if life.link == "gone" else {}
            return programs.NEW_CLIENT, facts
        return _within_client(life, before, traced)

    def _had_to_end(self, life: Life) -> bool:
        """Whether its own request asked for the close, and its library didn't wait for it."""
        is_asked = life.asks_to_close and not self._route.goes_on_after_close
        return is_asked and life.ending in _CLOSED

    def _by_rules(self, before: Life, clients: Clients) -> tuple[ReasonKind, dict[str, object]]:
        """The reason that `kab run` would name."""
        if before.ending == "found-data" and self._forks.shares(before, clients):
            return kinds.UNKNOWN, {"seen": _SHARED}
        ending = _ending(before)
        idle = Idle(idle_s(before)) if before.ending.startswith("found") else None
        owner = Owner(
            kept=0,
            closer=self.closer,
            asks_to_close=before.asks_to_close and not self._route.goes_on_after_close,
            sends_bodies=before.has_body,
            pattern=self._pattern,
        )
        last = before.last
        known = Before(
            before.served,
            ending,
            last,
            idle,
            age_s=age_s(before) if last else 0.0,
            survived_s=before.survived_s,
            round_trip_s=self._route.shortest_round_trip_s,
        )
        kind, evidence = reason_for(known, owner)
        if before.ending == "found-closed" and "found" in evidence:
            evidence["found"] = "closed"
        return kind, {name: value for name, value in evidence.items() if name not in _OF_KAB}


class Forks:
    """Which clients had connections to which origin before their process was forked."""

    def __init__(self, processes: Iterable[Process]) -> None:
        self._parents: dict[str, str | None] = {}
        self._forked_s: dict[str | None, list[float]] = defaultdict(list)
        """When its children began, by process."""
        for it in processes:
            self._parents[it.key] = it.forked_from
            self._forked_s[it.forked_from].append(it.started_s)
        self._used: dict[tuple[str, float, str, Route], float] = {}
        """Since when, by process and client."""

    def note(self, life: Life, clients: Clients) -> None:
        """Note a connection."""
        root = clients.root_of(life)
        if root is not None:
            key = clients.process.key, root.made_s, root.kind, life.route
            self._used[key] = min(self._used.get(key, life.began_s), life.began_s)

    def had(self, life: Life, clients: Clients) -> bool:
        """Whether a connection's client was inherited, and had used that origin before."""
        root = clients.root_of(life)
        if root is None or not clients.is_inherited(life):
            return False
        parent, before_s = clients.process.forked_from, clients.process.started_s
        while parent is not None:  # not what its siblings did
            used_s = self._used.get((parent, root.made_s, root.kind, life.route))
            if used_s is not None and used_s < before_s:
                return True
            parent = self._parents.get(parent)
        return False

    def shares(self, life: Life, clients: Clients) -> bool:
        """Whether another process may have a connection, too, as it was open at a fork."""
        ended_s = inf if life.ended_s is None else life.ended_s
        forked_s = self._forked_s.get(clients.process.key, ())
        return life.is_inherited or any(life.opened_s < it < ended_s for it in forked_s)


def closer_of(route: Route) -> Closer:
    """Who can have closed a connection: what is forwarded goes no further than to the proxy."""
    origin = route.origin
    if origin.via is None:
        return SERVER
    proxy = printable(origin.via.partition("://")[2] or origin.via)
    if is_forwarded(route):
        return Closer("proxy", f"The proxy {proxy}")
    return Closer("server", f"The server, or the tunnel through {proxy},")


def is_forwarded(route: Route) -> bool:
    """Whether a proxy passes each request on, and its connections end there."""
    origin = route.origin
    if origin.via is None or origin.via.startswith("socks"):
        return False
    return route.is_shared or origin.scheme == "http"


def _keeps_none(life: Life, before: Life, clients: Clients, *, is_elsewhere: bool) -> str:
    """Who keeps no connections like these; empty: that isn't so."""
    if before.ending == "never-kept":
        return "aiohttp before 3.11, through a proxy,"
    is_next = is_elsewhere and clients.keeps_none(life) and before.code is None
    return clients.call(life).name if is_next else ""


def _is_ended_by_others(life: Life) -> bool:
    """Whether the server or the path ended it, or was about to."""
    if life.ending in BY_OTHERS or life.code is not None:
        return True
    answer = life.answer
    return answer is not None and not life.is_http_2 and (says_close(answer) or is_old(answer))


def _ending(life: Life) -> Ending | None:
    if life.ending in SILENT:
        return Ending("rst" if SILENT[life.ending] == "rst" else "fin")
    if life.ending == "found-data":
        return Ending("data", data="what it was isn't recorded")
    return Ending("failed" if life.code is not None else "announced")


def _making(life: Life, clients: Clients) -> dict[str, object]:
    """Who makes its clients, and where, unless that is the place that opens it."""
    making, call = clients.making(life), clients.call(life)
    root = clients.root_of(life)
    name = making.name
    if root is None:
        name = "http.client.HTTPConnection"  # by a library, perhaps
    elif not name.startswith(f"{making.library}."):  # a method: its client made another one
        name = ""
    found: dict[str, object] = {"made_by": name}
    if making.site is not None and making.site != call.site:
        site = making.site
        found["made_at"] = f"{site.file}:{site.line} in {site.function}"
    if root is not None:
        found["client"] = root.kind
    return found


def _within_client(
    life: Life, before: Life, traced: Traced
) -> tuple[ReasonKind, dict[str, object]]:
    """Of one that took the place of one of the same client's, which the program gave up."""
    if life.link == "sibling":
        return _of_sibling(life, before, traced.clients)
    return _in_pool(life, before, traced)


def _of_sibling(life: Life, before: Life, clients: Clients) -> tuple[ReasonKind, dict[str, object]]:
    """Of one that took the place of one of another pool of its client's."""
    client, other, root = clients.of(life), clients.of(before), clients.root_of(life)
    if client is not None and client.differs:
        return programs.DIFFERENT_KEYS, {"differs": ", ".join(client.differs)}
    is_gone = other is not None and other.ended_s is not None
    is_gone = is_gone and root is not None and root.ended_s is None
    if before.ending == "evicted" or (before.ending == "collected" and is_gone):
        most = None if root is None else root.most
        return programs.EVICTED, {} if most is None else {"num_pools": most}
    if before.ending in _CLOSED:
        return programs.CLIENT_CLOSED, _closing(before, clients)
    return kinds.UNKNOWN, {"seen": before.ending}


def _in_pool(life: Life, before: Life, traced: Traced) -> tuple[ReasonKind, dict[str, object]]:
    """Of one that took another's place in its pool, which the program gave up."""
    clients, client = traced.clients, traced.clients.of(life)
    needed = traced.needed(life)
    if before.ending == "pool-full":
        found: dict[str, object] = {}
        if client is not None and client.most is not None:
            found["maxsize"] = client.most
        if needed:
            found["needed"] = needed
        return kinds.POOL_FULL, found
    is_dropped = before.ending in {"unread", "collected", *_CLOSED, "open"}
    if life.link == "held" or before.ending == "unread" or (before.is_unread and is_dropped):
        return programs.UNREAD_RESPONSE, {"held": life.link == "held"}
    if before.ending == "expired":
        return programs.CLIENT_IDLE_LIMIT, {"idle_s": idle_s(before)}
    if before.ending in _CLOSED:
        return programs.CLIENT_CLOSED, _closing(before, clients)
    if before.ending == "evicted":
        return programs.EVICTED, {}
    return kinds.UNKNOWN, {"seen": before.ending}


def _closing(before: Life, clients: Clients) -> dict[str, object]:
    """Where it was closed."""
    site = clients.site_of(before.closing_stack)
    return {} if site is None else {"closed_at": f"{site.file}:{site.line} in {site.function}"}
