"""A link with a round-trip time: packets go from one device to the other, each after its delay.

Delaying packets, not bytes, delays handshakes too, which a proxy can't: it answers a client's SYN
at once.
"""

from __future__ import annotations

import os
import signal
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from select import select
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKET_BYTES = 65536
_EARLY_S = 0.0002
"""How much before a packet is due the loop wakes up and waits actively: sleeping overshoots."""
_IDLE_S = 0.5
"""How long it sleeps without packets, before it looks whether it is still wanted."""


@dataclass(frozen=True, kw_only=True)
class Link:
    """How long packets take, and how many get lost.

    Raises:
        ValueError: a time below 0, or a loss that is no share below 1.
    """

    rtt_s: float
    """Half of it is each packet's delay."""
    jitter_s: float = 0.0
    """At most so much more each way, evenly drawn for each packet; none overtakes another."""
    loss: float = 0.0
    """The share of packets lost, each way."""

    def __post_init__(self) -> None:
        """Check the numbers."""
        if self.rtt_s < 0 or self.jitter_s < 0 or not 0 <= self.loss < 1:
            raise ValueError(f"There can't be such a link: {self}.")


class DelayLine:
    """The packets that are under way in one direction."""

    def __init__(self, link: Link, random: Random) -> None:
        self._link, self._random = link, random
        self._under_way: deque[tuple[float, bytes]] = deque()

    def take(self, packet: bytes, now: float) -> None:
        """Send a packet on its way, unless it gets lost."""
        if self._random.random() < self._link.loss:
            return
        due = now + self._link.rtt_s / 2 + self._random.uniform(0, self._link.jitter_s)
        # Jitter on the way is queueing; it reorders nothing.
        self._under_way.append((max(due, self._under_way[-1][0] if self._under_way else 0), packet))

    @property
    def next_due(self) -> float | None:
        """When the next packet arrives; `None`: there is none."""
        return self._under_way[0][0] if self._under_way else None

    def arrived(self, now: float) -> Iterator[bytes]:
        """The packets that have arrived by now; they are forgotten here."""
        while self._under_way and self._under_way[0][0] <= now:
            yield self._under_way.popleft()[1]


def forward(one: int, other: int, link: Link, seed: int) -> None:
    """Carry packets between two TUN devices' files until the process that started us is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started us ends us
    be_urgent(2)
    _keep_cores_awake()
    random = Random(seed)  # noqa: S311  # not for secrets
    directions = [
        (one, other, DelayLine(link, random)),
        (other, one, DelayLine(link, random)),
    ]
    parent = os.getppid()
    while os.getppid() == parent:
        select([one, other], [], [], _until_next([line for _, _, line in directions]))
        for source, sink, line in directions:
            for packet in _waiting(source):
                line.take(packet, monotonic())
            for packet in line.arrived(monotonic()):
                os.write(sink, packet)


def be_urgent(priority: int) -> None:
    """Go before everything else that runs on this machine; whoever is started from here, too."""
    with suppress(PermissionError):  # some containers keep that right from their root
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))


def _keep_cores_awake() -> None:
    """Ask for no sleep so deep that waking up takes 0.1 ms: each packet would meet it four times.

    It lasts as long as the file is open, which is until this process ends (Linux's power management
    calls it a latency of 0).
    """
    with suppress(OSError):
        os.write(os.open("/dev/cpu_dma_latency", os.O_WRONLY), bytes(4))


def _until_next(lines: list[DelayLine]) -> float:
    due = min((line.next_due for line in lines if line.next_due is not None), default=None)
    return _IDLE_S if due is None else max(0.0, due - monotonic() - _EARLY_S)


def _waiting(device: int) -> Iterator[bytes]:
    """The packets that the system wants to send over a device; its file doesn't block."""
    with suppress(BlockingIOError):
        while True:
            yield os.read(device, _PACKET_BYTES)
