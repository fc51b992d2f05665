"""What kab noticed of the way to the server: addresses, proxies, bodies left unread."""

from __future__ import annotations

from math import fsum
from statistics import median
from typing import TYPE_CHECKING

from keepalive_bench.model.analysis import Finding
from keepalive_bench.model.columns import optional
from keepalive_bench.units import duration, plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.model.run import Run

DELAYED_ACK = (0.03, 0.06)
"""Seconds: Linux holds an acknowledgement back for 40 ms (TCP_DELACK_MIN), timers add a few."""
_AT_ONCE_S = 0.01
_LEAST_REUSED = 5


def network_findings(run: Run) -> Iterator[Finding]:
    """Everything of that kind, for all arms."""
    yield from _failing_addresses(run)
    yield from _unread_bodies(run)
    yield from _nagle_behind_proxy(run)


def _failing_addresses(run: Run) -> Iterator[Finding]:
    connections = run.connections
    for number, attempts in enumerate(connections.attempts.values):
        rows = [row for row, other in enumerate(connections.failed) if other == number]
        lost = fsum(optional(connections.lost[row]) or 0.0 for row in rows)
        yield Finding(
            code="failing-address",
            severity="warning",
            evidence={"attempts": attempts, "connections": len(rows), "lost_s": lost},
            text=f"{plural(len(rows), 'connection')} tried other addresses in vain first "
            f"({printable(attempts)}), which took {duration(lost)} in all and is part of connect.",
            advice="Mend that address or take it from the name's; -4, -6 or --resolve avoids it.",
        )


def _unread_bodies(run: Run) -> Iterator[Finding]:
    most = run.plan.request.max_body
    exchanges = run.exchanges
    cut = sum(1 for size in exchanges.body_bytes if most is not None and size >= most)
    if most is not None and cut:
        yield Finding(
            code="bodies-cut",
            severity="warning",
            evidence={"max_body": most, "exchanges": cut},
            text=f"The body of {plural(cut, 'response')} reached --max-body {most:,}: a rest that "
            "is left unread closes the connection, in every arm.",
            advice="Without --max-body, bodies are read to the end and connections can be reused.",
        )


def _nagle_behind_proxy(run: Run) -> Iterator[Finding]:
    """Nagle's algorithm, which urllib3 leaves on behind proxies, waiting for a delayed ACK.

    It holds back a body that is written after its head. A fresh connection is acknowledged at once
    at first, through a tunnel not for long. So the mark of it is this: waits on reused connections
    are nearly all a delayed ACK longer than the fastest one, and hardly any lies between the two,
    as those of a server would whose own time varies.
    """
    network = run.plan.network
    if network.proxy is None or network.tcp_nodelay:
        return
    fresh, reused = _waits(run)
    if len(reused) < _LEAST_REUSED or not fresh:
        return
    fastest = min(fresh + reused)
    low, high = DELAYED_ACK
    late = sum(low <= wait - fastest <= high for wait in reused)
    between = sum(_AT_ONCE_S < wait - fastest < low for wait in fresh + reused)
    if late >= 0.9 * len(reused) and between <= 0.1 * (len(fresh) + len(reused)):
        typical = median(reused)
        yield Finding(
            code="nagle-behind-proxy",
            severity="warning",
            evidence={"reused_s": typical, "fastest_s": fastest},
            text=f"On reused connections the first byte comes {duration(typical - fastest)} later "
            "than it can: Nagle's algorithm, which urllib3 leaves on behind a proxy, holds the "
            "body back until the head is acknowledged, and that is delayed.",
            advice="--tcp-nodelay switches it off; in a program, "
            "socket_options=HTTPConnection.default_socket_options does.",
        )


def _waits(run: Run) -> tuple[list[float], list[float]]:
    """From the beginning of sending to the first byte, on fresh and on reused connections."""
    exchanges = run.exchanges
    fresh: list[float] = []
    reused: list[float] = []
    for row in range(len(exchanges)):
        wait = optional(exchanges.phases["wait"][row])
        if exchanges.failure[row] < 0 and wait is not None:
            is_reused = optional(exchanges.phases["connect"][row]) is None
            sent = optional(exchanges.phases["send"][row]) or 0.0
            (reused if is_reused else fresh).append(sent + wait)
    return fresh, reused
