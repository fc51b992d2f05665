"""README.md shows what kab really prints, and code that runs."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

from support.command import kab

from keepalive_bench.server import Behaviour, ServerProcess, ServerSettings

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
URL = "http://127.0.0.1:8080"
CLOSING = Behaviour(delay_s=0.005, silent_close_after=10)


def headings(report: str) -> list[str]:
    """What the lines of a report are about; the indented ones depend on how things went.

    So does the scale of the histograms.
    """
    found = [
        re.split(r" {2,}|: |, on a", line)[0] for line in report.splitlines() if line[:1].isalpha()
    ]
    table, place = found.index("connections"), found.index("where the time goes")
    about = (each.partition(";")[0] for each in found[table:place])
    return [each for each in about if not each.startswith("latency")]


def test_the_output_has_the_lines_that_the_shown_command_prints() -> None:
    assert "`kab serve --port 8080 --delay 0.005 --silent-close-after 10`" in README
    (shown,) = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    command, _, output = shown.partition("\n")
    with ServerProcess(ServerSettings(behaviour=CLOSING)) as server:
        done = kab(*shlex.split(command.replace(URL, server.url))[2:])
    assert headings(done.out) == headings(output)
    (warning,) = re.findall(r"^! The server.*?\.$(?=\n\n)", output, re.DOTALL | re.MULTILINE)
    assert " ".join(warning.split()) in " ".join(done.out.split())


def test_the_python_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    with ServerProcess(ServerSettings()) as server:
        done = subprocess.run(
            [sys.executable, "-c", code.replace(URL, server.url)],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
    assert done.stdout.endswith(".\n")
