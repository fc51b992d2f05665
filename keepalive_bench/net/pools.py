"""The urllib3 pool of an arm: straight to the server, or through a proxy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from urllib3 import HTTPConnectionPool, ProxyManager

from keepalive_bench.model.request import basic
from keepalive_bench.net.tls import build_context, proxy_context
from keepalive_bench.net.tracing import traced_pool

if TYPE_CHECKING:
    import ssl

    from keepalive_bench.model.plan import Plan
    from keepalive_bench.model.target import Target
    from keepalive_bench.net.tracer import Tracer


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
    experiment, target, proxy = plan.experiment, plan.target, plan.network.proxy
    options: dict[str, Any] = {
        "maxsize": experiment.concurrency if single_use else experiment.pool_size,
        "block": experiment.block and not single_use,
        "timeout": None,  # every wait gets what is left of the exchange's own deadline
    }
    # Older releases of urllib3 take the server's context for a proxy that forwards, too.
    context = contexts.server or contexts.proxy
    if context is not None:
        options["ssl_context"] = context
    crowded = experiment.block or experiment.pool_size < experiment.concurrency
    classes = {
        scheme: traced_pool(tracer, secure=secure, single_use=single_use, crowded=crowded)
        for scheme, secure in (("http", False), ("https", True))
    }
    if proxy is not None:
        manager = _proxy_manager(proxy, contexts, options)
        manager.pool_classes_by_scheme = classes
        return manager.connection_from_url(target.origin)
    # urllib3 knows the scope of an IPv6 address within brackets only.
    host = f"[{target.host}]" if ":" in target.host else target.host
    return classes[target.scheme](host, target.port, **options)


def _proxy_manager(proxy: Target, contexts: Contexts, options: dict[str, Any]) -> ProxyManager:
    credentials = proxy.credentials
    return ProxyManager(
        proxy.origin,
        proxy_headers={"Proxy-Authorization": basic(credentials)} if credentials else None,
        proxy_ssl_context=contexts.proxy,
        **options,
    )
