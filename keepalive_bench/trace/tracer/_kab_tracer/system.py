"""What the tracer asks Python and the system: the time, of forks, and whose an error is."""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, MutableSequence

# Not the functions themselves: freezegun looks for those in modules, and replaces them.
now: Callable[[], float] = time.perf_counter.__call__  # type: ignore[operator]
wall: Callable[[], float] = time.time.__call__  # type: ignore[operator]
wall_ns: Callable[[], int] = time.time_ns.__call__  # type: ignore[operator]
_WIPE_ON_FORK = 18
"""Linux's advice; the standard library has no name for it."""
_OWN_FOLDER = os.path.dirname(os.path.abspath(__file__)) + os.sep
_OWN_ERRORS = frozenset(("builtins", "struct", "socket"))
"""Modules of the classes that are raised here, and by what is called from here."""


def mark() -> MutableSequence[int]:
    """What has a 1 in this process, and a 0 in those that it forks, until they write a 1.

    It is memory that a fork wipes, where the system has that: also a fork that Python doesn't know
    of. The process's id tells the same, but to ask for it costs more than all that is written.
    """
    if sys.platform == "linux":
        from mmap import MAP_ANONYMOUS, MAP_PRIVATE, mmap

        try:
            made = mmap(-1, 1, MAP_PRIVATE | MAP_ANONYMOUS)
            made.madvise(_WIPE_ON_FORK)
        except OSError as error:  # Linux before 4.14
            if is_programs(error):
                raise
        else:
            made[0] = 1
            return made  # type: ignore[return-value]  # as much of one as is needed
    return _Pid()  # type: ignore[return-value]  # the same


class _Pid:
    """Asks for the process's id."""

    def __init__(self) -> None:
        self._pid = os.getpid()

    def __getitem__(self, _: int) -> int:
        return int(self._pid == os.getpid())

    def __setitem__(self, _: int, __: int) -> None:
        self._pid = os.getpid()


def is_programs(error: BaseException) -> bool:
    """Whether an error in the middle of the tracer's work is meant for the program.

    A timeout, mostly. A signal's handler raises it, which is called with the frame that it
    interrupts; or another thread does, by the C API: then its class isn't one that is raised here.
    """
    trace = error.__traceback__
    while trace is not None:
        frame, trace = trace.tb_frame, trace.tb_next
        if trace is None:
            is_here = frame.f_code.co_filename.startswith(_OWN_FOLDER)
            return is_here and type(error).__module__ not in _OWN_ERRORS
        for given in trace.tb_frame.f_locals.values():
            if given is frame or (type(given) is tuple and any(it is frame for it in given)):
                return True
    return False
