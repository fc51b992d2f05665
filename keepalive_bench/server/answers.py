"""Which bytes answer a request, and whether the connection outlives them: decided, not sent."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.server.behaviour import Behaviour
    from keepalive_bench.server.counts import Stats
    from keepalive_bench.server.messages import BadRequestError, Request

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_BLOCK_SIZE = 1024 * 1024
_CHUNK_SIZE = 16 * 1024
_BODILESS = frozenset({204, 304})
_TEXT = b"keep-alive\n"


class Ending(Enum):
    """What becomes of the connection after an answer, and whether the answer says so."""

    STAYS = "stays"
    STAYS_SAYING_SO = "stays, saying so"
    CLOSES_SAYING_SO = "closes, saying so"
    CLOSES_SILENTLY = "closes silently"

    @property
    def closes(self) -> bool:
        """Whether the server closes the connection."""
        return self in {Ending.CLOSES_SAYING_SO, Ending.CLOSES_SILENTLY}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One response, ready to be sent.

    Attributes:
        parts: What is sent, each part in one go. Only a body above 1 MiB makes more than one
            part, and these share their bytes, so that 10 GB of body cost no memory.
        delay_s: How long the client is kept waiting first.
        closes: The connection ends after it.
    """

    parts: tuple[bytes, ...]
    delay_s: float
    closes: bool


class Answers:
    """A server's answers; those to the same kind of request are composed only once."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._ready: dict[tuple[Ending, bool, int], Answer] = {}

    def to(self, request: Request, nth: int) -> Answer:
        """Answer a connection's nth request, counted from 1."""
        ending = ending_after(self._behaviour, request, nth)
        kind = (ending, request.method == b"HEAD", request.minor_version)
        if kind not in self._ready:
            self._ready[kind] = _ordinary(self._behaviour, request, ending)
        return self._ready[kind]

    def to_stats(self, request: Request, nth: int, stats: Stats) -> Answer:
        """Tell the counts: at once and with status 200, whatever the behaviour of the rest.

        Only the connection's life goes on as it does after every other answer.
        """
        ending = ending_after(self._behaviour, request, nth)
        body = json.dumps(asdict(stats)).encode()
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            *_connection_headers(self._behaviour, ending),
        ]
        head = _head(self._behaviour, HTTPStatus.OK, headers)
        wire = head if request.method == b"HEAD" else head + body
        return Answer(parts=(wire,), delay_s=0.0, closes=ending.closes)

    def to_nonsense(self, error: BadRequestError) -> Answer:
        """Answer what could not be understood."""
        body = f"{error}\n".encode()
        headers = [
            ("Content-Type", "text/plain"),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
        ]
        head = _head(self._behaviour, error.status, headers)
        return Answer(parts=(head + body,), delay_s=0.0, closes=True)


def ending_after(behaviour: Behaviour, request: Request, nth: int) -> Ending:
    """Decide what becomes of the connection after the answer to its nth request.

    An HTTP/1.0 answer that ends the connection doesn't say so: that is HTTP/1.0's default.
    """
    if behaviour.connection_close or _is_reached(behaviour.close_after, nth):
        return Ending.CLOSES_SAYING_SO
    if _is_reached(behaviour.silent_close_after, nth):
        return Ending.CLOSES_SILENTLY
    if behaviour.http_10 or request.minor_version == 0:
        if request.wants_keep_alive:
            return Ending.STAYS_SAYING_SO
        return Ending.CLOSES_SILENTLY if behaviour.http_10 else Ending.CLOSES_SAYING_SO
    return Ending.CLOSES_SAYING_SO if request.wants_close else Ending.STAYS


def _is_reached(limit: int | None, nth: int) -> bool:
    return limit is not None and nth >= limit


def _ordinary(behaviour: Behaviour, request: Request, ending: Ending) -> Answer:
    # A client of HTTP/1.0 doesn't know chunks: RFC 9112, section 6.1.
    chunked = behaviour.chunked and request.minor_version == 1
    head = _head(
        behaviour,
        behaviour.status,
        [
            *_own_headers(behaviour),
            *_framing_headers(behaviour, chunked=chunked),
            *_connection_headers(behaviour, ending),
            *behaviour.headers,
        ],
    )
    if request.method == b"HEAD" or behaviour.status in _BODILESS:
        parts: tuple[bytes, ...] = (head,)
    else:
        first, *others = _body(behaviour.body_size, chunked=chunked)
        parts = (head + first, *others)
    return Answer(parts=parts, delay_s=behaviour.delay_s, closes=ending.closes)


def _head(behaviour: Behaviour, status: int, headers: list[tuple[str, str]]) -> bytes:
    reasons = {known.value: known.phrase for known in HTTPStatus}
    version = "HTTP/1.0" if behaviour.http_10 else "HTTP/1.1"
    lines = [f"{version} {status} {reasons.get(status, 'Unknown')}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join([*lines, "\r\n"]).encode("latin-1")


def _own_headers(behaviour: Behaviour) -> list[tuple[str, str]]:
    own = [("Server", "kab")]
    if behaviour.status not in _BODILESS:
        own.append(("Content-Type", "text/plain"))
    replaced = {name.lower() for name, _ in behaviour.headers}
    return [(name, value) for name, value in own if name.lower() not in replaced]


def _framing_headers(behaviour: Behaviour, *, chunked: bool) -> list[tuple[str, str]]:
    if behaviour.status in _BODILESS:
        return []
    if chunked:
        return [("Transfer-Encoding", "chunked")]
    return [("Content-Length", str(behaviour.body_size))]


def _connection_headers(behaviour: Behaviour, ending: Ending) -> list[tuple[str, str]]:
    said = {Ending.STAYS_SAYING_SO: "keep-alive", Ending.CLOSES_SAYING_SO: "close"}
    headers = [("Connection", said[ending])] if ending in said else []
    if behaviour.keep_alive_header is not None and not ending.closes:
        headers.append(("Keep-Alive", behaviour.keep_alive_header))
    return headers


def _body(size: int, *, chunked: bool) -> Iterator[bytes]:
    """Yield a body as it goes over the wire; long ones yield the same block again and again."""
    full_blocks, rest = divmod(size, _BLOCK_SIZE)
    wrap = _in_chunks if chunked else bytes
    if full_blocks:
        block = wrap(_text(_BLOCK_SIZE))
        yield from (block for _ in range(full_blocks))
    yield wrap(_text(rest)) + (b"0\r\n\r\n" if chunked else b"")


def _text(size: int) -> bytes:
    return (_TEXT * (size // len(_TEXT) + 1))[:size]


def _in_chunks(body: bytes) -> bytes:
    pieces = (body[start : start + _CHUNK_SIZE] for start in range(0, len(body), _CHUNK_SIZE))
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
