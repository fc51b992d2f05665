"""A SYN that nobody answers, as the system drops it where a server's accept queue is full."""

from __future__ import annotations

import socket
import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING

import pytest
from support.misbehaving import Peer, forever
from support.patience import PATIENCE_S
from support.plans import run

from keepalive_bench import Arm, analyse

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells"),
]
_SYN_SENT = "02"


def is_asked_for(port: int) -> bool:
    """Whether somebody's SYN to the port is under way, by the system's own table."""
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return any(row[2].endswith(f":{port:04X}") and row[3] == _SYN_SENT for row in rows)


@contextmanager
def full_at_first() -> Iterator[str]:
    """A server that accepts nobody until a SYN was dropped, and then everybody."""
    stopping = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    port = listener.getsockname()[1]

    def accept() -> None:
        last = monotonic() + PATIENCE_S
        while not is_asked_for(port) and monotonic() < last:
            sleep(0.005)
        sleep(0.05)  # it has been dropped by then
        with suppress(OSError):
            while True:
                peer = Peer(listener.accept()[0], stopping)
                threading.Thread(target=serve, args=(peer,), daemon=True).start()

    def serve(peer: Peer) -> None:
        with suppress(OSError):
            forever()(peer)
        peer.close()

    with listener, socket.create_connection(("127.0.0.1", port)):
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{port}/"
        stopping.set()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(PATIENCE_S)


def test_it_is_counted_with_what_it_cost() -> None:
    with full_at_first() as url:
        measured = run(url, arms=(Arm("unpooled"),), requests=5, warmup=0)
    assert [it.retransmissions for it in measured.connections] == [1, 0, 0, 0, 0]
    (found,) = (it for it in analyse(measured).findings if it.code == "lost-syn")
    connects = [it.outcome.phases.connect or 0.0 for it in measured.exchanges]
    assert found.evidence["connections"] == found.evidence["retransmissions"] == 1
    assert found.evidence["opened"] == len(connects) == 5
    assert found.evidence["connect_s"] == pytest.approx(connects[0])
    usual_s = found.evidence["usual_s"]
    assert isinstance(usual_s, float)
    assert min(connects[1:]) <= usual_s <= max(connects[1:])
    # RFC 6298, section 2: a first timeout of one second.
    assert 0.9 < connects[0] < 1.5
