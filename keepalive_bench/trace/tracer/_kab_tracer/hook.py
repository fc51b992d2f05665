"""Patches libraries as the program imports them, and imports nothing that it doesn't."""

from __future__ import annotations

import sys
from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

    from .lives import Tracer
    from .patching import Patches

TABLE = (
    ("http.client", "for_http_client", "patch_client"),
    ("*.urllib3.connection", "for_urllib3", "patch_connection"),
    ("*.urllib3.connectionpool", "for_urllib3", "patch_pool"),
    ("*.urllib3.poolmanager", "for_urllib3", "patch_manager"),
    ("*.urllib3.contrib.socks", "for_urllib3", "patch_socks"),
    ("*.urllib3.http2.connection", "for_urllib3", "patch_http_2"),
    ("httpcore._sync.connection_pool", "for_httpcore", "patch_pool"),
    ("httpcore._sync.connection", "for_httpcore", "patch_connection"),
    ("httpcore._sync.http_proxy", "for_httpcore", "patch_http_proxy"),
    ("httpcore._sync.socks_proxy", "for_httpcore", "patch_socks_proxy"),
    ("httpcore._sync.http11", "for_httpcore", "patch_speaker"),
    ("httpcore._sync.http2", "for_httpcore", "patch_speaker"),
    ("httpcore._async.connection_pool", "for_httpcore", "patch_pool"),
    ("httpcore._async.connection", "for_httpcore", "patch_connection"),
    ("httpcore._async.http_proxy", "for_httpcore", "patch_http_proxy"),
    ("httpcore._async.socks_proxy", "for_httpcore", "patch_socks_proxy"),
    ("httpcore._async.http11", "for_httpcore", "patch_speaker"),
    ("httpcore._async.http2", "for_httpcore", "patch_speaker"),
    ("httpcore._backends.sync", "for_httpcore", "patch_backend"),
    ("httpcore._backends.anyio", "for_httpcore", "patch_backend"),
    ("httpcore._backends.trio", "for_httpcore", "patch_backend"),
    ("httpcore.backends.sync", "for_httpcore", "patch_backend"),
    ("httpcore.backends.asyncio", "for_httpcore", "patch_backend"),
    ("httpcore.backends.trio", "for_httpcore", "patch_backend"),
    ("httpx._client", "for_httpcore", "patch_client"),
    ("aiohttp.connector", "for_aiohttp", "patch_connector"),
    ("aiohttp.client", "for_aiohttp", "patch_client"),
    ("aiohttp.client_proto", "for_aiohttp", "patch_protocol"),
    ("aiohttp.client_reqrep", "for_aiohttp", "patch_request"),
    ("aiohttp.streams", "for_aiohttp", "patch_streams"),
    ("subprocess", "processes", "patch_subprocess"),
    ("gevent.subprocess", "processes", "patch_subprocess"),
    ("multiprocessing.util", "processes", "patch_multiprocessing"),
)
"""A module of a library's (`*.`: in whichever package, or in none), and what patches it: a module
of the tracer's, which is imported only then, and a function there of a `Tracer`, the `Patches` and
the module."""

_PACKAGE = __name__.rpartition(".")[0] + "."
_BY_TAIL: dict[str, list[tuple[str, str, str]]] = {}
for _row in TABLE:
    _BY_TAIL.setdefault(_row[0].rpartition(".")[2], []).append(_row)


def patchers(name: str) -> list[tuple[str, str]]:
    """What patches a module: a module of the tracer's, and a function there."""
    rows = _BY_TAIL.get(name.rpartition(".")[2], ())
    return [row[1:] for row in rows if _is_meant(row[0], name)]


def _is_meant(pattern: str, name: str) -> bool:
    if pattern.startswith("*."):
        return name == pattern[2:] or name.endswith(pattern[1:])
    return name == pattern


def import_all() -> None:
    """Import what patches libraries before it is due: later, its files may be out of reach."""
    for part in {row[1] for row in TABLE}:
        __import__(f"{__package__}.{part}")


class Hook:
    """Finds modules by asking whoever else finds them, and patches them once they were executed.

    Args:
        tracer: what patches tell; it is asked for when there is something to patch.
        patches: what they are put in by.
    """

    def __init__(self, tracer: Callable[[], Tracer], patches: Patches) -> None:
        self._tracer, self._patches = tracer, patches
        self._finding: set[tuple[int, str]] = set()
        self._late: set[str] = set()
        """Modules whose end of execution can't be told: they are patched at the next import."""
        self._patched: set[str] = set()
        self._is_out = False

    def put_in(self) -> None:
        """Patch what is imported already, and from now on what will be."""
        self._is_out = False
        sys.meta_path.insert(0, self)
        for name in list(sys.modules):
            if patchers(name):
                self._late.add(name)
        self._patch_late()

    def take_out(self) -> None:
        """Patch nothing any more."""
        self._is_out = True
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def missed(self) -> list[str]:
        """Modules that were imported past this hook; not what is another name of one."""
        return [
            name
            for name, module in list(sys.modules.items())
            if patchers(name) and name not in self._patched and _name_of(module) == name
        ]

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """What the finders behind this one find, so that it is patched after its execution."""
        if name.startswith(_PACKAGE):  # what patches must be there before anything is patched
            return None
        if self._late:
            self._patch_late()
        if not patchers(name):
            return None
        key = get_ident(), name
        if key in self._finding:  # another finder asks all others, too
            return None
        self._finding.add(key)
        try:
            spec = self._ask_others(name, path, target)
        finally:
            self._finding.discard(key)
        if spec is not None:
            try:
                _Execution(name, spec.loader, self.patch).put_in()
            except Exception:  # noqa: BLE001  # a loader without attributes of its own, say
                self._late.add(name)
        return spec

    def _ask_others(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None
    ) -> ModuleSpec | None:
        finders = list(sys.meta_path)
        behind = finders[finders.index(self) + 1 :] if self in finders else []
        for finder in behind:
            find = getattr(finder, "find_spec", None)
            if find is None:  # one of before Python 3.4: Python itself knows how to ask it
                self._late.add(name)
                return None
            spec: ModuleSpec | None = find(name, path, target)
            if spec is not None:
                return spec
        return None

    def _patch_late(self) -> None:
        for name in list(self._late):
            module = sys.modules.get(name)
            if module is None:
                continue
            spec = _dict_of(module).get("__spec__")
            if not getattr(spec, "_initializing", False):
                self._late.discard(name)
                self.patch(name, module)

    def patch(self, name: str, module: ModuleType) -> None:
        """Patch a module, now that it was executed."""
        if self._is_out:
            return
        if type(module) is not type(sys):
            module = _view(module)
        self._patched.add(name)
        for part, function in patchers(name):
            try:
                path = f"{__package__}.{part}"
                __import__(path)
                patch: Callable[..., None] = getattr(sys.modules[path], function)
                patch(self._tracer(), self._patches, module)
            except Exception as error:  # noqa: BLE001  # the program never sees it
                self._patches.records.trouble(error)


class _Execution:
    """Stands for the method with which a loader executes modules until it has executed one."""

    def __init__(
        self,
        name: str,
        loader: Any,  # noqa: ANN401  # whatever finders find
        then: Callable[[str, ModuleType], None],
    ) -> None:
        self._name, self._loader, self._then = name, loader, then
        self._method = "exec_module" if hasattr(loader, "exec_module") else "load_module"
        self._run = getattr(loader, self._method)
        self._beneath = vars(loader).get(self._method)
        self._is_over = False

    def put_in(self) -> None:
        """Stand there, unless another one already waits for the same."""
        there = self._beneath
        is_there = isinstance(there, _Execution) and not there._is_over  # noqa: SLF001  # its kind
        if not is_there or (there._name, there._then) != (self._name, self._then):  # noqa: SLF001
            setattr(self._loader, self._method, self)

    def __call__(self, module: Any) -> Any:  # noqa: ANN401  # a module, or its name
        if self._is_over or _name_of(module) != self._name:  # of a loader that several share
            return self._run(module)
        self._is_over = True
        self._go()
        result = self._run(module)
        self._then(self._name, result if isinstance(module, str) else module)
        return result

    def _go(self) -> None:
        """Leave the place to what was there, but for those that wait no longer."""
        there = vars(self._loader).get(self._method)
        if there is not self:
            return
        while isinstance(there, _Execution) and there._is_over:  # noqa: SLF001  # its kind
            there = there._beneath  # noqa: SLF001  # its kind
        if there is None:
            delattr(self._loader, self._method)
        else:
            setattr(self._loader, self._method, there)


class _View:
    """The same members as a module, without its ways: a lazy one would be executed again."""


def _view(module: object) -> Any:  # noqa: ANN401  # it stands for a module
    view = _View()
    view.__dict__ = _dict_of(module)
    return view


def _dict_of(module: object) -> dict[str, Any]:
    found: dict[str, Any] = object.__getattribute__(module, "__dict__")
    return found


def _name_of(module: object) -> object:
    return module if isinstance(module, str) else _dict_of(module).get("__name__")
