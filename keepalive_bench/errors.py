"""The one family of errors that kab raises on purpose, each with its exit code."""

from __future__ import annotations

import errno
import signal
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


ENDING_SIGNALS: tuple[signal.Signals, ...] = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""What ends a run early, with `ExitCode.INTERRUPTED`: what was measured is kept.

Ctrl-C, CI that ends what takes too long, a closed terminal. Windows has no SIGHUP.
"""


class ExitCode(IntEnum):
    """What a command's exit code says; the first that applies, in the order documented."""

    MEASURED = 0
    NOTHING_MEASURED = 1
    USAGE = 2
    PARTLY_MEASURED = 3
    REQUIREMENT_MISSED = 4
    NOT_EXECUTABLE = 126
    """Of `kab trace`, as shells have it; otherwise its code is the program's."""
    NOT_FOUND = 127
    """The same."""
    INTERRUPTED = 130

    @classmethod
    def first_of(cls, codes: Collection[ExitCode]) -> ExitCode:
        """The one of several that goes before the others."""
        order = (
            cls.INTERRUPTED,
            cls.USAGE,
            cls.NOTHING_MEASURED,
            cls.REQUIREMENT_MISSED,
            cls.PARTLY_MEASURED,
        )
        return next((code for code in order if code in codes), cls.MEASURED)


class KabError(Exception):
    """Something that one clear sentence explains: what is wrong, where, and what to do."""

    exit_code = ExitCode.NOTHING_MEASURED


class UsageError(KabError, ValueError):
    """What was asked for makes no sense, or can't be read or written; nothing was sent."""

    exit_code = ExitCode.USAGE


class RequirementError(KabError, AssertionError):
    """A run misses a requirement."""

    exit_code = ExitCode.REQUIREMENT_MISSED


class ResultsFileError(UsageError):
    """A file that isn't a kab results file, or is damaged."""


class OtherDocumentError(ResultsFileError):
    """A whole JSON document that isn't a run's."""

    def __init__(self, message: str, kind: str = "") -> None:
        """Take the message, and the kind that the document says it is of."""
        super().__init__(message)
        self.kind = kind


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
        return f"{_LIMITS[errno.EAGAIN]}, or no memory is left for one (ulimit -v)"
    return _LIMITS.get(error.errno or 0) if isinstance(error, OSError) else None
