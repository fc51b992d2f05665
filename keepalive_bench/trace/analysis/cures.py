"""What to do about it, and a line of code for that in the library in use."""

from __future__ import annotations

import re
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.connections import program_reasons as programs
from keepalive_bench.connections import reason_kinds as kinds
from keepalive_bench.findings.cures import asked_of, cure_of_answers
from keepalive_bench.units import plural

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from keepalive_bench.connections.reason_kinds import ReasonKind
    from keepalive_bench.results.exchange import Answer


class Cause(NamedTuple):
    """Why connections to one origin were opened at one place, as far as a cure depends on it."""

    kind: ReasonKind
    library: str
    """Whose client is in use: `requests`; empty: unknown."""
    name: str
    """What is called, or was to make the client: `requests.get`."""
    origin: str
    evidence: Mapping[str, int | float | str]
    pools: int = 0
    """How many origins the client has connected to."""
    is_maker: bool = False
    """Whether what is called makes a client, and nothing else."""


class Ended(NamedTuple):
    """How the server, or the path, ended the connections before."""

    answers: Mapping[Answer, int]
    served: set[int]
    """How many responses they had carried."""
    seen: Sequence[Mapping[str, object]]
    """The evidence of each."""
    sends_bodies: bool
    is_forwarded: bool


class Cure(NamedTuple):
    """What to do about it."""

    words: str
    """Without a full stop; may be empty."""
    code: str = ""
    """A line for that, in the library in use; empty: there is none."""


_ONCE = {
    "aiohttp": Cure(
        "Make one ClientSession and use it for all requests", "session = aiohttp.ClientSession()"
    ),
    "boto3": Cure("Make one client and use it for all calls", "client = boto3.client(…)"),
    "botocore": Cure(
        "Make one client and use it for all calls", "client = session.create_client(…)"
    ),
    "docker": Cure("Make one client and use it for all calls", "client = docker.from_env()"),
    "elasticsearch": Cure("Make one client and use it for all calls", "client = Elasticsearch(…)"),
    "http.client": Cure(
        "Keep one connection, and read each response to its end before the next request",
        "connection = http.client.HTTPConnection(…)",
    ),
    "httpx": Cure("Make one Client and use it for all requests", "client = httpx.Client()"),
    "requests": Cure(
        "Make one Session and use it for all requests", "session = requests.Session()"
    ),
    "urllib3": Cure(
        "Make one PoolManager and use it for all requests", "http = urllib3.PoolManager()"
    ),
}
_ADVICE = {kinds.UNDECIDED.code: "Shorter pauses, now and then, tell them apart."}
"""Where `kab run` advises an option of its own."""
_ONE_POOL = Cure(
    "Make one pool and use it for all requests", "pool = urllib3.HTTPConnectionPool(host, port)"
)
_READ = {
    "aiohttp": "async with session.get(url) as response: await response.read()",
    "boto3": 'data = response["Body"].read()',
    "botocore": 'data = response["Body"].read()',
    "http.client": "data = response.read()",
    "httpx": 'with client.stream("GET", url) as response: response.read()',
    "requests": "with session.get(url, stream=True) as response: data = response.content",
    "urllib3": "response.drain_conn()",
}
_MORE_PLACES = {
    "boto3": "client = boto3.client(…, config=Config(max_pool_connections={needed}))",
    "botocore": "client = boto3.client(…, config=Config(max_pool_connections={needed}))",
    "httpx": "client = httpx.Client(limits=httpx.Limits(max_keepalive_connections={needed}))",
    "requests": 'session.mount("{scheme}://", '
    "requests.adapters.HTTPAdapter(pool_maxsize={needed}))",
    "urllib3": "http = urllib3.PoolManager(maxsize={needed})",
}
_MORE_POOLS = {
    "requests": 'session.mount("{scheme}://", '
    "requests.adapters.HTTPAdapter(pool_connections={pools}))",
    "urllib3": "http = urllib3.PoolManager(num_pools={pools})",
}
_IDLE_FOR_LONGER = {
    "aiohttp": "connector = aiohttp.TCPConnector(keepalive_timeout={longer_s})",
    "httpx": "client = httpx.Client(limits=httpx.Limits(keepalive_expiry={longer_s}))",
}
_ASYNC = (
    ("httpx.Client", "httpx.AsyncClient"),
    ("one Client", "one AsyncClient"),
    ("with client", "async with client"),
    ("response.read()", "await response.aread()"),
)
"""What an `httpx.Client` has otherwise than an `AsyncClient`."""


def cure_in_program(cause: Cause) -> Cure:
    """What to do in the program."""
    cure = _CURES.get(cause.kind.code, _advice)(cause)
    if cause.library == "httpx" and "Async" in f"{cause.name}{cause.evidence.get('client')}":
        for its, their in _ASYNC:
            cure = Cure(*(it.replace(its, their) for it in cure))
    return cure


def cure_at_server(kind: ReasonKind, ended: Ended) -> str:
    """What to do at the server, or at what ended the connections."""
    advice = kind.advice
    if ended.served == {1}:
        advice = kind.advice_after_one or advice
    elif len(ended.served) > 1:
        advice = kind.advice_after_several or advice
    has_fits = any("fits" in it for it in ended.seen)
    advice = advice.replace("{perhaps}", "perhaps " if has_fits else "").replace("{timed_out}", "")
    advice = _for_programs(_ADVICE.get(kind.code, advice))
    if not kind.settings:
        return advice
    seen = (it.get("status") for it in ended.seen)
    statuses = frozenset(it for it in seen if isinstance(it, int))
    asked = asked_of(kind, ended.served, ended.seen[0], statuses, sends_bodies=ended.sends_bodies)
    return advice + cure_of_answers(ended.answers, asked, is_forwarded=ended.is_forwarded)


def _for_programs(advice: str) -> str:
    """Without what is said of options of `kab run`."""
    return re.sub(r" \(--[^)]*\)|: {apart}", "", advice)


def _advice(cause: Cause, lines: Mapping[str, str] | None = None, **values: object) -> Cure:
    """What is advised whatever the library; and of those lines the one of the library in use."""
    is_boto3 = cause.library == "botocore" and cause.name.startswith("boto3")
    line = (lines or {}).get("boto3" if is_boto3 else cause.library, "")
    words = _for_programs(cause.kind.advice).removesuffix(".")
    return Cure(words, line.format_map(values))


def _once(cause: Cause) -> Cure:
    made_by = f"{cause.evidence.get('made_by', '')}"
    cure = _ONCE.get(cause.library)
    if cause.name == "requests.HTTPAdapter":
        return Cure("Mount one HTTPAdapter, and keep it and its Session for all requests")
    if cure is None:
        is_named = made_by.rpartition(".")[2].islower() and cause.is_maker
        return (
            Cure(f"Call {made_by} once, and keep what it returns") if is_named else _advice(cause)
        )
    if cause.library == "urllib3" and f"{cause.evidence.get('client')}".endswith("ConnectionPool"):
        cure = _ONE_POOL
    if cause.evidence.get("unread"):
        cure = cure._replace(words=f"{cure.words}, and read each body to its end")
    return cure


def _not_closed(cause: Cause) -> Cure:
    if cause.library == "aiohttp" and not cause.evidence.get("closed_at"):
        return Cure("Leave out force_close=True", "connector = aiohttp.TCPConnector()")
    return _advice(cause)


def _more_places(cause: Cause) -> Cure:
    needed = cause.evidence.get("needed")
    if not isinstance(needed, int):
        return Cure("Let the pool keep as many connections as there are requests at once")
    words = f"Let the pool keep {plural(needed, 'connection')}"
    if cause.library not in _MORE_PLACES:
        return Cure(f"{words} (urllib3 calls that maxsize)")
    return _advice(cause, _MORE_PLACES, needed=needed, scheme=_scheme(cause))._replace(words=words)


def _more_pools(cause: Cause) -> Cure:
    return _advice(cause, _MORE_POOLS, pools=cause.pools, scheme=_scheme(cause))


def _idle_for_longer(cause: Cause) -> Cure:
    longest_s = cause.evidence.get("longest_s", 0.0)
    return _advice(cause, _IDLE_FOR_LONGER, longer_s=ceil(float(longest_s)) + 1)


def _scheme(cause: Cause) -> str:
    return cause.origin.partition(":")[0]


def _in_place_of_urllib(cause: Cause) -> Cure:
    if cause.library == "aiohttp":
        return Cure("aiohttp>=3.11 keeps its connections to proxies")
    return Cure(
        f"Use a client that keeps its connections in place of {cause.name or 'urlopen'}",
        'http = urllib3.PoolManager()  # once, then http.request("GET", url)',
    )


def _direct(cause: Cause) -> Cure:
    return Cure(f"Send these requests to {cause.origin} directly: that saves the redirect")


def _after_fork(cause: Cause) -> Cure:
    return _advice(cause)._replace(code="os.register_at_fork(after_in_child=make_client)")


def _not_asked(cause: Cause) -> Cure:
    if cause.library == "aiohttp":
        return Cure(
            "Leave out force_close=True, and any Connection header of your own",
            "connector = aiohttp.TCPConnector()",
        )
    return _advice(cause)


def _nothing(_: Cause) -> Cure:
    return Cure("")


_CURES: dict[str, Callable[[Cause], Cure]] = {
    programs.NEW_CLIENT.code: _once,
    programs.KEEPS_NONE.code: _in_place_of_urllib,
    programs.CLIENT_CLOSED.code: _not_closed,
    programs.EVICTED.code: _more_pools,
    programs.UNREAD_RESPONSE.code: lambda cause: _advice(cause, _READ),
    programs.CLIENT_IDLE_LIMIT.code: _idle_for_longer,
    programs.FORKED.code: _after_fork,
    programs.REDIRECT.code: _direct,
    kinds.ASKED_TO_CLOSE.code: _not_asked,
    kinds.POOL_FULL.code: _more_places,
    kinds.FIRST_USE.code: _nothing,
}
"""By the code of a reason; of others, their advice is the cure."""
