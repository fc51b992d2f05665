"""The arms: ways of treating connections, each as a transport that makes one exchange at a time."""

from __future__ import annotations

from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from urllib3 import BaseHTTPResponse, HTTPHeaderDict
from urllib3.exceptions import HTTPError

from keepalive_bench.model.exchange import Answer, Ending, Failure, Framing, Outcome
from keepalive_bench.model.run import PoolCounters
from keepalive_bench.net.failures import failure_of
from keepalive_bench.net.pools import Contexts, load_contexts, open_pool
from keepalive_bench.net.tracer import Tracer
from keepalive_bench.net.uploads import TimedUpload, upload_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from keepalive_bench.model.columns import ConnectionColumns
    from keepalive_bench.model.plan import Arm, Plan
    from keepalive_bench.net.tcp import Clock

_SECOND = 1_000_000_000
_CHUNK = 65536
_FINAL = 200
"""Statuses below are not final (RFC 9110, section 15.2)."""
_BODILESS = {204, 304}
_FIELD_LIMIT = 300
"""Characters of a field's value that are kept: a server may send 60 KB, another one each time."""
_VERSIONS = {9: "HTTP/0.9", 10: "HTTP/1.0", 11: "HTTP/1.1"}


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What all arms of a run share: the plan, the TLS contexts, one clock and its zero."""

    plan: Plan
    headers: HTTPHeaderDict
    contexts: Contexts
    clock: Clock
    origin: int


def surroundings(plan: Plan, user_agent: str, clock: Clock) -> Surroundings:
    """Load what all arms of a run share, once; the run's time begins now.

    Raises:
        UsageError: a file that the plan names can't be used.
    """
    headers = HTTPHeaderDict(plan.request.wire_headers(plan.target, user_agent))
    if plan.request.upload is not None and "content-length" not in headers:
        headers["Content-Length"] = str(upload_size(plan.request.upload))
    contexts = load_contexts(plan)
    return Surroundings(plan=plan, headers=headers, contexts=contexts, clock=clock, origin=clock())


class PooledTransport:
    """Exchanges through one urllib3 pool, used as an application would. Safe from any thread."""

    single_use = False

    def __init__(self, arm: Arm, shared: Surroundings, connections: ConnectionColumns) -> None:
        plan = shared.plan
        self._clock, self._origin, self._request = shared.clock, shared.origin, plan.request
        self._timeout = int(plan.network.timeout_s * _SECOND)
        self._tracer = Tracer(arm.label, connections, plan.network, shared.clock, shared.origin)
        self._answered = connections.answered
        self._pool = open_pool(plan, shared.contexts, self._tracer, single_use=self.single_use)
        is_forwarded = plan.network.proxy is not None and plan.target.scheme == "http"
        self._prefix = plan.target.origin if is_forwarded else ""
        self._options: dict[str, Any] = {
            "headers": _quick(shared.headers),
            "retries": False,
            "redirect": False,
            "assert_same_host": False,
            "pool_timeout": plan.network.timeout_s,
            "preload_content": False,
            "decode_content": False,
        }

    @property
    def counters(self) -> PoolCounters:
        """urllib3's own numbers."""
        return PoolCounters(self._pool.num_connections, self._pool.num_requests)

    def exchange(self, path: str) -> Outcome:
        """Send one request and read its response to the end; a failure is an outcome too."""
        clock, probe = self._clock, self._tracer.probe
        failure, response, size = None, None, 0
        began = clock()
        probe.begin(began + self._timeout)
        try:
            response = self._send(f"{self._prefix}{path}")
            if response.status < _FINAL:
                # The final answer is still to come, and would be taken for the next request's.
                probe.end_carrier(Ending("failed"))
            for chunk in self._body_of(response):
                size += len(chunk)
            ended = clock()
            response.release_conn()  # a body of no bytes is never read to its end
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            ended = clock()
            failure = failure_of(error, probe.reached)
            if probe.connection is not None:  # closed by now, whatever its answer had announced
                self._tracer.refined(probe.connection, Ending("failed"))
        if probe.retired is not None:
            probe.retired.close()
        elif probe.carrier is not None:
            probe.carrier.idle_since = ended
        answer = None
        if response is not None:
            answer = _answer(response)
            failure = failure or self._refusal(response.status)
            if probe.connection is not None:
                self._answered(probe.connection)
        return Outcome(
            (began - self._origin) / _SECOND,
            (ended - began) / _SECOND,
            probe.connection,
            None if response is None else response.status,
            size,
            probe.phases(ended),
            answer,
            failure,
        )

    def _send(self, url: str) -> BaseHTTPResponse:
        request = self._request
        if request.upload is None:
            return self._pool.urlopen(request.method, url, request.body, **self._options)
        with TimedUpload(request.upload, self._tracer) as body:
            return self._pool.urlopen(request.method, url, body, **self._options)

    def _body_of(self, response: BaseHTTPResponse) -> Iterator[bytes]:
        most = self._request.max_body
        return response.stream(_CHUNK) if most is None else self._up_to(response, most)

    def _up_to(self, response: BaseHTTPResponse, most: int) -> Iterator[bytes]:
        """A body's first bytes; a rest that is left unread makes the connection useless."""
        size = 0
        while size < most:
            chunk = response.read(min(_CHUNK, most - size))
            if not chunk:
                return
            size += len(chunk)
            yield chunk
        if response.length_remaining != 0:
            self._tracer.probe.end_carrier(Ending("cut"))
            response.close()

    def _refusal(self, status: int) -> Failure | None:
        """Why an answer that arrived whole is none all the same."""
        if status < _FINAL:
            return Failure("informational-response", f"{status} came in place of an answer")
        if self._request.expect_status and not self._request.expects(status):
            return Failure("unexpected-status", f"the answer was {status}")
        return None

    def close(self) -> None:
        """Close the connections that the pool keeps."""
        self._tracer.is_closing = True
        self._pool.close()


class UnpooledTransport(PooledTransport):
    """The same requests, each on a connection of its own that the client closes afterwards."""

    single_use = True


_TRANSPORTS: dict[str, type[PooledTransport]] = {
    "pooled": PooledTransport,
    "unpooled": UnpooledTransport,
}


def open_arm(arm: Arm, shared: Surroundings, connections: ConnectionColumns) -> PooledTransport:
    """The transport of an arm; the connections it opens go into `connections`."""
    return _TRANSPORTS[arm.kind](arm, shared, connections)


def _quick(headers: HTTPHeaderDict) -> Mapping[str, str]:
    """The same fields; urllib3's mapping, which keeps repeated ones apart, is slow to copy."""
    fields = list(headers.iteritems())
    return dict(fields) if len(fields) == len(headers) else headers


def _answer(response: BaseHTTPResponse) -> Answer:
    headers = response.headers
    return Answer(
        _VERSIONS.get(response.version, "HTTP/?"),
        _field(headers, "content-type"),
        _field(headers, "connection"),
        _field(headers, "keep-alive"),
        _framing(response, headers),
    )


def _framing(response: BaseHTTPResponse, headers: Mapping[str, str]) -> Framing:
    """RFC 9112, section 6.3."""
    if "transfer-encoding" in headers:
        return "chunked"
    if "content-length" in headers:
        return "length"
    return "none" if response.status in _BODILESS else "close"


def _field(headers: Mapping[str, str], name: str) -> str | None:
    # A look-up that fails costs an exception in urllib3; asking first doesn't.
    return headers[name][:_FIELD_LIMIT] if name in headers else None
