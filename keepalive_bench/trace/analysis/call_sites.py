"""Where in a program's own code something happened, and what was called there.

Stacks come from another machine, maybe: what is a program's own is told by names of files alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.trace.usage import Site

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from keepalive_bench.trace.recording import Frame, Stack

_STDLIB = re.compile(r"[/\\]lib(?:32|64)?[/\\](?:python|pypy)\d+\.\d+t?[/\\](.+)", re.IGNORECASE)
_INSTALLED = re.compile(r"[/\\](?:site|dist)-packages[/\\](.+)")
_LOOPS = ("asyncio/events.py", "asyncio/base_events.py", "asyncio/runners.py", "trio/_core/_run.py")
"""Who is on the stack beyond these started the loop, and not the task."""
_STARTERS = {"spawn_main"}
"""What `multiprocessing` gives to `python -c`, which is nobody's own code."""
_VENDORED = {"_vendor", "_vendored", "vendor"}
"""Folders of copies of others' packages within a package."""
_PASS_ON = (
    *("anyio", "asyncio", "backoff", "concurrent", "contextlib", "ddtrace", "functools", "gevent"),
    *("multiprocessing", "opentelemetry", "pydantic", "sentry_sdk", "tenacity", "threading"),
    *("trio", "wrapt"),
)
"""Libraries that call what is called there in their place."""
_GENERIC = {"do_action", "func", "inner", "wrapped", "wrapped_f", "wrapper"}
_CLASSES = {
    "aiohttp/client.py": "aiohttp.ClientSession",
    "aiohttp/connector.py": "aiohttp.TCPConnector",
    "boto3/session.py": "boto3.Session",
    "http/client.py": "http.client.HTTPConnection",
    "httpcore/_async/connection_pool.py": "httpcore.AsyncConnectionPool",
    "httpcore/_sync/connection_pool.py": "httpcore.ConnectionPool",
    "httpx/_client.py": "httpx.Client",
    "requests/adapters.py": "requests.HTTPAdapter",
    "requests/sessions.py": "requests.Session",
    "urllib3/_request_methods.py": "urllib3.PoolManager",
    "urllib3/connectionpool.py": "urllib3.HTTPConnectionPool",
    "urllib3/poolmanager.py": "urllib3.PoolManager",
    "urllib3/request.py": "urllib3.PoolManager",
}
"""Files that hold a class, whose methods are what is called."""
_FUNCTIONS = {"requests/sessions.py": {"session"}}
_UNNAMED = {"botocore/client.py": "boto3 client"}
"""Files whose functions have other names for whoever calls them."""
_LONELY = {
    "urllib.request.open": "OpenerDirector.open",
    "urllib.request.urlopen": "urlopen",
    "urllib.request.urlretrieve": "urlretrieve",
}
"""What people call by another name."""


_MOST_LATEST = 20_000


class Call(NamedTuple):
    """What was called, and where from."""

    site: Site | None
    """The nearest place in the program's own code; `None`: there is none on the stack."""
    name: str
    """What is called there: `requests.get`, `Session.get`; empty: unknown."""
    library: str
    """Whose that is: `requests`, `urllib.request`; empty: unknown."""


NO_CALL = Call(None, "", "")


class Calls:
    """What was called in each stack, found out once."""

    def __init__(self) -> None:
        self._own_files: set[str] = set()
        self._own_packages: set[str] = set()
        self._forget()

    def note_own(self, frame: Frame) -> None:
        """Note what the tracer took for the program's own code: an installed package may be it."""
        if frame.file in self._own_files:
            return
        self._own_files.add(frame.file)
        package = _package(frame.file)
        if package and package not in self._own_packages:
            self._own_packages.add(package)
            self._forget()

    def _forget(self) -> None:
        self._found: dict[Stack, Call] = {(): NO_CALL}
        self._latest: dict[int, tuple[Stack, Call]] = {}
        """By identity: a deep stack takes long to be looked up."""
        self._inwards: dict[int, tuple[Stack, Stack]] = {}

    def of(self, stack: Stack) -> Call:
        """What was called, and where from."""
        latest = self._latest.get(id(stack))
        if latest is not None:
            return latest[1]
        found = self._found.get(stack)
        if found is None:
            found = self._found[stack] = self._call(stack)
        if len(self._latest) >= _MOST_LATEST:
            self._latest.clear()
        self._latest[id(stack)] = stack, found
        return found

    def inwards(self, stack: Stack) -> Stack:
        """The calls from the nearest place in the program's own code on; all, if there is none."""
        latest = self._inwards.get(id(stack))
        if latest is not None:
            return latest[1]
        site = self.of(stack).site
        places = (at for at, it in enumerate(stack, 1) if (it.file, it.line, it.function) == site)
        found = stack[: next(places, len(stack))]
        if len(self._inwards) >= _MOST_LATEST:
            self._inwards.clear()
        self._inwards[id(stack)] = stack, found
        return found

    def _call(self, stack: Stack) -> Call:
        inner: list[Frame] = []
        for frame in stack:
            path = _library_path(frame.file)
            if frame.file == "<string>" and inner and inner[-1].function in _STARTERS:
                break
            if path is None or _package(frame.file) in self._own_packages:
                return Call(Site(frame.file, frame.line, frame.function), *_named(inner))
            if path.endswith(_LOOPS):
                break
            inner.append(frame)
        return Call(None, *_named(inner))  # a thread began there, or a task


def _package(file: str) -> str:
    """The folder of the installed package that a file is of; empty: it is of none, or a copy."""
    found = _INSTALLED.search(file)
    if found is None:
        return ""
    first, *others = re.split(r"[/\\]", found[1])
    return "" if _VENDORED.intersection(others) else file[: found.start(1)] + first


def _library_path(file: str) -> str | None:
    """The path of a library's file, from its package on; `None`: it is the program's own."""
    if file.startswith("<frozen"):
        return file
    found = _INSTALLED.search(file) or _STDLIB.search(file)
    return None if found is None else found[1].replace("\\", "/")


def _named(calls: Sequence[Frame]) -> tuple[str, str]:
    """What the outermost of these calls is known as, and whose it is."""
    first, name = "", ""
    for frame in reversed(calls):
        path = _library_path(frame.file) or ""
        library = _library(path, frame.file)
        if library.partition(".")[0] in _PASS_ON or frame.file.startswith("<"):
            continue
        if first and library != first:
            break
        first = library
        name = _public_name(path, frame.function, library)
        if name:
            break
    if name.startswith(("httpx.Client", "Client.")) and any("_async" in it.file for it in calls):
        name = name.replace("Client", "AsyncClient")
    return name or first, first


def _library(path: str, file: str) -> str:
    """The package's name; of the standard library, the module's."""
    module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return module.partition(".")[0] if _INSTALLED.search(file) else module


def _public_name(path: str, function: str, library: str) -> str:
    """What a function is known as outside; empty: it isn't."""
    if path in _UNNAMED:
        return _UNNAMED[path]
    # Copies of urllib3 stand within others' packages.
    known = next((it for it in (path, *_ends(path)) if it in _CLASSES), None)
    is_method = known is not None and function not in _FUNCTIONS.get(known, ())
    if known is not None and is_method:
        if function in {"__init__", "__new__"}:
            return _CLASSES[known]
        called = "request" if function.startswith("_") else function
        return f"{_CLASSES[known].rpartition('.')[2]}.{called}"
    if function.startswith(("_", "<")) or function in _GENERIC:
        return ""
    return _LONELY.get(f"{library}.{function}", f"{library}.{function}")


def _ends(path: str) -> Iterable[str]:
    parts = path.split("/")
    return ("/".join(parts[start:]) for start in range(1, len(parts) - 1))
