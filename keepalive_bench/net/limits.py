"""Which of the system's limits an error is about, and what to do about it."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

from keepalive_bench.errors import KabError
from keepalive_bench.units import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

_NO_THREAD = "can't start new thread"
"""What Python says, without the system's reason."""
_LIMITS = {
    errno.EAGAIN: "no more processes or threads are allowed (ulimit -u, a container's pids limit)",
    errno.ENOMEM: "no memory is left (ulimit -v, a container's memory limit, the machine's)",
    errno.EMFILE: "no more files may be open in one process (ulimit -n)",
    errno.ENFILE: "no more files may be open on this machine",
}


def limit_reached(error: BaseException) -> str | None:
    """The limit in words; `None`: the error isn't about one."""
    if isinstance(error, MemoryError):
        return _LIMITS[errno.ENOMEM]
    if isinstance(error, RuntimeError) and str(error) == _NO_THREAD:
        return f"{_LIMITS[errno.EAGAIN]}, or no memory is left for one"
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
