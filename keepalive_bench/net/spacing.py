"""Pauses between requests, outside of what is timed, so that local ports last."""

from __future__ import annotations

import threading
from collections import deque
from threading import Event
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from keepalive_bench.net.tcp import Clock
    from keepalive_bench.net.transport import Transport
    from keepalive_bench.plan.local_ports import Pace
    from keepalive_bench.results.exchange import Outcome
    from keepalive_bench.results.run import PoolCounters

_SECOND = 1_000_000_000


class Spacing:
    """Keeps bursts, of whatever arm, at least a time apart; of steady traffic, single requests.

    One that comes late gives the next ones no right to catch up. And whatever the order of the
    arms, one that takes ports begins only when fewer than there are have been taken in the time
    that each stays taken.
    """

    def __init__(
        self, pace: Pace, clock: Clock, wait: Callable[[Event, float], bool] = Event.wait
    ) -> None:
        self._spacing, self._held = (
            int(seconds * _SECOND) for seconds in (pace.spacing_s, pace.held_s)
        )
        self.burst, self.clock, self.wait = pace.burst, clock, wait
        self.lock = threading.Lock()
        self.paused = 0
        self._ports, self._due = pace.ports, clock()
        self._under_way = 0
        self._ends: deque[int] = deque()

    @property
    def paused_s(self) -> float:
        """What all requests waited, added up."""
        return self.paused / _SECOND

    def next_turn(self, now: int, *, takes_ports: bool) -> int:
        """When the next burst may start."""
        turn = max(self._due, now)
        if takes_ports:
            turn = max(turn, self._free_at(now))
        self._due = turn + self._spacing
        return turn

    def _free_at(self, now: int) -> int:
        """When ports will be free: each stays taken for a time after its connection."""
        ends = self._ends
        while ends and ends[0] + self._held <= now:
            ends.popleft()
        lacking = len(ends) + self._under_way + self.burst - self._ports
        return ends[min(lacking, len(ends)) - 1] + self._held if ends and lacking > 0 else now

    def take_port(self) -> None:
        """Note that a request begins which takes one."""
        self._under_way += 1

    def give_back(self, *, used: bool) -> None:
        """Note that it is over; the port stays taken for a time if it was used."""
        self._under_way -= 1
        if used:
            self._ends.append(self.clock())


def spaced(
    transport: Transport, spacing: Spacing | None, *, takes_port: bool, threads: int
) -> Transport | SpacedTransport:
    """A transport that takes its turns, if turns are to be taken; so many threads use it."""
    if spacing is None:
        return transport
    return SpacedTransport(transport, spacing, takes_port, min(spacing.burst, threads))


class SpacedTransport:
    """An arm's transport that takes its turn before an exchange, whose clock starts after it."""

    def __init__(
        self,
        transport: Transport,
        spacing: Spacing,
        takes_port: bool,  # noqa: FBT001  # called by `spaced` only
        burst: int,
    ) -> None:
        self._transport, self._spacing, self._takes_port = transport, spacing, takes_port
        self._burst = burst  # its own, where arms have different numbers of threads
        self._turn = self._left = 0

    @property
    def counters(self) -> PoolCounters:
        """urllib3's own numbers."""
        return self._transport.counters

    def take_turn(self, given_up: Event) -> bool:
        """Wait until the next request may be sent; whether it may, or was given up before."""
        spacing = self._spacing
        with spacing.lock:
            wait = self._wait(spacing)
        if wait > 0 and spacing.wait(given_up, wait / _SECOND):
            self._give_back(used=False)
            return False
        return True

    def exchange(self, path: str) -> Outcome:
        """Send a request whose turn it is, and read its response to the end."""
        outcome = self._transport.exchange(path)
        is_reused = outcome.connection is not None and outcome.phases.connect is None
        self._give_back(used=not is_reused)
        return outcome

    def _give_back(self, *, used: bool) -> None:
        if self._takes_port:
            with self._spacing.lock:
                self._spacing.give_back(used=used)

    def _wait(self, spacing: Spacing) -> int:
        """How long the next request has to wait; all of a burst, for the same moment."""
        now = spacing.clock()
        if not self._left:
            self._turn = spacing.next_turn(now, takes_ports=self._takes_port)
            self._left = self._burst
        self._left -= 1
        if self._takes_port:
            spacing.take_port()
        wait = max(0, self._turn - now)
        spacing.paused += wait
        return wait

    def pause(self) -> None:
        """Have the next connection now, if the pool wants that."""
        self._transport.pause()

    def close(self) -> None:
        """Close the connections that are still open."""
        self._transport.close()
