"""The rooms of docs/architecture.md: imports point down only."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "keepalive_bench"

BASE = {"errors", "units"}
MAY_IMPORT = {
    "cli": {"render", "experiment", "analysis", "server", "model", "net"} | BASE,
    "render": {"model"} | BASE,
    "experiment": {"net", "analysis", "model"} | BASE,
    "analysis": {"model"} | BASE,
    "net": {"model"} | BASE,
    "server": BASE,
    "model": BASE,
    "errors": set[str](),
    "units": set[str](),
}
OUTSIDE = {
    "urllib3": {"net"},
    "socket": {"net", "server"},
    "ssl": {"net", "server", "experiment"},
    "rich": {"render", "cli"},
    "click": {"cli"},
}
"""Who may import what from elsewhere; `experiment` asks `ssl` for OpenSSL's version only."""
PURE = {"analysis", "model"}
IMPURE_MODULES = {"time", "os", "io", "tempfile", "sys", "datetime", "subprocess"}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    relative = path.relative_to(PACKAGE)
    return relative.parts[0].removesuffix(".py")


def imports_of(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            names.add(node.module or "")
            if node.module == "keepalive_bench":
                names.update(f"keepalive_bench.{alias.name}" for alias in node.names)
    return names


def rooms_imported(path: Path) -> set[str]:
    return {
        name.split(".")[1] for name in imports_of(path) if name.startswith("keepalive_bench.")
    } - {"__version__"}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down_only(path: Path) -> None:
    room = room_of(path)
    if room in MAY_IMPORT:
        assert rooms_imported(path) <= MAY_IMPORT[room] | {room}


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_each_library_stays_in_its_rooms(path: Path) -> None:
    for library, rooms in OUTSIDE.items():
        if library in {name.partition(".")[0] for name in imports_of(path)}:
            assert room_of(path) in rooms, f"{library} has no place in {room_of(path)}"


@pytest.mark.parametrize("room", sorted(PURE))
def test_pure_rooms_know_no_clock_and_no_file(room: str) -> None:
    for path in (PACKAGE / room).rglob("*.py"):
        assert not imports_of(path) & IMPURE_MODULES, path


def test_urllib3s_connections_are_touched_in_one_file_only() -> None:
    users = [path for path in modules() if "urllib3.connection" in imports_of(path)]
    assert users == [PACKAGE / "net" / "tracing.py"]


def test_every_room_is_in_the_plan() -> None:
    rooms = {room_of(path) for path in modules()} - {"__init__", "__main__"}
    assert rooms == set(MAY_IMPORT)
