"""gunicorn, pytest and pip with a tracer in them, held against the servers that they ask."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import TYPE_CHECKING

import pytest
from support.analysed import (
    PROGRAMS,
    analysed,
    marked,
    reasons,
    sites,
    told,
    troubles,
    usage_in,
)
from support.counting import embedded, files
from support.daemon import listening
from support.patience import PATIENCE_S
from support.pythons import VERSIONS, environment, needed_python

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

both = pytest.mark.parametrize("versions", ["lowest", "newest"])
every_version = pytest.mark.parametrize("version", VERSIONS)
in_a_venv = pytest.mark.timeout(400)  # which may have to be made


@contextmanager
def gunicorn(python: str, folder: Path, service: str, *options: str) -> Iterator[int]:
    """The port of one with two workers that ask a service; it is ended in order."""
    folder.mkdir(mode=0o700)
    with listening() as listener:
        bind = ("--bind", f"fd://{listener.fileno()}", "--workers", "2")
        process = subprocess.Popen(
            [python, "-m", "gunicorn", *bind, "--log-level", "critical", *options, "web:app"],
            cwd=PROGRAMS,
            env=environment(folder, SERVICE=service),
            pass_fds=[listener.fileno()],
        )
        try:
            yield listener.getsockname()[1]
            process.terminate()
            assert process.wait(PATIENCE_S) == 0
        finally:
            process.kill()
            process.wait()


def ask(port: int) -> int:
    """Ask an application; the process id of the worker that answered."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    connection.request("GET", "/")
    pid, status = connection.getresponse().read().split()
    connection.close()
    assert status == b"200"
    return int(pid)


@pytest.mark.slow
@in_a_venv
@both
@pytest.mark.parametrize("options", [(), ("--preload",)], ids=["as it comes", "preloaded"])
def test_gunicorns_workers_are_told_while_they_run_and_afterwards(
    options: tuple[str, ...], versions: str, venvs: Callable[[str], str], tmp_path: Path
) -> None:
    folder = tmp_path / "records"
    with embedded() as service:
        with gunicorn(venvs(versions), folder, service.words[0], *options) as port:
            workers = [ask(port) for _ in range(20)]
            running = usage_in(folder)
        usage = usage_in(folder)
        counts = service.counts()
    assert told(running) == told(usage) == counts == (20, 20)
    for seen in (running, usage):
        by_process = {it.pid: it.connections for it in seen.processes if it.connections}
        assert by_process == {pid: workers.count(pid) for pid in workers}
        assert reasons(seen) == {"new-client": 20 - len(by_process)}
        assert sites(seen) == {(str(PROGRAMS / "web.py"), it) for it in marked(PROGRAMS / "web.py")}
        assert troubles(seen) == []
    assert all(it.is_running for it in running.processes)
    # gunicorn kills a worker that was still starting, which tells no end.
    assert not any(it.is_running for it in usage.processes if it.connections)


@pytest.mark.slow
@in_a_venv
@both
@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "two workers"])
def test_pytest_is_told_its_tests_connections(
    options: tuple[str, ...], versions: str, venvs: Callable[[str], str], tmp_path: Path
) -> None:
    program = tmp_path / "checks.py"
    shutil.copy(PROGRAMS / "checks.py", program)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    with embedded() as service:
        done = analysed(
            [venvs(versions), "-m", "pytest", "-q", *options, str(program)],
            tmp_path / "records",
            {"SERVICE": service.words[0]},
        )
        counts = service.counts()
    assert done.code == 0, done.out
    assert told(done.usage) == counts == (6, 6)
    asking = [it for it in done.usage.processes if it.requests]
    assert reasons(done.usage) == {"new-client": 6 - len(asking)}
    assert sites(done.usage) == {(str(program), it) for it in marked(program)}
    assert troubles(done.usage) == []


COMMAND = """\
import sys
from thing.command import main
if __name__ == "__main__":
    sys.exit(main())
"""


@pytest.mark.parametrize("is_script", [True, False], ids=["a script", "-m"])
def test_a_command_is_told_the_lines_of_the_package_that_it_starts(
    tmp_path: Path, *, is_script: bool
) -> None:
    package, scripts = tmp_path / "lib/python3.0/site-packages/thing", tmp_path / "bin"
    for folder in (package, scripts):
        folder.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(COMMAND)
    (scripts / "thing").write_text(COMMAND)
    lines = (
        "import sys, requests",
        "def main():",
        "    for _ in range(2):",
        "        requests.get(sys.argv[1])",
    )
    (package / "command.py").write_text("\n".join(lines))
    words = [str(scripts / "thing")] if is_script else ["-m", "thing"]
    env = {"PYTHONUSERBASE": str(tmp_path)}
    env["PYTHONPATH"] = f"{environment(tmp_path)['PYTHONPATH']}{os.pathsep}{package.parent}"
    with embedded() as server:
        done = analysed([sys.executable, *words, *server.words], tmp_path / "records", env)
        counts = server.counts()
    assert done.code == 0, done.err
    assert told(done.usage) == counts == (2, 2)
    assert reasons(done.usage) == {"new-client": 1}
    assert sites(done.usage) == {(str(package / "command.py"), 4)}
    assert {it.calls for it in done.usage.origins[0].openings} == {"requests.get"}


def wheel(folder: Path) -> Path:
    """A package called *thing*, in which there is nothing."""
    path = folder / "thing-1.0-py3-none-any.whl"
    contents = {
        "METADATA": "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in contents.items():
            archive.writestr(f"thing-1.0.dist-info/{name}", text)
    return path


def install(python: str, tmp_path: Path) -> None:
    """Have pip, which brings a urllib3 of its own, install from an index that counts."""
    data = wheel(tmp_path).read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    name = "thing-1.0-py3-none-any.whl"
    page = f'<!DOCTYPE html><a href="/{name}#sha256={digest}">{name}</a>'.encode()
    with files(
        {"/simple/thing/": ("text/html", page), f"/{name}": ("application/zip", data)}
    ) as index:
        to = ("--index-url", f"{index.words[0]}/simple", "--target", str(tmp_path / "there"))
        quiet = ("--no-cache-dir", "--disable-pip-version-check", "--root-user-action", "ignore")
        done = analysed(
            [python, "-m", "pip", "install", *quiet, "--no-deps", *to, "thing"],
            tmp_path / "records",
            {"PIP_CONFIG_FILE": os.devnull},
        )
        counts = index.counts()
    assert done.code == 0, done.err
    assert (tmp_path / "there" / "thing-1.0.dist-info").is_dir()
    assert told(done.usage) == counts == (1, 2)
    assert reasons(done.usage) == {}
    assert troubles(done.usage) == []


def test_pips_own_urllib3_is_seen(tmp_path: Path) -> None:
    install(sys.executable, tmp_path)


@pytest.mark.slow
@every_version
def test_every_python_is_told_what_it_does_without_libraries(version: str, tmp_path: Path) -> None:
    python = needed_python(version)
    program = PROGRAMS / "urllib_and_http_client.py"
    with embedded() as server:
        done = analysed([python, str(program), *server.words], tmp_path)
        counts = server.counts()
    assert done.code == 0, done.err
    assert told(done.usage) == counts == (6, 10)
    assert reasons(done.usage) == {"keeps-none": 4}
    assert sites(done.usage) == {(str(program), it) for it in marked(program)}
    assert [it.python for it in done.usage.processes] == [version]
    assert troubles(done.usage) == []


@pytest.mark.slow
@every_version
def test_every_pythons_pip_is_seen(version: str, tmp_path: Path) -> None:
    python = needed_python(version)
    asked = [python, "-c", "import pip"]
    if subprocess.run(asked, stderr=subprocess.DEVNULL, check=False).returncode:
        pytest.skip("it has no pip")
    install(python, tmp_path)
