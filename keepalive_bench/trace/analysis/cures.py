"""What to do about it, in a line of code of the library in use."""

from __future__ import annotations

import re
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.connections import program_reasons as programs
from keepalive_bench.connections import reason_kinds as kinds
from keepalive_bench.findings.cures import asked_of, cure_of_answers

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


_ONCE = {
    "aiohttp": "session = aiohttp.ClientSession() once, then session.{method}(…)",
    "boto3": "client = boto3.client(…) once, and use it for all calls",
    "botocore": "client = session.create_client(…) once, and use it for all calls",
    "docker": "client = docker.from_env() once, and use it for all calls",
    "elasticsearch": "client = Elasticsearch(…) once, and use it for all calls",
    "http.client": "Keep the HTTPConnection, and call request(…) again when the response is read",
    "httpx": "client = httpx.Client() once, then client.{method}(…)",
    "requests": "session = requests.Session() once, then session.{method}(…)",
    "urllib3": "http = urllib3.PoolManager() once, then http.request(…)",
}
_READ = {
    "aiohttp": "async with session.get(…) as response: await response.read()",
    "boto3": "body.read() to the end, of each StreamingBody",
    "botocore": "body.read() to the end, of each StreamingBody",
    "http.client": "response.read() before the next request",
    "httpx": "with client.stream(…) as response: response.read()",
    "requests": "with session.get(…, stream=True) as response: response.content",
    "urllib3": "response.drain_conn(), or response.data",
}
_MORE_PLACES = {
    "boto3": "boto3.client(…, config=botocore.config.Config(max_pool_connections={needed}))",
    "botocore": "boto3.client(…, config=botocore.config.Config(max_pool_connections={needed}))",
    "httpx": "httpx.Client(limits=httpx.Limits(max_keepalive_connections={needed}))",
    "requests": 'session.mount("{scheme}://", '
    "requests.adapters.HTTPAdapter(pool_maxsize={needed}))",
    "urllib3": "urllib3.PoolManager(maxsize={needed})",
}
_MORE_POOLS = {
    "requests": 'session.mount("{scheme}://", '
    "requests.adapters.HTTPAdapter(pool_connections={pools}))",
    "urllib3": "urllib3.PoolManager(num_pools={pools})",
}
_IDLE_FOR_LONGER = {
    "aiohttp": "aiohttp.TCPConnector(keepalive_timeout={longer_s})",
    "httpx": "httpx.Client(limits=httpx.Limits(keepalive_expiry={longer_s}))",
}
_METHODS = {"delete", "get", "head", "options", "patch", "post", "put", "request"}


def cure_in_program(cause: Cause) -> str:
    """What to do in the program."""
    return _CURES.get(cause.kind.code, _advice)(cause)


def cure_at_server(kind: ReasonKind, ended: Ended) -> str:
    """What to do at the server, or at what ended the connections."""
    advice = kind.advice
    if ended.served == {1}:
        advice = kind.advice_after_one or advice
    elif len(ended.served) > 1:
        advice = kind.advice_after_several or advice
    has_fits = any("fits" in it for it in ended.seen)
    advice = advice.replace("{perhaps}", "perhaps " if has_fits else "").replace("{timed_out}", "")
    advice = _for_programs(advice)
    if not kind.settings:
        return advice
    seen = (it.get("status") for it in ended.seen)
    statuses = frozenset(it for it in seen if isinstance(it, int))
    asked = asked_of(kind, ended.served, ended.seen[0], statuses, sends_bodies=ended.sends_bodies)
    return advice + cure_of_answers(ended.answers, asked, is_forwarded=ended.is_forwarded)


def _for_programs(advice: str) -> str:
    """Without what is said of options of `kab run`."""
    return re.sub(r" \(--[^)]*\)|: {apart}", "", advice)


def _advice(cause: Cause) -> str:
    return _for_programs(cause.kind.advice)


def _of(cause: Cause, lines: Mapping[str, str], **words: object) -> str:
    line = lines.get(cause.library)
    return _advice(cause) if line is None else line.format_map(words)


def _once(cause: Cause) -> str:
    library, _, method = cause.name.rpartition(".")
    if cause.library not in _ONCE and library and cause.is_maker:
        return f"Call {cause.name} once, and keep what it returns for all requests"
    said = _of(cause, _ONCE, method=method if method in _METHODS else "get")
    said = said.replace("httpx.Client", "httpx.AsyncClient") if "Async" in cause.name else said
    return f"{said}; and read each body to its end" if cause.evidence.get("unread") else said


def _not_closed(cause: Cause) -> str:
    closed_at = cause.evidence.get("closed_at")
    if closed_at:
        return f"Leave out the close at {closed_at}, or do it when nothing more is to be sent"
    is_forced = cause.library == "aiohttp"
    return "aiohttp.TCPConnector() without force_close=True" if is_forced else _advice(cause)


def _more_places(cause: Cause) -> str:
    needed = cause.evidence.get("needed")
    if needed is None:
        return "Let the pool keep as many connections as there are requests at once"
    if cause.library not in _MORE_PLACES:
        return f"Let the pool keep {needed} connections (urllib3 calls that maxsize)"
    scheme = cause.origin.partition(":")[0]
    return _of(cause, _MORE_PLACES, needed=needed, scheme=scheme)


def _more_pools(cause: Cause) -> str:
    scheme = cause.origin.partition(":")[0]
    return _of(cause, _MORE_POOLS, pools=cause.pools, scheme=scheme)


def _idle_for_longer(cause: Cause) -> str:
    longest_s = cause.evidence.get("longest_s", 0.0)
    longer_s = ceil(float(longest_s)) + 1
    return _of(cause, _IDLE_FOR_LONGER, longer_s=longer_s)


def _in_place_of_urllib(cause: Cause) -> str:
    if cause.library == "aiohttp":
        return "aiohttp>=3.11 keeps its connections to proxies"
    return (
        'http = urllib3.PoolManager() once, then http.request("GET", url) in place of '
        f"{cause.name or 'urlopen'}(url)"
    )


def _at_once(cause: Cause) -> str:
    return f"Ask {cause.origin} in the first place: that saves the request before"


def _after_fork(_: Cause) -> str:
    return "os.register_at_fork(after_in_child=…) can make a new client in each child"


def _not_asked(cause: Cause) -> str:
    if cause.library == "aiohttp":
        return (
            "aiohttp.TCPConnector() without force_close=True, and no Connection header of its own"
        )
    return _advice(cause)


def _nothing(_: Cause) -> str:
    return ""


_CURES: dict[str, Callable[[Cause], str]] = {
    programs.NEW_CLIENT.code: _once,
    programs.KEEPS_NONE.code: _in_place_of_urllib,
    programs.CLIENT_CLOSED.code: _not_closed,
    programs.EVICTED.code: _more_pools,
    programs.UNREAD_RESPONSE.code: lambda cause: _of(cause, _READ),
    programs.CLIENT_IDLE_LIMIT.code: _idle_for_longer,
    programs.FORKED.code: _after_fork,
    programs.REDIRECT.code: _at_once,
    kinds.ASKED_TO_CLOSE.code: _not_asked,
    kinds.POOL_FULL.code: _more_places,
    kinds.FIRST_USE.code: _nothing,
}
"""By the code of a reason; of others, their advice is the cure."""
