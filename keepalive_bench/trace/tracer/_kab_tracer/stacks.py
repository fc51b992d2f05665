"""Who calls, as records: stacks, and the nearest call in the program's own code; and who runs."""

from __future__ import annotations

import os
import sys
from _thread import get_ident

from .system import is_programs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FrameType
    from typing import Any, TypeAlias

    from .records import Records

    _Found: TypeAlias = tuple[int, bool, CodeType, int, CodeType, int, int]
    """How many calls away a call is that one in the program's own code makes; whether what it
    calls may call back the program; the two, each by its code and its place in that; and the
    number of what was written."""

_OWN_FOLDER = os.path.dirname(os.path.abspath(__file__)) + os.sep
_STDLIB = os.path.dirname(os.__file__) + os.sep
_INSTALLED = tuple(f"{os.sep}{name}{os.sep}" for name in ("site-packages", "dist-packages"))
_VENDORED = tuple(f"{os.sep}{name}{os.sep}" for name in ("_vendor", "vendor", "_vendored"))
_LIBRARIES = tuple(
    f"{os.sep}{name}{os.sep}"
    for name in (
        "aiohttp",
        "anyio",
        "boto3",
        "botocore",
        "httpcore",
        "httpx",
        "requests",
        "s3transfer",
        "urllib3",
    )
)
"""What stands beside the program where it was packed with all that it needs."""
_NOBODYS = ("<frozen ", "<attrs ", "<decorator-gen", "<__array_function__")
"""How code begins that a library, or Python itself, made from text."""
_getframe = sys._getframe  # noqa: SLF001  # the only way to ask who calls
_DEEPEST, _BEYOND = 200, 1
"""No more calls of a stack are noted, and of those before the nearest one of the program's own."""
_MOST_CALLS = 5_000
"""So many are remembered, before all are forgotten."""
_MOST_DISTANCES = 4


class Stacks:
    """Writes calls into the records of a process.

    The nearest call in the program's own code is looked for where it was before: as many calls
    away, when the same was asked for. It is known by its place, and by that of the call that it
    makes: to ask for a line's number costs more than all else.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._is_own: dict[str, bool] = {}
        """By file name: whether it is the program's own code."""
        self._programs: str | None = None
        """The folder of the installed package that is the program; empty: there is none."""
        self._forget()

    def call(self, what: str, *, is_whole: bool = False) -> int:
        """The number of the nearest call in the program's own code, alone; 0: there is none.

        Args:
            what: what it is asked for.
            is_whole: the whole stack of calls is asked for, but for the tracer's own. It goes on
                for only some calls beyond the nearest one in the program's own code: frameworks
                call that from far away.
        """
        if not self._own.is_here:  # the numbers are a parent's
            self._forget()
        last = self._last.get(what)
        if last is not None:
            distance, may_call_back, called_code, called_at, own_code, own_at, number = last
            try:
                called = _getframe(distance)  # without all those between
                if called.f_code is called_code and called.f_lasti == called_at:
                    own: Any = called.f_back
                    if (
                        own.f_code is own_code
                        and own.f_lasti == own_at
                        and (not may_call_back or self._is_nearest(distance))
                    ):
                        return number
            except (ValueError, AttributeError):  # there aren't as many
                pass
        return self._again(what, is_whole=is_whole)

    def _again(self, what: str, *, is_whole: bool) -> int:
        """What was found some time before, or is found now."""
        for distance in self._distances.get(what, ()):
            try:
                called = _getframe(distance + 1)
            except ValueError:
                continue
            own = called.f_back
            if own is not None:
                last = self._known.get(_key(what, called, own))
                if last is not None and (not last[1] or self._is_nearest(distance + 1)):
                    self._last[what] = last
                    return last[-1]
        return self._found(what, is_whole=is_whole)

    def _found(self, what: str, *, is_whole: bool) -> int:
        called, distance = _getframe(2), 0
        own = called.f_back
        while own is not None and not self._is_in_own_code(own):
            called, own, distance = own, own.f_back, distance + 1
        if own is None:
            return self._write(_getframe(2), _DEEPEST) if is_whole else 0
        if is_whole:
            number = self._write(_getframe(2), min(distance + 2 + _BEYOND, _DEEPEST))
        else:
            number = self._write(own, 1)
        if not number:  # there is no room for it now, and may be soon
            return 0
        if len(self._known) >= _MOST_CALLS:
            self._forget()
        may_call_back = not _is_in(called.f_code.co_filename, _LIBRARIES)
        calls = called.f_code, called.f_lasti, own.f_code, own.f_lasti
        last = distance, may_call_back, *calls, number
        self._known[_key(what, called, own)] = self._last[what] = last
        distances = self._distances.get(what, ())
        if distance not in distances:
            self._distances[what] = (distance, *distances[: _MOST_DISTANCES - 1])
        return number

    def _is_nearest(self, distance: int) -> bool:
        """Whether none of so many calls, from the one before this on, is in the program's own code.

        What tries again, or times, calls whatever it is given: a library's function, or one of the
        program's that calls that.
        """
        frame: FrameType | None = _getframe(2)
        while frame is not None and distance > 1:
            if self._is_in_own_code(frame):
                return False
            frame, distance = frame.f_back, distance - 1
        return True

    def _forget(self) -> None:
        self._own = self._records.own
        self._last: dict[str, _Found] = {}
        """By what was asked for."""
        self._known: dict[tuple[str, int, int, int, int], _Found] = {}
        """By that, and by two calls."""
        self._distances: dict[str, tuple[int, ...]] = {}
        """By what was asked for: how many calls away it was found."""

    def _write(self, frame: FrameType | None, deep: int) -> int:
        calls: list[tuple[str, int, str]] = []
        while frame is not None and deep:
            code = frame.f_code
            if not code.co_filename.startswith((_OWN_FOLDER, "<frozen ")):
                calls.append((code.co_filename, frame.f_lineno or 0, code.co_name))
            frame, deep = frame.f_back, deep - 1
        number = 0
        for file, line, function in reversed(calls):
            number = self._records.frame(number, file, line, function)
        return number

    def _is_in_own_code(self, frame: FrameType) -> bool:
        is_own = self._is_own.get(frame.f_code.co_filename)
        return self._judge(frame) if is_own is None else is_own

    def _judge(self, frame: FrameType) -> bool:
        """Whether a call is in the program's own code; of a file, that is remembered."""
        file = frame.f_code.co_filename
        if file.startswith("<"):  # many share such a name
            of = frame.f_globals.get("__file__")
            if file.startswith(_NOBODYS):
                return False
            return not isinstance(of, str) or self._is_programs(of)
        self._is_own[file] = is_own = self._is_programs(file)
        return is_own

    def _is_programs(self, file: str) -> bool:
        if is_programs_own(file):
            return True
        if self._programs is None:
            self._programs = programs_package()
        folder = self._programs
        return bool(folder) and file.startswith(folder) and not _is_in(file, _VENDORED)


def _key(what: str, called: FrameType, own: FrameType) -> tuple[str, int, int, int, int]:
    return what, id(called.f_code), called.f_lasti, id(own.f_code), own.f_lasti


def is_programs_own(file: str) -> bool:
    """Whether a file is of the program itself, and neither a library's nor Python's.

    A script beside the interpreter is what an installer made to start a package, and says nothing.
    """
    if file.startswith((_OWN_FOLDER, _STDLIB, "<frozen ")):
        return False
    if _is_in(file, _INSTALLED) or _is_in(file, _LIBRARIES):
        return False
    return os.path.dirname(file) not in _script_folders()


def programs_package() -> str:
    """The folder of the package that was installed and is run: `pip` of `pip install`.

    What is nearer to a request is named before it, so a package that runs other people's code, as
    gunicorn, does no harm.
    """
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        names = [spec.name]
    elif os.path.dirname(getattr(main, "__file__", None) or "") in _script_folders():
        names = [getattr(it, "__module__", None) or "" for it in list(vars(main).values())]
        names += _imported_by(main)  # it may be doing so just now
    else:
        return ""
    for name in names:
        module = sys.modules.get(str(name).partition(".")[0])
        file: str | None = getattr(module, "__file__", None)
        if not file or name == "__main__" or "__init__" not in file:
            continue
        if _is_in(file, _INSTALLED) and not _is_in(file, _LIBRARIES):
            return os.path.dirname(file) + os.sep
    return ""


def _imported_by(main: object) -> tuple[str, ...]:
    """Names in a module's own code, where that is running in this thread."""
    frame: FrameType | None = _getframe(1)
    while frame is not None:
        if frame.f_globals is vars(main) and frame.f_code.co_name == "<module>":
            return frame.f_code.co_names
        frame = frame.f_back
    return ()


def _script_folders() -> tuple[str, ...]:
    home = str(getattr(sys.modules.get("site"), "USER_BASE", None) or sys.prefix)
    beside = os.path.dirname(sys.executable or "")
    return (beside, os.path.join(sys.prefix, "bin"), os.path.join(home, "bin"))


def _is_in(file: str, folders: tuple[str, ...]) -> bool:
    return any(folder in file for folder in folders)


def who() -> int:
    """A number for the thread, greenlet or task that is running."""
    runs = get_ident()
    try:
        modules = sys.modules
        if "greenlet" in modules and ("gevent" in modules or "eventlet" in modules):
            runs = id(modules["greenlet"].getcurrent())
        else:
            events = modules.get("asyncio.events")
            # Without a loop, current_task raises.
            if events is not None and events._get_running_loop() is not None:  # noqa: SLF001
                task = modules["asyncio.tasks"].current_task()
                if task is not None:
                    runs = id(task)
            elif "trio.lowlevel" in modules:
                runs = id(modules["trio.lowlevel"].current_task())  # it raises where none runs
    except Exception as error:  # a module that is only half imported, say
        if is_programs(error):
            raise
    return runs >> 4 & 0xFFFF_FFFF
