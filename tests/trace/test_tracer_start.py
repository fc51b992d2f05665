"""How the tracer gets into a program, and that the program stays as it is."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import venv
import zipapp
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.patience import PATIENCE_S
from support.pythons import (
    BEGIN,
    TRACER,
    VERSIONS,
    environment,
    needed_python,
    only_process,
    read_whole,
    run,
    traced,
)

from keepalive_bench.trace.reading import read

if TYPE_CHECKING:
    from collections.abc import Callable

every_version = pytest.mark.parametrize("version", VERSIONS)

IMPORTED = "import sys; print(sorted(sys.modules))"
ALLOWED = {"__future__", "_struct", "atexit", "errno", "itertools", "mmap", "time"}
"""What the tracer may import that `python -c pass` doesn't: nothing that others change."""


def modules(python: str, env: dict[str, str]) -> set[str]:
    return set(ast.literal_eval(run(python, "-c", IMPORTED, env=env)))


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder for modules of the program's own."""
    folder = tmp_path / "own"
    folder.mkdir()
    return folder


@pytest.fixture
def records(tmp_path: Path) -> Path:
    folder = tmp_path / "records"
    folder.mkdir()
    return folder


@every_version
def test_a_process_is_traced(records: Path, version: str) -> None:
    assert traced(records, "print('on')", python=needed_python(version)) == "on\n"
    process = only_process(records)
    assert "{}.{}".format(*process.python) == version
    assert process.ended_s is not None


@every_version
def test_nothing_is_imported_that_the_program_doesnt_import(records: Path, version: str) -> None:
    python = needed_python(version)
    more = modules(python, environment(records)) - modules(python, {**os.environ})
    assert {it for it in more if not it.startswith("_kab_tracer")} <= ALLOWED
    assert not {it for it in more if it.startswith("_kab_tracer.for_")}


@pytest.mark.parametrize("library", ["http.client", "urllib.request", "subprocess", "urllib3"])
def test_nor_is_anything_with_a_library(records: Path, library: str) -> None:
    code = f"import {library}; {IMPORTED}"
    traced_modules, plain = (
        set(ast.literal_eval(run(sys.executable, "-c", code, env=env)))
        for env in (environment(records), {**os.environ})
    )
    assert {it for it in traced_modules - plain if not it.startswith("_kab_tracer")} <= ALLOWED
    assert only_process(records)


@every_version
def test_where_modules_are_looked_for_is_as_ever(records: Path, version: str) -> None:
    python, code = needed_python(version), "import sys; print(sys.path)"
    paths = (run(python, "-c", code, env=env) for env in (environment(records), {**os.environ}))
    assert len(set(paths)) == 1


def test_without_a_folder_nothing_is_traced() -> None:
    env = environment(Path())
    del env["_KAB_TRACE"]
    code = "import sys; print([it for it in sys.modules if 'kab' in it or 'custom' in it])"
    assert run(sys.executable, "-S", "-c", f"import site; site.main(); {code}", env=env) == "[]\n"


def test_a_limit_that_is_no_number_is_an_error_of_nobodys(records: Path) -> None:
    env = environment(records, _KAB_TRACE_LIMIT="much")
    assert run(sys.executable, "-c", "print('on')", env=env) == "on\n"


def test_the_tracer_starts_once(records: Path) -> None:
    traced(records, "import _kab_tracer; _kab_tracer.start('/nowhere', 0)")
    assert only_process(records)


def test_warnings_that_are_errors_dont_meet_the_tracer(records: Path) -> None:
    program = """
        import gc, http.client, multiprocessing, subprocess, sys
        subprocess.run([sys.executable, "-c", ""], check=True)
        print("on")
        gc.collect()
    """
    assert traced(records, program) == "on\n"


# What Python does at its start.


def test_a_sitecustomize_of_the_programs_own_runs(records: Path, site: Path) -> None:
    (site / "sitecustomize.py").write_text("import sys; sys.own = __file__")
    code = "import sys; print(sys.own == sys.modules['sitecustomize'].__file__)"
    env = environment(records)
    env["PYTHONPATH"] += f"{os.pathsep}{site}"
    assert run(sys.executable, "-c", code, env=env) == "True\n"
    assert only_process(records)


def test_one_in_front_that_runs_what_it_hides_runs_the_tracer(records: Path, site: Path) -> None:
    (site / "sitecustomize.py").write_text(
        "import os, sys\n"
        "own = sys.modules.pop('sitecustomize')\n"
        "here = sys.path.pop(sys.path.index(os.path.dirname(__file__)))\n"
        "try:\n    import sitecustomize\n"
        "except ImportError:\n    sys.modules['sitecustomize'] = own\n"
        "sys.path.insert(0, here)\n"
    )
    code = "import sys; print(sys.modules['sitecustomize'].__file__)"
    printed = run(sys.executable, "-c", code, env=environment(records, site))
    assert printed == f"{site / 'sitecustomize.py'}\n"
    assert only_process(records)


@pytest.mark.parametrize(
    "text", ["raise ValueError('own')", "import nowhere", "import sitecustomize.own", "not Python"]
)
def test_its_errors_are_told_as_ever(records: Path, site: Path, text: str) -> None:
    (site / "sitecustomize.py").write_text(text)

    def told(env: dict[str, str]) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-c", "pass"],
            env=env,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        return done.returncode, done.stderr

    env = environment(records)
    env["PYTHONPATH"] += f"{os.pathsep}{site}"
    assert told(env) == told({**os.environ, "PYTHONPATH": str(site)})
    assert only_process(records)


def test_without_one_there_is_none(records: Path) -> None:
    code = """
        import sys
        print("sitecustomize" in sys.modules)
        try:
            import sitecustomize
        except ImportError as error:
            print(error)
    """
    env = {**os.environ, "PYTHONPATH": ""}
    printed = run(sys.executable, "-c", code.replace("\n        ", "\n"), env=env)
    assert traced(records, code) == printed


def test_a_usercustomize_runs(records: Path, tmp_path: Path) -> None:
    code = "import site; print(site.getusersitepackages())"
    env = environment(records, PYTHONUSERBASE=str(tmp_path / "user"))
    python = os.path.realpath(sys.executable)  # a venv has no user's site
    user = Path(run(python, "-c", code, env=env).strip())
    user.mkdir(parents=True)
    (user / "usercustomize.py").write_text("print('own')")
    assert run(python, "-c", "print('on')", env=env) == "own\non\n"


# Ways to start Python.


def in_a_file(folder: Path) -> list[str]:
    (folder / "program.py").write_text("print('on')")
    return [sys.executable, str(folder / "program.py")]


def as_a_module(folder: Path) -> list[str]:
    in_a_file(folder)
    return [sys.executable, "-c", f"import os; os.chdir({str(folder)!r}); import program"]


def in_a_zipapp(folder: Path) -> list[str]:
    source = folder / "source"
    source.mkdir()
    (source / "__main__.py").write_text("print('on')")
    zipapp.create_archive(source, folder / "program.pyz", interpreter=sys.executable)
    return [str(folder / "program.pyz")]


def in_a_venv(folder: Path) -> list[str]:
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    return [str(folder / "venv" / "bin" / "python"), "-c", "print('on')"]


def with_options(_: Path) -> list[str]:
    return [sys.executable, "-s", "-u", "-B", "-X", "utf8", "-W", "error", "-c", "print('on')"]


def as_dash_m(folder: Path) -> list[str]:
    (folder / "__main__.py").write_text("print('on')")
    return [sys.executable, "-m", folder.name]


@pytest.mark.parametrize(
    "made", [in_a_file, as_a_module, in_a_zipapp, in_a_venv, with_options, as_dash_m]
)
def test_however_python_is_started_it_is_traced(
    records: Path, site: Path, made: Callable[[Path], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = made(site)
    monkeypatch.chdir(site.parent)
    assert run(*command, env=environment(records)) == "on\n"
    assert only_process(records)


@pytest.mark.parametrize("option", ["-I", "-E", "-S"])
def test_some_options_keep_the_tracer_out(records: Path, option: str) -> None:
    assert run(sys.executable, option, "-c", "print('on')", env=environment(records)) == "on\n"
    assert read(records).processes == ()


# Forks and ends.


def test_a_fork_in_a_thread_is_traced(records: Path) -> None:
    program = """
        import os, threading
        def fork():
            child = os.fork()
            if not child:
                os._exit(0)
            os.waitpid(child, 0)
        thread = threading.Thread(target=fork)
        thread.start()
        thread.join()
    """
    env = environment(records)
    run(sys.executable, "-W", "ignore", "-c", program.replace("\n        ", "\n"), env=env)
    assert [bool(it.forked_from) for it in read_whole(records).processes] == [False, True]


def test_what_a_program_registers_for_its_end_is_recorded(records: Path) -> None:
    program = f"""{BEGIN}
import atexit
atexit.register(records.note, "at exit")
"""
    run(sys.executable, "-c", program, env=environment(records))
    (process,) = read(records).processes
    assert process.troubles == ("at exit",)
    assert process.ended_s is not None


def test_what_goes_away_as_python_ends_was_kept_to_the_end(records: Path) -> None:
    program = f"""{BEGIN}
from _kab_tracer.lives import Client, Connection
client = Client(_tracing.tracer, "a.Client")
connection = Connection(_tracing.tracer)
connection.connected("http://a:80", client=client)
"""
    run(sys.executable, "-c", program, env=environment(records))
    process = only_process(records)
    assert [it.ended_s for it in process.clients.values()] == [None]
    assert [(it.ended_s, it.ending) for it in process.connections()] == [(None, "open")]


def test_many_forks_cost_little_room(records: Path) -> None:
    program = """
        import os
        for _ in range(200):
            child = os.fork()
            if not child:
                os._exit(0)
            os.waitpid(child, 0)
    """
    run(sys.executable, "-c", program.replace("\n        ", "\n"), env=environment(records))
    assert len(read_whole(records).processes) == 201


def test_the_tracers_folder_holds_nothing_that_a_program_could_import_by_mistake() -> None:
    names = {it.name for it in TRACER.iterdir()} - {"__pycache__"}
    assert names <= {"sitecustomize.py", "_kab_tracer", "kab_tracer-1.dist-info"}
