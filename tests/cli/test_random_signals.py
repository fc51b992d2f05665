"""Whenever a signal ends a run, its files are whole or not there, and there is no traceback."""

from __future__ import annotations

import gzip
import json
import signal
import subprocess
import tempfile
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from support.command import Finished, ended, started
from support.processes import linux

from keepalive_bench.errors import ENDING_SIGNALS
from keepalive_bench.server import Behaviour, ServerProcess, ServerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

_SEEDS, _RUNS = 5, 16
_REQUESTS = "20"
"""Few, so that most signals come while a run begins or ends: its middle is alike all the while."""
_WAYS = (
    ("run",),
    ("run", "-v", "-c", "4"),
    ("run", "--rate", "400/s", "-c", "2"),
    ("run", "--processes", "2"),
    ("sweep", "--maxsize", "1,2", "-c", "2"),
)
_LATEST_S = 0.5
"""About as long as such a run takes from its first request on."""
_SHARE_OF_EARLY = 0.2


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with ServerProcess(ServerSettings(behaviour=Behaviour(delay_s=0.002))) as process:
        yield process


@linux
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(_SEEDS))
def test_its_files_are_whole_or_not_there(server: ServerProcess, seed: int) -> None:
    random = Random(seed)  # noqa: S311  # not for secrets
    for _ in range(_RUNS):
        way, sent = random.choice(_WAYS), random.choices(ENDING_SIGNALS, k=random.randint(1, 3))
        with tempfile.TemporaryDirectory() as folder:
            results, table = Path(folder, "run.json"), Path(folder, "run.csv.gz")
            files = ("--json", str(results), "--csv", str(table))
            with started(*way, server.url, "-n", _REQUESTS, *files) as process:
                if random.random() < _SHARE_OF_EARLY:
                    await_handlers(process)
                else:
                    await_draft(process, Path(folder))
                for number in sent:
                    if ends_within(process, random.uniform(0, _LATEST_S / len(sent))):
                        break
                    process.send_signal(number)
                done = ended(process)
            told = f"{way} ended by {sent} with {done}"
            check(done, results, table, told)
            assert set(Path(folder).iterdir()) <= {results, table}, told


def check(done: Finished, results: Path, table: Path, told: str) -> None:
    assert "Traceback" not in done.text, told
    # A signal that comes when all is shown and written ends the process as it would any other.
    assert done.code in {0, 130, *(-number for number in ENDING_SIGNALS)}, told
    if results.exists():
        document = json.loads(results.read_text())
        rows = gzip.decompress(table.read_bytes()).decode().splitlines()
        assert document["exchanges"]["count"] == len(rows) - 1, told
    else:
        assert done.code != 0, told


def await_handlers(process: subprocess.Popen[str]) -> None:
    """Wait until kab handles SIGTERM: before, Python itself still starts."""
    while not (caught(process) >> (signal.SIGTERM - 1)) & 1:
        if ends_within(process, 0.001):
            return


def await_draft(process: subprocess.Popen[str], folder: Path) -> None:
    """Wait until kab is about to send its first request."""
    while not any(folder.iterdir()):
        if ends_within(process, 0.001):
            return


def caught(process: subprocess.Popen[str]) -> int:
    """The signals that a process handles, as a bit each."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return next(int(it.split()[1], 16) for it in status.splitlines() if it.startswith("SigCgt"))


def ends_within(process: subprocess.Popen[str], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True
