"""The urllib3 pools of an arm: straight to the server, or through a proxy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager

from keepalive_bench.net.queues import HoldingQueue, queue_for
from keepalive_bench.net.tls import build_context, proxy_context
from keepalive_bench.net.tracing import traced_pool
from keepalive_bench.plan.request import basic
from keepalive_bench.results.run import PoolCounters

if TYPE_CHECKING:
    import ssl

    from keepalive_bench.net.tracer import Tracer
    from keepalive_bench.plan.plan import Plan

PoolClasses = dict[str, type[HTTPConnectionPool | HTTPSConnectionPool]]


@dataclass(frozen=True)
class Contexts:
    """The TLS contexts that all arms share: the server's and an https proxy's."""

    server: ssl.SSLContext | None
    proxy: ssl.SSLContext | None


def load_contexts(plan: Plan) -> Contexts:
    """Load the certificates, once.

    Raises:
        UsageError: they, or a key, can't be used.
    """
    proxy = plan.network.proxy
    return Contexts(
        server=build_context(plan.tls) if plan.target.scheme == "https" else None,
        proxy=proxy_context(plan.tls) if proxy and proxy.scheme == "https" else None,
    )


def open_pool(
    plan: Plan, contexts: Contexts, tracer: Tracer, *, single_use: bool
) -> HTTPConnectionPool:
    """A pool whose connections report to a tracer, of the size that the plan says."""
    experiment, target = plan.experiment, plan.target
    options: dict[str, Any] = {
        "maxsize": experiment.concurrency if single_use else experiment.pool_size,
        "block": experiment.block and not single_use,
        "timeout": None,  # every wait gets what is left of the exchange's own deadline
    }
    # Older releases of urllib3 take the server's context for a proxy that forwards, too.
    context = contexts.server or contexts.proxy
    if context is not None:
        options["ssl_context"] = context
    classes = pool_classes(plan, tracer, single_use=single_use)
    if plan.network.proxy is not None:
        return new_manager(plan, classes, contexts.proxy, options).connection_from_url(
            target.origin
        )
    # urllib3 knows the scope of an IPv6 address within brackets only.
    host = f"[{target.host}]" if ":" in target.host else target.host
    return classes[target.scheme](host, target.port, **options)


def pool_classes(plan: Plan, tracer: Tracer, *, single_use: bool) -> PoolClasses:
    """The classes of an arm's pools, by scheme."""
    experiment = plan.experiment
    queue_class = queue_for(
        single_use=single_use,
        crowded=experiment.pool_size < experiment.concurrency,
        block=experiment.block,
    )
    return {
        scheme: traced_pool(tracer, secure=secure, queue_class=queue_class)
        for scheme, secure in (("http", False), ("https", True))
    }


def new_manager(
    plan: Plan,
    classes: PoolClasses,
    proxy_tls: ssl.SSLContext | None,
    options: dict[str, Any],
) -> PoolManager:
    """A manager of pools of our classes, behind the plan's proxy if there is one."""
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
    return manager


class OnePool:
    """One pool for all exchanges of an arm."""

    def __init__(self, pool: HTTPConnectionPool) -> None:
        self._pool = pool

    @property
    def counters(self) -> PoolCounters:
        """urllib3's own numbers."""
        return PoolCounters(self._pool.num_connections, self._pool.num_requests)

    def take(self) -> HTTPConnectionPool:
        """The pool for an exchange."""
        return self._pool

    def give_back(self, pool: HTTPConnectionPool) -> None:
        """Keep it."""

    def pause(self) -> None:
        """Let the calling thread have its next connection now, where the pool may be too small."""
        if isinstance(self._pool.pool, HoldingQueue):
            self._pool.pool.hold()

    def close(self) -> None:
        """Close the connections that the pool keeps."""
        if isinstance(self._pool.pool, HoldingQueue):
            self._pool.pool.let_go()
        self._pool.close()
