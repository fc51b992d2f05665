"""Runs a program as if nobody were there: started, its signals passed on, its end awaited."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from keepalive_bench.errors import ENDING_SIGNALS, UsageError
from keepalive_bench.trace.program.forwarding import ALL_SIGNALS, Witness, await_end
from keepalive_bench.trace.program.starting import start

if TYPE_CHECKING:
    from collections.abc import Mapping


def run(words: tuple[str, ...], environment: Mapping[bytes, bytes]) -> int:
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
