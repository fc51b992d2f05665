"""The arms: ways of treating connections, each as a transport that makes one exchange at a time."""

from __future__ import annotations

from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPHeaderDict
from urllib3.exceptions import HTTPError

from keepalive_bench.model.exchange import Answer, Outcome
from keepalive_bench.model.run import PoolCounters
from keepalive_bench.net.failures import failure_of
from keepalive_bench.net.tls import build_context
from keepalive_bench.net.tracing import Tracer, traced_pool

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from keepalive_bench.model.columns import ConnectionColumns
    from keepalive_bench.model.plan import Arm, Plan
    from keepalive_bench.net.tcp import Clock

_SECOND = 1_000_000_000
_CHUNK = 65536
_VERSIONS = {9: "HTTP/0.9", 10: "HTTP/1.0", 11: "HTTP/1.1"}


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What all arms of a run share: the plan, one TLS context, one clock and its zero."""

    plan: Plan
    user_agent: str
    context: ssl.SSLContext | None
    clock: Clock
    origin: int


def surroundings(plan: Plan, user_agent: str, clock: Clock) -> Surroundings:
    """Load what all arms of a run share, once; the run's time begins now.

    Raises:
        UsageError: the file of trusted certificates can't be used.
    """
    context = build_context(plan.tls) if plan.target.scheme == "https" else None
    return Surroundings(
        plan=plan, user_agent=user_agent, context=context, clock=clock, origin=clock()
    )


class PooledTransport:
    """Exchanges through one urllib3 pool, used as an application would. Safe from any thread."""

    single_use = False

    def __init__(self, arm: Arm, shared: Surroundings, connections: ConnectionColumns) -> None:
        plan = shared.plan
        self._clock, self._origin = shared.clock, shared.origin
        self._timeout = int(plan.network.timeout_s * _SECOND)
        self._tracer = Tracer(arm.label, connections, plan.network, shared.clock, shared.origin)
        self._pool = self._open_pool(plan, shared.context)
        self._request: dict[str, Any] = {
            "method": plan.request.method,
            "body": plan.request.body,
            "headers": HTTPHeaderDict(plan.request.wire_headers(plan.target, shared.user_agent)),
            "retries": False,
            "redirect": False,
            "pool_timeout": plan.network.timeout_s,
            "preload_content": False,
            "decode_content": False,
        }

    def _open_pool(self, plan: Plan, context: ssl.SSLContext | None) -> HTTPConnectionPool:
        experiment = plan.experiment
        pool_class = traced_pool(
            self._tracer, secure=context is not None, single_use=self.single_use
        )
        options: dict[str, Any] = {} if context is None else {"ssl_context": context}
        return pool_class(
            plan.target.host,
            plan.target.port,
            maxsize=experiment.concurrency if self.single_use else experiment.pool_size,
            block=experiment.block and not self.single_use,
            timeout=None,  # every wait gets what is left of the exchange's own deadline
            **options,
        )

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
            response = self._pool.urlopen(url=path, **self._request)
            for chunk in response.stream(_CHUNK):
                size += len(chunk)
            ended = clock()
            response.release_conn()  # a body of no bytes is never read to its end
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            ended = clock()
            failure = failure_of(error, probe.stage)
        if probe.retired is not None:
            probe.retired.close()
        if response is not None and probe.connection is not None:
            self._tracer.answered(probe.connection)
        return Outcome(
            (began - self._origin) / _SECOND,
            (ended - began) / _SECOND,
            probe.connection,
            None if response is None else response.status,
            size,
            probe.phases(ended),
            None if response is None else _answer(response),
            failure,
        )

    def close(self) -> None:
        """Close the connections that the pool keeps."""
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


def _answer(response: BaseHTTPResponse) -> Answer:
    headers = response.headers
    return Answer(
        _VERSIONS.get(response.version, "HTTP/?"),
        _field(headers, "content-type"),
        _field(headers, "connection"),
        _field(headers, "keep-alive"),
    )


def _field(headers: Mapping[str, str], name: str) -> str | None:
    # A look-up that fails costs an exception in urllib3; asking first doesn't.
    return headers[name] if name in headers else None  # noqa: SIM401
