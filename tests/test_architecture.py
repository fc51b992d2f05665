"""The law of docs/architecture.md: imports point down, and don't run in circles."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "keepalive_bench"

FLOORS = (
    {"__main__"},
    {"cli"},
    {"outcome"},
    {"compare", "sweep", "trace", "probe", "places"},
    {"report"},
    {"requirements"},
    {"findings"},
    {"engine"},
    {"analysis"},
    {"connections"},
    {"net"},
    {"results"},
    {"plan", "stats", "server"},
    {"typed_json", "field_docs"},
    {"units"},
    {"errors"},
)
"""From the top down: a room may import from lower floors, and from itself."""
STRANGERS = {("report", "engine")}
"""Rooms that never see each other though one is above the other."""
BASE = {"units", "errors"}
"""All that `server` may see."""
TRACER = "trace.tracer"
"""It is loaded into other people's programs: it sees the standard library only, and itself by
relative imports, as it isn't part of the package there."""
PURE = {"plan", "stats", "analysis", "connections", "findings", "requirements", "outcome"}
"""They know no clock, no file and no system."""
OUTSIDE = {
    "urllib3": {"net"},
    "urllib3.connection": {"net.tracing"},
    "socket": {"net", "server", "places.on_dask.connecting", TRACER},
    "ssl": {"net", "server", "engine.benchmark"},
    "rich": {"report", "sweep", "compare", "trace", "probe", "places", "cli"},
    "click": {"cli"},
    "distributed": {"places.on_dask"},
    "pytest": {"trace.pytest_plugin", "trace.pytest_session"},
    **dict.fromkeys(
        ("time", "os", "io", "tempfile", "sys", "datetime", "subprocess"),
        {path.stem for path in PACKAGE.iterdir()} - PURE,
    ),
}
"""Who may import what from elsewhere: rooms or files."""


@cache
def imports() -> dict[str, set[str]]:
    """What each file of the package imports, by its name without the package's."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        names: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                module = f"{_above(path, node.level)}{node.module or ''}".rstrip(".")
                names.update(f"{module}.{alias.name}" for alias in node.names)
        found[_name(path)] = names
    return found


def _above(path: Path, level: int) -> str:
    """What a relative import begins with; only the tracer has any."""
    if not level:
        return ""
    assert _name(path).startswith(TRACER), f"{path} has a relative import"
    return ".".join(("keepalive_bench", *path.relative_to(PACKAGE).parts[:-level], ""))


def _name(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def own_imports(name: str) -> set[str]:
    """The files of the package that a file imports."""
    found = set()
    for imported in imports()[name]:
        own = imported.removeprefix("keepalive_bench.")
        while own != imported and own not in imports() and "." in own:
            own = own.rpartition(".")[0]
        if own != imported and own in imports():
            found.add(own)
    return found


def floor_of(room: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if room in rooms)


def points_down(importer: str, imported: str) -> bool:
    above, below = importer.partition(".")[0], imported.partition(".")[0]
    if above == "server":
        return below in {"server", *BASE}
    if importer.startswith(TRACER):
        return imported.startswith(TRACER)
    return above == below or (floor_of(above) < floor_of(below) and (above, below) not in STRANGERS)


def is_at_home(importer: str, imported: str) -> bool:
    return all(
        any(f"{importer}.".startswith(f"{home}.") for home in homes)
        for library, homes in OUTSIDE.items()
        if f"{imported}.".startswith(f"{library}.")
    )


def test_imports_point_down_and_each_library_stays_in_its_rooms() -> None:
    files = [name for name in imports() if name != "__init__"]
    wrong = {
        (name, imported)
        for name in files
        for imported in own_imports(name)
        if not points_down(name, imported)
    } | {
        (name, imported)
        for name in files
        for imported in imports()[name]
        if not is_at_home(name, imported)
    }
    assert not wrong


def test_no_imports_run_in_a_circle() -> None:
    left = {name: own_imports(name) - {name} for name in imports() if name != "__init__"}
    while free := [name for name, imported in left.items() if not imported & left.keys()]:
        for name in free:
            del left[name]
    assert not left
