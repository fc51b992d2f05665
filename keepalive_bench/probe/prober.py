"""Carries out a probe: opens what the agenda says, and keeps what is seen, up to the end."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from keepalive_bench.engine.benchmark import describe_environment
from keepalive_bench.plan.probing import balancer_text
from keepalive_bench.plan.redaction import redacted_path
from keepalive_bench.probe.agenda import State, is_over, needless, next_lives
from keepalive_bench.probe.record import Asked, ProbeInfo, ProbeRecord, Seen

if TYPE_CHECKING:
    from collections.abc import Callable

    from keepalive_bench.plan.probing import ProbePlan
    from keepalive_bench.probe.lives import Life
    from keepalive_bench.probe.transport import Transport

_MOST_TO_END_S = 1.0
"""How long connections that are stopped are waited for: one that is being opened may hang."""
_BEGINNING_S, _FINE_TICK_S = 3.0, 0.05
_TICK_S = 0.5
"""How often it is looked whether time alone has changed what is to be done."""


def probe(
    plan: ProbePlan,
    transport: Transport,
    is_stopped: Callable[[], bool] = lambda: False,
    on_state: Callable[[State], None] = lambda _: None,
) -> ProbeRecord:
    """Carry out a plan; what was seen.

    `is_stopped` tells whether somebody wants an end: what was seen so far is kept. `on_state` is
    told now and then how far it is.
    """
    started_at = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    lives: list[Life] = []
    seen: list[Seen] = []
    running: set[int] = set()
    stopped_s: float | None = None
    while True:
        state = State(transport.now_s(), tuple(lives), tuple(seen), frozenset(running))
        on_state(state)
        if stopped_s is None and is_stopped():
            stopped_s = state.now_s
        for number in running if stopped_s is not None else needless(plan, state):
            transport.end(number)
        for life in () if stopped_s is not None else next_lives(plan, state):
            number = len(lives)
            lives.append(life)
            seen.append(Seen(life.part, life.name))
            running.add(number)
            transport.begin(number, life)
        state = state._replace(lives=tuple(lives), seen=tuple(seen), running=frozenset(running))
        if is_over(state) if stopped_s is None else _has_stopped(state, stopped_s):
            break
        tick_s = _TICK_S if state.now_s > _BEGINNING_S else _FINE_TICK_S
        noted = transport.wait(state.now_s + tick_s)
        if noted is not None:
            seen[noted.number] = noted.seen
            if noted.is_over:
                running.discard(noted.number)
    environment = describe_environment()
    info = ProbeInfo(
        started_at=started_at,
        wall_s=transport.now_s(),
        interrupted=stopped_s is not None,
        kab=environment.kab,
        python=environment.python,
        openssl=environment.openssl,
        os=environment.os,
    )
    return ProbeRecord(asked_of(plan), info, tuple(seen))


def _has_stopped(state: State, stopped_s: float) -> bool:
    return not state.running or state.now_s > stopped_s + _MOST_TO_END_S


def asked_of(plan: ProbePlan) -> Asked:
    """What is asked for, without secrets."""
    asked = plan.probing
    return Asked(
        url=plan.target.shown,
        max_idle_s=asked.max_idle_s,
        timeout_s=plan.network.timeout_s,
        max_age_s=asked.max_age_s,
        scan_requests=asked.scan_requests,
        behaviours=asked.behaviours,
        also=tuple(map(redacted_path, asked.also)),
        post_url=None if asked.post_url is None else asked.post_url.shown,
        behind=balancer_text(asked.behind) or None,
        server=plan.known.server,
        proxied=plan.network.proxy is not None,
    )
