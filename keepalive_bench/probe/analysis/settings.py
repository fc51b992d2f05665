"""What a client is to set, given what ends its connections."""

from __future__ import annotations

from math import floor, log10
from statistics import median
from typing import TYPE_CHECKING

from keepalive_bench.probe.probed import RaceWindow, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from keepalive_bench.probe.probed import Closings, IdleTimeout, SilentDrop
    from keepalive_bench.probe.record import Asked, Seen

_TWO_DIGITS, _LEAST_S = 10.0, 0.01
_EXACT_S, _EXACT, _MOST = 0.05, 0.01, 0.1
"""How exactly a timeout is known: to the larger of both; of a short one, to such a part of it."""
_HALF = 2
"""Probes that begin after half of the time leave one to get lost; a limit is no shorter."""


def round_trip_of(asked: Asked, seen: Sequence[Seen]) -> float | None:
    """The typical round trip: as the system measured it, or what TCP's handshake took.

    Through a tunnel, those are of the way to the proxy: there, it is no longer than the quickest
    response.
    """
    if asked.proxied and asked.url.startswith("https:"):
        return min((each.latency_s for it in seen for each in it.answered), default=None)
    trips = [it.round_trip_s for it in seen if it.round_trip_s is not None]
    trips = trips or [it.connect_s for it in seen if it.connect_s is not None]
    return median(trips) if trips else None


def window_of(timeout: IdleTimeout, round_trip_s: float | None) -> RaceWindow | None:
    """Idle times after which a request and a close may pass each other on their way.

    A request that is sent at the idle time t arrives when the server has been idle for t + a round
    trip, as both of its ends are half of one away. So one that is sent between T - round trip and T
    finds the connection closed, though no end has been seen.
    """
    if timeout.least_s is None or timeout.most_s is None or round_trip_s is None:
        return None
    return RaceWindow(
        max(0.0, timeout.least_s - round_trip_s),
        timeout.most_s,
        round_trip_s,
        timeout.most_s - timeout.least_s,
    )


def windows_of(timeout: IdleTimeout, round_trip_s: float) -> list[tuple[float, float]]:
    """The same of each backend, from when to when."""
    return [(max(0.0, it.least_s - round_trip_s), it.most_s) for it in timeout.closings]


def settings_of(timeout: IdleTimeout, drop: SilentDrop, window: RaceWindow | None) -> Settings:
    """What to set.

    It is below the race window of each backend, and below what the path forgets after.
    """
    limits = []
    if window is not None:
        limits = [_before(it, window.round_trip_s) for it in timeout.closings]
    if drop.died_s is not None:
        limits.append(drop.answered_s)
    probe_after_s = None
    if drop.died_s is not None and drop.answered_s >= 1:
        probe_after_s = max(1, floor(drop.answered_s / _HALF))
    return Settings(
        rounded_down(min(limits)) if limits else None, probe_after_s, retries=bool(limits)
    )


def _before(closings: Closings, round_trip_s: float) -> float:
    """Before the race window of a backend, by as much as its timeouts vary, and may be off.

    No more than half of the time is lost by that: a timer that is far too late now and then isn't
    as much too early.
    """
    least_s = closings.least_s
    begins_s = max(0.0, least_s - round_trip_s)
    off_s = min(max(_EXACT_S, _EXACT * least_s), _MOST * least_s)
    return max(begins_s - (closings.most_s - least_s) - off_s, begins_s / _HALF)


def rounded_down(seconds: float) -> float:
    """To what people would set: whole seconds, or two digits below ten."""
    if seconds >= _TWO_DIGITS:
        return float(floor(seconds))
    if seconds < _LEAST_S:
        return 0.0
    step: float = 10.0 ** (floor(log10(seconds)) - 1)
    return round(floor(seconds / step + 1e-9) * step, 6)


def code_of(settings: Settings) -> str:
    """Lines of Python that do it with urllib3, which has no such setting; empty: no need."""
    return "\n".join(_lines(settings)) if settings.idle_limit_s else ""


def _lines(settings: Settings) -> Iterator[str]:
    """A manager that is made anew drops what is idle: no connection of it gets older than that.

    Requests under way in other threads keep the old one until they are done.
    """
    probe_after_s = settings.probe_after_s
    yield from ("import socket",) if probe_after_s else ()
    yield from ("import time", "import urllib3", "")
    yield f"LIMIT = {settings.idle_limit_s:g}  # seconds"
    options = ""
    if probe_after_s:
        options = "socket_options=OPTIONS"
        yield "OPTIONS = urllib3.connection.HTTPConnection.default_socket_options + ["
        yield "    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),"
        yield f"    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, {probe_after_s}),"
        yield f"    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, {probe_after_s}),"
        yield "]"
    yield from (
        "",
        "class Client:",
        '    made = float("-inf")  # when its pools were',
        "",
        "    def request(self, *args, **kwargs):",
        "        now = time.monotonic()",
        "        if now - self.made >= LIMIT:  # so none has been idle for longer",
        f"            self.pools = urllib3.PoolManager({options})",
        "            self.made = now",
        "        return self.pools.request(*args, **kwargs)",
    )
