"""Modules are patched as they are imported, whoever finds and loads them."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
import zipfile
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from support.pythons import VERSIONS, environment, needed_python, only_process, run

from keepalive_bench.trace.reading import read
from keepalive_bench.trace.tracer._kab_tracer import hook
from keepalive_bench.trace.tracer._kab_tracer.hook import Hook, patchers
from keepalive_bench.trace.tracer._kab_tracer.lives import Tracer
from keepalive_bench.trace.tracer._kab_tracer.patching import Patches
from keepalive_bench.trace.tracer._kab_tracer.records import Records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from importlib.machinery import ModuleSpec
    from pathlib import Path

PART = "keepalive_bench.trace.tracer._kab_tracer.for_them"
TEXT = "class Theirs:\n    def name(self):\n        return 'original'\n"


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of modules `them_one.client` and `them_two.client`, which are to be patched."""
    names = [f"them_{it}" for it in ("one", "two")]
    rows = {"client": [(f"{it}.client", "for_them", "patch") for it in names]}
    monkeypatch.setattr(hook, "_BY_TAIL", rows)
    part = ModuleType(PART)

    def patch(_: Tracer, patches: Patches, module: ModuleType) -> None:
        def make(original: Callable[[object], str]) -> Callable[[object], str]:
            return lambda self: f"patched {original(self)}"

        patches.wrap(module.Theirs, "name", make)

    part.patch = patch  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, PART, part)
    for name in names:
        folder = tmp_path / "library" / name
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
        (folder / "client.py").write_text(TEXT)
    monkeypatch.syspath_prepend(tmp_path / "library")
    yield tmp_path / "library"
    for name in list(sys.modules):
        if name.startswith("them_"):
            del sys.modules[name]


@pytest.fixture
def records(tmp_path: Path) -> Path:
    folder = tmp_path / "records"
    folder.mkdir()
    return folder


@contextmanager
def hooked(folder: Path) -> Iterator[Hook]:
    """With a hook put in; no error may have been swallowed."""
    records = Records(str(folder), 0)
    tracer, patches = Tracer(records), Patches(records)
    made = Hook(lambda: tracer, patches)
    made.put_in()
    try:
        yield made
    finally:
        made.take_out()
        patches.undo()
    (process,) = read(folder).processes
    assert process.troubles == ()


def name_in(module: str) -> str:
    return str(importlib.import_module(module).Theirs().name())


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("urllib3.connection", "for_urllib3"),
        ("pip._vendor.urllib3.connection", "for_urllib3"),
        ("http.client", "for_http_client"),
    ],
)
def test_modules_are_known_by_their_names(name: str, part: str) -> None:
    assert part in {row[0] for row in patchers(name)}


@pytest.mark.parametrize("name", ["myurllib3.connection", "my.http.client", "connection", ""])
def test_others_are_left_alone(name: str) -> None:
    assert patchers(name) == []


@pytest.mark.usefixtures("library")
def test_a_module_is_patched_as_it_is_imported(records: Path) -> None:
    with hooked(records) as made:
        assert name_in("them_one.client") == "patched original"
        assert made.missed() == []


@pytest.mark.usefixtures("library")
def test_one_that_was_imported_before_is_patched_at_once(records: Path) -> None:
    assert name_in("them_one.client") == "original"
    with hooked(records):
        assert name_in("them_one.client") == "patched original"
    assert name_in("them_one.client") == "original"


@pytest.mark.usefixtures("library")
def test_nothing_is_patched_any_more_once_it_is_out(records: Path) -> None:
    with hooked(records):
        pass
    assert name_in("them_one.client") == "original"


@pytest.mark.usefixtures("library")
def test_a_loader_is_left_as_it_was(records: Path) -> None:
    with hooked(records):
        module = importlib.import_module("them_one.client")
        assert type(module.__loader__) is importlib.machinery.SourceFileLoader
        assert "exec_module" not in vars(module.__loader__)


@pytest.mark.usefixtures("library")
def test_a_module_that_is_loaded_again_is_patched_again(records: Path) -> None:
    with hooked(records):
        module = importlib.import_module("them_one.client")
        importlib.reload(module)
        assert name_in("them_one.client") == "patched original"


@pytest.mark.usefixtures("library")
def test_one_that_is_only_looked_for_isnt_touched(records: Path) -> None:
    with hooked(records):
        for _ in range(3):
            assert importlib.util.find_spec("them_one.client") is not None
        assert name_in("them_one.client") == "patched original"


@pytest.mark.usefixtures("library")
def test_one_that_there_isnt_is_missed_as_ever(records: Path) -> None:
    with hooked(records), pytest.raises(ModuleNotFoundError, match="'them_three'"):
        importlib.import_module("them_three.client")


def test_an_error_in_one_is_the_programs(library: Path, records: Path) -> None:
    (library / "them_one" / "client.py").write_text("1 / 0")
    with hooked(records), pytest.raises(ZeroDivisionError):
        importlib.import_module("them_one.client")


@pytest.mark.usefixtures("library")
def test_a_module_that_is_executed_by_need_is_patched_then(records: Path) -> None:
    with hooked(records):
        importlib.import_module("them_one")
        spec = importlib.util.find_spec("them_one.client")
        assert spec is not None
        assert spec.loader is not None
        spec.loader = importlib.util.LazyLoader(spec.loader)
        module = importlib.util.module_from_spec(spec)
        sys.modules["them_one.client"] = module
        spec.loader.exec_module(module)
        assert module.Theirs().name() == "patched original"


@pytest.mark.parametrize("version", VERSIONS)
def test_so_it_is_in_every_python(records: Path, version: str) -> None:
    program = """
import importlib.util, sys
spec = importlib.util.find_spec("http.client")
spec.loader = importlib.util.LazyLoader(spec.loader)
module = importlib.util.module_from_spec(spec)
sys.modules["http.client"] = module
spec.loader.exec_module(module)
print(hasattr(module.HTTPConnection.close, "__wrapped__"))
import importlib
importlib.reload(module)
print(hasattr(module.HTTPConnection.close, "__wrapped__"))
"""
    printed = run(needed_python(version), "-c", program, env=environment(records))
    assert printed == "True\nTrue\n"
    assert only_process(records)


@pytest.mark.parametrize("version", VERSIONS)
def test_modules_in_a_zip_file_are_patched_though_they_share_a_loader(
    records: Path, tmp_path: Path, version: str
) -> None:
    archive = tmp_path / "library.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for package in ("one", "two"):
            file.writestr(f"{package}/__init__.py", "")
            file.writestr(f"{package}/urllib3/__init__.py", "")
            file.writestr(
                f"{package}/urllib3/connection.py",
                f"import {package}.urllib3.connectionpool\n"
                "class HTTPConnection:\n"
                "    def _new_conn(self): pass\n"
                "    def connect(self): pass\n"
                "    def close(self): pass\n"
                "class HTTPSConnection(HTTPConnection):\n"
                "    def connect(self): pass\n",
            )
            file.writestr(
                f"{package}/urllib3/connectionpool.py",
                "class HTTPConnectionPool:\n"
                "    def __init__(self): pass\n"
                "    def close(self): pass\n",
            )
    program = """
import sys
sys.path.insert(0, sys.argv[1])
import importlib.util
importlib.util.find_spec("two.urllib3.connection")
import one.urllib3.connection, two.urllib3.connection
for package in (one, two):
    print(hasattr(package.urllib3.connection.HTTPConnection._new_conn, "__wrapped__"))
    print(hasattr(package.urllib3.connectionpool.HTTPConnectionPool.__init__, "__wrapped__"))
loader = one.__loader__
print([it for it in ("exec_module", "load_module") if it in vars(loader)])
"""
    python = needed_python(version)
    printed = run(python, "-c", program, str(archive), env=environment(records))
    assert printed.splitlines() == ["True"] * 4 + ["[]"]


class Shared(Loader):
    """A loader of several modules, without attributes of its own where so wished."""

    def exec_module(self, module: ModuleType) -> None:
        exec(TEXT, vars(module))  # noqa: S102  # that is what loaders do


class Bare(Shared):
    __slots__ = ()


class OfClass(Loader):
    """One that is a class, as Python's for frozen modules."""

    @staticmethod
    def create_module(_: ModuleSpec) -> None:
        pass

    @staticmethod
    def exec_module(module: ModuleType) -> None:
        exec(TEXT, vars(module))  # noqa: S102  # that is what loaders do


class Finds(MetaPathFinder):
    """Finds `them_one` and `them_two` and their modules."""

    def __init__(self, loader: Any) -> None:  # noqa: ANN401  # a loader, or a class as one
        self._loader = loader

    def find_spec(
        self, name: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not name.startswith("them_"):
            return None
        return importlib.util.spec_from_loader(name, self._loader, is_package="." not in name)


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("loader", [Shared(), OfClass], ids=["object", "class"])
def test_a_loader_that_modules_share_tells_them_apart(
    records: Path, monkeypatch: pytest.MonkeyPatch, loader: Shared | type[OfClass]
) -> None:
    monkeypatch.setattr(sys, "meta_path", [Finds(loader), *sys.meta_path])
    before = vars(loader).get("exec_module")
    with hooked(records):
        specs = [importlib.util.find_spec(f"them_{it}.client") for it in ("one", "two")]
        for spec in specs:
            assert spec is not None
            module = importlib.util.module_from_spec(spec)
            loader.exec_module(module)
            assert module.Theirs().name() == "patched original"
        assert vars(loader).get("exec_module") is before


@pytest.mark.usefixtures("library")
def test_one_whose_loader_cant_tell_is_patched_at_the_next_import(
    records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Closed(Bare):
        __slots__ = ()

        def __setattr__(self, name: str, value: object) -> None:
            raise AttributeError(name)

    monkeypatch.setattr(sys, "meta_path", [Finds(Closed()), *sys.meta_path])
    with hooked(records):
        importlib.import_module("them_one.client")
        importlib.import_module("them_two")
        assert name_in("them_one.client") == "patched original"


@pytest.mark.usefixtures("library")
def test_finders_that_ask_all_others_dont_ask_for_ever(
    records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Asks(MetaPathFinder):
        def __init__(self) -> None:
            self._asked: set[str] = set()

        def find_spec(
            self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
        ) -> ModuleSpec | None:
            if name in self._asked:
                return None
            self._asked.add(name)
            try:
                found = (it.find_spec(name, path, target) for it in sys.meta_path)
                return next((it for it in found if it is not None), None)
            finally:
                self._asked.discard(name)

    monkeypatch.setattr(sys, "meta_path", [Asks(), *sys.meta_path])
    with hooked(records):
        sys.meta_path.insert(0, Asks())
        assert name_in("them_one.client") == "patched original"


@pytest.mark.usefixtures("library")
def test_two_hooks_both_patch(records: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with hooked(records), hooked(other):
        assert name_in("them_one.client") == "patched patched original"
    assert name_in("them_one.client") == "original"


@pytest.mark.usefixtures("library")
def test_threads_that_import_at_once_get_patched_modules(records: Path) -> None:
    found: list[str] = []
    with hooked(records):
        threads = [
            threading.Thread(target=lambda name: found.append(name_in(name)), args=(it,))
            for it in ["them_one.client", "them_two.client"] * 4
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == ["patched original"] * 8


@pytest.mark.usefixtures("library")
def test_what_was_imported_past_it_is_missed(
    records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    with hooked(records) as made:
        sys.meta_path.insert(0, Finds(Shared()))
        importlib.import_module("them_one.client")
        assert made.missed() == ["them_one.client"]


@pytest.mark.usefixtures("library")
def test_a_second_name_of_a_module_isnt_missed(records: Path) -> None:
    with hooked(records) as made:
        sys.modules["them_two.client"] = importlib.import_module("them_one.client")
        assert made.missed() == []


def test_an_error_of_a_patch_is_told_and_never_the_programs(library: Path, records: Path) -> None:
    (library / "them_one" / "client.py").write_text("Theirs = None")
    kept = Records(str(records), 0)
    made = Hook(lambda: Tracer(kept), Patches(kept))
    made.put_in()
    try:
        importlib.import_module("them_one.client")
    finally:
        made.take_out()
    (trouble,) = read(records).processes[0].troubles
    assert "Error at" in trouble
