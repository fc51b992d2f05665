"""Responses as values, and the one that a behaviour asks for."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from keepalive_bench.server.persistence import Ending, ending_after

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.server.behaviour import Behaviour
    from keepalive_bench.server.messages import Request

Headers = tuple[tuple[str, str], ...]

_BLOCK_SIZE = 1024 * 1024
_CHUNK_SIZE = 16 * 1024
_BODILESS = frozenset({204, 304})
_TEXT = b"keep-alive\n"
_REASONS = {known.value: known.phrase for known in HTTPStatus}


@dataclass(frozen=True, kw_only=True)
class Response:
    """One response, its parts still apart.

    Attributes:
        status_line: Without its line end.
        headers: Sent as they are, in latin-1.
        body: As it goes over the wire, chunks and all. Only a body above 1 MiB has more than
            one part, and these share their bytes, so that 10 GB of body cost no memory.
    """

    status_line: str
    headers: Headers
    body: tuple[bytes, ...]

    @property
    def head(self) -> bytes:
        """The head, with the empty line that ends it."""
        lines = [self.status_line, *(f"{name}: {value}" for name, value in self.headers)]
        return "\r\n".join([*lines, "\r\n"]).encode("latin-1")

    @property
    def parts(self) -> tuple[bytes, ...]:
        """All of it, the head and the first of the body in one part."""
        first, *others = self.body or (b"",)
        return (self.head + first, *others)

    def without(self, *names: str) -> Headers:
        """Its headers but the named ones."""
        left_out = {name.lower() for name in names}
        return tuple(header for header in self.headers if header[0].lower() not in left_out)


def compose(
    behaviour: Behaviour, request: Request, nth: int, *, chunked: bool | None = None
) -> Response:
    """Answer a connection's nth request as the behaviour asks for, its fault apart.

    Args:
        behaviour: What is asked for.
        request: The request answered.
        nth: Its number on its connection, from 1.
        chunked: Send a body in chunks or not, whatever the behaviour and the client say.
    """
    if chunked is None:
        # A client of HTTP/1.0 doesn't know chunks: RFC 9112, section 6.1.
        chunked = behaviour.chunked and request.minor_version == 1
    bodiless = request.method == b"HEAD" or behaviour.status in _BODILESS
    return Response(
        status_line=status_line(behaviour, behaviour.status),
        headers=(
            *_own_headers(behaviour),
            *_framing_headers(behaviour, chunked=chunked),
            *connection_headers(behaviour, request, nth),
            *behaviour.headers,
        ),
        body=() if bodiless else tuple(_body(behaviour.body_size, chunked=chunked)),
    )


def status_line(behaviour: Behaviour, status: int) -> str:
    """Name the version and the status; the reason asked for belongs to the status asked for."""
    reason = behaviour.reason if status == behaviour.status else None
    if reason is None:
        reason = _REASONS.get(status, "Unknown")
    return f"HTTP/1.{0 if behaviour.http_10 else 1} {status} {reason}"


def connection_headers(behaviour: Behaviour, request: Request, nth: int) -> Headers:
    """Say what becomes of the connection, as far as it is said at all."""
    ending = ending_after(behaviour, request, nth)
    said = {Ending.STAYS_SAYING_SO: "keep-alive", Ending.CLOSES_SAYING_SO: "close"}
    headers = [("Connection", said[ending])] if ending in said else []
    if ending not in {Ending.CLOSES_SAYING_SO, Ending.CLOSES_BY_DEFAULT}:
        headers += _keep_alive(behaviour, nth)
    return tuple(headers)


def _keep_alive(behaviour: Behaviour, nth: int) -> Iterator[tuple[str, str]]:
    promises = [behaviour.keep_alive_header]
    if behaviour.keep_alive_max is not None:
        promises.append(f"max={max(0, behaviour.keep_alive_max + 1 - nth)}")
    if value := ", ".join(filter(None, promises)):
        yield "Keep-Alive", value


def _own_headers(behaviour: Behaviour) -> Headers:
    own = [("Server", "kab")]
    if behaviour.status not in _BODILESS:
        own.append(("Content-Type", "text/plain"))
    replaced = {name.lower() for name, _ in behaviour.headers}
    return tuple((name, value) for name, value in own if name.lower() not in replaced)


def _framing_headers(behaviour: Behaviour, *, chunked: bool) -> Headers:
    if behaviour.status in _BODILESS:
        return ()
    if chunked:
        return (("Transfer-Encoding", "chunked"),)
    return (("Content-Length", str(behaviour.body_size)),)


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
