"""Recordings made by hand: what a tracer would have told of a program that does just this."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from keepalive_bench.results.exchange import Answer
from keepalive_bench.trace.recording import (
    Client,
    Connection,
    Exchange,
    Frame,
    Origin,
    Process,
    Recording,
    Stack,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.trace.recording import Child

Known = dict[str, Any]
API = Origin("https", "api.example.com", 443)
OTHER = Origin("https", "cdn.example.com", 443)
PLAIN = Answer("HTTP/1.1")
SETUP_S, WAIT_S = 0.02, 0.01
_LIBRARIES = "/srv/venv/lib/python3.12/site-packages/"
_STDLIB = "/usr/lib/python3.12/"
APP = "/srv/app/app.py"


def stack(line: int, *inwards: tuple[str, str], function: str = "sync", file: str = APP) -> Stack:
    """Calls from a line of the program's own, each a file of a library's and a function."""
    frames = [Frame(file, line, function)]
    for path, called in inwards:
        folder = _STDLIB if path.startswith(("http/", "urllib/", "asyncio/")) else _LIBRARIES
        frames.append(Frame(folder + path, 1, called))
    return (*reversed(frames), Frame(file, 99, "<module>"))


def requests_get(line: int = 31) -> Stack:
    return stack(line, ("requests/api.py", "get"), ("requests/sessions.py", "request"))


def session_get(line: int = 32) -> Stack:
    return stack(line, ("requests/sessions.py", "get"), ("requests/sessions.py", "request"))


def session_made(line: int = 30) -> Stack:
    return stack(line, ("requests/sessions.py", "__init__"), ("requests/adapters.py", "__init__"))


class Program:
    """A program of several processes, on one clock."""

    def __init__(self) -> None:
        self.processes: list[Told] = []
        self.now_s = 100.0

    def process(self, **details: object) -> Told:
        found = Told(self, 1_000 + len(self.processes), details)
        self.processes.append(found)
        return found

    def wait(self, seconds: float) -> None:
        self.now_s += seconds

    def recording(self, damaged: Sequence[str] = ()) -> Recording:
        return Recording(tuple(it.told() for it in self.processes), tuple(damaged))


class Told:
    """One process, which does one thing after the other unless it is told a time."""

    def __init__(self, program: Program, pid: int, details: Known) -> None:
        self.program, self.pid, self.details = program, pid, details
        self.started_s = program.now_s
        self._numbers = count(1)
        self.clients: dict[int, Client] = {}
        self.connections: dict[int, Connection] = {}
        self.exchanges: dict[int, Exchange] = {}
        self.children: tuple[Child, ...] = ()

    @property
    def now_s(self) -> float:
        return self.program.now_s

    def client(
        self,
        kind: str = "urllib3.PoolManager",
        made: Stack = (),
        of: int | None = None,
        **details: object,
    ) -> int:
        number = next(self._numbers)
        known: Known = {"origin": None, "differs": (), "most": None, "blocks": False}
        known |= {"made_s": self.now_s, "ended_s": None, **details}
        self.clients[number] = Client(number=number, of=of, kind=kind, stack=made, **known)
        return number

    def pool(self, of: int | None = None, made: Stack = (), **details: object) -> int:
        details = {"origin": API, "most": 10, **details}
        return self.client("urllib3.HTTPSConnectionPool", made, of, **details)

    def session(self, made: Stack | None = None, **details: object) -> int:
        """A Session of requests': its pool."""
        manager, known = self.client(made=session_made() if made is None else made), Known(details)
        return self.pool(manager, **known)

    def end_client(self, number: int) -> None:
        self.clients[number] = self.clients[number]._replace(ended_s=self.now_s)

    def open(
        self,
        client: int | None = None,
        at: Stack | None = None,
        origin: Origin = API,
        **more: object,
    ) -> int:
        """Open a connection now."""
        began_s, number = self.now_s, next(self._numbers)
        self.program.wait(SETUP_S)
        known: Known = {"is_tunnel": False, "is_shared": False, "failure": None}
        known |= {"inherited_from": None}
        known |= {"is_tls": True, "ending": "open", "previous": None}
        known |= {"closing_stack": (), "began_s": began_s}
        known |= {"connected_s": began_s + SETUP_S / 2, "ready_s": self.now_s, "ended_s": None}
        self.connections[number] = Connection(
            number=number,
            origin=origin,
            client=client,
            stack=session_get() if at is None else at,
            **(known | more),
        )
        return number

    def refused(self, client: int | None = None, origin: Origin = API, **more: object) -> int:
        """Fail to open one."""
        known = Known(more)
        tried = self.open(client, origin=origin, failure="ConnectionRefusedError", **known)
        self.connections[tried] = self.connections[tried]._replace(
            connected_s=None, ready_s=None, ended_s=self.now_s, ending="failed"
        )
        return tried

    def close(self, connection: int, ending: str, closing: Stack = ()) -> None:
        self.connections[connection] = self.connections[connection]._replace(
            ended_s=self.now_s, ending=ending, closing_stack=closing
        )

    def begin(self, connection: int | None, **more: object) -> int:
        """Send a request."""
        number = next(self._numbers)
        known: Known = {"origin": None, "who": 1, "frame": None, "began_s": self.now_s}
        known |= {"sent_s": self.now_s, "answered_s": None, "ended_s": None, "status": None}
        known |= {"answer": None, "failure": None, "redirect": None, "asks_to_close": False}
        known |= {"has_body": False, "is_http_2": False, **more}
        self.exchanges[number] = Exchange(number=number, connection=connection, **known)
        return number

    def end(
        self, exchange: int, status: int = 200, answer: Answer | None = None, **more: object
    ) -> None:
        """Get its response, and read it, unless it is told otherwise."""
        known: Known = {"answered_s": self.now_s, "ended_s": self.now_s, **more}
        self.exchanges[exchange] = self.exchanges[exchange]._replace(
            status=status, answer=PLAIN if answer is None else answer, **known
        )

    def fail(self, exchange: int, failure: str) -> None:
        self.exchanges[exchange] = self.exchanges[exchange]._replace(
            failure=failure, ended_s=self.now_s
        )

    def request(
        self, connection: int, status: int = 200, answer: Answer | None = None, **more: object
    ) -> int:
        """Send a request and read its response."""
        read = {name: more.pop(name) for name in ("ended_s",) if name in more}
        number = self.begin(connection, **more)
        self.program.wait(WAIT_S)
        self.end(number, status, answer, **read)
        return number

    def told(self) -> Process:
        known: Known = {
            "key": f"{self.pid}-1",
            "pid": self.pid,
            "parent": 1,
            "forked_from": None,
            "python": (3, 12),
            "wall_s": 1.8e9 + self.started_s,
            "started_s": self.started_s,
            "ended_s": self.now_s,
            "lost": 0,
            "errors": 0,
            "troubles": (),
            "children": self.children,
        }

        def connections() -> Iterator[Connection]:
            return iter(self.connections.values())

        def exchanges() -> Iterator[Exchange]:
            return iter(self.exchanges.values())

        known |= self.details
        return Process(clients=self.clients, connections=connections, exchanges=exchanges, **known)
