"""The arms: ways of treating connections, each as a transport that makes one exchange at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from urllib3 import HTTPHeaderDict

from keepalive_bench.net import check_library
from keepalive_bench.net.pools import (
    ArmContext,
    HoldingPool,
    OnePool,
    PoolPerExchange,
    open_pool,
)
from keepalive_bench.net.queues import HoldingQueue
from keepalive_bench.net.tls import Sessions, build_context, proxy_context, resuming_context
from keepalive_bench.net.tracer import Tracer
from keepalive_bench.net.transport import HttpTransport, upload_size
from keepalive_bench.plan.arms import ARM_KINDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from keepalive_bench.net.pools import Pools
    from keepalive_bench.net.tcp import Clock
    from keepalive_bench.plan.plan import Arm, Plan
    from keepalive_bench.results.columns import ConnectionColumns


def arm_context(plan: Plan, user_agent: str, clock: Clock) -> ArmContext:
    """Load what all arms of a run share, once; the run's time begins now.

    Raises:
        UsageError: a file that the plan names can't be used, or urllib3 is another library.
    """
    check_library()
    headers = HTTPHeaderDict(plan.request.wire_headers(plan.target, user_agent))
    if plan.request.upload is not None and "content-length" not in headers:
        headers["Content-Length"] = str(upload_size(plan.request.upload))
    proxy = plan.network.proxy
    return ArmContext(
        plan=plan,
        headers=headers,
        server_tls=build_context(plan.tls) if plan.target.scheme == "https" else None,
        proxy_tls=proxy_context(plan.tls) if proxy and proxy.scheme == "https" else None,
        clock=clock,
        origin=clock(),
    )


def open_arm(arm: Arm, shared: ArmContext, connections: ConnectionColumns) -> HttpTransport:
    """The transport of an arm; the connections it opens go into `connections`."""
    plan = shared.plan.of_arm(arm)
    tracer = Tracer(arm.label, connections, plan.network, shared.clock, shared.origin)
    pools = _OPENERS[arm.kind](arm, shared._replace(plan=plan), tracer)
    return HttpTransport(plan, shared.headers, tracer, pools)


def _one_pool(arm: Arm, shared: ArmContext, tracer: Tracer) -> Pools:
    """One pool, used as an application would; it keeps connections where the arm reuses them."""
    pool = open_pool(shared, tracer, single_use=arm.is_single_use)
    waiting = pool.pool
    return HoldingPool(pool, waiting) if isinstance(waiting, HoldingQueue) else OnePool(pool)


def _resumed(arm: Arm, shared: ArmContext, tracer: Tracer) -> Pools:
    """The same, but each TLS handshake takes up the session of an earlier one."""
    tracer.sessions = Sessions()
    server = resuming_context(shared.plan.tls, tracer.sessions)
    return _one_pool(arm, shared._replace(server_tls=server), tracer)


def _naive(_: Arm, shared: ArmContext, tracer: Tracer) -> Pools:
    """A new pool manager for each request, which loads its certificates itself."""
    return PoolPerExchange(shared.plan, tracer)


_OPENERS: dict[str, Callable[[Arm, ArmContext, Tracer], Pools]] = {
    "pooled": _one_pool,
    "unpooled": _one_pool,
    "resumed": _resumed,
    "naive": _naive,
}
"""How an arm gets its pools, by its kind."""

if _OPENERS.keys() != {kind.name for kind in ARM_KINDS}:
    raise AssertionError("each kind of arm needs what opens its pools, and nothing else does")
