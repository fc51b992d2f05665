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
from keepalive_bench.trace.analysis import analyse
from keepalive_bench.trace.reading import read
from keepalive_bench.trace.tracer._kab_tracer.tracing import Tracing
from keepalive_bench.trace.watched import gaps, nowhere, report_text, selected
from keepalive_bench.units import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.trace.recording import Recording
    from keepalive_bench.trace.usage import Usage

Threads = Literal["all", "own"]

_MOST_BYTES = 1_000_000_000
_patching = Lock()


class Counted(int):
    """How many there were: a number like any other, which knows what it is a number of."""

    usage: Usage

    @classmethod
    def of(cls, number: int, usage: Usage) -> Counted:
        """A number, and the origins that it is about."""
        made = cls(number)
        made.usage = usage
        return made


class Seen:
    """What a watch has seen: so far, while its block runs, and from then on all of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._recording: Recording | None = None
        self._usage: Usage | None = None

    @property
    def usage(self) -> Usage:
        """How connections were used, and why each was opened."""
        if self._recording is None:
            return usage_in(self._folder)
        if self._usage is None:
            self._usage = analyse(self._recording)
        return self._usage

    @property
    def origins(self) -> tuple[str, ...]:
        """Where requests went: `("https://api.example.com:443",)`."""
        return tuple(dict.fromkeys(it.origin for it in self.usage.origins if it.requests))

    def connections(self, origin: str | None = None) -> int:
        """How many connections were opened. Those that were open before aren't among them.

        Args:
            origin: a host, `host:port` or `scheme://host:port`; without one, all of them.

        Raises:
            RequirementError: no request went to that origin.
            KabError: not all that happened could be recorded, so nobody knows.
        """
        usage = self._about(origin)
        return Counted.of(sum(it.connections for it in usage.origins), usage)

    def requests(self, origin: str | None = None) -> int:
        """How many requests were sent. It takes and raises the same as `connections`."""
        usage = self._about(origin)
        return Counted.of(sum(it.requests for it in usage.origins), usage)

    def report(self, *, verbose: bool = False) -> str:
        """What `kab trace` would tell of it; `verbose`: with each connection, and all reasons."""
        return report_text(self.usage, verbose=verbose)

    def end(self) -> None:
        """Keep what was seen: the records go away."""
        self._recording = read(self._folder)

    def _about(self, origin: str | None) -> Usage:
        usage = self.usage
        if unknown := gaps(usage):
            raise KabError(f"Some of what happened wasn't seen, so it can't be counted. {unknown}")
        about = selected(usage, origin)
        if origin is not None and not any(it.requests for it in about.origins):
            raise RequirementError(nowhere(usage, origin))
        return about


@contextmanager
def watch(*, threads: Threads = "all") -> Iterator[Seen]:
    """Watch how a block uses its connections.

    Args:
        threads: whose requests are counted: those of `all` threads, or the `own` one's alone: that
            is the thread which begins the watch, with all asyncio tasks that run in it.

    Raises:
        UsageError: `threads` is neither.
    """
    if threads not in get_args(Threads):
        known = " or ".join(map(quoted, get_args(Threads)))
        raise UsageError(f"threads is {known}, not {quoted(str(threads))}.")
    with records_folder() as folder:
        seen = Seen(folder)
        try:
            with recording_into(folder, threads):
                yield seen
        finally:
            seen.end()


@contextmanager
def records_folder() -> Iterator[Path]:
    """A folder for records, which this user alone may read; it goes away with the block."""
    made_by, folder = os.getpid(), Path(tempfile.mkdtemp(prefix="kab-"))
    try:
        yield folder
    finally:
        if os.getpid() == made_by:  # and this isn't a fork of that, on its way out
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def recording_into(folder: Path, threads: Threads = "all") -> Iterator[None]:
    """Trace this process for a block."""
    only = get_ident() if threads == "own" else 0
    with _patching:
        tracing = Tracing(str(folder), _MOST_BYTES, only_thread=only)
    try:
        yield
    finally:
        with _patching:
            tracing.end()


def usage_in(folder: Path) -> Usage:
    """What has been recorded in a folder so far."""
    return analyse(read(folder))
