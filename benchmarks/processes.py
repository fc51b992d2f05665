"""Whole processes, timed from their start to their end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def kab() -> str:
    """The program that is installed beside this Python."""
    return which("kab", path=str(Path(sys.executable).parent)) or sys.exit("kab is not installed.")


def timed(*command: str) -> Callable[[], float]:
    """What runs a command to its end and returns the seconds that it took."""
    # Without bytecode on disk kab would be compiled at each start, as no installed program is.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}

    def run() -> float:
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
        return time.perf_counter() - began

    return run
