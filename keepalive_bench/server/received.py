"""Requests, from bytes to values: strictly, for what is accepted here passes as correct."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HEAD_LIMIT = 64 * 1024
_RECEIVE_SIZE = 64 * 1024

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_REQUEST_LINE = re.compile(rb"(" + _TOKEN + rb") ([!-~]+) HTTP/1\.([01])")
_FIELD_LINE = re.compile(rb"(" + _TOKEN + rb"):[ \t]*([^\0\r\n]*?)[ \t]*")
_LENGTH = re.compile(rb"[0-9]{1,18}")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(;[^\r\n]*)?")


class BadRequestError(Exception):
    """A request that can't be understood; it is answered with `status`, then all is over."""

    def __init__(self, sentence: str, *, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Fields:
    """The header lines of a request, and what they say about its body and its connection.

    Attributes:
        lines: Names and values as they were sent, without the space around values.
        hosts: How many ``Host`` lines there are.
        content_length: 0 where none is given.
        chunked: The body comes in chunks.
        connection: The options of ``Connection``, in small letters.
        expects_continue: The client waits for a ``100 Continue`` before it sends the body.
    """

    lines: tuple[tuple[bytes, bytes], ...]
    hosts: int
    content_length: int
    chunked: bool
    connection: frozenset[bytes]
    expects_continue: bool


@dataclass(frozen=True, kw_only=True)
class ReceivedRequest:
    """A request's head.

    Attributes:
        line: The request line as it was sent, without its line end.
        minor_version: 0 for HTTP/1.0, 1 for HTTP/1.1.
    """

    line: bytes
    method: bytes
    target: bytes
    minor_version: int
    fields: Fields

    @property
    def is_for_stats(self) -> bool:
        """Whether the server itself is asked what it has counted."""
        return self.target.partition(b"?")[0] == b"/stats" and self.method in {b"GET", b"HEAD"}

    @property
    def wants_close(self) -> bool:
        """Whether the client says that it will send no other request."""
        return b"close" in self.fields.connection

    @property
    def wants_keep_alive(self) -> bool:
        """Whether the client asks for what HTTP/1.0 gives only on request."""
        return b"keep-alive" in self.fields.connection and not self.wants_close

    @property
    def has_body(self) -> bool:
        """Whether bytes of a body follow the head."""
        return self.fields.chunked or self.fields.content_length > 0


def parse_request(head: bytes) -> ReceivedRequest:
    """Read a head, given without the empty line that ends it.

    Raises:
        BadRequestError: It breaks the grammar of RFC 9112 or is ambiguous about its body.
    """
    line, _, field_lines = head.partition(b"\r\n")
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise BadRequestError("The request line is malformed.")
    method, target, minor = match.groups()
    fields = parse_fields(field_lines)
    minor_version = int(minor)
    if fields.hosts != 1 and (minor_version == 1 or fields.hosts > 1):
        raise BadRequestError(
            f"An HTTP/1.1 request has one Host header, this one has {fields.hosts}."
        )
    return ReceivedRequest(
        line=line, method=method, target=target, minor_version=minor_version, fields=fields
    )


@lru_cache(maxsize=32)
def parse_fields(block: bytes) -> Fields:
    """Read the header lines of a request.

    Cached, because a client that keeps its connection sends the same lines again and again.

    Raises:
        BadRequestError: A line is malformed, or the lines contradict each other.
    """
    lines: list[tuple[bytes, bytes]] = []
    values: defaultdict[bytes, list[bytes]] = defaultdict(list)
    for line in block.split(b"\r\n") if block else []:
        match = _FIELD_LINE.fullmatch(line)
        if match is None:
            raise BadRequestError("A header line is malformed.")
        lines.append((match[1], match[2]))
        values[match[1].lower()].append(match[2])
    chunked = _is_chunked(values[b"transfer-encoding"])
    lengths = set(values[b"content-length"])
    if chunked and lengths:
        raise BadRequestError("Content-Length and Transfer-Encoding contradict each other.")
    return Fields(
        lines=tuple(lines),
        hosts=len(values[b"host"]),
        content_length=_content_length(lengths),
        chunked=chunked,
        connection=_options(values[b"connection"]),
        expects_continue=b"100-continue" in _options(values[b"expect"]),
    )


def _options(values: list[bytes]) -> frozenset[bytes]:
    return frozenset(option.strip(b" \t") for option in b",".join(values).lower().split(b","))


def _content_length(values: set[bytes]) -> int:
    if not values:
        return 0
    value = values.pop()
    if values or not _LENGTH.fullmatch(value):
        raise BadRequestError(
            "The Content-Length isn't a number, or there are several different ones."
        )
    return int(value)


def _is_chunked(values: list[bytes]) -> bool:
    if not values:
        return False
    if [value.lower() for value in values] != [b"chunked"]:
        raise BadRequestError("The only transfer coding understood here is chunked.", status=501)
    return True


class Reader:
    """Cuts a stream into heads and bodies, and keeps what belongs to the next request.

    The stream is a function like `socket.recv`.
    """

    def __init__(self, receive: Callable[[int], bytes]) -> None:
        self._receive = receive
        self._buffer = b""

    @property
    def holds_more(self) -> bool:
        """Whether something has been received that nobody has asked for yet."""
        return bool(self._buffer)

    def wait(self) -> None:
        """Wait until something is there to be read, be it the client's end."""
        if not self._buffer:
            self._buffer = self._receive(_RECEIVE_SIZE)

    def head(self) -> bytes | None:
        """Return the next request's head without the empty line, ``None`` if there is none.

        Raises:
            BadRequestError: The head is longer than 64 KiB, or it isn't one.
        """
        # Empty lines before a request are skipped: RFC 9112, section 2.2.
        self._buffer = self._buffer.lstrip(b"\r\n")
        while (end := self._buffer.find(b"\r\n\r\n")) < 0 and len(self._buffer) <= HEAD_LIMIT:
            received = self._receive(_RECEIVE_SIZE)
            if not received:
                return None
            self._buffer = (self._buffer + received).lstrip(b"\r\n")
            if self._buffer and not self._buffer[:1].isalpha():
                # Such as the first bytes of TLS, which no empty line will ever end.
                raise BadRequestError("This isn't an HTTP request.")
        if not 0 <= end <= HEAD_LIMIT:
            raise BadRequestError(
                f"The head of the request is longer than {HEAD_LIMIT} bytes.", status=431
            )
        head, self._buffer = self._buffer[:end], self._buffer[end + 4 :]
        return head

    def body(self, request: ReceivedRequest) -> Iterator[bytes]:
        """Yield a request's body in pieces, chunks taken apart, to its very end.

        Raises:
            BadRequestError: The chunks are malformed.
            ConnectionAbortedError: The client left in the middle.
        """
        if not request.fields.chunked:
            yield from self._exactly(request.fields.content_length)
            return
        while size := _chunk_size(self._line()):
            yield from self._exactly(size)
            if self._line():
                raise BadRequestError("A chunk is longer than it says.")
        while self._line():
            pass  # A trailer: it belongs to the message and is of no interest.

    def _exactly(self, size: int) -> Iterator[bytes]:
        while size:
            if not self._buffer:
                self._fill()
            piece, self._buffer = self._buffer[:size], self._buffer[size:]
            size -= len(piece)
            yield piece

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > HEAD_LIMIT:
                raise BadRequestError(
                    f"A line of a chunked body is longer than {HEAD_LIMIT} bytes."
                )
            self._fill()
        line, self._buffer = self._buffer[:end], self._buffer[end + 2 :]
        return line

    def _fill(self) -> None:
        received = self._receive(_RECEIVE_SIZE)
        if not received:
            raise ConnectionAbortedError("The client left in the middle of a request.")
        self._buffer += received


def _chunk_size(line: bytes) -> int:
    match = _CHUNK_SIZE.fullmatch(line)
    if match is None:
        raise BadRequestError("The size of a chunk is malformed.")
    return int(match[1], 16)
