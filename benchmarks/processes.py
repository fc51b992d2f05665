"""Whole processes, timed from their start to their end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from tempfile import TemporaryFile
from threading import Timer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# Without bytecode on disk kab would be compiled at each start, as no installed program is.
_ENVIRONMENT = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
_LINES = 30


@dataclass(frozen=True, kw_only=True)
class Finished:
    """What a process took, those that it started and waited for included, and what it said."""

    wall_s: float
    cpu_s: float
    """User and system."""
    peak_bytes: int
    """The most memory that one of them held."""
    output: str


def kab() -> str:
    """The program that is installed beside this Python."""
    return which("kab", path=str(Path(sys.executable).parent)) or sys.exit("kab is not installed.")


def timed(*command: str) -> Callable[[], float]:
    """What runs a command to its end and returns the seconds that it took."""

    def run() -> float:
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=_ENVIRONMENT)
        return time.perf_counter() - began

    return run


def finished(
    command: Sequence[str], at_most_s: float, environment: Mapping[str, str] = _ENVIRONMENT
) -> Finished:
    """Run a command to its end.

    Raises:
        RuntimeError: it failed, or took longer than that and was killed.
    """
    with TemporaryFile() as output:
        began = time.perf_counter()
        with subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=environment
        ) as process:
            watch = Timer(at_most_s, process.kill)
            watch.start()
            _, status, usage = os.wait4(process.pid, 0)
            wall_s = time.perf_counter() - began
            watch.cancel()
            process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        told = output.read().decode(errors="replace")
    if process.returncode:
        end = "\n".join(told.splitlines()[-_LINES:])
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{end}")
    return Finished(
        wall_s=wall_s,
        cpu_s=usage.ru_utime + usage.ru_stime,
        peak_bytes=usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
        output=told,
    )
