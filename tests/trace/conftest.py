from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
from support.venvs import libraries, lowest_python, venv

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="session")
def venvs(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Python with the lowest or the newest libraries, which are installed by need."""

    def made(versions: str) -> str:
        is_lowest = versions == "lowest"
        python = lowest_python() if is_lowest else sys.executable
        folder = venv(tmp_path_factory, versions, python, libraries(lowest=is_lowest))
        return str(folder / "bin" / "python")

    return made


@pytest.fixture
def uncovered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs that coverage stays out of: it writes files, and has an `os._exit` of its own."""
    for name in [it for it in os.environ if it.startswith("COVERAGE_")]:
        monkeypatch.delenv(name)
