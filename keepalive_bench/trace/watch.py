"""`watch`: how a block of this process's own code uses its connections.

Each watch has a tracer and a folder of its own, so watches may be nested, or run side by side in
threads, and `kab trace` may be tracing the process as well. What the block forks is watched, too.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from keepalive_bench.errors import KabError, RequirementError, UsageError
from keepalive_bench.trace.origins import is_about
from keepalive_bench.units import printable, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from keepalive_bench.trace.usage import OriginUsage, Usage

Threads = Literal["all", "own"]


class Counted(int):
    """How many there were, and of what: a number like any other, which can say why it is so high."""

    of: tuple[OriginUsage, ...]

    @classmethod
    def among(cls, origins: tuple[OriginUsage, ...], number: int) -> Counted:
        """A number of what went to these origins."""
        made = cls(number)
        made.of = origins
        return made


class Seen:
    """What a watch has seen: so far, while its block runs, and all of it from then on."""

    def __init__(self, usage: Callable[[], Usage]) -> None:
        self._usage = usage

    @property
    def usage(self) -> Usage:
        """How the connections were used, and why each was opened."""
        return self._usage()

    @property
    def origins(self) -> tuple[str, ...]:
        """Where requests went, as `https://api.example.com:443`."""
        return tuple(dict.fromkeys(it.origin for it in self.usage.origins if it.requests))

    def connections(self, origin: str | None = None) -> int:
        """How many connections were opened, those that were open before not among them.

        Args:
            origin: a host, `host:port` or `scheme://host:port`; without it, all.

        Raises:
            RequirementError: no request went to that origin.
            UsageError: that is no origin.
            KabError: some of what happened couldn't be recorded, so nobody knows.
        """
        origins = self._about(origin)
        return Counted.among(origins, sum(it.connections for it in origins))

    def requests(self, origin: str | None = None) -> int:
        """How many requests were sent. It takes and raises what `connections` does."""
        origins = self._about(origin)
        return Counted.among(origins, sum(it.requests for it in origins))

    def report(self) -> str:
        """The report of it as text, for people."""
        from keepalive_bench.trace.report.text import in_text

        return in_text(self.usage)

    def _about(self, origin: str | None) -> tuple[OriginUsage, ...]:
        usage = self.usage
        if gaps := gaps_in(usage):
            raise KabError(f"Connections can't be counted: {gaps}.")
        if origin is None:
            return usage.origins
        found = tuple(it for it in usage.origins if is_about(origin, it.origin))
        if not any(it.requests for it in found):
            seen = self.origins
            others = f"they went to {', '.join(map(printable, seen))}" if seen else "there were none"
            attempts = sum(it.failed_connections for it in found)
            failed = f" ({attempts} attempts to connect failed)" if attempts else ""
            raise RequirementError(f"No request went to {quoted(origin)}{failed}: {others}.")
        return found


@contextmanager
def watch(*, threads: Threads = "all") -> Iterator[Seen]:
    """Watch how a block uses its connections.

    Args:
        threads: whose requests are counted: those of `all` threads, or only those that the `own`
            thread sends, the one which begins the watch, with all tasks that run in it.

    Raises:
        UsageError: `threads` is something else.
    """
