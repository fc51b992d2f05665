"""A program under `kab trace` runs as it would without: words, files, environment, exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.command import COMMAND, TIMEOUT_S, Finished, environment, in_the_foreground, kab
from support.processes import linux

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = linux
TRACE = (*COMMAND, "trace")
_TELLS_ENVIRONMENT = "import json, os; print(json.dumps(dict(os.environ)))"
_OWN = {"_KAB_TRACE", "_KAB_TRACE_LIMIT", "PYTHONPATH"}
_OF_THREADS = 0b11 << 31
"""glibc's own signals, which its `posix_spawn` has ignored."""


def with_and_without(
    *words: str, env: Mapping[str, str] | None = None, prefix: tuple[str, ...] = ()
) -> tuple[str, str]:
    """What a program prints with kab, and without."""
    env = environment() if env is None else env
    outs = [
        subprocess.run(
            [*prefix, *before, *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=env,
            check=True,
            timeout=TIMEOUT_S,
        ).stdout
        for before in (TRACE, ())
    ]
    return outs[0], outs[1]


@pytest.mark.parametrize("code", [0, 1, 3, 130, 255])
def test_the_exit_code_is_the_programs(code: int) -> None:
    assert kab("trace", "sh", "-c", f"exit {code}").code == code


@pytest.mark.parametrize("mark", [(), ("--",)])
def test_what_follows_the_program_is_its_own(mark: tuple[str, ...]) -> None:
    tells = "import sys; print(sys.argv[1:])"
    own = ["--json", "-m", "--", "", "--require=x", "a b\n", "\udcff"]
    done = subprocess.run(
        [*TRACE, "--quiet", *mark, sys.executable, "-c", tells, *own],
        capture_output=True,
        text=True,
        env=environment(),
        check=True,
        timeout=TIMEOUT_S,
    )
    assert done.stdout == f"{own}\n"


def test_the_exit_code_is_the_programs_where_nobody_minds_children() -> None:
    ignores = "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); "
    execs = "os.execvp(sys.argv[1], sys.argv[1:])"
    words = [sys.executable, "-c", ignores + execs, *TRACE, "sh", "-c", "exit 3"]
    done = subprocess.run(
        words, capture_output=True, env=environment(), check=False, timeout=TIMEOUT_S
    )
    assert done.returncode == 3


def test_its_output_is_untouched_and_the_report_is_on_standard_error() -> None:
    done = kab("trace", "sh", "-c", "echo out; echo err >&2")
    assert done.out == "out\n"
    assert done.err.startswith("err\n")
    assert "raced" in done.err


def test_it_reads_standard_input() -> None:
    done = kab("trace", "cat", stdin=b"\0\xc3\xa9\r\n")
    assert done.out == "\0é\r\n"


@pytest.mark.parametrize("locale", [{"LC_ALL": "C.UTF-8"}, {"LC_ALL": ""}, {"LC_CTYPE": "C.UTF-8"}])
def test_its_environment_is_kabs_but_for_what_gets_the_tracer_in(locale: dict[str, str]) -> None:
    """Python adds LC_CTYPE to the environment of kab in the C locale (PEP 538)."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    env = {**kept, "KAB_RUN_REQUIRE": "x", "EMPTY": "", **locale, "PYTHONCOERCECLOCALE": "1"}
    found, wanted = with_and_without("env", env=env)
    told = dict(line.split("=", 1) for line in found.splitlines())
    assert {name: told[name] for name in told.keys() - _OWN} == dict(
        line.split("=", 1) for line in wanted.splitlines()
    )
    assert told.keys() >= _OWN


@pytest.mark.parametrize(
    ("before", "after"), [(None, ""), ("", ""), ("/a:/b", ":/a:/b"), (":/b", "::/b")]
)
def test_the_tracer_comes_first_on_pythonpath(before: str | None, after: str) -> None:
    env = environment({"PYTHONPATH": before} if before is not None else {})
    if before is None:
        env.pop("PYTHONPATH", None)
    found, _ = with_and_without(sys.executable, "-c", _TELLS_ENVIRONMENT, env=env)
    first, rest = json.loads(found)["PYTHONPATH"].partition(os.pathsep)[::2]
    assert Path(first, "sitecustomize.py").parent.name == "tracer"
    assert f"{os.pathsep}{rest}" == after or (rest, after) == ("", "")


def test_options_of_kab_trace_do_not_reach_the_program(tmp_path: Path) -> None:
    variables = {"KAB_TRACE_RECORDS": str(tmp_path / "records"), "KAB_TRACE_QUIET": "1"}
    done = kab("trace", sys.executable, "-c", _TELLS_ENVIRONMENT, env=variables)
    told = json.loads(done.out)
    assert not [name for name in told if name.startswith("KAB_TRACE_")]
    assert told["_KAB_TRACE"] == str(tmp_path / "records")


def test_of_one_kab_in_another_the_inner_one_records() -> None:
    done = kab(
        *("trace", "--max-records", "5MB", *TRACE, "--max-records", "7MB"),
        *(sys.executable, "-c", _TELLS_ENVIRONMENT),
    )
    told = json.loads(done.out)
    assert told["_KAB_TRACE_LIMIT"] == "7000000"
    assert told["PYTHONPATH"].count("tracer") == 1


_BLOCKS = """
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
for ignored in (signal.SIGPIPE, signal.SIGXFSZ):  # by Python
    signal.signal(ignored, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])
"""
_BLOCKING = (sys.executable, "-c", _BLOCKS)


@pytest.mark.parametrize("prefix", [(), ("nohup",), _BLOCKING])
def test_its_signals_are_as_kab_found_them(prefix: tuple[str, ...]) -> None:
    words = ("grep", "-E", "^Sig(Blk|Ign|Cgt|Pnd):", "/proc/self/status")
    shown = [
        [int(line.split()[1], 16) & ~_OF_THREADS for line in out.splitlines()]
        for out in with_and_without(*words, prefix=prefix)
    ]
    assert shown[0] == shown[1]
    assert len(shown[0]) == 4


def test_it_has_the_same_files_open() -> None:
    inherited = os.open(os.devnull, os.O_RDONLY)
    lists = ("sh", "-c", "cd /proc/$$/fd; for it in *; do readlink $it; done; true")
    try:
        outs = [
            subprocess.run(
                [*before, *lists],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment(),
                text=True,
                pass_fds=[inherited],
                check=True,
                timeout=TIMEOUT_S,
            ).stdout
            for before in (TRACE, ())
        ]
    finally:
        os.close(inherited)
    with_kab, without = ([line.partition(":")[0] for line in out.splitlines()] for out in outs)
    assert with_kab == without
    assert with_kab.count("/dev/null") >= 3


@pytest.mark.parametrize("streams", ["<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_stay_closed(streams: str, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    looks = f"for it in 0 1 2; do [ -e /proc/$$/fd/$it ] || echo $it >>{closed}; done; exit 5"
    words = ["sh", "-c", f'exec "$@" {streams}', "sh", *TRACE, "sh", "-c", looks]
    done = subprocess.run(
        words, capture_output=True, env=environment(), check=False, timeout=TIMEOUT_S
    )
    assert done.returncode == 5
    assert b"Traceback" not in done.stderr
    number = {"<": "0", ">": "1", "2": "2"}
    assert closed.read_text().split() == [number[it[0]] for it in streams.split()]


def test_it_is_in_kabs_working_folder_and_process_group(tmp_path: Path) -> None:
    tells = "import os; print(os.getcwd(), os.getpgrp() == os.getpgid(os.getppid()))"
    done = kab("trace", sys.executable, "-c", tells, cwd=tmp_path)
    assert done.out == f"{tmp_path} True\n"


def script(path: Path, text: str, mode: int = 0o755) -> str:
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def test_a_script_without_a_first_line_is_the_shells(tmp_path: Path) -> None:
    name = script(tmp_path / "script", "echo $0 $1; exit 3\n")
    done = kab("trace", name, "a b")
    assert (done.code, done.out) == (3, f"{name} a b\n")


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("nosuch-program", 127, "There is no program 'nosuch-program' on PATH."),
        ("./nosuch", 127, "There is no program './nosuch'."),
        ("./plain/nosuch", 127, "There is no program './plain/nosuch'."),
        ("app.py", 127, "app.py isn't on PATH: did you mean kab trace python app.py?"),
        (
            "./broken",
            127,
            "./broken can't be executed: there isn't what its first line (#!) names.",
        ),
        ("./plain", 126, "./plain can't be executed: Permission denied."),
        (".", 126, ". can't be executed: Permission denied."),
        ("", 127, "There is no program ''."),
    ],
)
def test_what_can_not_be_started_is_told_in_a_sentence(
    tmp_path: Path, name: str, code: int, said: str
) -> None:
    script(tmp_path / "app.py", "", 0o644)
    script(tmp_path / "plain", "", 0o644)
    script(tmp_path / "broken", "#!/nosuch/interpreter\n")
    done = kab("trace", "--json", "trace.json", "--", name, cwd=tmp_path)
    assert (done.code, done.out, done.err) == (code, "", f"Error: {said}\n")
    assert not (tmp_path / "trace.json").exists()


def temporary(folder: Path) -> list[str]:
    return [it.name for it in folder.iterdir()]


@pytest.mark.parametrize("words", [("true",), ("nosuch-program",), ("--json", "/", "true")])
def test_a_temporary_folder_is_private_and_gone_afterwards(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    kab("trace", *words, env={"TMPDIR": str(tmp_path)})
    assert temporary(tmp_path) == []
    tells = "import os; print(oct(os.stat(os.environ['_KAB_TRACE']).st_mode))"
    done = kab("trace", sys.executable, "-c", tells, env={"TMPDIR": str(tmp_path)})
    assert done.out == "0o40700\n"
    assert temporary(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL, signal.SIGSEGV])
def test_the_signal_that_ended_it_ends_kab_after_the_report(
    tmp_path: Path, number: signal.Signals
) -> None:
    done = ended_by(number, {"TMPDIR": str(tmp_path)})
    assert done.code == -number
    assert "raced" in done.err
    assert temporary(tmp_path) == []


def ended_by(number: signal.Signals, env: Mapping[str, str]) -> Finished:
    with in_the_foreground():
        return kab("trace", "sh", "-c", f"ulimit -c 0; kill -{number.value} $$", env=env)


def test_kab_itself_leaves_no_core_dump(tmp_path: Path) -> None:
    """With the limits of a shell that wants them."""
    command = " ".join(TRACE)
    program = "ulimit -c 0; kill -QUIT $$"
    with in_the_foreground():
        done = subprocess.run(
            ["bash", "-c", f"ulimit -c unlimited && {command} sh -c '{program}'"],
            cwd=tmp_path,
            capture_output=True,
            env=environment(),
            check=False,
            timeout=TIMEOUT_S,
        )
    assert done.returncode in {-signal.SIGQUIT, 128 + signal.SIGQUIT}
    assert b"core dumped" not in done.stderr
    assert temporary(tmp_path) == []
