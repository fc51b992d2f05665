"""`watch`: how a block of this process's code uses its connections.

Each watch has a tracer and a folder of its own, so watches may be nested, or run side by side in
threads, and `kab trace` may be tracing the process as well. What the block forks is watched, too.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, get_ident
from typing import TYPE_CHECKING, Literal, get_args

from keepalive_bench.errors import KabError, RequirementError, UsageError
from keepalive_bench.trace.tracer._kab_tracer.tracing import Tracing
from keepalive_bench.units import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.trace.usage import OriginUsage, Usage

Threads = Literal["all", "own"]

_MOST_BYTES = 1_000_000_000
_one_at_a_time = Lock()
"""Who puts patches in, or takes them out."""


class Counted(int):
    """How many there were: a number like any other, which knows what it is a number of."""

    origins: tuple[OriginUsage, ...] = ()

    @classmethod
    def among(cls, origins: tuple[OriginUsage, ...], number: int) -> Counted:
        """How many there were of something that went to these origins."""
        made = cls(number)
        made.origins = origins
        return made


class Seen:
    """What a watch has seen: so far, while its block runs, and from then on all of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._usage: Usage | None = None

    @property
    def usage(self) -> Usage:
        """How connections were used, and why each was opened."""
        return self._usage or usage_in(self._folder)

    @property
    def origins(self) -> tuple[str, ...]:
        """Where requests went: `("https://api.example.com:443",)`."""
        return tuple(dict.fromkeys(it.origin for it in self.usage.origins if it.requests))

    def connections(self, origin: str | None = None) -> int:
        """How many connections were opened. Those that had been open before aren't among them.

        Args:
            origin: a host, `host:port` or `scheme://host:port`; without one, all of them.

        Raises:
            RequirementError: no request went to that origin.
            KabError: not all of what happened could be recorded, so nobody knows.
        """
        origins = self._about(origin)
        return Counted.among(origins, sum(it.connections for it in origins))

    def requests(self, origin: str | None = None) -> int:
        """How many requests were sent. It takes and raises the same as `connections`."""
        origins = self._about(origin)
        return Counted.among(origins, sum(it.requests for it in origins))

    def report(self) -> str:
        """The report for people, as text."""
        return "\n".join(report_lines(self.usage))

    def _about(self, origin: str | None) -> tuple[OriginUsage, ...]:
        usage = self.usage
        if gaps := gaps_in(usage):
            raise KabError(f"Nobody knows how many there were: {gaps}.")
        if origin is None:
            return usage.origins
        found = tuple(it for it in usage.origins if is_meant(origin, it.origin))
        if not any(it.requests for it in found):
            raise RequirementError(without_requests(origin, usage))
        return found

    def _end(self) -> None:
        self._usage = usage_in(self._folder)


@contextmanager
def watch(*, threads: Threads = "all") -> Iterator[Seen]:
    """Watch how a block uses its connections.

    Args:
        threads: whose requests are counted: those of `all` threads, or the `own` one's alone, that
            is the thread which begins the watch, with all asyncio tasks that run in it.

    Raises:
        UsageError: `threads` is neither.
    """
    if threads not in get_args(Threads):
        known = " or ".join(map(repr, get_args(Threads)))
        raise UsageError(f"threads is {known}, not {quoted(str(threads))}.")
    with records_folder() as folder:
        seen = Seen(folder)
        with recording_into(folder, threads):
            yield seen
        ...


@contextmanager
def records_folder() -> Iterator[Path]:
    """A folder for records, which only this user may read; it goes away with the block."""
    made_by, folder = os.getpid(), Path(tempfile.mkdtemp(prefix="kab-"))
    try:
        yield folder
    finally:
        if os.getpid() == made_by:  # and not a fork of it that ran out of the block
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def recording_into(folder: Path, threads: Threads = "all") -> Iterator[None]:
    """Trace this process for a block."""
    with _one_at_a_time:
        tracing = Tracing(str(folder), _MOST_BYTES)
        ...
