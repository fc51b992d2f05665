"""Pythons of several versions, and programs that they run with the tracer in them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest
from support.patience import PATIENCE_S

import keepalive_bench.trace
from keepalive_bench.trace.reading import read

if TYPE_CHECKING:
    from keepalive_bench.trace.recording import Process, Recording

TRACER = Path(keepalive_bench.trace.__file__).parent / "tracer"
VERSIONS = ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
BEGIN = "from _kab_tracer import _tracing; records = _tracing.records\n"
"""What begins a program that writes records itself."""


@cache
def python_of(version: str) -> str | None:
    """The Python of a version; `None`: there is none."""
    found = shutil.which(f"python{version}")
    if found is None:
        return None
    code = "import sys; print(sys.executable)"
    done = subprocess.run([found, "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def needed_python(version: str) -> str:
    """The Python of a version; a test that there is none for is skipped."""
    found = python_of(version)
    if found is None:
        pytest.skip(f"there is no Python {version}")
    return found


def environment(folder: Path, *before: Path, **variables: str) -> dict[str, str]:
    """Variables that get the tracer into a program, behind other folders on its path."""
    path = os.pathsep.join(map(str, (*before, TRACER)))
    return {**os.environ, "PYTHONPATH": path, "_KAB_TRACE": str(folder), **variables}


def run(*command: str, env: dict[str, str], code: int = 0, stderr: str | None = "") -> str:
    """What a program prints; it must end as told, and say nothing else where `stderr` is empty."""
    done = subprocess.run(
        command, env=env, capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )
    assert done.returncode == code, done.stderr
    assert stderr is None or done.stderr == stderr
    return done.stdout


def traced(folder: Path, program: str, *arguments: str, python: str = sys.executable) -> str:
    """What a program prints, traced, with every warning an error; it must end well."""
    strict = ("-X", "dev", "-W", "error")
    return run(python, *strict, "-c", dedent(program), *arguments, env=environment(folder))


def read_whole(folder: Path) -> Recording:
    """What was recorded; nothing of it may be damaged, and no error may have been swallowed."""
    recording = read(folder)
    assert not recording.damaged
    assert not [it.troubles for it in recording.processes if it.troubles]
    return recording


def only_process(folder: Path) -> Process:
    """The one process that was recorded."""
    (process,) = read_whole(folder).processes
    return process
