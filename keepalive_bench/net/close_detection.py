"""How a connection ended that was found dead when it was wanted again."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

from keepalive_bench.net import tcp_info
from keepalive_bench.results.exchange import Ending

if TYPE_CHECKING:
    from urllib3.util.ssltransport import SSLTransport

_LOOK = 200


def found_ended(connection: socket.socket | SSLTransport, idle_s: float) -> Ending:
    """Look at a connection that became readable while idle; it is closed next, whatever it is.

    urllib3 takes a readable connection for a closed one. What is there may be the end of the
    stream (FIN, or TLS's close_notify), a reset, or bytes that nobody asked for.
    """
    plain = connection if isinstance(connection, socket.socket) else connection.socket
    age_s = tcp_info.since_last_segment_s(plain)
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
    plain = connection if isinstance(connection, socket.socket) else connection.socket
    return tcp_info.is_closed(plain)
