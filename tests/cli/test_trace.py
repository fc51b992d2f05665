"""`kab trace`: what the command line asks for, the report and where it goes, the exit code."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from support.command import COMMAND, TIMEOUT_S, called, environment, in_the_foreground, kab
from support.patience import PATIENCE_S
from support.processes import linux

from keepalive_bench.cli import kab as group
from keepalive_bench.cli.trace import _own_words, _parse_size, command
from keepalive_bench.errors import UsageError
from keepalive_bench.server import Server, ServerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

TRACE = (*COMMAND, "trace")
OPTIONS = [it.declared for it in command.params if hasattr(it, "declared")]
MISSED = ("--require", "connections<=1")
"""A requirement that no program meets which makes no request."""
SENT = 8_000
"""More requests than there is room for in 400 kB."""


@pytest.mark.parametrize(
    ("line", "own"),
    [
        ("python app.py --json x", ""),
        ("--json x python app.py", "--json x"),
        ("--json=x python", "--json=x"),
        ("-v pytest -x", "-v"),
        ("-v -- pytest", "-v"),
        ("-- -v", ""),
        ("- a", ""),
        ("-m http.server --cgi", "-m http.server"),
        ("-mhttp.server --cgi", "-mhttp.server"),
        ("-vm http.server -v", "-vm http.server"),
        ("-vmhttp.server -v", "-vmhttp.server"),
        ("--module http.server -- -v", "--module http.server"),
        ("--module=http.server -v", "--module=http.server"),
        ("--require -v sh", "--require -v"),
        ("--nonsense sh", "--nonsense"),
        ("-x sh", "-x"),
        ("--json", "--json"),
        ("", ""),
    ],
)
def test_kabs_own_words_end_where_the_program_begins(line: str, own: str) -> None:
    words = line.split()
    assert words[: _own_words(words, OPTIONS)] == own.split()


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1GB", 10**9),
        ("1 GiB", 2**30),
        ("1.5mb", 1_500_000),
        ("2000000", 2_000_000),
        ("1000kB", 10**6),
    ],
)
def test_a_size_has_a_unit(text: str, size: int) -> None:
    assert _parse_size(text) == size


@pytest.mark.parametrize("text", ["", "GB", "1 XB", "-1GB", "1e9", "100B", "0.5kB", "1GBB"])
def test_no_size_or_too_small_a_one_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        _parse_size(text)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "There is no program to trace: kab trace python app.py, or --read DIR"),
        (("--",), "There is no program to trace"),
        (("--jsno", "x", "true"), "Did you mean --json?"),
        (("--read", "x", "true"), "--read reports a folder and runs nothing"),
        (("--read", "x", "-m", "this"), "--read reports a folder and runs nothing"),
        (("--read", "nosuch"), "nosuch can't be read: No such file"),
        (("--read", "."), ". holds no records of kab trace (--read)."),
        (("--max-records", "no", "true"), "'no' is no size (--max-records)"),
        (("--require", "reuse=9", "true"), "reuse=9"),
        (("--require", "nonsense<=1", "true"), "nonsense"),
        (("--json", "nosuch/x", "touch", "ran"), "nosuch/x can't be written: No such file"),
        (("--report", "nosuch/x", "touch", "ran"), "nosuch/x can't be written: No such file"),
        (("--report", "x", "--json", "./x", "touch", "ran"), "--json and --report can't both go"),
        (("--records", ".", "touch", "ran"), " holds file: name an empty folder for records"),
        (("--records", "file", "touch", "ran"), "file can't be a folder for records (--records)"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_runs(
    words: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    done = called("trace", *words)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert said in done.err
    assert {it.name for it in tmp_path.iterdir()} == {"file"}


@linux
@pytest.mark.parametrize(("code", "ends"), [(0, 4), (1, 1), (3, 3)])
def test_a_missed_requirement_shows_where_the_program_ended_well(code: int, ends: int) -> None:
    done = kab("trace", *MISSED, "sh", "-c", f"exit {code}")
    assert done.code == ends
    assert "missed" in done.err


@linux
def test_a_met_requirement_leaves_the_code() -> None:
    done = kab("trace", "--require", "lost==0", sys.executable, "-c", "pass")
    assert done.code == 0
    assert "met" in done.err


@linux
def test_the_report_may_go_to_a_file_with_others(tmp_path: Path) -> None:
    done = kab(
        *("trace", "--report", "report.txt", "--json", "trace.json", "--html", "trace.html"),
        *("sh", "-c", "echo out; echo err >&2; ls -a"),
        cwd=tmp_path,
    )
    assert (done.code, done.err) == (0, "err\n")
    assert "out" in done.out
    assert "trace.json\n" not in done.out  # nothing is there before it is whole
    assert "raced" in (tmp_path / "report.txt").read_text()
    assert json.loads((tmp_path / "trace.json").read_text())["kind"] == "trace"
    assert (tmp_path / "trace.html").read_text().startswith("<!DOCTYPE html>")
    assert len(list(tmp_path.iterdir())) == 3


@linux
def test_github_gets_its_annotations() -> None:
    done = kab("trace", "--github", *MISSED, "true")
    assert "::error title=Missed" in done.err


@linux
@pytest.mark.parametrize("option", ["--json", "--report"])
def test_a_report_that_can_not_be_written_changes_no_code(option: str, tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    for code in (0, 3):
        words = ("trace", option, "/dev/full", "sh", "-c", f"exit {code}")
        done = kab(*words, env={"TMPDIR": str(temporary)})
        assert done.code == code
        (error,) = [line for line in done.err.splitlines() if line.startswith("Error: ")]
        assert "/dev/full can't be written: No space left on device." in error
        assert f"The records are kept: kab trace --read {temporary}/kab-trace-" in error
        assert "Traceback" not in done.err
    assert len(list(temporary.iterdir())) == 2
    assert ("raced" in done.err) == (option == "--json")


@linux
def test_a_program_may_remove_the_working_folder(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    done = kab("trace", "rmdir", str(tmp_path / "here"), cwd=tmp_path / "here")
    assert done.code == 0
    assert "raced" in done.err


@linux
def test_an_error_of_kabs_own_changes_no_code(tmp_path: Path) -> None:
    breaks = f"""
import sys
from keepalive_bench.cli import main, tracing

def fail(_):
    raise KeyError("a\\nb")

tracing.read = fail
sys.argv = ["kab", "trace", "--json", "{tmp_path}/x", "sh", "-c", "exit 3"]
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", breaks],
        capture_output=True,
        text=True,
        check=False,
        env=environment({"TMPDIR": str(tmp_path)}),
    )
    assert done.returncode == 3
    assert done.stderr.startswith("Error: kab failed to report: KeyError: ")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "x").exists()


@linux
@pytest.mark.parametrize("name", ["python", "python3"])
def test_a_module_is_run_by_the_python_on_path(tmp_path: Path, name: str) -> None:
    python = fake_python(tmp_path / name)
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "VIRTUAL_ENV": ""}
    done = kab("trace", "-m", "package.module", "--json", "a", env=env)
    wanted = [
        f"{python} -m package.module --json a\n",
        f"kab trace runs {python} -m package.module",
    ]
    assert [done.out, done.err.splitlines()[0]] == wanted
    assert "runs" not in kab("trace", "--quiet", "-m", "package.module", env=env).err


@linux
def test_a_module_is_run_by_the_python_of_the_virtual_environment(tmp_path: Path) -> None:
    place = tmp_path / "venv" / "bin"
    place.mkdir(parents=True)
    fake_python(tmp_path / "python")
    python = fake_python(place / "python")
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "VIRTUAL_ENV": str(place.parent)}
    assert kab("trace", "-m", "that", env=env).out == f"{python} -m that\n"


def fake_python(path: Path) -> str:
    path.write_text('#!/bin/sh\necho "$0 $*"\n')
    path.chmod(0o755)
    return str(path)


@linux
def test_without_a_python_a_module_is_refused(tmp_path: Path) -> None:
    done = called("trace", "-m", "this", env={"PATH": str(tmp_path), "VIRTUAL_ENV": ""})
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "There is no python on PATH" in done.err


@linux
def test_records_are_kept_where_they_are_to_be_and_read_again(tmp_path: Path) -> None:
    words = ("--records", "a/records", sys.executable, "-c", "import os; os.chdir('/')")
    done = kab("trace", *words, cwd=tmp_path)
    folder = tmp_path / "a" / "records"
    assert (done.code, done.err.count("1 process")) == (0, 1)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [it for it in folder.iterdir() if it.suffix == ".kab"]
    again = kab("trace", "--read", str(folder))
    assert (again.code, again.err) == (0, "")
    assert again.out == done.err
    assert kab("trace", "--read", str(folder), *MISSED).code == 4
    assert json.loads(kab("trace", "--read", str(folder), "--json", "-").out)["kind"] == "trace"


@linux
def test_recording_ends_at_its_limit_and_the_report_says_so(tmp_path: Path) -> None:
    program = f"""
from http.client import HTTPConnection
import sys
connection = HTTPConnection("127.0.0.1", int(sys.argv[1]))
for _ in range({SENT}):
    connection.request("GET", "/")
    connection.getresponse().read()
"""
    with Server(ServerSettings()) as server:
        words = ("--max-records", "400kB", "--records", str(tmp_path / "records"))
        done = kab("trace", *words, sys.executable, "-c", program, str(server.port))
        assert (server.stats.accepts, server.stats.requests) == (1, SENT)
    assert done.code == 0
    assert "Recording ended at --max-records." in done.err
    assert "tracer itself failed" not in done.err
    assert re.search(r"[0-9,]+ records didn't fit, so this isn't all", " ".join(done.err.split()))
    assert sum(it.stat().st_size for it in (tmp_path / "records").iterdir()) <= 400_000


@linux
def test_records_of_an_earlier_program_are_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "records"
    folder.mkdir(mode=0o755)
    words = ("trace", "--records", str(folder), sys.executable, "-c", "print(0)")
    for _ in range(2):
        assert "1 process" in kab(*words).err
    assert folder.stat().st_mode & 0o777 == 0o700


@linux
def test_a_folder_that_is_being_recorded_into_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "records"
    with running(str(folder)):
        done = kab("trace", "--records", str(folder), "true")
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert "A program still records into" in done.err


@linux
def test_a_program_that_still_runs_can_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "records"
    with running(str(folder)):
        done = kab("trace", "--read", str(folder))
        assert done.code == 0
        assert "1 process" in done.out


@contextmanager
def running(folder: str) -> Iterator[subprocess.Popen[bytes]]:
    """A program that waits for the end of its input, under kab."""
    words = [*TRACE, "--records", folder, sys.executable, "-c", "print(0, flush=True); input()"]
    pipe = subprocess.PIPE
    process = subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, env=environment())
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"0\n"
            yield process
        finally:
            process.communicate(b"\n", timeout=TIMEOUT_S)


@linux
@pytest.mark.parametrize("option", [("--records",), ()])
def test_processes_that_go_on_are_told(tmp_path: Path, option: tuple[str, ...]) -> None:
    leaves = f"""
import os, sys
reads, writes = os.pipe()
if os.fork():
    os.read(reads, 1)
    sys.exit(5)
os.setsid()
os.write(writes, b".")
open({str(tmp_path / "until")!r}).read()  # until somebody writes
"""
    os.mkfifo(tmp_path / "until")
    folder = (str(tmp_path / "records"),) if option else ()
    with (tmp_path / "err").open("w") as err:
        done = subprocess.run(
            [*TRACE, *option, *folder, sys.executable, "-c", leaves],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=err,
            env=environment(),
            check=False,
            timeout=TIMEOUT_S,
        )
    assert done.returncode == 5
    (tmp_path / "until").write_text("end")
    how = "kab trace --read tells" if option else "--records and --read would tell"
    said = f"1 process is still running: {how} what comes from here on.\n"
    assert (tmp_path / "err").read_text().endswith(said)


@contextmanager
def at_its_report(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """kab, which can't write its report until somebody reads from the pipe."""
    fifo, temporary = tmp_path / "fifo", tmp_path / "tmp"
    temporary.mkdir()
    os.mkfifo(fifo)
    pipe = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
    fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 4096)
    os.write(pipe, bytes(4096))
    words = [*TRACE, "--html", str(fifo), "--json", str(tmp_path / "x"), "sh", "-c", "exit 3"]
    its_own = environment({"TMPDIR": str(temporary)})
    with in_the_foreground():
        process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=its_own)
    with process:
        try:
            while "pipe_write" not in waiting_for(process.pid):
                time.sleep(0.005)
                assert process.poll() is None
            yield process, pipe
        finally:
            process.kill()
            os.close(pipe)


def waiting_for(pid: int) -> str:
    """What keeps a process waiting in the kernel."""
    try:
        return Path(f"/proc/{pid}/wchan").read_text()
    except OSError:
        return ""


@linux
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_one_more_ctrl_c_cuts_off_no_report(tmp_path: Path, number: signal.Signals) -> None:
    with at_its_report(tmp_path) as (process, pipe):
        process.send_signal(number)
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        assert any(it == "kab writes its report. Ctrl-C again leaves it.\n" for it in lines)
        process.send_signal(signal.SIGUSR1)  # which would have been the program's
        os.set_blocking(pipe, True)
        written = b""
        while not written.rstrip().endswith(b"</html>"):
            written += os.read(pipe, 65536)
        assert process.wait(TIMEOUT_S) == 3
        assert b"<!DOCTYPE html>" in written
        assert json.loads((tmp_path / "x").read_text())["kind"] == "trace"
    assert not list((tmp_path / "tmp").iterdir())


@linux
def test_a_third_ctrl_c_leaves_it_and_nothing_behind(tmp_path: Path) -> None:
    with at_its_report(tmp_path) as (process, _):
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        assert any(it.startswith("kab writes its report.") for it in lines)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 3
    assert not list((tmp_path / "tmp").iterdir())
    assert {it.name for it in tmp_path.iterdir()} <= {"tmp", "fifo", "x"}


@linux
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_before_the_program_starts_leaves_nothing_behind(
    tmp_path: Path, number: signal.Signals
) -> None:
    interrupted = f"""
import os, signal, sys
from keepalive_bench.__main__ import main
from keepalive_bench.trace.program import starting

def environment(folder, _):
    assert os.listdir({str(tmp_path)!r})
    os.kill(os.getpid(), {number.value})

starting.environment = environment
sys.argv = ["kab", "trace", "--json", "{tmp_path}/x", "true"]
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", interrupted],
        capture_output=True,
        check=False,
        env=environment({"TMPDIR": str(tmp_path)}),
    )
    assert done.returncode == (-number if number == signal.SIGUSR1 else 130)
    assert not list(tmp_path.iterdir())


def offered(line: str) -> list[str]:
    question = {"COMP_WORDS": line, "COMP_CWORD": line.rpartition(" ")[2]}
    return called(env={"_KAB_COMPLETE": "bash_complete", **question}).lines


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("kab trace --max", ["plain,--max-records"]),
        ("kab trace fin", ["plain,find-me"]),
        ("kab trace -v ./fin", ["file,./fin"]),
        ("kab trace find-me fin", ["file,fin"]),
        ("kab trace find-me --max", ["file,--max"]),
        ("kab trace -m module --max", ["file,--max"]),
    ],
)
def test_a_shell_completes_options_then_a_command_then_files(
    line: str, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "find-me").touch()
    monkeypatch.setenv("PATH", f"{tmp_path}:{tmp_path}/nosuch")
    assert offered(line) == words


def test_the_help_ends_at_the_program() -> None:
    context = click.Context(group)
    found = group.get_command(context, "trace")
    assert found is not None
    assert "PROGRAM..." in called("trace", "--help").out
    assert "python app.py" in called("trace", "--help").out
