"""The round trip that the system measured in a connection's handshake."""

from __future__ import annotations

import socket
import struct
import sys

import pytest
from server.wire import settings
from support.plans import run

from keepalive_bench.net.tcp_info import handshake_of
from keepalive_bench.server import ServerProcess


class Told:
    """A socket whose system tells what a test says."""

    def __init__(self, info: bytes) -> None:
        self._info = info

    def getsockopt(self, _level: int, _option: int, size: int) -> bytes:
        return self._info[:size]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_it_is_a_part_of_what_connecting_took() -> None:
    with ServerProcess(settings()) as server:
        found = run(server.url, requests=5)
    connects = {
        it.outcome.connection: it.outcome.phases.connect
        for it in found.exchanges
        if it.outcome.phases.connect is not None
    }
    assert len(connects) == 6
    for row, connect_s in connects.items():
        assert row is not None
        rtt_s = found.connections[row].min_rtt
        assert rtt_s is not None
        assert 0 < rtt_s <= connect_s + 1e-6  # it is in whole microseconds


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
@pytest.mark.parametrize(
    ("info", "told"),
    [
        (b"\x01" * 148 + struct.pack("=I", 20_500) + bytes(80), 0.0205),
        (b"\x01" * 148, None),
        (b"\x01" * 148 + b"\xff" * 4, None),
        (b"\x01" * 148 + bytes(4), None),
        (b"", None),
    ],
    ids=["newer", "older", "never measured", "not kept", "nothing"],
)
def test_it_is_read_where_it_stands_or_not_at_all(info: bytes, told: float | None) -> None:
    assert handshake_of(Told(info)).min_rtt_s == told  # type: ignore[arg-type]  # a stand-in for a socket


def test_without_tcp_info_it_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "TCP_INFO", raising=False)
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as plain,
    ):
        assert handshake_of(plain) == (None, None)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
@pytest.mark.parametrize(
    ("info", "told"),
    [
        (b"\x01" * 100 + struct.pack("=I", 3) + bytes(150), 3),
        (b"\x01" * 100 + struct.pack("=I", 0), 0),
        (b"\x01" * 103, None),
        (b"", None),
    ],
    ids=["newer", "just long enough", "older", "nothing"],
)
def test_what_was_sent_again_is_read_where_it_stands(info: bytes, told: int | None) -> None:
    assert handshake_of(Told(info)).retransmissions == told  # type: ignore[arg-type]  # a stand-in
