"""Where a server listens: on loopback, unless told otherwise in so many words."""

from __future__ import annotations

import os
import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from keepalive_bench.errors import UsageError
from keepalive_bench.units import quoted

if TYPE_CHECKING:
    from keepalive_bench.server.settings import Settings

# So deep that no client of a benchmark ever waits for a place; the system may allow less.
_BACKLOG = 4096

_Address = tuple[socket.AddressFamily, tuple[Any, ...]]  # as bind() takes it, host first


def bind(settings: Settings) -> socket.socket:
    """Listen on the first address of the host that can be had.

    Raises:
        UsageError: There is none, or other machines could reach it and that isn't allowed.
    """
    addresses = _resolve(settings)
    for _, address in addresses:
        if not (settings.allow_remote or ip_address(address[0]).is_loopback):
            raise UsageError(
                f"Other machines could reach {quoted(settings.host)}: only loopback is served "
                "unless remote clients are allowed (--allow-remote)."
            )
    problems = []
    for family, address in addresses:
        try:
            return _listen(family, address)
        except OSError as error:  # noqa: PERF203 - such as ::1 where there is no IPv6
            problems.append(error.strerror or str(error))
    raise UsageError(f"Can't serve on {quoted(settings.host)} port {settings.port}: {problems[0]}.")


def url_of(listener: socket.socket, *, tls: bool) -> str:
    """Name the address that was bound, as a client writes it."""
    host, port = listener.getsockname()[:2]
    host = f"[{host}]" if ":" in host else host
    return f"{'https' if tls else 'http'}://{host}:{port}"


def _resolve(settings: Settings) -> list[_Address]:
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"Can't serve on {quoted(settings.host)}: {reason}.") from error
    return [(family, address) for family, _, _, _, address in found]


def _listen(family: socket.AddressFamily, address: tuple[Any, ...]) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # Elsewhere it would let two servers share a port.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
