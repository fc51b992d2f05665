"""What a program pays that makes a new `urllib3.PoolManager` for each request.

So does whoever calls `requests.get()` in a loop: every time a manager, a pool and, over TLS, a
context into which the certificates are loaded anew.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from keepalive_bench.net.pools import new_manager, pool_classes
from keepalive_bench.net.tls import VERSIONS, build_context, proxy_context
from keepalive_bench.results.run import PoolCounters

if TYPE_CHECKING:
    from urllib3 import HTTPConnectionPool

    from keepalive_bench.net.tracer import Tracer
    from keepalive_bench.plan.network import Tls
    from keepalive_bench.plan.plan import Plan


class PoolPerExchange:
    """A new pool for each exchange, from a manager of its own. Safe from any thread."""

    def __init__(self, plan: Plan, tracer: Tracer) -> None:
        self._plan, self._lock = plan, threading.Lock()
        self._classes = pool_classes(plan, tracer, single_use=True)
        self._connections = self._requests = 0

    @property
    def counters(self) -> PoolCounters:
        """urllib3's own numbers, of all pools so far."""
        return PoolCounters(self._connections, self._requests)

    def take(self) -> HTTPConnectionPool:
        """Make a manager, and have it make a pool; urllib3 makes the context as it connects."""
        plan = self._plan
        proxy = plan.network.proxy
        proxy_tls = proxy_context(plan.tls) if proxy and proxy.scheme == "https" else None
        options: dict[str, Any] = {"timeout": None}  # what is left of the exchange's deadline
        if plan.target.scheme == "https":
            options |= _tls_options(plan.tls)
        elif proxy_tls is not None:
            options["ssl_context"] = proxy_tls  # older releases of urllib3 take it from here
        return new_manager(plan, self._classes, proxy_tls, options).connection_from_url(
            plan.target.origin
        )

    def give_back(self, pool: HTTPConnectionPool) -> None:
        """Count what the pool did, and close it: outside of the latency, as in every arm."""
        with self._lock:
            self._connections += pool.num_connections
            self._requests += pool.num_requests
        pool.close()

    def pause(self) -> None:
        """There is nothing to keep."""

    def close(self) -> None:
        """Nothing is left open."""


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
