"""What a socket tells of its connection: its round trip, and how it ended.

Linux tells the most, in `struct tcp_info`, which is read by its published offsets
(include/uapi/linux/tcp.h: members are only ever added at its end, so they stay).
"""

from __future__ import annotations

import socket
import ssl
import struct
import sys
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.results.exchange import Ending

if TYPE_CHECKING:
    from urllib3.util.ssltransport import SSLTransport

_LOOK = 200
"""Bytes to look at of what nobody asked for."""

_UNACKED = 24
"""Offset: segments that the peer hasn't acknowledged."""
_LAST_ACK_RECEIVED = 56
"""Offset: milliseconds since the peer's last acknowledgement."""
_TOTAL_RETRANS = 100
"""Offset: segments that were sent again."""
_MIN_RTT = 148
"""Offset: the shortest round trip seen, in microseconds (since Linux 4.6)."""
_NUMBER = struct.Struct("=I")
_UNKNOWN = {0, 2**32 - 1}
"""What Linux, and what emulations of it, say where no round trip was measured."""
_TCP_CLOSE = 7
"""The state in the first byte when nothing is left of a connection."""
_MILLISECONDS, _MICROSECONDS = 1_000, 1_000_000
"""In a second."""


class TcpHandshake(NamedTuple):
    """What the system noted of a connection that has just been opened."""

    min_rtt_s: float | None
    """Its round trip; `None` where the system doesn't tell."""
    retransmissions: int | None
    """How often something was sent again, which can be the SYN only; `None`: the same."""


def handshake_of(plain: socket.socket) -> TcpHandshake:
    """Ask for both at once."""
    info = _tcp_info(plain, _MIN_RTT + _NUMBER.size)
    microseconds = _number(info, _MIN_RTT)
    if microseconds is None or microseconds in _UNKNOWN:
        return TcpHandshake(None, _number(info, _TOTAL_RETRANS))
    return TcpHandshake(microseconds / _MICROSECONDS, _number(info, _TOTAL_RETRANS))


def found_ended(connection: socket.socket | SSLTransport, idle_s: float) -> Ending:
    """Look at a connection that became readable while idle; it is closed next, whatever it is.

    urllib3 takes a readable connection for a closed one. What is there may be the end of the
    stream (FIN, or TLS's close_notify), a reset, or bytes that nobody asked for.
    """
    plain = connection if isinstance(connection, socket.socket) else connection.socket
    # How long ago the peer's last segment came: on a dead connection, its FIN. Of an RST, Linux
    # doesn't note the time.
    age_s = last_segment_age_s(plain)
    after_s = None if age_s is None else max(0.0, idle_s - age_s)
    if plain.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):  # reading over TLS may not tell
        return Ending("rst", idle_s)
    plain.settimeout(0)
    try:
        data = bytes(connection.recv(_LOOK))
    except ConnectionResetError:
        return Ending("rst", idle_s)
    except (BlockingIOError, ssl.SSLWantReadError):
        return Ending("data", idle_s, after_s, "TLS records without data, as session tickets are")
    except OSError as error:
        return Ending("data", idle_s, after_s, str(error)[:_LOOK])
    if data:
        return Ending("data", idle_s, after_s, data.decode("latin-1"))
    return Ending("fin", idle_s, after_s)


def last_segment_age_s(plain: socket.socket) -> float | None:
    """How long ago the peer's last segment came, to the millisecond; `None`: nobody tells.

    An RST doesn't count.
    """
    age_ms = _number(_tcp_info(plain, _LAST_ACK_RECEIVED + _NUMBER.size), _LAST_ACK_RECEIVED)
    return None if age_ms is None else age_ms / _MILLISECONDS


def unacknowledged(plain: socket.socket) -> int | None:
    """How many segments the peer hasn't acknowledged; `None`: nobody tells."""
    return _number(_tcp_info(plain, _UNACKED + _NUMBER.size), _UNACKED)


def was_reset(connection: socket.socket | SSLTransport) -> bool:
    """Whether a connection that has just ended did so by RST, which TLS doesn't tell.

    Python before 3.13 takes it for the end of the stream. A FIN leaves a connection half open.
    """
    info = _tcp_info(connection if isinstance(connection, socket.socket) else connection.socket, 1)
    return bool(info) and info[0] == _TCP_CLOSE


def _number(info: bytes, offset: int) -> int | None:
    # An older system's structure is shorter.
    is_there = len(info) >= offset + _NUMBER.size
    return int(_NUMBER.unpack_from(info, offset)[0]) if is_there else None


def _tcp_info(plain: socket.socket, size: int) -> bytes:
    """The structure's first bytes; nothing where there is none."""
    # Other systems have an option of that name, too, with another structure.
    option = getattr(socket, "TCP_INFO", None) if sys.platform == "linux" else None
    if option is None:
        return b""
    try:
        return plain.getsockopt(socket.IPPROTO_TCP, option, size)
    except OSError:  # a Unix socket has none
        return b""
