"""The urllib3 pools of an arm: straight to the server, or through a proxy."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager

from keepalive_bench.net.queues import HoldingQueue, SingleUseQueue, TracedQueue
from keepalive_bench.net.tls import VERSIONS, build_context, proxy_context
from keepalive_bench.net.tracing import traced_pool
from keepalive_bench.plan.request import basic
from keepalive_bench.results.measured import PoolCounters

if TYPE_CHECKING:
    import ssl

    from urllib3 import HTTPHeaderDict

    from keepalive_bench.net.tcp import Clock
    from keepalive_bench.net.tracer import Tracer
    from keepalive_bench.plan.network import Tls
    from keepalive_bench.plan.plan import Plan

PoolClasses = dict[str, type[HTTPConnectionPool | HTTPSConnectionPool]]


class ArmContext(NamedTuple):
    """What all arms of a run share: the plan, the TLS contexts, one clock and its zero."""

    plan: Plan
    headers: HTTPHeaderDict
    server_tls: ssl.SSLContext | None
    proxy_tls: ssl.SSLContext | None
    """Of an https proxy."""
    clock: Clock
    origin: int


def open_pool(shared: ArmContext, tracer: Tracer, *, single_use: bool) -> HTTPConnectionPool:
    """A pool whose connections report to a tracer, of the size that the plan says."""
    plan, experiment = shared.plan, shared.plan.experiment
    options: dict[str, Any] = {
        "maxsize": experiment.concurrency if single_use else experiment.pool_size,
        "block": experiment.block and not single_use,
        "timeout": None,  # every wait gets what is left of the exchange's own deadline
    }
    # Older releases of urllib3 take the server's context for a proxy that forwards, too.
    context = shared.server_tls or shared.proxy_tls
    if context is not None:
        options["ssl_context"] = context
    classes = pool_classes(plan, tracer, single_use=single_use)
    return _made_by_manager(plan, classes, shared.proxy_tls, options)


def pool_classes(plan: Plan, tracer: Tracer, *, single_use: bool) -> PoolClasses:
    """The classes of an arm's pools, by scheme."""
    experiment = plan.experiment
    queue_class: type[TracedQueue] | None = None  # urllib3's own
    if single_use:
        queue_class = SingleUseQueue
    elif experiment.block:
        queue_class = TracedQueue
    elif experiment.pool_size < experiment.concurrency:
        queue_class = HoldingQueue
    return {
        scheme: traced_pool(tracer, secure=secure, queue_class=queue_class)
        for scheme, secure in (("http", False), ("https", True))
    }


def _made_by_manager(
    plan: Plan,
    classes: PoolClasses,
    proxy_tls: ssl.SSLContext | None,
    options: dict[str, Any],
) -> HTTPConnectionPool:
    """A pool of our classes, behind the plan's proxy if there is one, as a new manager makes it."""
    proxy = plan.network.proxy
    manager = (
        PoolManager(**options)
        if proxy is None
        else ProxyManager(
            proxy.origin,
            proxy_headers={"Proxy-Authorization": basic(proxy.credentials)}
            if proxy.credentials
            else None,
            proxy_ssl_context=proxy_tls,
            **options,
        )
    )
    manager.pool_classes_by_scheme = classes
    return manager.connection_from_url(plan.target.origin)


class OnePool:
    """One pool for all exchanges of an arm. Safe from any thread."""

    def __init__(self, pool: HTTPConnectionPool) -> None:
        self._pool = pool

    @property
    def counters(self) -> PoolCounters:
        """urllib3's own numbers, of all pools so far."""
        return PoolCounters(self._pool.num_connections, self._pool.num_requests)

    def take(self) -> HTTPConnectionPool:
        """The pool for an exchange that has begun: what this takes is part of its latency."""
        return self._pool

    def give_back(self, pool: HTTPConnectionPool) -> None:
        """The exchange is over, and its clock has stopped."""

    def close(self) -> None:
        """Close the connections that the pool keeps."""
        self._pool.close()


class HoldingPool(OnePool):
    """One pool whose connections may be held for their threads while kab makes these wait."""

    def __init__(self, pool: HTTPConnectionPool, waiting: HoldingQueue) -> None:
        super().__init__(pool)
        self._waiting = waiting

    def hold(self) -> None:
        """Let the calling thread have its next connection now: kab makes it wait, not the traffic.

        A pool would throw away what waits beyond its size, though nobody would have waited.
        """
        self._waiting.hold()

    def close(self) -> None:
        """Close what is held, too."""
        self._waiting.let_go()
        super().close()


class PoolPerExchange:
    """A new pool for each exchange, from a manager of its own. Safe from any thread.

    So does whoever calls `requests.get()` in a loop: every time a manager, a pool and, over TLS, a
    context into which the certificates are loaded anew.
    """

    def __init__(self, plan: Plan, tracer: Tracer) -> None:
        self._plan, self._lock = plan, threading.Lock()
        self._classes = pool_classes(plan, tracer, single_use=True)
        self._connections = self._requests = 0

    @property
    def counters(self) -> PoolCounters:
        """urllib3's own numbers, of all pools so far."""
        return PoolCounters(self._connections, self._requests)

    def take(self) -> HTTPConnectionPool:
        """A manager makes one; urllib3 makes the context as it connects."""
        plan = self._plan
        proxy = plan.network.proxy
        proxy_tls = proxy_context(plan.tls) if proxy and proxy.scheme == "https" else None
        options: dict[str, Any] = {"timeout": None}  # what is left of the exchange's deadline
        if plan.target.scheme == "https":
            options |= _tls_options(plan.tls)
        elif proxy_tls is not None:
            options["ssl_context"] = proxy_tls  # older releases of urllib3 take it from here
        return _made_by_manager(plan, self._classes, proxy_tls, options)

    def give_back(self, pool: HTTPConnectionPool) -> None:
        """Count what the pool did, and close it: outside of the latency, as in every arm."""
        with self._lock:
            self._connections += pool.num_connections
            self._requests += pool.num_requests
        pool.close()

    def close(self) -> None:
        """Nothing is left open."""


Pools = OnePool | PoolPerExchange


def _tls_options(tls: Tls) -> dict[str, Any]:
    """What a manager is told, so that its pools make their contexts themselves."""
    if tls.ciphers is not None:  # urllib3 takes them in a context only: so would a program
        return {"ssl_context": build_context(tls)}
    options = {
        "cert_reqs": "CERT_REQUIRED" if tls.verify else "CERT_NONE",
        "ca_certs": tls.ca_file and str(tls.ca_file),
        "cert_file": tls.cert_file and str(tls.cert_file),
        "key_file": tls.key_file and str(tls.key_file),
        "key_password": tls.key_password or None,
        "ssl_minimum_version": tls.minimum and VERSIONS[tls.minimum],
        "ssl_maximum_version": tls.maximum and VERSIONS[tls.maximum],
    }
    return {name: value for name, value in options.items() if value is not None}
