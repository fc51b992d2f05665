"""What the system has run out of: local ports, open files, threads, memory."""

from __future__ import annotations

import errno
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from keepalive_bench.errors import KabError
from keepalive_bench.units import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

_SUSPICIOUS = {errno.EADDRNOTAVAIL, errno.EADDRINUSE}
_NO_THREAD = "can't start new thread"
"""What Python says, without the system's reason."""
_LIMITS = {
    errno.EAGAIN: "no more processes or threads are allowed (ulimit -u, a container's pids limit)",
    errno.ENOMEM: "no memory is left (ulimit -v, a container's memory limit, the machine's)",
    errno.EMFILE: "no more files may be open in one process (ulimit -n)",
    errno.ENFILE: "no more files may be open on this machine",
}


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


def limit_reached(error: BaseException) -> str | None:
    """The limit in words; `None`: the error isn't about one."""
    if isinstance(error, MemoryError):
        return _LIMITS[errno.ENOMEM]
    if isinstance(error, RuntimeError) and str(error) == _NO_THREAD:
        return f"{_LIMITS[errno.EAGAIN]}, or no memory is left for one (ulimit -v)"
    return _LIMITS.get(error.errno or 0) if isinstance(error, OSError) else None


@contextmanager
def naming_limits(what: str, advice: str) -> Iterator[None]:
    """Explain what can't be done where a limit is reached, or the system refuses it otherwise.

    Raises:
        KabError: it can't be done.
    """
    try:
        yield
    except (OSError, MemoryError, RuntimeError) as error:
        limit = limit_reached(error)
        if limit is not None:
            raise KabError(f"{what}, because {limit}: {advice}, or raise the limit.") from error
        if not isinstance(error, OSError):
            raise
        raise KabError(f"{what}: {printable(str(error))}.") from error
