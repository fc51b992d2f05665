"""A probe's record → what it comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.connections.announcements import announced_max, announced_timeout
from keepalive_bench.probe.analysis.behind import behind_of
from keepalive_bench.probe.analysis.closings import idle_timeout_of, is_closed_at_once
from keepalive_bench.probe.analysis.drops import silent_drop_of
from keepalive_bench.probe.analysis.lifetime import lifetime_of, request_limit_of
from keepalive_bench.probe.analysis.products import consistent_with, nearest_of
from keepalive_bench.probe.analysis.remarks import advice_of, remarks_of
from keepalive_bench.probe.analysis.sentence import sentence_of
from keepalive_bench.probe.analysis.settings import (
    code_of,
    round_trip_of,
    settings_of,
    window_of,
)
from keepalive_bench.probe.behaviours import behaviours_of
from keepalive_bench.probe.probed import Announced, Persistence, Probed, Settings
from keepalive_bench.results.failure_kinds import PROXY, TLS_HANDSHAKE, TLS_UNTRUSTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from keepalive_bench.probe.record import ProbeRecord, Seen

_BEHIND_TCP = {PROXY.code, TLS_HANDSHAKE.code, TLS_UNTRUSTED.code}
"""Failures that come when a TCP connection is open."""
_NO_NEED = Settings(None, None, retries=False)


def analyse(record: ProbeRecord) -> Probed:
    """What a probe comes to."""
    asked, seen = record.asked, record.connections
    persistence = _persistence(seen)
    who = nearest_of(asked, seen)
    timeout = idle_timeout_of(seen, asked.max_idle_s, who.late_s)
    drop = silent_drop_of(seen, record.info.wall_s)
    age, announced = lifetime_of(seen, timeout.least_s), _announced(seen)
    trip_s = round_trip_of(asked, seen)
    is_kept = persistence == "kept"
    is_told = is_kept and not timeout.together
    window = window_of(timeout, trip_s) if is_told else None
    settings = settings_of(timeout, drop, window) if is_kept else _NO_NEED
    return Probed(
        record=record,
        sentence=sentence_of(record, persistence, timeout, drop, settings),
        persistence=persistence,
        idle_timeout=timeout,
        silent_drop=drop,
        lifetime=age,
        request_limit=request_limit_of(seen, asked.scan_requests, age),
        announced=announced,
        window=window,
        settings=settings,
        consistent_with=consistent_with(timeout, who) if is_told else (),
        behaviours=behaviours_of(asked.behaviours, seen),
        behind=behind_of(asked, persistence, timeout, drop, window, who),
        remarks=remarks_of(record, timeout, drop, announced, who)
        if persistence != "silent"
        else (),
        advice=advice_of(timeout, drop, settings, who),
        code=code_of(settings),
        connections=sum(map(_is_opened, seen)),
        requests=sum(it.requests for it in seen),
        round_trip_s=trip_s,
        product=who.said or None,
    )


def _is_opened(it: Seen) -> bool:
    """Whether there was a TCP connection, though TLS or a tunnel may have failed on it."""
    return it.opened_s is not None or (it.failure is not None and it.failure.kind in _BEHIND_TCP)


def _persistence(seen: Sequence[Seen]) -> Persistence:
    watched = [it for it in seen if it.part == "watched"]
    if not any(it.answered for it in watched):
        return "silent"
    return "closed" if is_closed_at_once(watched) else "kept"


def _announced(seen: Sequence[Seen]) -> Announced:
    """What the first response announces."""
    answers = (each.answer for it in seen for each in it.answered)
    first = next(answers, None)
    return Announced(announced_timeout(first), announced_max(first))
