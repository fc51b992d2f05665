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

    It shows on reused connections only: a fresh one acknowledges at once. So the wait on reused
    ones is held against that on fresh ones, which have the same way to go.
    """
    network = run.plan.network
    if network.proxy is None or network.tcp_nodelay:
        return
    exchanges = run.exchanges
    waits: dict[bool, list[float]] = {True: [], False: []}
    for row in range(len(exchanges)):
        if exchanges.failure[row] < 0:
            is_reused = optional(exchanges.phases["connect"][row]) is None
            sent = optional(exchanges.phases["send"][row]) or 0.0
            waits[is_reused].append(sent + (optional(exchanges.phases["wait"][row]) or 0.0))
    if not waits[True] or not waits[False]:
        return
    reused, fresh = median(waits[True]), median(waits[False])
    low, high = DELAYED_ACK
    if low <= reused - fresh <= high:
        yield Finding(
            code="nagle-behind-proxy",
            severity="warning",
            evidence={"reused_s": reused, "fresh_s": fresh},
            text="On reused connections the first byte takes "
            f"{duration(reused - fresh)} longer than on fresh ones: Nagle's algorithm, which "
            "urllib3 leaves on behind a proxy, waits for a delayed acknowledgement.",
            advice="--tcp-nodelay switches it off; in a program, "
            "socket_options=HTTPConnection.default_socket_options does.",
        )
