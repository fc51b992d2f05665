"""A run on a link of 20 ms round trip and TLS 1.3, as DESIGN's example has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.runs import Script

from keepalive_bench.plan.plan import Plan, Target
from keepalive_bench.results.exchange import Answer, Ending, Phases

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


def closing_run(requests: int = 50, per_connection: int = 10) -> Run:
    """A server on that link that closes each connection after some requests, and says so.

    What the network takes differs by up to 3 % from pair to pair.
    """
    plan = Plan(Target("https://api.example.com/search"))
    script = Script("pooled", "unpooled", plan=plan, requests=requests, maxsize=1)
    answer = Answer("HTTP/1.1", "application/json", server="nginx/1.22.1")
    rows = {"pooled": 0, "unpooled": 0}
    secured: dict[str, Any] = {"tls_version": "TLSv1.3", "cipher": "AES", "min_rtt": 0.02}
    for index in range(requests):
        noise = 1 + (index * 7 % 13 - 6) / 200
        for label, row in rows.items():
            limit = per_connection if label == "pooled" else 1
            if index % limit == 0:
                rows[label] = row = script.open(label, **secured)  # noqa: PLW2901  # the next one
            opening = _OPENING if index % limit == 0 else {}
            phases = {**_TIMES, "wait": _TIMES["wait"] * noise, **opening}
            is_last = label == "pooled" and index % limit == limit - 1
            said = answer._replace(connection="close") if is_last else answer
            latency_s = sum(phases.values()) + _OWN_S
            script.send(label, latency_s, on=row, index=index, answer=said, phases=Phases(**phases))
            if is_last:
                script.connections.ended(row, Ending("announced"), script.now_s)
            elif label == "unpooled":
                script.connections.ended(row, Ending("retired"), script.now_s)
    return script.run()
