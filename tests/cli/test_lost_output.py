"""Standard output that goes away in the middle of a run takes no results with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.command import COMMAND, TIMEOUT_S, Finished, called, environment

if TYPE_CHECKING:
    from keepalive_bench.server import ServerProcess

needs_full = pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="only Linux has a device that is always full"
)


def run_into(stdout: int, *arguments: str) -> Finished:
    """Run the real command, with a standard output of one's own."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        timeout=TIMEOUT_S,
        env=environment(),
        check=False,
    )
    return Finished(code=done.returncode, out="", err=done.stderr.decode())


def run_into_closed_pipe(*arguments: str) -> Finished:
    ours, theirs = os.pipe()
    os.close(ours)
    try:
        return run_into(theirs, *arguments)
    finally:
        os.close(theirs)


def run_into_full_disk(*arguments: str) -> Finished:
    with Path("/dev/full").open("w") as full:
        return run_into(full.fileno(), *arguments)


@pytest.mark.parametrize("options", [("-v",), (), ("-v", "--processes", "2"), ("-v", "-c", "2")])
def test_a_reader_that_has_gone_is_no_loss_for_the_files(
    server: ServerProcess, tmp_path: Path, options: tuple[str, ...]
) -> None:
    results, table = tmp_path / "run.json", tmp_path / "run.csv"
    files = ("--json", str(results), "--csv", str(table))
    done = run_into_closed_pipe("run", server.url, "-n", "20", *options, *files)
    assert (done.code, done.err) == (1, "")
    assert json.loads(results.read_text())["exchanges"]["count"] == 40
    assert len(table.read_text().splitlines()) == 41
    assert sorted(tmp_path.iterdir()) == [table, results]


@needs_full
@pytest.mark.parametrize("options", [("-v",), ()])
def test_a_full_disk_behind_standard_output_is_no_loss_for_the_files(
    server: ServerProcess, tmp_path: Path, options: tuple[str, ...]
) -> None:
    results = tmp_path / "run.json"
    done = run_into_full_disk("run", server.url, "-n", "20", *options, "--json", str(results))
    assert done.code == 1
    assert done.err == "Error: Standard output can't be written: No space left on device.\n"
    assert json.loads(results.read_text())["exchanges"]["count"] == 40


def test_a_sweep_writes_its_files_all_the_same(server: ServerProcess, tmp_path: Path) -> None:
    options = ("--maxsize", "1,2", "-c", "2", "-n", "20", "--traffic", "both")
    done = run_into_closed_pipe("sweep", server.url, *options, "--json", str(tmp_path / "run.json"))
    assert (done.code, done.err) == (1, "")
    for path in (tmp_path / "run-bursts.json", tmp_path / "run-steady.json"):
        assert json.loads(path.read_text())["exchanges"]["count"] == 40


@pytest.mark.parametrize("command", ["report", "compare"])
def test_what_is_written_again_is_written_all_the_same(
    server: ServerProcess, tmp_path: Path, command: str
) -> None:
    stored, other = tmp_path / "run.json", tmp_path / "again.json"
    assert called("run", server.url, "-n", "6", "--json", str(stored)).code == 0
    other.write_bytes(stored.read_bytes())
    names = (str(stored),) if command == "report" else (str(stored), str(other))
    done = run_into_closed_pipe(command, *names, "--markdown", str(tmp_path / "report.md"))
    assert (done.code, done.err) == (1, "")
    assert (tmp_path / "report.md").read_text()


def test_without_files_there_is_nothing_to_go_on_for(server: ServerProcess) -> None:
    done = run_into_closed_pipe("run", server.url, "-n", "1000000", "-v")
    assert (done.code, done.err) == (1, "")


def test_a_standard_error_that_has_gone_changes_nothing(
    server: ServerProcess, tmp_path: Path
) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    command = [*COMMAND, "run", server.url, "-n", "2", "-d", "x", "--json", "-", "-v"]
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
        cwd=tmp_path,
        timeout=TIMEOUT_S,
        env=environment(),
        check=False,
    )
    os.close(theirs)
    assert done.returncode == 0
    assert json.loads(done.stdout)["exchanges"]["count"] == 4


@pytest.mark.skipif(sys.platform == "win32", reason="the shell's words are POSIX's")
@pytest.mark.parametrize(
    ("streams", "dialect", "name"),
    [
        (">&-", "--json", "-"),
        (">&-", "--csv", "/dev/fd/1"),
        (">&- 2>&-", "--html", "-"),
        ("<&- >&-", "--json", "/dev/stdout"),
        ("<&- >&- 2>&-", "--csv", "-"),
    ],
)
def test_a_closed_standard_output_is_refused_for_results(
    streams: str, dialect: str, name: str
) -> None:
    asked = ("run", "http://127.0.0.1:9/", dialect, name)  # if it were asked, the code would be 1
    command = ["sh", "-c", f'exec "$@" {streams}', "sh", *COMMAND, *asked]
    done = subprocess.run(
        command, capture_output=True, timeout=TIMEOUT_S, env=environment(), check=False
    )
    assert done.returncode == 2
    if "2>" not in streams:
        sentence = f"Error: Standard output is closed, so {name} can't be written: name a file.\n"
        assert done.stderr.decode() == sentence
