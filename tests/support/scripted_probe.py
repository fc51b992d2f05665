"""A scripted clock and transport for probes: a world whose limits are known, without a sleep.

Connections live by the laws of the world; what would take minutes takes no time.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Literal

from keepalive_bench.probe.record import Ended, Exchanged, Seen
from keepalive_bench.probe.transport import Noted
from keepalive_bench.results.exchange import Answer, Failure
from keepalive_bench.results.failure_kinds import (
    CLOSED_BEFORE_RESPONSE,
    CONNECT_REFUSED,
    READ_TIMEOUT,
    RESET,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from keepalive_bench.probe.lives import Life
    from keepalive_bench.probe.record import EndKind

TIMEOUT_S = 30.0
"""How long a first response is waited for."""
_NEVER = float("inf")
_AT_ONCE_S = 0.0005


@dataclass(frozen=True, kw_only=True)
class World:
    """What ends connections, and after how long."""

    timeouts_s: tuple[float, ...] = ()
    """Idle timeouts of the backends, which connections go to in turns; none: they never close."""
    coarse_s: float = 0.0
    """By how much a close comes later, at most: evenly drawn."""
    end: EndKind = "fin"
    forgets_s: float | None = None
    """After which idle time the path forgets."""
    forgets_by: Literal["silence", "acknowledged", "rst", "fin"] = "silence"
    """What a request meets then; `acknowledged` by a hop before what forgets."""
    down_from_s: float = _NEVER
    """From when on nothing is answered any more, by nobody."""
    odd_s: Mapping[int, float] = field(default_factory=dict)
    """Idle timeouts of single connections, by their number."""
    hides_ends: bool = False
    """Whether a path that has forgotten a connection loses its close, too."""
    loses: frozenset[int] = frozenset()
    """Reuses that meet silence by chance, by their number."""
    lifetime_s: float | None = None
    """The age from which on a response is the last."""
    ages_out_s: float | None = None
    """The age at which a connection ends, whatever it does."""
    restarts_s: float | None = None
    """When all connections end that are open, from the beginning of the probe on."""
    limit: int | None = None
    """How many requests a connection carries."""
    announces: bool = True
    """Whether the last response says that the connection ends."""
    closes_at_once: bool = False
    one_at_a_time: bool = False
    """Whether a connection is served only when the one before is over."""
    round_trip_s: float = 0.001
    race_by: Literal["fin", "rst"] = "fin"
    """How a request that meets a close is answered."""
    latency_s: float = 0.002
    slow: tuple[float, ...] = ()
    """Latencies of reuses, in turns, instead."""
    answers: bool = True
    listens: bool = True
    seed: int = 1


@dataclass
class ScriptedTransport:
    """Lives of connections in a world, in virtual time.

    A life tells what is seen, or until when nothing happens.
    """

    world: World
    interrupts_s: float = _NEVER
    """When somebody wants an end."""
    connections: int = 0
    requests: int = 0
    _now_s: float = 0.0
    _due: list[tuple[float, int, int]] = field(default_factory=list)
    """When, in which order, and whose turn it is."""
    _turns: dict[int, int] = field(default_factory=dict)
    """Each one's next turn: others of it have become void."""
    _lives: dict[int, Iterator[Noted | float]] = field(default_factory=dict)
    _known: dict[int, Seen] = field(default_factory=dict)
    _waiting: list[int] = field(default_factory=list)
    """Those that are served one at a time, in their order: the first is."""
    _reuses: int = 0
    _order: int = 0
    _random: Random = field(default_factory=Random)

    def __post_init__(self) -> None:
        self._random.seed(self.world.seed)

    def now_s(self) -> float:
        return self._now_s

    def is_stopped(self) -> bool:
        return self._now_s >= self.interrupts_s

    def begin(self, number: int, life: Life) -> None:
        self._lives[number] = self._live(number, life)
        self._known[number] = Seen(life.part, life.name)
        self._at(self._now_s, number)

    def wait(self, until_s: float) -> Noted | None:
        while self._due and self._due[0][0] <= until_s:
            self._now_s, turn, number = heapq.heappop(self._due)
            if turn != self._turns.get(number):
                continue
            told = next(self._lives[number])
            if isinstance(told, float):
                self._at(told, number)
                continue
            self._known[number] = told.seen
            if told.is_over:
                del self._turns[number]
                self._leave(number)
            else:
                self._at(self._now_s, number)
            return told
        self._now_s = max(self._now_s, until_s)
        return None

    def end(self, number: int) -> None:
        """It says what it has seen, and is over; a request that is under way is forgotten."""
        if number in self._turns:
            before = self._known[number]
            seen = before._replace(watched_s=before.idle_until(self._now_s))
            self._lives[number] = iter([Noted(number, seen, is_over=True)])
            self._at(self._now_s, number)

    def _at(self, when_s: float, number: int) -> None:
        self._order += 1
        self._turns[number] = self._order
        heapq.heappush(self._due, (when_s, self._order, number))

    def _leave(self, number: int) -> None:
        """Others are served, if it was."""
        if number in self._waiting:
            was_served = self._waiting[0] == number
            self._waiting.remove(number)
            if was_served and self._waiting:
                self._at(self._now_s, self._waiting[0])

    def _live(self, number: int, life: Life) -> Iterator[Noted | float]:
        """All that becomes of a connection."""
        world = self.world
        seen = Seen(life.part, life.name)
        if not world.listens:
            failure = Failure(CONNECT_REFUSED.code, "Connection refused")
            yield Noted(number, seen._replace(failure=failure), is_over=True)
            return
        timeout_s = self._accepted()
        yield self._now_s + world.round_trip_s
        opened_s = last_s = self._now_s
        trip_s = world.round_trip_s
        seen = seen._replace(
            opened_s=opened_s, peer="192.0.2.1:80", connect_s=trip_s, round_trip_s=trip_s
        )
        yield Noted(number, seen, is_over=False)
        for count, ask in enumerate(life.asks):
            if count and ask.idle_s:
                yield Noted(number, seen, is_over=False)
                end = self._end_of(last_s, opened_s, timeout_s, ask.idle_s)
                yield last_s + (end.idle_s if end else ask.idle_s)
                if end is not None:
                    seen = seen._replace(ended=end, watched_s=end.idle_s)
                    yield Noted(number, seen, is_over=True)
                    return
            idle_s = ask.idle_s if count else None
            began_s = self._now_s
            patience_s = TIMEOUT_S if idle_s is None else life.patience_s or TIMEOUT_S
            self.requests += 1
            if world.one_at_a_time and not count:
                self._waiting.append(number)
                if self._waiting[0] != number:
                    yield began_s + patience_s
            closes_s = self._closes_s(last_s, opened_s, timeout_s)
            made = Exchanged(began_s, idle_s, 0.0, "GET", "/")
            made = self._exchanged(made, patience_s, closes_s, (count + 1, began_s - opened_s))
            yield began_s + made.latency_s
            last_s = self._now_s
            answered = made.failure is None
            seen = seen._replace(exchanges=(*seen.exchanges, made), carried=seen.carried + answered)
            self._known[number] = seen
            if not answered:
                yield Noted(number, seen, is_over=True)
                return
            if made.closes or world.closes_at_once:
                yield last_s + _AT_ONCE_S
                ended = seen._replace(ended=Ended(world.end, _AT_ONCE_S), watched_s=_AT_ONCE_S)
                yield Noted(number, ended, is_over=True)
                return
        yield Noted(number, seen, is_over=False)
        end = self._end_of(last_s, opened_s, timeout_s, life.watch_s)
        watched_s = life.watch_s if end is None else end.idle_s
        yield last_s + watched_s
        yield Noted(number, seen._replace(ended=end, watched_s=watched_s), is_over=True)

    def _accepted(self) -> float:
        """The idle timeout of a connection."""
        number, world = self.connections, self.world
        self.connections += 1
        if not world.timeouts_s:
            return _NEVER
        if number in world.odd_s:
            return world.odd_s[number]
        timeout_s = world.timeouts_s[number % len(world.timeouts_s)]
        return timeout_s + world.coarse_s * self._random.random()

    def _closes_s(self, last_s: float, opened_s: float, timeout_s: float) -> float:
        """When the client sees the close of a connection that is idle."""
        world = self.world
        ends = [last_s + timeout_s]
        if world.ages_out_s is not None:
            ends.append(opened_s + world.ages_out_s)
        if world.restarts_s is not None and world.restarts_s > last_s:
            ends.append(world.restarts_s)
        return max(last_s, min(ends))

    def _end_of(
        self, last_s: float, opened_s: float, timeout_s: float, idle_s: float
    ) -> Ended | None:
        """The close that is seen while idle, if one is."""
        world = self.world
        after_s = self._closes_s(last_s, opened_s, timeout_s) - last_s
        is_hidden = world.hides_ends and world.forgets_s is not None and after_s >= world.forgets_s
        return None if after_s > idle_s or is_hidden else Ended(world.end, after_s)

    def _exchanged(
        self, made: Exchanged, patience_s: float, closes_s: float, whom: tuple[int, float]
    ) -> Exchanged:
        """What comes of a request; `whom`: the how manieth, and at which age of the connection."""
        world = self.world
        if made.began_s >= world.down_from_s:
            return self._silent(made, patience_s, acknowledged=False)
        latency_s = world.latency_s + self._now_s - made.began_s
        if made.idle_s is not None:
            self._reuses += 1
            if (lost := self._lost(made, patience_s, closes_s)) is not None:
                return lost
            if world.slow:
                latency_s = world.slow[self._reuses % len(world.slow)]
        latency_s += world.round_trip_s
        if latency_s > patience_s or not world.answers:
            return self._silent(made, patience_s, acknowledged=True)
        return self._answered(made._replace(latency_s=latency_s), *whom)

    def _lost(self, made: Exchanged, patience_s: float, closes_s: float) -> Exchanged | None:
        """What a reuse meets whose connection isn't there any more; `None`: it is."""
        world, idle_s = self.world, made.idle_s or 0.0
        if self._reuses in world.loses:
            return self._silent(made, patience_s, acknowledged=False)
        ends_by: str = world.race_by
        if world.forgets_s is not None and idle_s >= world.forgets_s:
            if world.forgets_by in {"silence", "acknowledged"}:
                is_heard = world.forgets_by == "acknowledged"
                return self._silent(made, patience_s, acknowledged=is_heard)
            ends_by = world.forgets_by
        elif made.began_s + world.round_trip_s < closes_s:
            return None
        return self._gone(made, CLOSED_BEFORE_RESPONSE.code if ends_by == "fin" else RESET.code)

    def _silent(self, made: Exchanged, patience_s: float, *, acknowledged: bool) -> Exchanged:
        failure = Failure(READ_TIMEOUT.code, "timed out")
        return made._replace(latency_s=patience_s, failure=failure, acknowledged=acknowledged)

    def _gone(self, made: Exchanged, code: str) -> Exchanged:
        return made._replace(latency_s=self.world.round_trip_s, failure=Failure(code, "gone"))

    def _answered(self, made: Exchanged, count: int, age_s: float) -> Exchanged:
        world = self.world
        is_last = (world.limit is not None and count >= world.limit) or (
            world.lifetime_s is not None and age_s >= world.lifetime_s
        )
        if is_last and not world.announces:
            return self._gone(made, CLOSED_BEFORE_RESPONSE.code)
        says = "close" if is_last else "keep-alive"
        answer = Answer("HTTP/1.1", connection=says, server="nginx")
        return made._replace(status=200, answer=answer, closes=is_last)
