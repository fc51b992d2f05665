"""Processes that a traced one starts are told, and whether a tracer gets into them."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
from support.pythons import VERSIONS, environment, needed_python, read_whole, run

from keepalive_bench.trace.tracer._kab_tracer.processes import (
    lets_tracer_in,
    options_of_python,
    shuts_tracers_out,
)

if TYPE_CHECKING:
    from pathlib import Path

    from keepalive_bench.trace.recording import Child

SUBPROCESS = "import subprocess, sys, os\n"


def children(folder: Path, program: str, *arguments: str) -> list[Child]:
    """What the first process tells of processes that it started."""
    run(sys.executable, "-c", program, *arguments, env=environment(folder))
    return list(read_whole(folder).processes[0].children)


def told(folder: Path, program: str, *arguments: str) -> tuple[bool, bool]:
    """Of the one process that was started: whether it is Python, and whether it is closed."""
    (child,) = children(folder, program, *arguments)
    return child.is_python, child.is_closed_to_tracers


@pytest.mark.parametrize(
    ("arguments", "is_python", "is_closed"),
    [
        ("[sys.executable, '-c', '']", True, False),
        ("[sys.executable, '-I', '-c', '']", True, True),
        ("[b'true']", False, False),
        ("'true', shell=True", False, False),
        ("[sys.executable, '-c', ''], env={}", True, True),
        ("[sys.executable, '-c', ''], env={**os.environ, 'PYTHONPATH': '/else'}", True, True),
        ("['other', '-S', '-c', ''], executable=sys.executable", True, True),
        ("[sys.executable, '-c', ''], preexec_fn=int", True, False),
    ],
)
def test_what_popen_starts_is_told(
    tmp_path: Path, arguments: str, *, is_python: bool, is_closed: bool
) -> None:
    program = f"{SUBPROCESS}subprocess.Popen({arguments}).wait()"
    assert told(tmp_path, program) == (is_python, is_closed)


def test_a_traced_child_has_records_of_its_own(tmp_path: Path) -> None:
    program = f"{SUBPROCESS}subprocess.run([sys.executable, '-c', ''])"
    (child,) = children(tmp_path, program)
    parent, process = read_whole(tmp_path).processes
    assert child.pid == process.pid
    assert process.parent == parent.pid
    assert parent.started_s < child.started_s < process.started_s


def test_what_couldnt_be_started_isnt_told(tmp_path: Path) -> None:
    program = f"{SUBPROCESS}try: subprocess.run(['/nowhere'])\nexcept OSError: pass"
    assert children(tmp_path, program) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_what_python_itself_asks_of_the_machine_isnt_told(tmp_path: Path, version: str) -> None:
    """Some `uname` runs in each of xdist's workers."""
    noted = tmp_path / "noted"
    uname = tmp_path / "uname"
    uname.write_text(f"#!/bin/sh\necho asked >> {noted}\n", "utf-8")
    uname.chmod(0o700)
    program = "import platform, subprocess; platform.processor(); subprocess.run(['uname'])"
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    records = tmp_path / "records"
    records.mkdir()
    run(needed_python(version), "-c", program, env=environment(records, PATH=path))
    assert noted.read_text("utf-8").split() == ["asked", "asked"]
    (process,) = read_whole(records).processes
    assert len(list(process.children)) == 1


def test_what_a_child_is_called_with_isnt_recorded(tmp_path: Path) -> None:
    program = f"{SUBPROCESS}subprocess.run([sys.executable, '-c', '', sys.argv[1]])"
    children(tmp_path, program, "a-secret")
    assert not [it for it in tmp_path.iterdir() if b"a-secret" in it.read_bytes()]


def test_what_posix_spawn_starts_is_told(tmp_path: Path) -> None:
    command = "sys.executable, [sys.executable, '-E', '-c', ''], os.environ"
    program = f"{SUBPROCESS}os.waitpid(os.posix_spawn({command}), 0)"
    assert told(tmp_path, program) == (True, True)


def test_what_spawnv_starts_tells_of_itself(tmp_path: Path) -> None:
    arguments = "sys.executable, [sys.executable, '-E', '-c', '']"
    program = f"{SUBPROCESS}assert os.spawnv(os.P_WAIT, {arguments}) == 0"
    run(sys.executable, "-c", program, env=environment(tmp_path))
    _, forked = read_whole(tmp_path).processes
    (child,) = forked.children
    assert (child.pid, child.is_python, child.is_closed_to_tracers) == (forked.pid, True, True)


def test_an_exec_of_what_no_tracer_gets_into_is_told(tmp_path: Path) -> None:
    program = f"{SUBPROCESS}os.execv('/bin/sh', ['sh', '-c', ':'])"
    (child,) = children(tmp_path, program)
    (process,) = read_whole(tmp_path).processes
    assert child.pid == process.pid
    assert not child.is_python


def test_an_exec_that_fails_is_none(tmp_path: Path) -> None:
    program = f"{SUBPROCESS}try: os.execvp('nothing-of-the-kind', ['it'])\nexcept OSError: pass"
    assert children(tmp_path, program) == []


def test_after_one_the_process_goes_on(tmp_path: Path) -> None:
    program = f"""{SUBPROCESS}
try:
    os.execv('/nowhere', ['it'])
except OSError:
    pass
print(flush=True)
os.kill(os.getpid(), 9)
"""
    run(sys.executable, "-c", program, env=environment(tmp_path), code=-9)
    assert read_whole(tmp_path).processes[0].ended_s is None


@pytest.mark.parametrize("start", ["spawn", "forkserver"])
def test_what_multiprocessing_starts_is_told(tmp_path: Path, start: str) -> None:
    program = tmp_path / "program.py"
    program.write_text("""
import multiprocessing, sys
if __name__ == "__main__":
    process = multiprocessing.get_context(sys.argv[1]).Process(target=int)
    process.start()
    process.join()
""")
    folder = tmp_path / "records"
    folder.mkdir()
    run(sys.executable, str(program), start, env=environment(folder))
    first, *others = read_whole(folder).processes
    assert {it.pid for it in first.children} <= {it.pid for it in others}
    assert all(it.is_python and not it.is_closed_to_tracers for it in first.children)
    assert len(first.children) >= 2  # one of them tracks resources


@pytest.mark.parametrize(
    ("words", "is_out"),
    [
        ("-I", True),
        ("-sE x.py", True),
        ("-uS", True),
        ("-W error -E", True),
        ("-Werror -E", True),
        ("-X dev -I -c pass", True),
        ("--check-hash-based-pycs always -I", True),
        ("", False),
        ("-s -u -B x.py", False),
        ("x.py -I", False),
        ("-c pass -I", False),
        ("-cI", False),
        ("-m pytest -E", False),
        ("-W E", False),
        ("-WE", False),
        ("- -E", False),
        ("-- -E", False),
    ],
)
def test_options_say_whether_a_tracer_gets_in(words: str, *, is_out: bool) -> None:
    assert shuts_tracers_out(words.split()) is is_out


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (f"#!{sys.executable}\n", []),
        ("#!/usr/bin/python3 -Es\n", ["-Es"]),
        ("#! /usr/bin/env python3\n", []),
        ("#!/usr/bin/env -S A=1 python3.11 -I\n", ["-I"]),
        ('#!/bin/sh\n\'\'\'exec\' "/a/long/path/python3" "$0" "$@"\n', []),
        ("#!/bin/sh\necho python\n", None),
        ("python\n", None),
        ("", None),
    ],
)
def test_a_scripts_first_line_says_whether_python_runs_it(
    tmp_path: Path, text: str, options: list[str] | None
) -> None:
    script = tmp_path / "script"
    script.write_text(text)
    script.chmod(0o755)
    assert options_of_python(str(script), "") == options
    assert options_of_python("script", f"/nowhere{os.pathsep}{tmp_path}") == options


@pytest.mark.parametrize(
    ("program", "is_python"),
    [("python3.12", True), ("/opt/pypy3", True), ("/nowhere", False), ("", False), ("/", False)],
)
def test_a_programs_name_says_whether_it_is_python(program: str, *, is_python: bool) -> None:
    assert (options_of_python(program, "") == []) is is_python


def test_only_the_tracers_own_variables_let_it_in(tmp_path: Path) -> None:
    whole = environment(tmp_path)
    assert lets_tracer_in(whole, str(tmp_path))
    for name in ("PYTHONPATH", "_KAB_TRACE"):
        assert not lets_tracer_in({**whole, name: ""}, str(tmp_path))
    assert not lets_tracer_in(whole, "another")  # where one kab runs in another
