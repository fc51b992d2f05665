"""What is left to do when a program has ended: a report that isn't cut off, and the same end."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from keepalive_bench.errors import ENDING_SIGNALS
from keepalive_bench.trace.program.forwarding import ALL_SIGNALS, STOPPING, signals

if TYPE_CHECKING:
    from collections.abc import Callable

_IMPATIENT = signals("SIGQUIT").union(ENDING_SIGNALS)
_ANNOUNCED = b"kab writes its report. Ctrl-C again leaves it.\n"


def finish(leave: Callable[[], object]) -> None:
    """Take signals again, until kab ends: the first Ctrl-C or its kind is only answered.

    Others that may end kab were meant for the program, and stay blocked.

    Args:
        leave: is called by the second one, and doesn't return.
    """
    heard = 0

    def hear(number: int, frame: object) -> None:
        nonlocal heard
        del number, frame
        heard += 1
        if heard == 1:
            with suppress(OSError):
                os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, _ANNOUNCED)
        else:
            leave()

    while signal.sigtimedwait(ALL_SIGNALS, 0) is not None:  # what came for the program, too late
        pass
    for number in _IMPATIENT:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, hear)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {*_IMPATIENT, *STOPPING, signal.SIGCONT})


def end_likewise(status: int) -> int:
    """End as the program did, by the same signal; or return the exit code to end with."""
    if status >= 0:
        return status
    import resource  # noqa: PLC0415  # Windows has none

    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    # There is nothing of kab to dump. A limit of 1 byte holds where dumps go to a program, too.
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    least = 1 if most == resource.RLIM_INFINITY else min(1, most)
    resource.setrlimit(resource.RLIMIT_CORE, (least, most))
    with suppress(OSError):  # SIGKILL has no handler
        signal.signal(-status, signal.SIG_DFL)
    os.kill(os.getpid(), -status)
    with suppress(OSError, ValueError):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {-status})
    return 128 - status  # as shells have it: the first process of a container can't be killed so
