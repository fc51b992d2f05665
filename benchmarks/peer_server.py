"""The one nginx that kab and its peers are measured against, and what it says of them."""

from __future__ import annotations

import os
import re
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nginx import STATUS, free_ports, nginx_at

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROC = Path("/proc")
_PATIENCE_S = 10.0
_COUNTS = re.compile(r"^ (\d+) \d+ (\d+) $", re.MULTILINE)
_CPU_FIELDS = slice(11, 13)
"""Of what follows a process's name: user and system time (proc(5), `utime` and `stime`)."""


class Counts(NamedTuple):
    """What nginx has done until now."""

    connections: int
    requests: int
    cpu_s: float


class PeerServer:
    """Knows the places to send requests to, and counts what came of it."""

    def __init__(self, ports: list[int], master: int, status: HTTPConnection) -> None:
        """The status connection stays open, so that it counts as none between two looks."""
        self._ports = ports
        self._status = status
        self._asked()  # opens that connection; and who answers is there
        self._workers = _children(master)
        self._own = os.sched_getaffinity(0)
        self._its = os.sched_getaffinity(self._workers[0])

    def url(self, place: int) -> str:
        """Each has a port: none meets the ports that another's closed connections still hold."""
        return f"http://127.0.0.1:{self._ports[place]}/"

    def counts(self) -> Counts:
        """What it has done, this question included as a request."""
        connections, requests = self._asked()
        return Counts(connections, requests, sum(_cpu_s(worker) for worker in self._workers))

    def _asked(self) -> tuple[int, int]:
        self._status.request("GET", STATUS)
        text = self._status.getresponse().read().decode()
        found = _COUNTS.search(text)
        if found is None:
            raise ValueError(f"this is no status of nginx: {text}")
        return int(found[1]), int(found[2])

    @contextmanager
    def placed(self, *, shares_cores: bool) -> Iterator[None]:
        """Let nginx and what is started meanwhile have a core each, or share all of them."""
        if not shares_cores:
            yield
            return
        everywhere = self._own | self._its
        self._place(everywhere, everywhere)
        try:
            yield
        finally:
            self._place(self._own, self._its)

    def _place(self, own: set[int], its: set[int]) -> None:
        os.sched_setaffinity(0, own)
        for worker in self._workers:
            os.sched_setaffinity(worker, its)


@contextmanager
def peer_server(places: int) -> Iterator[PeerServer]:
    """Start it, with so many ports for clients, and one to ask it for its counts."""
    asked, *ports = free_ports(places + 1)
    connection = HTTPConnection("127.0.0.1", asked, timeout=_PATIENCE_S)
    with nginx_at([asked, *ports], status=True) as nginx, closing(connection) as status:
        yield PeerServer(ports, nginx.pid, status)


def _children(process: int) -> list[int]:
    listed = (_PROC / str(process) / "task" / str(process) / "children").read_text()
    return [int(child) for child in listed.split()]


def _cpu_s(process: int) -> float:
    _, _, fields = (_PROC / str(process) / "stat").read_text().rpartition(") ")
    ticks = sum(int(ticks) for ticks in fields.split()[_CPU_FIELDS])
    return ticks / os.sysconf("SC_CLK_TCK")
