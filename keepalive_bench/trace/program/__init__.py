"""Runs a program as if nobody were there: started, its signals passed on, its end awaited."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from keepalive_bench.errors import ENDING_SIGNALS, UsageError
from keepalive_bench.trace.program.forwarding import ALL_SIGNALS, Witness, await_end
from keepalive_bench.trace.program.starting import start

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def run(words: Sequence[str], environment: Mapping[bytes, bytes]) -> int:
    """Run a program to its end, and leave all signals blocked.

    Returns:
        Its exit code; of one that a signal ended, the signal's number, negative.

    Raises:
        NotFoundError: there is no such program.
        NotExecutableError: it can't be executed.
    """
    if not hasattr(signal, "sigwaitinfo"):
        raise UsageError("kab trace runs programs on Linux only: this system lacks sigwaitinfo.")
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # where it is ignored, there is no exit code
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ALL_SIGNALS)
    try:
        with Witness() as witness:
            if not signal.sigpending().isdisjoint(ENDING_SIGNALS):
                signal.pthread_sigmask(signal.SIG_SETMASK, before)  # and that was it
            return await_end(start(words, environment, before), witness)
    except BaseException:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        raise


def end_likewise(status: int) -> int:
    """End as the program did, by the same signal; or return the exit code to end with."""
    if status >= 0:
        return status
    import resource  # noqa: PLC0415  # Windows has none

    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    # Of kab itself, there is nothing to dump. A limit of 1 byte holds where cores go to a pipe, too.
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    least = 1 if most == resource.RLIM_INFINITY else min(1, most)
    resource.setrlimit(resource.RLIMIT_CORE, (least, most))
    with suppress(OSError):  # SIGKILL has no handler
        signal.signal(-status, signal.SIG_DFL)
    os.kill(os.getpid(), -status)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {-status})
    return 128 - status  # as shells say it: the first process of a container can't be killed so
