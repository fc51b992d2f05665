"""What a tracer recorded of a program, as `reading/` reads it: plain values, one kind each.

Times are in seconds on a clock that all processes of a machine share; not measured is `None`.
Numbers of clients and connections are those of their process's records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from keepalive_bench.results.exchange import Answer


class Origin(NamedTuple):
    """Where requests go: as RFC 9110, section 4.3.1, has it, and through which proxy."""

    scheme: str
    host: str
    port: int
    via: str | None = None
    """The proxy's own origin."""

    @property
    def name(self) -> str:
        """As people write it: `api.example.com:443`, `[::1]:80`; of a Unix socket, its path."""
        if self.scheme == "unix":
            return self.host
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class Frame(NamedTuple):
    """One call of a stack."""

    file: str
    line: int
    function: str


Stack = tuple[Frame, ...]
"""Calls, the innermost first; empty: unknown."""


class Client(NamedTuple):
    """What keeps connections: a pool, or what has pools."""

    number: int
    of: int | None
    """The client that it belongs to."""
    kind: str
    """Its class: `urllib3.PoolManager`."""
    origin: Origin | None
    """`None`: it connects to any."""
    stack: Stack
    """Who made it."""
    differs: tuple[str, ...]
    """Settings that set it apart from the last pool of its client's for that origin."""
    most: int | None
    """How many connections it keeps; `None`: as many as there are."""
    blocks: bool
    made_s: float
    ended_s: float | None


class Connection(NamedTuple):
    """A connection that was opened, or couldn't be."""

    number: int
    origin: Origin
    is_tls: bool
    is_tunnel: bool
    is_shared: bool
    """It leads to a proxy that is asked for whatever server: `origin` is the first that was."""
    failure: str | None
    """What was raised where it never was usable: the class's name."""
    inherited_from: int | None
    """Over a fork: its number in the parent's records. It wasn't opened here."""
    client: int | None
    previous: int | None
    """The connection before it of the same object of the library."""
    stack: Stack
    """Who opened it."""
    closing_stack: Stack
    """Who closed it."""
    began_s: float
    connected_s: float | None
    ready_s: float | None
    ended_s: float | None
    ending: str
    """One of the tracer's `ENDINGS`."""


class Exchange(NamedTuple):
    """A request, and its response as far as there is one."""

    number: int
    connection: int | None
    origin: Origin | None
    """Where it goes, if not where its connection leads: a proxy forwards it."""
    who: int
    """Which thread, greenlet or task."""
    frame: Frame | None
    """The nearest call in the program's own code; `None`: there was none."""
    began_s: float
    sent_s: float | None
    answered_s: float | None
    ended_s: float | None
    """`None`: nobody read the response to its end."""
    status: int | None
    answer: Answer | None
    failure: str | None
    """The class of what was raised."""
    redirect: Origin | None
    """Where the answer leads, if that is another origin."""
    asks_to_close: bool
    has_body: bool
    is_http_2: bool


class Child(NamedTuple):
    """A process that a traced one started."""

    pid: int
    started_s: float
    is_python: bool
    is_closed_to_tracers: bool
    """It was started so that no tracer gets in."""
    is_shut_out: bool = False
    """It was forked, and can't make files of records."""


class Process(NamedTuple):
    """One traced process, and its records."""

    key: str
    """How the names of its files begin."""
    pid: int
    parent: int
    forked_from: str | None
    """Its parent's key; `None`: it was started afresh."""
    python: tuple[int, int]
    wall_s: float
    """When it started, since 1970."""
    started_s: float
    ended_s: float | None
    """`None`: it was killed, or is still running."""
    lost: int
    """How many records didn't go into its files."""
    errors: int
    troubles: tuple[str, ...]
    """What went wrong in the tracer."""
    children: tuple[Child, ...]
    clients: Mapping[int, Client]
    """By number; made as they are asked for."""
    connections: Callable[[], Iterator[Connection]]
    """In the order of their numbers, made as they are asked for."""
    exchanges: Callable[[], Iterator[Exchange]]
    """The same."""


class Recording(NamedTuple):
    """All processes of a program that were traced, as they started."""

    processes: tuple[Process, ...]
    damaged: tuple[str, ...]
    """Files that aren't records, or not whole; by name, with why."""
