"""Programs that run with a tracer in them, and what is read and made of its records."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from support.patience import PATIENCE_S
from support.pythons import environment

from keepalive_bench.trace.analysis import analyse
from keepalive_bench.trace.reading import read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keepalive_bench.trace.usage import Usage

PROGRAMS = Path(__file__).parents[1] / "trace" / "programs"


class Traced(NamedTuple):
    """A program that has ended."""

    code: int
    out: str
    err: str
    usage: Usage


def analysed(command: list[str], folder: Path, env: Mapping[str, str] | None = None) -> Traced:
    """Run a command to its end."""
    folder.mkdir(mode=0o700, exist_ok=True)
    done = subprocess.run(
        command,
        env=environment(folder, **(env or {})),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE_S,
        check=False,
    )
    return Traced(done.returncode, done.stdout, done.stderr, usage_in(folder))


def usage_in(folder: Path) -> Usage:
    """What has been recorded there up to now."""
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
