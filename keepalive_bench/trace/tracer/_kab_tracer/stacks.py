"""Who calls, as records: stacks, and the nearest call in the program's own code; and who runs."""

from __future__ import annotations

import os
import sys
from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from .records import Records

_OWN_FOLDER = os.path.dirname(os.path.abspath(__file__))
_STDLIB = os.path.dirname(os.__file__)
_INSTALLED = ("site-packages", "dist-packages")
_DEEPEST = 200
"""No more calls of a stack are noted."""


class Stacks:
    """Writes calls into the records of a process."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._is_own: dict[str, bool] = {}
        """By file name: whether it is the program's own code."""

    def whole(self, frame: FrameType | None) -> int:
        """The number of a stack of calls, but for the tracer's own."""
        calls: list[tuple[str, int, str]] = []
        while frame is not None and len(calls) < _DEEPEST:
            code = frame.f_code
            if not code.co_filename.startswith(_OWN_FOLDER):
                calls.append((code.co_filename, frame.f_lineno or 0, code.co_name))
            frame = frame.f_back
        number = 0
        for file, line, function in reversed(calls):
            number = self._records.frame(number, file, line, function)
        return number

    def own_call(self, frame: FrameType | None) -> int:
        """The number of the nearest call in the program's own code, alone; 0: there is none."""
        while frame is not None:
            file = frame.f_code.co_filename
            is_own = self._is_own.get(file)
            if is_own is None:
                is_own = self._is_own[file] = is_programs_own(file)
            if is_own:
                return self._records.frame(0, file, frame.f_lineno or 0, frame.f_code.co_name)
            frame = frame.f_back
        return 0


def is_programs_own(file: str) -> bool:
    """Whether a file is of the program itself, and neither a library's nor Python's."""
    if file.startswith((_OWN_FOLDER, "<frozen")):
        return False
    if any(f"{os.sep}{it}{os.sep}" in file for it in _INSTALLED):
        return False
    return not file.startswith(_STDLIB + os.sep)


def who() -> int:
    """A number for the thread, greenlet or task that is running."""
    modules = sys.modules
    greenlet = modules.get("greenlet")
    if greenlet is not None and "gevent" in modules:
        return _short(id(greenlet.getcurrent()))
    asyncio = modules.get("asyncio.events")
    if asyncio is not None and asyncio._get_running_loop() is not None:  # noqa: SLF001  # what current_task would raise for
        task = modules["asyncio"].current_task() if "asyncio" in modules else None
        if task is not None:
            return _short(id(task))
    return _short(get_ident())


def _short(number: int) -> int:
    return number >> 4 & 0xFFFF_FFFF
