"""Requests out of a stream of bytes that arrive as they like."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from keepalive_bench.server.messages import BadRequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from keepalive_bench.server.messages import Request

HEAD_LIMIT = 64 * 1024
_RECEIVE_SIZE = 64 * 1024
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(;[^\r\n]*)?")


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
                raise BadRequestError("This is no HTTP request.")
        if not 0 <= end <= HEAD_LIMIT:
            raise BadRequestError(
                f"The head of the request is longer than {HEAD_LIMIT} bytes.", status=431
            )
        head, self._buffer = self._buffer[:end], self._buffer[end + 4 :]
        return head

    def body(self, request: Request) -> Iterator[bytes]:
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
