"""How a program used its connections: what `analyse` makes of a recording, and reports show."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from keepalive_bench.results.failure_kinds import Actor  # noqa: TC001  # the schema reads the type
from keepalive_bench.typed_json import MOMENT, Count, Positive, Seconds, Share


class Site(NamedTuple):
    """A place in the program's own code."""

    file: str
    """As Python knows it."""
    line: Count
    """From 1."""
    function: str
    """Its qualified name; `<module>`: none, it is the file's own code."""


class Times(NamedTuple):
    """Latencies of requests that were answered, in seconds.

    Up to the response's end, or to its head where nobody read the rest.
    """

    count: Count  # type: ignore[assignment]  # and no method of tuples
    """How many requests."""
    mean_s: Seconds
    """The mean."""
    p50_s: Seconds
    """The median."""
    p95_s: Seconds
    """The 95th percentile."""


class Opening(NamedTuple):
    """Connections to one origin that were opened for one reason at one place in the code."""

    reason: str
    """The code of [a reason](findings.md#reasons-for-connections)."""
    who: Actor
    """Who brought it about."""
    connections: Positive
    """How many."""
    requests: Count
    """How many requests those connections carried."""
    site: Site | None
    """Where in the program's own code; `None`: nothing of it was on the stack."""
    calls: str
    """What is called there: `requests.get`; empty: unknown."""
    is_avoidable: bool
    """Whether a client that keeps its connections would have done without."""
    text: str
    """Why, for people: its wording may change."""
    cure: str
    """What to do about it, for people; may be empty."""
    code: str
    """A line of code for that, in the library in use; may be empty."""
    saving_s: Seconds | None
    """What their set-up took, added up over threads; `None`: they aren't avoidable, or unknown."""
    evidence: dict[str, int | float | str]
    """The numbers and words that the reason rests on, by name."""


class OriginUsage(NamedTuple):
    """What a program did with one origin."""

    origin: str
    """Scheme, host and port: `https://api.example.com:443`."""
    via: str | None
    """The proxy it went through: scheme, host and port; `None`: there is none."""
    requests: Count
    """Requests that were sent."""
    failed: Count
    """Of those, how many got no response."""
    connections: Count
    """TCP connections that were really opened."""
    failed_connections: Count
    """Attempts that didn't lead to a usable connection: refused, a failed handshake."""
    would_do: Count
    """How many connections would have done: per process the most requests that were under way at
    once, plus the closings that no client could avoid."""
    reused: Count
    """How many requests were sent on a connection that was open already."""
    reuse: Share | None
    """That as a share of the requests; `None`: there were none."""
    latency_reused: Times | None
    """Latency of requests on a connection that was open already; `None`: there are none."""
    latency_opened: Times | None
    """Latency of requests that had to open one, which is part of it; `None`: there are none."""
    setup_s: Seconds | None
    """What opening a connection took on average: TCP, a proxy's tunnel, TLS; `None`: not
    measured."""
    avoidable: Count
    """How many connections were opened for reasons that a client can avoid."""
    saving_s: Seconds | None
    """What avoiding these saves *at least*: their set-up, added up over threads; `None`: not
    measured."""
    openings: tuple[Opening, ...]
    """Why connections were opened, the most first."""


class ConnectionUsage(NamedTuple):
    """One connection. Times from the start of the first process."""

    process: Count
    """Which of the processes, from 0."""
    origin: str
    """Where it leads: scheme, host and port."""
    via: str | None
    """The proxy it went through: scheme, host and port; `None`: there is none."""
    opened_s: Seconds
    """When it was opened."""
    setup_s: Seconds | None
    """What opening it took: TCP, a proxy's tunnel, TLS; `None`: not measured."""
    ended_s: Seconds | None
    """When it ended; `None`: it was open to the end."""
    ending: str
    """How it ended: `open` to the end, found closed, announced, pool full, …"""
    requests: Count
    """How many it carried."""
    reason: str
    """The code of the reason for which it was opened."""
    site: Site | None
    """Where in the program's own code it was opened; `None`: unknown."""
    busy: tuple[tuple[Seconds, Seconds], ...]
    """From when to when each of its requests was under way; of very many, neighbours as one."""


class ProcessUsage(NamedTuple):
    """One traced process."""

    pid: Positive
    """Its number."""
    parent: Count
    """Its parent's."""
    python: str
    """Its version: `3.11`."""
    requests: Count
    """Requests that it sent."""
    connections: Count
    """TCP connections that it opened."""
    lost: Count
    """How many records didn't fit or couldn't be written."""
    troubles: tuple[str, ...]
    """Errors of the tracer's own; they never became the program's."""
    is_running: bool
    """Whether it hadn't ended when it was read, or was killed."""


class Untraced(NamedTuple):
    """A process that was started by a traced one, and has no records."""

    pid: Positive
    """Its number."""
    why: str
    """Why, for people: its wording may change."""


class Usage(NamedTuple):
    """How a program used its connections."""

    sentence: str
    """The answer in one sentence."""
    started_at: Annotated[str, MOMENT] | None
    """When its first process began; `None`: none was traced."""
    processes: tuple[ProcessUsage, ...]
    untraced: tuple[Untraced, ...]
    """As far as they are known."""
    damaged: tuple[str, ...]
    """Files of records that weren't whole."""
    origins: tuple[OriginUsage, ...]
    """The one with most connections that could be avoided first."""
    connections: tuple[ConnectionUsage, ...]
    """As they were opened."""
