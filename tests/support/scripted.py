"""A run on a link of 20 ms round trip and TLS 1.3, as DESIGN's example has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.runs import Script

from keepalive_bench.plan.plan import Plan, Target
from keepalive_bench.results.exchange import Answer, Phases

if TYPE_CHECKING:
    from keepalive_bench.results.run import Run

_REQUESTS = 20
_ANSWER = Answer("HTTP/1.1", "application/json", None, "timeout=5")
_TIMES = {"send": 0.0001, "wait": 0.0212, "receive": 0.0001}
_OPENING = {"connect": 0.0209, "tls": 0.0213}
_OWN_S = 0.0001


def scripted_run(*more_arms: tuple[str, str]) -> Run:
    """Every reused exchange takes 21.5 ms, and every new connection 42.2 ms more."""
    plan = Plan(Target("https://someone:s3kr1t@api.example.com/search?token=s3kr1t&a=1"))
    arms = (("pooled", "pooled"), ("unpooled", "unpooled"), *more_arms)
    script = Script(*arms, plan=plan, requests=_REQUESTS)
    shared: dict[str, int] = {}
    opening: dict[str, Any] = {"tls_version": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384"}
    for index in range(_REQUESTS):
        for label, kind in arms:
            fresh = kind == "unpooled" or label not in shared
            if fresh:
                shared[label] = script.open(label, **opening)
            phases = {**_TIMES, **(_OPENING if fresh else {})}
            latency_s = sum(phases.values()) + _OWN_S
            script.send(
                label,
                latency_s,
                on=shared[label],
                index=index,
                answer=_ANSWER,
                phases=Phases(**phases),
            )
    return script.run()
