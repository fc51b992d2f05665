"""What Linux tells of a TCP connection: `struct tcp_info`, read by its published offsets.

(include/uapi/linux/tcp.h: members are only ever added at its end, so offsets stay.)
"""

from __future__ import annotations

import socket
import struct
import sys

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


def since_last_segment_s(plain: socket.socket) -> float | None:
    """How long ago the peer's last segment came, in seconds: on a dead connection, its FIN.

    `None` where the system doesn't tell. Of an RST, Linux doesn't note the time.
    """
    milliseconds = _number(plain, _LAST_ACK_RECEIVED)
    return None if milliseconds is None else milliseconds / _MILLISECONDS


def min_rtt_s(plain: socket.socket) -> float | None:
    """The shortest round trip of a connection so far, in seconds; `None` where nobody tells.

    Of one that has just been opened, that is its handshake's.
    """
    microseconds = _number(plain, _MIN_RTT)
    if microseconds is None or microseconds in _UNKNOWN:
        return None
    return microseconds / _MICROSECONDS


def is_closed(plain: socket.socket) -> bool:
    """Whether nothing is left of a connection; a FIN leaves it half open, and so `False`."""
    info = _tcp_info(plain, 1)
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
