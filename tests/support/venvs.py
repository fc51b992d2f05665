"""Virtual environments with the libraries of other people's programs; each is made once a test run.

What goes into them is a group of pyproject.toml.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from support.pythons import VERSIONS, python_of

if TYPE_CHECKING:
    import pytest

_PROJECT = Path(__file__).parents[2] / "pyproject.toml"
_AT_MOST_S = 300.0


def lowest_python() -> str:
    """The oldest that there is; it has what the lowest versions want."""
    return next(filter(None, map(python_of, VERSIONS)), sys.executable)


def libraries(*, lowest: bool) -> list[str]:
    """What `kab trace` is tried with: the lowest versions, or the newest that go with them."""
    return [it.replace(">=", "==", 1) if lowest else it for it in group("programs")]


def group(name: str) -> list[str]:
    """The requirements of a group of pyproject.toml."""
    toml = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    with _PROJECT.open("rb") as file:
        found: list[str] = toml.load(file)["dependency-groups"][name]
    return found


def venv(factory: pytest.TempPathFactory, name: str, python: str, requirements: list[str]) -> Path:
    """One with these requirements, shared by all workers of the test run."""
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder = base / f"venv-{name}"
    with (base / f"venv-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            _make(folder, python, requirements)
            (folder / "ready").touch()
    return folder


def _make(folder: Path, python: str, requirements: list[str]) -> None:
    _run(python, "-m", "venv", "--clear", str(folder))
    install = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--prefer-binary")
    _run(str(folder / "bin" / "python"), *install, *requirements)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_AT_MOST_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
