"""Which bytes answer a request, and whether the connection outlives them: decided, not sent."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from enum import Enum
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.server.behaviour import Behaviour
    from keepalive_bench.server.counts import Stats
    from keepalive_bench.server.received import BadRequestError, ReceivedRequest

Headers = tuple[tuple[str, str], ...]

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_BLOCK_SIZE = 1024 * 1024
_CHUNK_SIZE = 16 * 1024
_BODILESS = frozenset({204, 304})
_TEXT = b"keep-alive\n"
_REASONS = {known.value: known.phrase for known in HTTPStatus}


class Persistence(Enum):
    """What becomes of the connection after an answer, and whether the answer says so."""

    STAYS = "stays"
    STAYS_SAYING_SO = "stays, saying so"
    CLOSES_SAYING_SO = "closes, saying so"
    CLOSES_BY_DEFAULT = "closes, as HTTP/1.0 does where nothing is said"
    CLOSES_SILENTLY = "closes silently"

    @property
    def closes(self) -> bool:
        """Whether the server closes the connection."""
        return self not in {Persistence.STAYS, Persistence.STAYS_SAYING_SO}


_SAID = {Persistence.STAYS_SAYING_SO: "keep-alive", Persistence.CLOSES_SAYING_SO: "close"}


def persistence_after(behaviour: Behaviour, request: ReceivedRequest, nth: int) -> Persistence:
    """Decide what becomes of the connection after the answer to its nth request."""
    if behaviour.connection_close or _is_reached(behaviour.close_after, nth):
        return Persistence.CLOSES_SAYING_SO
    if _is_reached(behaviour.silent_close_after, nth):
        return Persistence.CLOSES_SILENTLY
    if behaviour.keep_alive_max is not None and nth > behaviour.keep_alive_max:
        return Persistence.CLOSES_SAYING_SO
    if behaviour.http_10 or request.minor_version == 0:
        if request.wants_keep_alive:
            return Persistence.STAYS_SAYING_SO
        return Persistence.CLOSES_BY_DEFAULT if behaviour.http_10 else Persistence.CLOSES_SAYING_SO
    return Persistence.CLOSES_SAYING_SO if request.wants_close else Persistence.STAYS


def _is_reached(limit: int | None, nth: int) -> bool:
    return limit is not None and nth >= limit


@dataclass(frozen=True, kw_only=True)
class Response:
    """One response, its parts still apart.

    Attributes:
        status_line: Without its line end.
        headers: Sent as they are, in latin-1.
        body: As it goes over the wire, chunks and all. Only a body above 1 MiB has more than
            one part, and these share their bytes, so that 10 GB of body cost no memory.
        closes: The connection ends after it.
    """

    status_line: str
    headers: Headers
    body: tuple[bytes, ...]
    closes: bool

    @property
    def head(self) -> bytes:
        """The head, with the empty line that ends it."""
        lines = [self.status_line, *(f"{name}: {value}" for name, value in self.headers)]
        return "\r\n".join([*lines, "\r\n"]).encode("latin-1")

    @cached_property
    def parts(self) -> tuple[bytes, ...]:
        """All of it, each part to be sent in one go: the head with the first of the body."""
        first, *others = self.body or (b"",)
        return (self.head + first, *others)

    def having(self, *more: tuple[str, str], instead_of: tuple[str, ...] = ()) -> Response:
        """Have the same with more headers, and without those of these names."""
        left_out = {name.lower() for name in instead_of}
        kept = (header for header in self.headers if header[0].lower() not in left_out)
        return replace(self, headers=(*kept, *more))


class ResponseFactory:
    """A server's responses; those to the same kind of request are composed only once."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._ready: dict[tuple[Persistence, bool, int], Response] = {}

    def to(self, request: ReceivedRequest, nth: int) -> Response:
        """Answer a connection's nth request, counted from 1."""
        if self._behaviour.keep_alive_max is not None:  # Each says something else.
            return compose(self._behaviour, request, nth)
        persistence = persistence_after(self._behaviour, request, nth)
        kind = (persistence, request.method == b"HEAD", request.minor_version)
        if kind not in self._ready:
            self._ready[kind] = compose(self._behaviour, request, nth)
        return self._ready[kind]

    def to_stats(self, request: ReceivedRequest, nth: int, stats: Stats) -> Response:
        """Tell the counts with status 200, whatever the behaviour of the rest.

        Only the connection's life goes on as it does after every other answer.
        """
        persistence = persistence_after(self._behaviour, request, nth)
        body = json.dumps(asdict(stats)).encode()
        told = self._told(HTTPStatus.OK, "application/json", body, closes=persistence.closes)
        told = told.having(*_connection_headers(self._behaviour, persistence, nth))
        return replace(told, body=()) if request.method == b"HEAD" else told

    def to_nonsense(self, error: BadRequestError) -> Response:
        """Answer what could not be understood."""
        told = self._told(error.status, "text/plain", f"{error}\n".encode(), closes=True)
        return told.having(("Connection", "close"))

    def _told(self, status: int, media_type: str, body: bytes, *, closes: bool) -> Response:
        """Say something of our own."""
        return Response(
            status_line=status_line(self._behaviour, status),
            headers=(("Content-Type", media_type), ("Content-Length", str(len(body)))),
            body=(body,),
            closes=closes,
        )


def compose(
    behaviour: Behaviour, request: ReceivedRequest, nth: int, *, chunked: bool | None = None
) -> Response:
    """Answer a connection's nth request as the behaviour asks for.

    Args:
        behaviour: What is asked for.
        request: The request answered.
        nth: Its number on its connection, from 1.
        chunked: Send a body in chunks or not, whatever the behaviour and the client say.
    """
    if chunked is None:
        # A client of HTTP/1.0 doesn't know chunks: RFC 9112, section 6.1.
        chunked = behaviour.chunked and request.minor_version == 1
    persistence = persistence_after(behaviour, request, nth)
    has_body = behaviour.status not in _BODILESS
    replaced = {name.lower() for name, _ in behaviour.headers}
    own = [("Server", "kab"), *([("Content-Type", "text/plain")] if has_body else [])]
    framing = ("Content-Length", str(behaviour.body_size))
    if chunked:
        framing = ("Transfer-Encoding", "chunked")
    sends_body = has_body and request.method != b"HEAD"
    return Response(
        status_line=status_line(behaviour, behaviour.status),
        headers=(
            *(header for header in own if header[0].lower() not in replaced),
            *([framing] if has_body else []),
            *_connection_headers(behaviour, persistence, nth),
            *behaviour.headers,
        ),
        body=tuple(_body(behaviour.body_size, chunked=chunked)) if sends_body else (),
        closes=persistence.closes,
    )


def status_line(behaviour: Behaviour, status: int) -> str:
    """Name the version and the status; the reason asked for belongs to the status asked for."""
    reason = behaviour.reason if status == behaviour.status else None
    if reason is None:
        reason = _REASONS.get(status, "Unknown")
    return f"HTTP/1.{0 if behaviour.http_10 else 1} {status} {reason}"


def _connection_headers(
    behaviour: Behaviour, persistence: Persistence, nth: int
) -> Iterator[tuple[str, str]]:
    """Say what becomes of the connection, as far as it is said at all."""
    if persistence in _SAID:
        yield "Connection", _SAID[persistence]
    if persistence in {Persistence.CLOSES_SAYING_SO, Persistence.CLOSES_BY_DEFAULT}:
        return
    parts = [behaviour.keep_alive_header]
    if behaviour.keep_alive_max is not None:
        parts.append(f"max={max(0, behaviour.keep_alive_max + 1 - nth)}")
    if value := ", ".join(filter(None, parts)):
        yield "Keep-Alive", value


def _body(size: int, *, chunked: bool) -> Iterator[bytes]:
    """Yield a body as it goes over the wire; long ones yield the same block again and again."""
    full_blocks, rest = divmod(size, _BLOCK_SIZE)
    wrap = in_chunks if chunked else bytes
    if full_blocks:
        block = wrap(text(_BLOCK_SIZE))
        yield from (block for _ in range(full_blocks))
    yield wrap(text(rest)) + (b"0\r\n\r\n" if chunked else b"")


def text(size: int) -> bytes:
    """What every body consists of."""
    return (_TEXT * (size // len(_TEXT) + 1))[:size]


def in_chunks(body: bytes) -> bytes:
    """Cut a body into chunks; the last one, which ends it, is missing."""
    pieces = (body[start : start + _CHUNK_SIZE] for start in range(0, len(body), _CHUNK_SIZE))
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
