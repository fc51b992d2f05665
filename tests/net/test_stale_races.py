"""Requests that cross the server's close on a link with a round trip: a relay holds bytes back."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from server.wire import settings
from support.plans import plan

from keepalive_bench import Arm, Load, analyse, benchmark
from keepalive_bench.server import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

_WAY_S = 0.05
_IDLE_S = 0.3


def relayed(source: socket.socket, target: socket.socket) -> None:
    """Pass on what comes, and the end, each after a way's time."""
    with suppress(OSError):
        while data := source.recv(65536):
            time.sleep(_WAY_S)
            target.sendall(data)
        time.sleep(_WAY_S)
        target.shutdown(socket.SHUT_WR)


@contextmanager
def link(port: int) -> Iterator[str]:
    """A relay to a server; its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []
    open_ones: list[socket.socket] = []

    def accept() -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", port))
                open_ones.extend((near, far))
                for ends in ((near, far), (far, near)):
                    threads.append(threading.Thread(target=relayed, args=ends))
                    threads[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        accepting.join()
        for each in open_ones:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()
        for each in (listener, *open_ones):
            each.close()


@pytest.mark.slow
def test_a_request_that_crosses_the_close_of_an_idle_timeout_is_a_race() -> None:
    """One that is sent up to a round trip before the FIN arrives comes too late."""
    load = Load(think_s=(_IDLE_S - 0.2, _IDLE_S + 0.1))
    with ServerProcess(settings(idle_timeout_s=_IDLE_S)) as server, link(server.port) as url:
        wanted = plan(
            url, arms=(Arm("pooled"),), requests=24, warmup=0, load=load, seed=1, keep_going=True
        )
        arm = analyse(benchmark(wanted)).first
    assert arm.reason_counts.keys() == {"first-use", "idle-timeout", "stale-race"}
    races = [reason for reason in arm.reasons.values() if reason.code == "stale-race"]
    for race in races:
        idle_s = float(str(race.evidence["idle_s"]))
        assert _IDLE_S - 2 * _WAY_S - 0.02 <= idle_s <= _IDLE_S + 0.02
    assert sum(arm.failures.values()) in {len(races), len(races) + 1}  # the last has no successor
