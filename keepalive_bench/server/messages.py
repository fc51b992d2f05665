"""Request heads, from bytes to values: strict, for what is accepted here passes as correct."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_REQUEST_LINE = re.compile(rb"(" + _TOKEN + rb") ([!-~]+) HTTP/1\.([01])")
_FIELD_LINE = re.compile(rb"(" + _TOKEN + rb"):[ \t]*([^\0\r\n]*?)[ \t]*")
_LENGTH = re.compile(rb"[0-9]{1,18}")


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
class Request:
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


def parse_request(head: bytes) -> Request:
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
    return Request(
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
    for line in block.split(b"\r\n") if block else []:
        match = _FIELD_LINE.fullmatch(line)
        if match is None:
            raise BadRequestError("A header line is malformed.")
        lines.append((match[1], match[2]))
    chunked = _is_chunked(_values(lines, b"transfer-encoding"))
    lengths = set(_values(lines, b"content-length"))
    if chunked and lengths:
        raise BadRequestError("Content-Length and Transfer-Encoding contradict each other.")
    return Fields(
        lines=tuple(lines),
        hosts=len(_values(lines, b"host")),
        content_length=_content_length(lengths),
        chunked=chunked,
        connection=frozenset(_options(lines, b"connection")),
        expects_continue=b"100-continue" in _options(lines, b"expect"),
    )


def _values(lines: list[tuple[bytes, bytes]], wanted: bytes) -> list[bytes]:
    return [value for name, value in lines if name.lower() == wanted]


def _options(lines: list[tuple[bytes, bytes]], wanted: bytes) -> list[bytes]:
    listed = b",".join(_values(lines, wanted)).lower()
    return [option.strip(b" \t") for option in listed.split(b",")]


def _content_length(values: set[bytes]) -> int:
    if not values:
        return 0
    value = values.pop()
    if values or not _LENGTH.fullmatch(value):
        raise BadRequestError(
            "The Content-Length is no number, or there are several different ones."
        )
    return int(value)


def _is_chunked(values: list[bytes]) -> bool:
    if not values:
        return False
    if [value.lower() for value in values] != [b"chunked"]:
        raise BadRequestError("The only transfer coding understood here is chunked.", status=501)
    return True
