"""Notes the processes that this one starts, as in some no tracer gets in, and how it ends.

What they are called with isn't kept: it may hold secrets.
"""

from __future__ import annotations

import os
import sys

from .hook import import_all
from .layout import CHILD, IS_CLOSED_TO_TRACERS, IS_PYTHON
from .segments import NOWHERE
from .system import now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import FrameType, ModuleType
    from typing import Any, Callable, Optional, TypeAlias

    from .layout import Slot
    from .lives import Tracer
    from .patching import Patches
    from .records import Records

    Function: TypeAlias = Callable[..., Any]
    Maker: TypeAlias = Callable[[Function, Records], Function]
    Args: TypeAlias = tuple[Any, ...]
    Kwargs: TypeAlias = dict[str, Any]
    Asked: TypeAlias = tuple[Any, list[Any], Optional[Mapping[Any, Any]]]

_TRACER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_STARTERS = frozenset((__name__, "subprocess", "os"))
_LEARNERS = frozenset(("platform", "ctypes.util", "uuid"))
"""Modules of Python's that start programs such as `uname`, which send no requests."""
_HEAD_BYTES = 512
"""How much of a script is read to see what runs it."""


def patch_os(records: Records, patches: Patches, module: ModuleType) -> None:
    """Note what becomes of the process itself, and what it spawns; `spawnv` and so on do both."""
    patches.wrap(module, "_exit", _with(_ending, records))
    for name in ("execv", "execve"):
        patches.wrap(module, name, _with(_replacing, records))
    for name in ("posix_spawn", "posix_spawnp"):
        if hasattr(module, name):
            patches.wrap(module, name, _with(_spawning, records))
    if not os.geteuid():
        for name in ("setuid", "seteuid", "setreuid", "setresuid", "chroot"):
            if hasattr(module, name):
                patches.wrap(module, name, _with(_leaving, records))


def patch_subprocess(tracer: Tracer, patches: Patches, module: ModuleType) -> None:
    """Note what `Popen` starts."""
    patches.wrap(module.Popen, "_execute_child", _with(_executing, tracer.records))


def patch_multiprocessing(tracer: Tracer, patches: Patches, module: ModuleType) -> None:
    """Note what spawn and the fork server start."""
    if hasattr(module, "spawnv_passfds"):
        patches.wrap(module, "spawnv_passfds", _with(_spawning, tracer.records))


def _with(make: Maker, records: Records) -> Callable[[Function], Function]:
    """What makes a wrapper of these records'; functools may not be imported yet."""
    return lambda original: make(original, records)


def _ending(original: Function, records: Records) -> Function:
    def wrapper(*args: object, **kwargs: object) -> object:
        _quietly(records, records.end)
        return original(*args, **kwargs)

    return wrapper


def _leaving(original: Function, records: Records) -> Function:
    def wrapper(*args: object, **kwargs: object) -> object:
        if not os.geteuid():
            _quietly(records, records.leaving)
            _quietly(records, import_all)
        return original(*args, **kwargs)

    return wrapper


def _replacing(original: Function, records: Records) -> Function:
    def begin(args: Args, kwargs: Kwargs) -> Slot:
        slot = records.claim()
        _note(records, slot, os.getpid(), _asked(args, kwargs), now())
        records.end()
        return slot

    def undo(slot: Slot) -> None:
        CHILD.write(slot, 0, 0, 0.0)
        records.end(is_over=False)

    def wrapper(*args: object, **kwargs: object) -> object:
        slot = _quietly(records, begin, args, kwargs)
        try:
            return original(*args, **kwargs)
        finally:  # nothing came of it
            _quietly(records, undo, slot or NOWHERE)

    return wrapper


def _spawning(original: Function, records: Records) -> Function:
    def note(pid: int, args: Args, kwargs: Kwargs, began: float) -> None:
        if not _is_about_machine():
            _note(records, records.claim(), pid, _asked(args, kwargs), began)

    def wrapper(*args: object, **kwargs: object) -> object:
        began = now()
        pid = original(*args, **kwargs)
        _quietly(records, note, pid, args, kwargs, began)
        return pid

    return wrapper


def _executing(original: Function, records: Records) -> Function:
    code = getattr(original, "__code__", None)
    names = code.co_varnames[1 : code.co_argcount] if code else ()

    def note(pid: int, args: Args, kwargs: Kwargs, began: float) -> None:
        given = {**dict(zip(names, args)), **kwargs}
        argv = given.get("args") or ("",)
        argv = [argv] if isinstance(argv, (str, bytes, os.PathLike)) else list(argv)
        if given.get("shell"):
            argv = ["/bin/sh"]
        asked = given.get("executable") or argv[0], argv, given.get("env")
        if not _is_about_machine():
            _note(records, records.claim(), pid, asked, began)

    def wrapper(self: Any, *args: object, **kwargs: object) -> object:  # noqa: ANN401  # any Popen
        began = now()
        result = original(self, *args, **kwargs)
        _quietly(records, note, self.pid, args, kwargs, began)
        return result

    return wrapper


def _quietly(records: Records, act: Function, *args: object) -> Any:  # noqa: ANN401  # as it comes
    """Do something of the tracer's own: the program never sees it fail."""
    try:
        return act(*args)
    except Exception as error:  # noqa: BLE001  # it is told in the report
        records.trouble(error)
        return None


def _is_about_machine() -> bool:
    """Whether Python itself starts a program, to learn about the machine."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  # as `inspect` does
    while frame is not None:
        name = frame.f_globals.get("__name__")
        if name not in _STARTERS:
            return name in _LEARNERS
        frame = frame.f_back
    return False


def _asked(args: Args, kwargs: Kwargs) -> Asked:
    """Which program, with which arguments and which environment."""
    given = {**kwargs, **dict(zip(("path", "argv", "env"), args))}
    env = given.get("env")
    return given.get("path", ""), list(given.get("argv") or ()), env if _is_mapping(env) else None


def _is_mapping(env: object) -> bool:
    """Whether it is an environment; what a fork server passes there are file descriptors."""
    return hasattr(env, "items")


def _note(records: Records, slot: Slot, pid: int, asked: Asked, began: float) -> None:
    program, argv, env = asked
    given = os.environ if env is None else env
    variables = {os.fsdecode(name): os.fsdecode(value) for name, value in given.items()}
    options = options_of_python(os.fsdecode(program), variables.get("PATH", os.defpath))
    flags = 0 if options is None else IS_PYTHON
    words = [os.fsdecode(word) for word in argv[1:]]
    is_let_in = lets_tracer_in(variables, records.folder)
    if not is_let_in or shuts_tracers_out([*(options or ()), *words]):
        flags |= IS_CLOSED_TO_TRACERS
    CHILD.write(slot, flags, pid, began)


def lets_tracer_in(variables: Mapping[str, str], folder: str) -> bool:
    """Whether an environment has what gets the tracer in that records into a folder."""
    paths = variables.get("PYTHONPATH", "").split(os.pathsep)
    return variables.get("_KAB_TRACE") == folder and _TRACER in paths


def shuts_tracers_out(words: Iterable[str]) -> bool:
    """Whether Python is told to look at no variables, or to leave out `site`.

    Args:
        words: what follows `python`.
    """
    is_value = False
    for word in words:
        if is_value:
            is_value = False
            continue
        if not word.startswith("-") or word in ("-", "--"):
            return False
        if word.startswith("--"):
            is_value = word == "--check-hash-based-pycs"
            continue
        for at, letter in enumerate(word[1:], 2):
            if letter in "IES":
                return True
            if letter in "cm":
                return False
            if letter in "WX":
                is_value = at == len(word)
                break
    return False


def options_of_python(program: str, path: str) -> list[str] | None:
    """What a script's first line has Python called with; `None`: it isn't Python that runs."""
    if _is_python(program):
        return []
    if os.sep not in program:
        places = (os.path.join(folder, program) for folder in path.split(os.pathsep))
        program = next((it for it in places if os.access(it, os.X_OK)), "")
    try:
        file = os.open(program, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        head = os.read(file, _HEAD_BYTES)
    except OSError:
        return None
    finally:
        os.close(file)
    if not head.startswith(b"#!"):
        return None
    first, _, rest = head[2:].decode("utf-8", "replace").partition("\n")
    if rest.startswith("'''exec' "):  # as installers write it where the path is long
        first = rest[len("'''exec' ") :].partition("\n")[0].partition(' "$0"')[0].replace('"', "")
    words = first.split()
    if words and os.path.basename(words[0]) == "env":
        del words[0]
        while words and (words[0].startswith("-") or "=" in words[0]):
            del words[0]
    return words[1:] if words and _is_python(words[0]) else None


def _is_python(program: str) -> bool:
    name = os.path.basename(program)
    return name.startswith(("python", "pypy")) or program == sys.executable
