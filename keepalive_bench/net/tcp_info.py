"""What a socket tells of its connection: its round trip, and how it ended.

Linux tells the most, in `struct tcp_info`, which is read by its published offsets
(include/uapi/linux/tcp.h: members are only ever added at its end, so they stay).
"""

from __future__ import annotations

import socket
import ssl
import struct
import sys
from typing import TYPE_CHECKING

from keepalive_bench.results.exchange import Ending

if TYPE_CHECKING:
    from urllib3.util.ssltransport import SSLTransport

_LOOK = 200
"""Bytes to look at of what nobody asked for."""

_LAST_ACK_RECEIVED = 56
"""Offset: milliseconds since the peer's last acknowledgement."""
_MIN_RTT = 148
"""Offset: the shortest round trip seen, in microseconds (since Linux 4.6)."""
_NUMBER = struct.Struct("=I")
_UNKNOWN = {0, 2**32 - 1}
"""What Linux, and what emulations of it, say where no round trip was measured."""
_TCP_CLOSE = 7
"""The state in the first byte when nothing is left of a connection."""
_MILLISECONDS, _MICROSECONDS = 1_000, 1_000_000
"""In a second."""


def min_rtt_s(plain: socket.socket) -> float | None:
    """The shortest round trip of a connection so far, in seconds; `None` where nobody tells.

    Of one that has just been opened, that is its handshake's.
    """
    microseconds = _number(plain, _MIN_RTT)
    if microseconds is None or microseconds in _UNKNOWN:
        return None
    return microseconds / _MICROSECONDS


def found_ended(connection: socket.socket | SSLTransport, idle_s: float) -> Ending:
    """Look at a connection that became readable while idle; it is closed next, whatever it is.

    urllib3 takes a readable connection for a closed one. What is there may be the end of the
    stream (FIN, or TLS's close_notify), a reset, or bytes that nobody asked for.
    """
    plain = connection if isinstance(connection, socket.socket) else connection.socket
    # How long ago the peer's last segment came: on a dead connection, its FIN. Of an RST, Linux
    # doesn't note the time.
    age_ms = _number(plain, _LAST_ACK_RECEIVED)
    after_s = None if age_ms is None else max(0.0, idle_s - age_ms / _MILLISECONDS)
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


def was_reset(connection: socket.socket | SSLTransport) -> bool:
    """Whether a connection that has just ended did so by RST, which TLS doesn't tell.

    Python before 3.13 takes it for the end of the stream. A FIN leaves a connection half open.
    """
    info = _tcp_info(connection if isinstance(connection, socket.socket) else connection.socket, 1)
    return bool(info) and info[0] == _TCP_CLOSE


def _number(plain: socket.socket, offset: int) -> int | None:
    size = offset + _NUMBER.size
    info = _tcp_info(plain, size)
    # An older system's structure is shorter.
    return None if len(info) < size else int(_NUMBER.unpack_from(info, offset)[0])


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
