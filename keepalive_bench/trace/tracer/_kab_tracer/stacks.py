"""Who calls, as records: stacks, and the nearest call in the program's own code; and who runs."""

from __future__ import annotations

import os
import sys
from _thread import get_ident

from .records import is_programs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FrameType
    from typing import TypeAlias

    from .records import Records

    Call: TypeAlias = "tuple[int, int, CodeType | None, int, str]"

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
_MOST_STACKS = 5_000
"""So many are remembered, before all are forgotten."""

NO_CALL: Call = (0, 0, None, 0, "")
"""A call in the program's own code: its number, how many calls away it is, where it goes on from,
and whose records the number is of."""


class Stacks:
    """Writes calls into the records of a process."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._is_own: dict[str, bool] = {}
        """By file name: whether it is the program's own code."""
        self._programs: str | None = None
        """The folder of the installed package that is the program; empty: there is none."""
        self._forget()

    def whole(self, frame: FrameType | None) -> int:
        """The number of a stack of calls, but for the tracer's own.

        It goes on for only some calls beyond the nearest one in the program's own code: frameworks
        call that from far away.
        """
        self._check()
        own, left, found = self._is_own, _DEEPEST, frame
        seen: list[int] = []
        # To ask for a line's number costs more than all else: it follows from these two.
        while found is not None and left:
            code = found.f_code
            seen += id(code), found.f_lasti
            left -= 1
            if left >= _BEYOND:
                is_own = own.get(code.co_filename)
                if is_own is None:
                    is_own = self._judge(found)
                if is_own:
                    left = _BEYOND
            found = found.f_back
        key = tuple(seen)
        number = self._stacks.get(key)
        if number is None:
            number = self._write(frame, len(seen) // 2)
            self._stacks[key] = number
        return number

    def whole_again(self, up: int, what: str) -> int:
        """The number of the stack of who is so many calls up: most likely that of the last time.

        The call in the program's own code tells, and the one that this calls.

        Args:
            up: how far from who asks.
            what: what it is asked for.
        """
        last = self._last.get(what)
        if last is not None and self._of is self._records.key:
            number, depth, code, at, called, called_at = last
            try:
                own, next_one = _getframe(up + 1 + depth), _getframe(up + depth)
            except ValueError:
                pass
            else:
                if (
                    own.f_code is code
                    and own.f_lasti == at
                    and next_one.f_code is called
                    and next_one.f_lasti == called_at
                ):
                    return number
        frame = _getframe(up + 1)
        number = self.whole(frame)
        _, depth, found, at, _ = self.own_call_from(frame)
        if found is not None and depth and len(self._last) < _MOST_STACKS:
            next_one = _getframe(up + depth)
            self._last[what] = number, depth, found, at, next_one.f_code, next_one.f_lasti
        return number

    def own_call(self, frame: FrameType | None) -> int:
        """The number of the nearest call in the program's own code, alone; 0: there is none."""
        return self.own_call_from(frame)[0]

    def own_call_again(self, last: Call) -> Call:
        """The nearest call in the program's own code, seen from who asks: most likely the last."""
        _, depth, code, at, of = last
        if code is not None and of is self._records.key:
            try:
                frame = _getframe(depth + 1)  # without all those between
            except ValueError:
                pass
            else:
                if frame.f_code is code and frame.f_lasti == at:
                    return last
        return self.own_call_from(_getframe(1))

    def own_call_from(self, frame: FrameType | None) -> Call:
        """The same, and how to find it again sooner."""
        own, depth = self._is_own, 0
        while frame is not None:
            code = frame.f_code
            is_own = own.get(code.co_filename)
            if is_own is None:
                is_own = self._judge(frame)
            if is_own:
                self._check()
                key = id(code), frame.f_lasti
                number = self._calls.get(key)
                if number is None:
                    self._keep(code)
                    file, line = code.co_filename, frame.f_lineno or 0
                    number = self._records.frame(0, file, line, code.co_name)
                    self._calls[key] = number
                return number, depth, code, frame.f_lasti, self._of
            frame = frame.f_back
            depth += 1
        return NO_CALL

    def _check(self) -> None:
        """Forget numbers of a parent's records, and all where they are too many."""
        if self._of is not self._records.key or len(self._codes) > _MOST_STACKS:
            self._forget()

    def _forget(self) -> None:
        self._of = self._records.key
        self._codes: dict[int, CodeType] = {}
        """Code that the others know by its address stays."""
        self._stacks: dict[tuple[int, ...], int] = {}
        self._calls: dict[tuple[int, int], int] = {}
        self._last: dict[str, tuple[int, int, CodeType, int, CodeType, int]] = {}
        """By what they were asked for."""

    def _keep(self, code: CodeType) -> None:
        self._codes[id(code)] = code

    def _write(self, frame: FrameType | None, deep: int) -> int:
        if len(self._stacks) >= _MOST_STACKS:
            self._forget()
        calls: list[tuple[str, int, str]] = []
        while frame is not None and deep:
            code = frame.f_code
            self._keep(code)
            if not code.co_filename.startswith((_OWN_FOLDER, "<frozen ")):
                calls.append((code.co_filename, frame.f_lineno or 0, code.co_name))
            frame, deep = frame.f_back, deep - 1
        number = 0
        for file, line, function in reversed(calls):
            number = self._records.frame(number, file, line, function)
        return number

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
    try:
        modules = sys.modules
        greenlet = modules.get("greenlet")
        if greenlet is not None and ("gevent" in modules or "eventlet" in modules):
            return _short(id(greenlet.getcurrent()))
        events = modules.get("asyncio.events")
        if events is not None and events._get_running_loop() is not None:  # noqa: SLF001  # without a loop, current_task raises
            task = modules["asyncio.tasks"].current_task()
            if task is not None:
                return _short(id(task))
        trio = modules.get("trio.lowlevel")
        if trio is not None:
            return _short(id(trio.current_task()))  # it raises where none runs
    except Exception as error:  # a module that is only half imported, say
        if is_programs(error):
            raise
    return _short(get_ident())


def _short(number: int) -> int:
    return number >> 4 & 0xFFFF_FFFF
