"""Programs that are played: threads, clients and a server, and why each connection was opened.

What is told of them is what a tracer sees. The truth is what the players know: whose connection
would have been there, had nothing gone wrong.
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any

from support.recordings import PLAIN, Program, Told, requests_get, session_get, session_made, stack

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from keepalive_bench.trace.recording import Recording, Stack

    Acts = Generator[float, None, None]

FIRST = "first-use"
_CLOSES = PLAIN._replace(connection="close")
_URLOPEN = stack(50, ("urllib/request.py", "urlopen"), ("http/client.py", "connect"))
_SETUP_S = (0.001, 0.03)


class Wire:
    """A connection, as the program has it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.served = 0
        self.idle_since_s = 0.0
        self.held = False
        """Whether another one has taken its place, as its response is held unread."""


class Owner:
    """A pool."""

    def __init__(self, number: int | None, most: int) -> None:
        self.number, self.most = number, most
        self.idle: list[Wire] = []
        self.lost: list[str] = []
        """Why connections are missing that nobody has replaced yet."""
        self.closed: list[Wire] = []
        """Objects whose connections are closed, and which open others."""


class World:
    """One program that is played, of one cause for its connections."""

    def __init__(self, cause: str, seed: int) -> None:
        self.cause, self.random = cause, Random(f"{cause} {seed}")  # noqa: S311  # not for secrets
        self.program = Program()
        self.process: Told = self.program.process()
        self.truth: dict[int, str] = {}
        """By number of the connection."""
        self.threads = self.random.choice((1, 1, 2, 4, 8))
        self.calls = self.random.randint(5, 25)
        self.pause_s = self.random.choice((0.0, 0.01, 0.2))
        self.keeps_objects = self.random.random() < 0.5
        self.asks_first = self.random.random() < 0.5
        """Whether requests begin before their connections are opened, as urllib3's do."""
        self.held: dict[int, tuple[Owner, Wire]] = {}
        """By thread: its response that is yet unread."""
        self.given_up: list[str] = []
        """Why connections of clients are missing that are gone."""
        self._actors: list[tuple[float, int, Acts]] = []
        self._turns = count()
        self._shared: Owner | None = None

    def play(self) -> Recording:
        """Have all threads act to their end."""
        act: Callable[[int], Acts] = getattr(self, f"_{self.cause.replace('-', '_')}")
        for who in range(1, self.threads + 1):
            self._later(self.random.random() * 0.05, self._thread(act, who))
        while self._actors:
            self.program.now_s, _, acts = heappop(self._actors)
            for wait_s in acts:
                self._later(wait_s, acts)
                break
        return self.program.recording()

    def _later(self, wait_s: float, acts: Acts) -> None:
        heappush(self._actors, (self.program.now_s + wait_s, next(self._turns), acts))

    def _thread(self, act: Callable[[int], Acts], who: int) -> Acts:
        for _ in range(self.calls):
            yield from act(who)
            yield self.random.random() * self.pause_s + 1e-4

    # What a thread does in one call.

    def _new_client(self, who: int) -> Acts:
        made = requests_get() if self.calls % 2 else session_made()
        owner = Owner(self.process.session(made=made), 10)
        for _ in range(self.random.choice((1, 1, 3))):
            yield from self._request(owner, who)
        for wire in owner.idle:
            self.process.close(wire.number, self.random.choice(("client-closed", "collected")))
            self.given_up.append("new-client")
        self.given_up += owner.lost

    def _leaked_client(self, who: int) -> Acts:
        owner = Owner(self.process.session(), 10)
        yield from self._request(owner, who)
        self.given_up += ["new-client"] * len(owner.idle)

    def _keeps_none(self, who: int) -> Acts:
        owner = Owner(None, 1)
        yield from self._request(owner, who, at=_URLOPEN, asks_to_close=True, answer=_CLOSES)
        self.given_up += ["keeps-none"] * len(owner.lost)

    def _client_closed(self, who: int) -> Acts:
        owner = self._session(10)
        yield from self._request(owner, who)
        if self.random.random() < 0.3:
            self._close_all(owner, "connection-closed", "client-closed")

    def _client_idle_limit(self, who: int) -> Acts:
        owner = self._session(20)
        yield from self._request(owner, who, limit_s=0.05)

    def _unread_response(self, who: int) -> Acts:
        owner = self._session(10)
        unread = self.random.random() < 0.4
        yield from self._request(owner, who, reads=not unread)

    def _held_response(self, who: int) -> Acts:
        """As `response = session.get(…, stream=True)` does, time and again."""
        owner = self._session(10)
        before = self.held.pop(who, None)
        yield from self._request(owner, who, holds=before)

    def _pool_full(self, who: int) -> Acts:
        yield from self._request(self._session(2), who)

    def _server_close(self, who: int) -> Acts:
        yield from self._request(self._session(10), who, serves=3)

    def _asked_to_close(self, who: int) -> Acts:
        yield from self._request(self._session(10), who, asks_to_close=True, answer=_CLOSES)

    def _gone_and_closed_by_server(self, who: int) -> Acts:
        owner = Owner(self.process.session(made=requests_get()), 10)
        yield from self._request(owner, who, serves=1)
        self.given_up += owner.lost

    def _first_use(self, who: int) -> Acts:
        yield from self._request(self._session(10), who)

    # How clients work.

    def _session(self, most: int) -> Owner:
        if self._shared is None:
            self._shared = Owner(self.process.session(most=most), most)
        return self._shared

    def _request(
        self,
        owner: Owner,
        who: int,
        *,
        serves: int = 1_000_000,
        limit_s: float = 1e9,
        reads: bool = True,
        holds: tuple[Owner, Wire] | bool | None = False,
        **more: Any,  # noqa: ANN401
    ) -> Acts:
        wire = self._free(owner, limit_s)
        at = more.pop("at", session_get())
        answer = more.pop("answer", PLAIN)
        began_s = self.program.now_s
        exchange = 0
        if self.asks_first or wire is not None:
            number = None if wire is None else wire.number
            exchange = self.process.begin(number, who=who, **more)
        if wire is None:
            holder = holds[1] if isinstance(holds, tuple) else None
            wire = yield from self._open(owner, at, holder, began_s)
        exchange = exchange or self.process.begin(wire.number, who=who, **more)
        self.process.exchanges[exchange] = self.process.exchanges[exchange]._replace(
            connection=wire.number
        )
        yield self.random.uniform(0.001, 0.05)
        wire.served += 1
        is_last = wire.served >= serves or answer is _CLOSES
        read = {} if reads and holds is False else {"ended_s": None}
        self.process.end(exchange, 200, _CLOSES if is_last else answer, **read)
        if holds is not False:
            self.held[who] = owner, wire
            if isinstance(holds, tuple):
                if not holds[1].held:
                    owner.lost.append("unread-response")
                self.process.close(holds[1].number, "unread")
        elif not reads:
            yield from self._dropped(owner, wire)
        elif is_last:
            self.process.close(wire.number, "announced")
            said = "asked-to-close" if more.get("asks_to_close") else "server-close"
            self._lose(owner, wire, "keeps-none" if at is _URLOPEN else said)
        elif len(owner.idle) >= owner.most:
            self.process.close(wire.number, "pool-full")
            owner.lost.append("pool-full")
        else:
            wire.idle_since_s = self.program.now_s
            owner.idle.append(wire)

    def _dropped(self, owner: Owner, wire: Wire) -> Acts:
        """Its response goes away unread, now or a little later."""
        owner.lost.append("unread-response")
        yield self.random.choice((0.0, 0.002))
        self.process.close(wire.number, "unread")

    def _free(self, owner: Owner, limit_s: float) -> Wire | None:
        while owner.idle:
            wire = owner.idle.pop()
            if self.program.now_s - wire.idle_since_s <= limit_s:
                return wire
            self.process.close(wire.number, "expired")
            self._lose(owner, wire, "client-idle-limit")
        return None

    def _open(
        self, owner: Owner, at: Stack, holder: Wire | None, began_s: float
    ) -> Generator[float, None, Wire]:
        setup_s = self.random.uniform(*_SETUP_S)
        now_s = self.program.now_s = began_s + 1e-6 * self.asks_first
        before = owner.closed.pop() if owner.closed else None
        if owner.lost:
            why = owner.lost.pop()
        elif holder is not None and not holder.held:
            holder.held, why = True, "unread-response"
        elif self._shared is None and self.given_up:
            why = self.given_up.pop()
        else:
            why = FIRST
        number = self.process.open(
            owner.number,
            at,
            began_s=now_s,
            connected_s=now_s + setup_s / 2,
            ready_s=now_s + setup_s,
            previous=None if before is None else before.number,
        )
        self.program.now_s = now_s
        self.truth[number] = why
        yield setup_s
        return Wire(number)

    def _lose(self, owner: Owner, wire: Wire, why: str) -> None:
        owner.lost.append(why)
        if self.keeps_objects:
            owner.closed.append(wire)

    def _close_all(self, owner: Owner, ending: str, why: str) -> None:
        for wire in owner.idle:
            self.process.close(wire.number, ending)
            owner.lost.append(why)
        owner.idle.clear()


CAUSES = (
    "asked-to-close",
    "client-closed",
    "client-idle-limit",
    "first-use",
    "held-response",
    "gone-and-closed-by-server",
    "keeps-none",
    "leaked-client",
    "new-client",
    "pool-full",
    "server-close",
    "unread-response",
)
