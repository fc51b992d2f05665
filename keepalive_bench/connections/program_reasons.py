"""Reasons for connections that lie in a program itself: what `kab trace` names beside the others.

`kab run` can't meet them, as it keeps its connections. So they are no requirement's names and
nobody's findings; `kab explain` and docs/findings.md tell of them.
"""

from __future__ import annotations

from keepalive_bench.connections.reason_kinds import ReasonKind
from keepalive_bench.results.failure_kinds import Provoked

_BY_PROGRAMS = Provoked(test="tests/trace/test_programs.py")

NEW_CLIENT = ReasonKind(
    code="new-client",
    title="A new client was made",
    who="client",
    proof="Its client (a Session, a PoolManager, a connection of `http.client`) was made at the "
    "same place in the code as an earlier one, or by a function that makes one each time, such as "
    "`requests.get`, or is like an earlier one that the program has thrown away. The earlier one "
    "had a connection to the same origin, which nobody but the program ended, and which was never "
    "used again.",
    evidence="`made_by`: what made the client; `made_at`: where; `client`: its class; "
    "`thrown_away`: how many were made elsewhere than the earlier one",
    text="{making}",
    advice="Make one client and keep it for all requests: each has its own connections.",
    provoked=_BY_PROGRAMS,
)
KEEPS_NONE = ReasonKind(
    code="keeps-none",
    title="The library keeps no connections",
    who="client",
    proof="`urllib.request` opened it, which asks the server to close after each response. An "
    "earlier connection of the process to the same origin was free. Or aiohttp before 3.11 did, "
    "which closes each connection to a proxy that forwards requests.",
    evidence="`made_by`: what opened it",
    text="{made_by} opens a connection for each request",
    advice="Use a client that keeps its connections, such as `urllib3.PoolManager`, "
    "`requests.Session` or `httpx.Client`.",
    provoked=_BY_PROGRAMS,
)
CLIENT_CLOSED = ReasonKind(
    code="client-closed",
    title="The program closed the previous connection, and used its client again",
    who="client",
    proof="The program closed the connection, its pool or its client, and the same client opened "
    "another one.",
    evidence="`closed_at`: where it was closed",
    text="The program closed the previous connection{closed_at}, and used its client again",
    advice="Close a client only after its last request.",
    provoked=_BY_PROGRAMS,
)
EVICTED = ReasonKind(
    code="evicted",
    title="Its pool was dropped to make room for another one",
    who="client",
    proof="The client keeps a limited number of pools, one for each origin and each set of "
    "settings, and dropped the one that had the connection.",
    evidence="`num_pools`: how many it keeps, if that is known",
    text="The client dropped this origin's pool to make room for others{num_pools}",
    advice="Let the client keep a pool for each origin.",
    provoked=_BY_PROGRAMS,
)
UNREAD_RESPONSE = ReasonKind(
    code="unread-response",
    title="A response was never read to its end",
    who="client",
    proof="Nobody read the body of the last response on the connection before. So it stayed busy, "
    "or was closed with the response.",
    evidence="`held`: how many of the responses were still there, so that their connections were "
    "busy; the others had been dropped or closed",
    text="The previous response was never read to its end, so its connection couldn't be reused",
    advice="Read each body to its end, those of error responses included.",
    provoked=_BY_PROGRAMS,
)
DIFFERENT_KEYS = ReasonKind(
    code="different-keys",
    title="Its settings differ from those of the previous connection",
    who="client",
    proof="The client keeps a pool for each set of settings, and had one for that origin, which "
    "was free, with others.",
    evidence="`differs`: the settings",
    text="Only requests with the same settings share a connection, and these differ: {differs}",
    advice="Use the same settings for all requests to one origin, TLS's and the proxy's included.",
    provoked=_BY_PROGRAMS,
)
CLIENT_IDLE_LIMIT = ReasonKind(
    code="client-idle-limit",
    title="The client closed the previous connection because it was idle for too long",
    who="client",
    proof="The client keeps idle connections for a limited time (httpx: 5 s, aiohttp: 15 s), and "
    "this time was over.",
    evidence="`idle_s`: how long it had been idle",
    text="The client closed connections that had been idle for {idle}",
    advice="Let the client keep idle connections for longer than the program pauses, but for less "
    "time than the server keeps them.",
    provoked=_BY_PROGRAMS,
)
CANCELLED = ReasonKind(
    code="cancelled",
    title="The program gave up the previous request",
    who="client",
    proof="A task was cancelled, or left with an exception of its own, while the connection before "
    "had a request under way.",
    text="The program gave up the previous request, and its connection with it",
    advice="Give requests more time: one that is given up takes its connection with it.",
    provoked=Provoked(test="tests/trace/test_reasons_of_programs.py"),
)
FORKED = ReasonKind(
    code="forked",
    title="Its client was made before a fork",
    who="client",
    proof="The process was forked from one whose client had a connection to that origin. It has "
    "the same client, and opened its first connection with it.",
    takes_a_place=False,
    is_by_nature=True,
    text="The client was made before the fork, so each child opens connections of its own",
    advice="Make the client after the fork: processes can't share connections.",
    provoked=Provoked(test="tests/trace/test_reasons_of_programs.py"),
)
REDIRECT = ReasonKind(
    code="redirect",
    title="A redirect led to another origin",
    who="client",
    proof="The last response to whoever sent the request was a redirect to that origin, and it is "
    "the first connection of its client's that took no other's place.",
    takes_a_place=False,
    is_by_nature=True,
    text="A redirect led to another origin, which takes a connection of its own",
    advice="Send requests to the origin that the redirect leads to: that saves a request and a "
    "connection.",
    provoked=_BY_PROGRAMS,
)

PROGRAM_REASONS = tuple(it for it in tuple(globals().values()) if isinstance(it, ReasonKind))
"""All of them."""
AVOIDABLE = frozenset(
    it.code
    for it in (
        NEW_CLIENT,
        KEEPS_NONE,
        CLIENT_CLOSED,
        EVICTED,
        UNREAD_RESPONSE,
        DIFFERENT_KEYS,
        CLIENT_IDLE_LIMIT,
    )
) | {"asked-to-close", "pool-full"}
"""Codes of reasons for connections that a client which keeps its own does without."""
