"""How a connection ended that was found dead when it was wanted again."""

from __future__ import annotations

import socket
import ssl
import struct
import sys
from typing import TYPE_CHECKING

from keepalive_bench.model.exchange import Ending

if TYPE_CHECKING:
    from urllib3.util.ssltransport import SSLTransport

_LAST_ACK_RECEIVED = 56
"""Offset in Linux's `struct tcp_info`: milliseconds since the peer's last acknowledgement."""
_TCP_INFO_SIZE = _LAST_ACK_RECEIVED + 4
_TCP_CLOSE = 7
"""The state in its first byte when nothing is left of a connection."""
_LOOK = 200
_MILLISECOND = 1e-3


def found_ended(connection: socket.socket | SSLTransport, idle_s: float) -> Ending:
    """Look at a connection that became readable while idle; it is closed next, whatever it is.

    urllib3 takes a readable connection for a closed one. What is there may be the end of the
    stream (FIN, or TLS's close_notify), a reset, or bytes that nobody asked for.
    """
    plain = connection if isinstance(connection, socket.socket) else connection.socket
    age_s = _since_last_segment(plain)
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


def was_reset(connection: socket.socket | SSLTransport) -> bool:
    """Whether a connection that has just ended did so by RST, which TLS doesn't tell.

    Python before 3.13 takes it for the end of the stream.
    """
    info = _tcp_info(connection if isinstance(connection, socket.socket) else connection.socket)
    return bool(info) and info[0] == _TCP_CLOSE  # a FIN leaves it half open


def _since_last_segment(plain: socket.socket) -> float | None:
    """How long ago the peer's last segment came, in seconds: on a dead connection, its FIN.

    `None` where the system doesn't tell. Of an RST, Linux doesn't note the time.
    """
    info = _tcp_info(plain)
    if not info:
        return None
    (milliseconds,) = struct.unpack_from("=I", info, _LAST_ACK_RECEIVED)
    return float(milliseconds) * _MILLISECOND


def _tcp_info(plain: socket.socket) -> bytes:
    """Linux's `struct tcp_info`; nothing where there is none."""
    # Other systems have an option of that name, too, with another structure.
    option = getattr(socket, "TCP_INFO", None) if sys.platform == "linux" else None
    if option is None:
        return b""
    try:
        info = plain.getsockopt(socket.IPPROTO_TCP, option, _TCP_INFO_SIZE)
    except OSError:  # a Unix socket has none
        return b""
    return info if len(info) == _TCP_INFO_SIZE else b""
