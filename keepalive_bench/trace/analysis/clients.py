"""Who made the clients of a process, and which connections of others were free for one.

A client that is made again where an earlier one was made does what that one could have done, if
that one had nothing more to do.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from math import inf
from typing import TYPE_CHECKING

from keepalive_bench.trace.analysis.call_sites import NO_CALL

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping

    from keepalive_bench.trace.analysis.call_sites import Call, Calls
    from keepalive_bench.trace.analysis.lives import Life
    from keepalive_bench.trace.recording import Client, Process, Stack
    from keepalive_bench.trace.usage import Site

_THROWS_AWAY = {"aiohttp", "httpx", "requests"}
"""Libraries some functions of which make a client for one request."""
_FUNCTIONS = {"delete", "get", "head", "options", "patch", "post", "put", "request", "stream"}
"""Functions of these that make a client for one request."""
SINGLE_USE = "aiohttp.request"
"""It makes a client that has its connection closed after one request."""
KEEPS_NONE = "urllib.request"
"""It has no client that keeps connections."""
_MANY = 3
_MOST_OWN = 1_000
"""No more connections of the same client are passed over."""


class Clients:
    """The clients of one process."""

    def __init__(self, process: Process, calls: Calls) -> None:
        self.process, self._clients, self._calls = process, process.clients, calls
        self._roots: dict[int, int] = {}
        self._latest: tuple[int, Client | None] = -1, None
        """The root that was asked for last: records are made anew each time."""

    def of(self, life: Life) -> Client | None:
        """Who keeps a connection."""
        return None if life.client is None else self._clients.get(life.client)

    def root(self, number: int) -> int:
        """The client that a client belongs to at last."""
        found = self._roots.get(number)
        if found is None:
            passed, found = {number}, number
            while (it := self._clients.get(found)) is not None and it.of not in {None, *passed}:
                found = it.of or found
                passed.add(found)
            self._roots[number] = found
        return found

    def root_of(self, life: Life) -> Client | None:
        """The client of a connection at last."""
        if life.client is None:
            return None
        number = self.root(life.client)
        if number != self._latest[0]:
            self._latest = number, self._clients.get(number)
        return self._latest[1]

    def is_inherited(self, life: Life) -> bool:
        """Whether its client was made before this process was forked."""
        root = self.root_of(life)
        is_fork = self.process.forked_from is not None
        return is_fork and root is not None and root.made_s < self.process.started_s

    def was_there(self, life: Life) -> bool:
        """Whether its client was made before anybody looked: it may have connections unseen."""
        root = self.root_of(life)
        return root is not None and not root.stack and not self.is_inherited(life)

    def call(self, life: Life) -> Call:
        """The call that opened a connection; where that is unknown, the one that made its client.

        Tasks lose who called them.
        """
        call = self._calls.of(life.stack)
        return call if call.site is not None else self.making(life)

    def making(self, life: Life) -> Call:
        """The call that made its client; without one, it is the connection that is made again."""
        root = self.root_of(life)
        if root is not None:
            return self._maker(root.stack)
        return self._calls.of(life.stack) if life.client is None else NO_CALL

    def _maker(self, stack: Stack) -> Call:
        call = self._calls.of(stack)
        # No method of a session makes one: it is the function of that name.
        return call._replace(name=SINGLE_USE) if call.name == "ClientSession.request" else call

    def site_of(self, stack: Stack) -> Site | None:
        """The nearest place in the program's own code."""
        return self._calls.of(stack).site

    def keeps_none(self, life: Life) -> bool:
        """Whether whoever opened it never keeps a connection."""
        return life.client is None and self._calls.of(life.stack).library == KEEPS_NONE

    def place(self, life: Life) -> Hashable | None:
        """Where its client is made; `None`: unknown, or in the parent of a fork."""
        root = self.root_of(life)
        if root is None:
            return None if life.client is not None else self._place(life.stack)
        return self._place(root.stack, root)

    def _place(self, stack: Stack, made: Client | None = None) -> Hashable | None:
        if not stack:
            return None
        call = self._calls.of(stack) if made is None else self._maker(stack)
        if throws_away(call) or (made is None and call.library == KEEPS_NONE):
            return call.library
        if call.site is None:
            return stack
        # One call may make several clients for several purposes.
        return call.site if made is None else (self._calls.inwards(stack), made.kind)

    def match(self, lives: Iterable[Life]) -> None:
        """Find those that took no place in their pool, but that of one of another.

        In order of time, each takes that of the one that was free last. What throws its client
        away could have used anybody's.
        """
        opened = sorted((it for it in lives if it.is_opened), key=lambda it: it.began_s)
        free = sorted((it for it in opened if it.free_from_s < inf), key=lambda it: it.free_from_s)
        siblings, places, everybody = self._grouped(free)
        gone = self._gone(opened)
        for life in opened:
            if life.link not in {"first", "more", "different"}:
                continue
            root, place = self._root_number(life), self.place(life)
            before = siblings[root, life.route].latest(life, _client) if root is not None else None
            if before is not None:
                life.link = "sibling"
            elif life.link != "different" and place is not None:
                before = places[place, life.route].latest(life, self._root_number)
                if before is None and place in {KEEPS_NONE, *_THROWS_AWAY}:
                    before = everybody[life.route].latest(life, self._root_number)
                if before is not None and self._may_go_on(before, places[place, life.route]):
                    before, life.link = None, "perhaps"
                elif before is not None:
                    life.link = "place"
                elif before := self._thrown_away(life, gone):
                    life.link = "gone"
            life.before = before
            if before is not None:
                before.is_taken = True

    def _like(self, life: Life) -> Hashable | None:
        """What its client has in common with others that could have done what it does."""
        root = self.root_of(life)
        if root is None:
            return None
        return root.kind, self._calls.of(root.stack).library, life.route

    def _gone(self, lives: Iterable[Life]) -> dict[Hashable, list[tuple[float, Life]]]:
        """Connections of clients that the program has thrown away, and from when on, in order."""
        groups: dict[Hashable, list[tuple[float, Life]]] = defaultdict(list)
        for life in lives:
            root = self.root_of(life)
            ended_s = None if root is None else root.ended_s
            if ended_s is not None and life.free_from_s < inf and not life.asks_to_close:
                since_s = max(ended_s, life.free_from_s)
                groups[self._like(life)].append((since_s, life))
        for each in groups.values():
            each.sort(key=lambda it: it[0])
        return groups

    def _thrown_away(
        self, life: Life, gone: Mapping[Hashable, list[tuple[float, Life]]]
    ) -> Life | None:
        """The latest that a client like that of one had, and was gone when that was made."""
        root, alike = self.root_of(life), gone.get(self._like(life), ())
        if root is None:
            return None
        end = bisect_right(alike, root.made_s, key=lambda it: it[0])
        latest = (alike[at][1] for at in range(end - 1, max(-1, end - 1 - _MOST_OWN), -1))
        return next((it for it in latest if not it.is_taken), None)

    def _may_go_on(self, life: Life, alike: _Free) -> bool:
        """Whether one may yet be used: its client is there, and so is the process.

        Unless clients were made there so often that this one is one of many.
        """
        if self.process.ended_s is not None or life.ended_s is not None:
            return False
        root = self.root_of(life)
        is_there = root is not None and root.ended_s is None
        return is_there and len(alike.owners) < _MANY

    def _root_number(self, life: Life) -> int | None:
        return None if life.client is None else self.root(life.client)

    def _grouped(self, free: Iterable[Life]) -> tuple[_Groups, _Groups, _Groups]:
        siblings: _Groups = defaultdict(_Free)
        places: _Groups = defaultdict(_Free)
        everybody: _Groups = defaultdict(_Free)
        for life in free:
            root, place = self._root_number(life), self.place(life)
            if root is not None:
                siblings[root, life.route].add(life)
            if place is not None:
                places[place, life.route].add(life, root)
            if not life.asks_to_close:  # who doesn't ask for that wouldn't have done so
                everybody[life.route].add(life)
        return siblings, places, everybody


class _Free:
    """Connections that were free from some time on, in that order."""

    def __init__(self) -> None:
        self._lives: list[Life] = []
        self._next = 0
        self._now: list[Life] = []
        self.owners: set[int] = set()
        """Whose they are, up to many."""

    def add(self, life: Life, owner: int | None = None) -> None:
        self._lives.append(life)
        if owner is not None and len(self.owners) < _MANY:
            self.owners.add(owner)

    def latest(self, life: Life, owner: Callable[[Life], int | None]) -> Life | None:
        """The one that was free last when another one was opened, of other owners."""
        lives, now = self._lives, self._now
        while self._next < len(lives) and lives[self._next].free_from_s <= life.began_s:
            now.append(lives[self._next])
            self._next += 1
        passed: list[Life] = []
        own, found = owner(life), None
        while now and len(passed) < _MOST_OWN:
            it = now.pop()
            if it.is_taken or it is life:
                continue
            if own is None or owner(it) != own:
                found = it
                break
            passed.append(it)
        now.extend(reversed(passed))
        return found


_Groups = defaultdict["Hashable", _Free]


def _client(life: Life) -> int | None:
    return life.client


def throws_away(call: Call) -> bool:
    """Whether a function was called that makes a client for one request."""
    library, _, function = call.name.rpartition(".")
    return call.library in _THROWS_AWAY and library == call.library and function in _FUNCTIONS
