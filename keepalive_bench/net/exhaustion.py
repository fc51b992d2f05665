"""Whether a machine has run out of local ports, or can't connect for another reason."""

from __future__ import annotations

import errno
import socket
from typing import Any

_SUSPICIOUS = {errno.EADDRNOTAVAIL, errno.EADDRINUSE}


class PortsExhaustedError(OSError):
    """No local port is free for another connection to an address."""


def ran_out(
    error: OSError,
    family: int,
    sockaddr: Any,  # noqa: ANN401  # its shape depends on the family
    source: str | None,
) -> bool:
    """Whether ports are what is lacking.

    Without an address to connect from (IPv6 switched off, or one that has been taken away) the
    system says the same. UDP has ports of its own, and needs an address too: where it connects,
    there is one.
    """
    if error.errno not in _SUSPICIOUS:
        return False
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as tried:
            if source is not None:
                tried.bind((source, 0))
            tried.connect(sockaddr)
    except OSError:
        return False
    return True
