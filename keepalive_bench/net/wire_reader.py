"""What is read of a connection without a pool: bytes within a time, response after response."""

from __future__ import annotations

import io
import socket
import ssl
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from urllib3.util.ssltransport import SSLTransport

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from keepalive_bench.net.tcp import Clock

Secured = socket.socket | SSLTransport
_SECOND = 1_000_000_000
_CHUNK = 65_536
_LEAST_S = 1e-3
"""A socket's timeout of 0 would mean not to wait at all."""


def set_deadline(source: Secured, deadline_ns: int, clock: Clock) -> None:
    """Have the next operation of a socket end in time.

    Raises:
        TimeoutError: the time is over.
    """
    left_s = (deadline_ns - clock()) / _SECOND
    if left_s <= 0:
        raise TimeoutError
    source.settimeout(max(left_s, _LEAST_S))


class TimedBytes(io.RawIOBase):
    """A connection's bytes, each read within what is left of a time."""

    def __init__(self, source: Secured, clock: Clock, deadline_ns: int = 0) -> None:
        self._source, self._clock = source, clock
        self._ahead = b""
        self.deadline_ns = deadline_ns
        self.received = 0
        """Bytes that were handed on."""
        self.is_dry = False
        """Whether nothing is to be read now: only what is there already counts."""

    def readable(self) -> bool:
        """As readers ask."""
        return True

    def readinto(self, buffer: Buffer) -> int | None:
        """What is there, once something is.

        Raises:
            TimeoutError: nothing comes in time.
        """
        view = memoryview(buffer)
        if self._ahead:
            count = min(len(view), len(self._ahead))
            view[:count], self._ahead = self._ahead[:count], self._ahead[count:]
        elif self.is_dry:
            return None
        else:
            count = self._receive(view, self.deadline_ns)
        self.received += count
        return count

    def first_line(self, until_ns: int) -> bytes | None:
        """The line that comes next, which stays to be read; `None`: it isn't whole by then.

        Less than a line where the connection ends.
        """
        part = bytearray(_CHUNK)
        while b"\n" not in self._ahead:
            try:
                count = self._receive(memoryview(part), until_ns)
            except TimeoutError:
                return None
            if not count:
                break
            self._ahead += part[:count]
        return self._ahead.partition(b"\n")[0]

    def _receive(self, view: memoryview, deadline_ns: int) -> int:
        set_deadline(self._source, deadline_ns, self._clock)
        try:
            return cast("int", self._source.recv_into(cast("Any", view)))
        except ssl.SSLEOFError:  # the end of the stream, without TLS's goodbye
            return 0


class Responses(io.BufferedReader):
    """Goes on from one response to the next: each closes what it has read from."""

    def __init__(self, raw: TimedBytes) -> None:
        super().__init__(raw, _CHUNK)
        self._timed = raw

    def close(self) -> None:
        """Stay open: the connection ends by itself."""

    def buffered(self) -> bytes:
        """What has come already, and nobody has read."""
        self._timed.is_dry = True
        try:
            return self.peek(1)
        finally:
            self._timed.is_dry = False


class ResponseSource(NamedTuple):
    """What `http.client` takes for a socket."""

    reader: io.BufferedReader | TimedBytes

    def makefile(self, _: str) -> Any:  # noqa: ANN401  # whatever reads
        """The same for all responses, as the next one may be in it."""
        return self.reader
