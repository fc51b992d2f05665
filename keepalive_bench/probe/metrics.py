"""What a probe comes to in numbers, and what anybody needs to know of each.

What is known of a limit is between which ends it lies: where none was found up to some time, it is
that long at least, and has no other end.
"""

from __future__ import annotations

from typing import Final, get_args

from keepalive_bench.analysis.metrics import Metric
from keepalive_bench.probe.probed import Persistence, Probed
from keepalive_bench.stats.intervals import Estimate

UNKNOWN: Final = Estimate(None)
_NO_ANSWER = "nothing answered"


def exactly(value: float | None) -> Estimate:
    """Both ends are the same; or nothing is known."""
    return Estimate(value, value, value)


def known_until(it: Probed) -> float:
    """Up to which idle time a close would have been seen: a path that forgets loses it, too."""
    looked_s, drop = it.idle_timeout.looked_s, it.silent_drop
    return looked_s if drop.died_s is None else min(looked_s, drop.answered_s)


def _idle_timeout(it: Probed) -> Estimate:
    found = it.idle_timeout
    if it.persistence != "kept":
        return exactly(0.0) if it.persistence == "closed" else UNKNOWN
    if found.least_s is None:
        return Estimate(None, known_until(it))
    if found.together:  # they ended for another reason, and some had been idle for so long
        return Estimate(None, found.most_s)
    typical_s = found.least_s if found.backends_differ else found.median_s
    return Estimate(typical_s, found.least_s, None if found.open else found.most_s)


def _silent_drop(it: Probed) -> Estimate:
    found = it.silent_drop
    if it.persistence != "kept" or not (found.answered_s or found.died_s):
        return UNKNOWN
    return Estimate(found.typical_s, found.answered_s, found.died_s)


def _lifetime(it: Probed) -> Estimate:
    found = it.lifetime
    if found is None:
        return UNKNOWN
    if found.by_requests is not None:
        return UNKNOWN
    if found.least_s is None or found.most_s is None:
        return Estimate(None, found.looked_s)
    return Estimate((found.least_s + found.most_s) / 2, found.least_s, found.most_s)


def _request_limit(it: Probed) -> Estimate:
    found = it.request_limit
    if found is None or found.ended is not None:
        return UNKNOWN
    return Estimate(None, found.looked) if found.limit is None else exactly(found.limit)


PROBE_METRICS: tuple[Metric[Probed], ...] = (
    Metric(
        path="idle_timeout",
        unit="seconds",
        meaning="How long idle connections are kept; 0 where they are closed at once",
        read=_idle_timeout,
        better="higher",
        lacking=_NO_ANSWER,
    ),
    Metric(
        path="silent_drop",
        unit="seconds",
        meaning="Idle time after which the path drops connections silently",
        read=_silent_drop,
        better="higher",
        lacking="no reuse was answered",
    ),
    Metric(
        path="lifetime",
        unit="seconds",
        meaning="How old a connection in use gets",
        read=_lifetime,
        better="higher",
        lacking="it wasn't looked for (--max-age TIME), or isn't clear",
    ),
    Metric(
        path="request_limit",
        unit="count",
        meaning="How many requests a connection carries",
        read=_request_limit,
        better="higher",
        lacking="it wasn't looked for (--scan-requests N), or isn't clear",
    ),
    Metric(
        path="announced_timeout",
        unit="seconds",
        meaning="The idle timeout that responses announce (Keep-Alive: timeout)",
        read=lambda it: exactly(it.announced.timeout_s),
        lacking="none is announced",
    ),
    Metric(
        path="announced_max",
        unit="count",
        meaning="The number of requests that responses announce (Keep-Alive: max)",
        read=lambda it: exactly(it.announced.most_requests),
        lacking="none is announced",
    ),
    Metric(
        path="window_begins",
        unit="seconds",
        meaning="Start of the race window, as idle time",
        read=lambda it: exactly(it.window.begins_s if it.window else None),
        better="higher",
        lacking="no close was seen",
    ),
    Metric(
        path="window_ends",
        unit="seconds",
        meaning="End of the race window, as idle time",
        read=lambda it: exactly(it.window.ends_s if it.window else None),
        lacking="no close was seen",
    ),
    Metric(
        path="round_trip",
        unit="seconds",
        meaning="The network's typical round trip",
        read=lambda it: exactly(it.round_trip_s),
        better="lower",
        lacking="no connection was opened",
    ),
    Metric(
        path="persistence",
        unit="word",
        meaning="Whether connections are kept, or closed after one response; or nothing answered",
        words=get_args(Persistence),
    ),
    Metric(
        path="connections",
        unit="count",
        meaning="Connections that the probe opened",
        read=lambda it: exactly(it.connections),
    ),
    Metric(
        path="requests",
        unit="count",
        meaning="Requests that it sent",
        read=lambda it: exactly(it.requests),
    ),
)
