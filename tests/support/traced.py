"""Programs that run with a tracer in them, and what is read and made of its records."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from support.patience import PATIENCE_S

import keepalive_bench.trace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keepalive_bench.trace.usage import Usage

TRACER = Path(keepalive_bench.trace.__file__).with_name("tracer")
PROGRAMS = Path(__file__).parents[1] / "trace" / "programs"
_BYTES = 100_000_000


class Traced(NamedTuple):
    """A program that has ended."""

    code: int
    out: str
    err: str
    usage: Usage


def environment(folder: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This environment, with what gets the tracer into a program."""
    return {
        **os.environ,
        "PYTHONPATH": str(TRACER),
        "_KAB_TRACE": str(folder),
        "_KAB_TRACE_LIMIT": str(_BYTES),
        **(extra or {}),
    }


def traced(
    command: list[str],
    folder: Path,
    env: Mapping[str, str] | None = None,
) -> Traced:
    """Run a command to its end."""
    folder.mkdir(mode=0o700, exist_ok=True)
    done = subprocess.run(
        command,
        env=environment(folder, env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE_S,
        check=False,
    )
    return Traced(done.returncode, done.stdout, done.stderr, usage_in(folder))


def usage_in(folder: Path) -> Usage:
    """What has been recorded there up to now."""
    from keepalive_bench.trace.analysis import analyse
    from keepalive_bench.trace.reading import read

    return analyse(read(folder))


def told(usage: Usage) -> tuple[int, int]:
    """How many connections and requests there were."""
    origins = usage.origins
    return sum(it.connections for it in origins), sum(it.requests for it in origins)


def reasons(usage: Usage) -> dict[str, int]:
    """How many connections were opened for each reason, but for first uses."""
    counts: dict[str, int] = {}
    for opening in (it for origin in usage.origins for it in origin.openings):
        if opening.reason != "first-use":
            counts[opening.reason] = counts.get(opening.reason, 0) + opening.connections
    return counts


def sites(usage: Usage) -> set[tuple[str, int]]:
    """Where in the program connections were opened."""
    openings = [it for origin in usage.origins for it in origin.openings]
    return {(it.site.file, it.site.line) for it in openings if it.site}


def troubles(usage: Usage) -> list[str]:
    """What went wrong in the tracer."""
    return [it for process in usage.processes for it in process.troubles]


def marked(program: Path, mark: str = "# here") -> set[int]:
    """The numbers of a program's lines that end with a mark."""
    lines = enumerate(program.read_text("utf-8").splitlines(), 1)
    return {number for number, line in lines if line.endswith(mark)}


def python_of(venv: Path | None) -> str:
    """The interpreter of a virtual environment; without one, this one's."""
    return str(venv / "bin" / "python") if venv else sys.executable
