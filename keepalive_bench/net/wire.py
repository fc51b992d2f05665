"""One connection without a pool: opened, asked, and watched while nothing is sent.

urllib3 looks at an idle connection when it takes it out of a pool, and not before; a probe is to
see when it ends, and how. What is said on it may be what urllib3 never says: HTTP/1.0, two requests
at once. Responses are read by `http.client`, as urllib3 reads them.
"""

from __future__ import annotations

import re
import selectors
import socket
import ssl
from contextlib import suppress
from http.client import HTTPResponse, IncompleteRead
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from urllib3.util.ssltransport import SSLTransport

from keepalive_bench.net.failures import failure_of
from keepalive_bench.net.tcp_info import last_segment_age_s, unacknowledged, was_reset
from keepalive_bench.net.tls import say_goodbye
from keepalive_bench.net.wire_reader import Responses, ResponseSource, TimedBytes, set_deadline
from keepalive_bench.results.exchange import Failure
from keepalive_bench.results.failure_kinds import OTHER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from email.message import Message

    from keepalive_bench.net.failures import Stage
    from keepalive_bench.net.tcp import Clock
    from keepalive_bench.net.wire_reader import Secured

_SECOND = 1_000_000_000
_CHUNK = 65_536
_LOOK = 200
"""Bytes to look at of what nobody asked for."""
_Selector = getattr(selectors, "PollSelector", selectors.DefaultSelector)
"""The one that needs no file descriptor of its own, where there is one."""
_LATE_S = 0.05
"""What is looked at later than that, this process was kept from."""
LARGEST = 2**20
"""Bytes of a body: whatever is larger puts a load on the server, time and again."""
_INTERIM, _SWITCHING = range(100, 200), 101
"""Statuses of responses before the final one; none follows 101."""


class Facts(NamedTuple):
    """What is known of a connection when it has been opened. Times in seconds."""

    peer: str
    connect_s: float
    tls_s: float | None
    round_trip_s: float | None
    tls_version: str | None
    cipher: str | None
    alpn: str | None
    resumed: bool | None


class WireResponse(NamedTuple):
    """A response, whole."""

    status: int
    version: int
    """As `http.client` numbers it: 11."""
    head: Message
    closes: bool
    """Whether the connection can't carry another one, as `http.client` sees it."""
    ended_ns: int
    interim: int | None
    """The status of a response before it."""
    early: bool
    """Whether it began before the body of the request was sent."""


class WireEnd(NamedTuple):
    """How a connection ended while it was idle."""

    kind: str
    at_ns: int


class NoResponseError(Exception):
    """A request got no response, or a connection couldn't be opened."""

    def __init__(
        self, failure: Failure, *, acknowledged: bool | None = None, peer: str | None = None
    ) -> None:
        super().__init__(failure.message)
        self.failure, self.acknowledged, self.peer = failure, acknowledged, peer


class LateBody(NamedTuple):
    """A body that goes out when the server has said 100, or after a second."""

    data: bytes
    is_owed: bool
    """Whether it goes out after a final response, too."""


class _Before(NamedTuple):
    """What came before a response, and before the body of its request."""

    interim: int | None = None
    early: bool = False


class Wire:
    """An open connection. One thread uses it."""

    def __init__(self, opened: Secured, facts: Facts, clock: Clock) -> None:
        self.secured, self.facts, self._clock = opened, facts, clock
        self.halted = False
        """Whether it was halted: what is seen of it since says nothing."""
        self._raw = TimedBytes(opened, clock)
        self._reader = Responses(self._raw)

    @property
    def session(self) -> ssl.SSLSession | None:
        """The TLS session that it got, to be taken up by another one."""
        it = self.secured.sslobj if isinstance(self.secured, SSLTransport) else self.secured
        return it.session if isinstance(it, ssl.SSLSocket | ssl.SSLObject) else None

    def exchange(
        self,
        message: bytes,
        methods: Sequence[str],
        deadline_ns: int,
        body: LateBody | None = None,
    ) -> Iterator[WireResponse]:
        """Write requests at once, and read their responses, one after the other.

        Raises:
            NoResponseError: one doesn't come, or not whole.
        """
        stage: Stage = "send"
        self._raw.deadline_ns = deadline_ns
        try:
            self._write(message, deadline_ns)
            stage = "wait"
            before = _Before() if body is None else self._send_late(body, deadline_ns)
            for method in methods:
                received = self._raw.received - len(self._reader.buffered())
                try:
                    response, interim = self._begun(method)
                    _read_whole(response)
                except BaseException:
                    stage = "wait" if self._raw.received == received else "receive"
                    raise
                yield WireResponse(
                    response.status,
                    response.version,
                    response.headers,
                    response.will_close,
                    self._clock(),
                    before.interim or interim,
                    before.early,
                )
                before = _Before()
        except NoResponseError:
            raise
        except Exception as error:  # noqa: BLE001  # nobody knows all that may be raised
            failure = failure_of(error, stage)
            acknowledged = None if (left := unacknowledged(self._plain)) is None else left == 0
            raise NoResponseError(failure, acknowledged=acknowledged) from None

    def _begun(self, method: str) -> tuple[HTTPResponse, int | None]:
        """A final response, its head read, and the status of the last one before it.

        `http.client` itself skips those of status 100, and takes 103 (Early Hints) for final.
        """
        interim = None
        while True:
            response = HTTPResponse(cast("Any", ResponseSource(self._reader)), method=method)
            response.begin()
            if response.status not in _INTERIM or response.status == _SWITCHING:
                return response, interim
            interim = response.status

    def watch(self, until_ns: int) -> WireEnd | None:
        """Wait for the connection's end; `None`: it is still open then, or it was halted."""
        if self._reader.buffered():
            return WireEnd(_kind_of(self._reader.buffered()), self._clock())
        self.secured.settimeout(0)
        with _Selector() as selector:
            selector.register(self._plain, selectors.EVENT_READ)
            most_s = 0.0  # of TLS within TLS, what has come may have left the socket
            while not self.halted and (left := until_ns - self._clock()) > 0:
                selector.select(min(most_s, left / _SECOND))
                most_s, at_ns = inf, self._clock()
                if self.halted:  # what is seen is our own doing
                    return None
                if kind := self._end():
                    return WireEnd(kind, at_ns - self._late_ns(kind))
        return None

    def _late_ns(self, kind: str) -> int:
        """How long ago an end came, as the system tells: this process may have stood still."""
        age_s = None if kind == "rst" else last_segment_age_s(self._plain)
        return round(age_s * _SECOND) if age_s is not None and age_s > _LATE_S else 0

    def halt(self) -> None:
        """Have what another thread does with it end at once; nothing more can be sent."""
        self.halted = True
        with suppress(OSError):
            self._plain.shutdown(socket.SHUT_RDWR)

    def close(self, *, politely: bool = False) -> None:
        """Close it; `politely` with TLS's goodbye, so that the server keeps its session."""
        if politely:
            say_goodbye(self.secured)
        self.secured.close()

    @property
    def _plain(self) -> socket.socket:
        it = self.secured
        return it.socket if isinstance(it, SSLTransport) else it

    def _end(self) -> str:
        """What has come; empty: nothing that matters, as tickets of TLS 1.3 don't."""
        # Asked before: OpenSSL answers an end without a goodbye, and who has closed resets that.
        ended = "rst" if was_reset(self.secured) else "fin"
        try:
            data = bytes(self.secured.recv(_LOOK))
        except (BlockingIOError, ssl.SSLWantReadError):
            return ""
        except ssl.SSLEOFError:  # the end of the stream, without TLS's goodbye
            return ended
        except OSError as error:  # of TLS's: an alert, or what isn't TLS
            return "data" if isinstance(error, ssl.SSLError) else "rst"
        if data:
            return _kind_of(data)
        is_tls = isinstance(self.secured, ssl.SSLSocket | SSLTransport)
        return "close-notify" if is_tls else ended

    def _write(self, message: bytes, deadline_ns: int) -> None:
        set_deadline(self.secured, deadline_ns, self._clock)
        self.secured.sendall(message)

    def _send_late(self, body: LateBody, deadline_ns: int) -> _Before:
        """Wait for the server's permission, or a second, and send a body."""
        line = self._raw.first_line(min(deadline_ns, self._clock() + _SECOND))
        status = None if line is None else _status_of(line)
        if status is None or status in _INTERIM:
            while status and self._reader.readline(_CHUNK) not in {b"\r\n", b"\n", b""}:
                pass
            self._write(body.data, deadline_ns)
            return _Before(interim=status)
        if body.is_owed:
            with suppress(OSError):  # where the server has closed, its response still counts
                self._write(body.data, deadline_ns)
        return _Before(early=True)


def _kind_of(data: bytes) -> str:
    return "408" if data.startswith(b"HTTP/1.") and data[8:12] == b" 408" else "data"


def _status_of(line: bytes) -> int:
    """That of a status line; 0: it is none."""
    found = re.match(rb"HTTP/1\.\d (\d{3})\b", line)
    return int(found[1]) if found else 0


def _read_whole(response: HTTPResponse) -> None:
    size = response.length or 0
    if size <= LARGEST:
        size = 0
        while size <= LARGEST and (chunk := response.read(_CHUNK)):
            size += len(chunk)
    if size > LARGEST:
        message = f"the body is larger than the {LARGEST >> 20} MiB that a probe reads"
        raise NoResponseError(Failure(OTHER.code, message))
    if response.length:  # which `http.client` lets pass, where it's told how much to read
        raise IncompleteRead(b"", response.length)
