from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.programs import ran

from keepalive_bench.server import ServerProcess
from keepalive_bench.trace.tracer._kab_tracer.stacks import is_programs_own, who

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server() -> Iterator[ServerProcess]:
    with ServerProcess() as process:
        yield process


@pytest.mark.parametrize(
    "file",
    [
        "/home/me/project/app.py",
        "/home/me/project/app.pyz/__main__.py",
        "/tmp/ipykernel_12/345.py",  # noqa: S108  # as notebooks call their cells
        "tests/test_app.py",
    ],
)
def test_a_programs_own_code_is_its_own(file: str) -> None:
    assert is_programs_own(file)


@pytest.mark.parametrize(
    "file",
    [
        "/home/me/venv/lib/python3.11/site-packages/requests/api.py",
        "/usr/lib/python3/dist-packages/requests/api.py",
        "/var/task/requests/api.py",
        "<frozen runpy>",
        os.__file__,
        str(Path(sys.executable).with_name("gunicorn")),
    ],
)
def test_libraries_and_python_and_what_starts_them_are_not(file: str) -> None:
    assert not is_programs_own(file)


def test_whoever_runs_has_a_number_that_fits() -> None:
    assert who() == who()
    assert 0 < who() < 1 << 32


def test_requests_from_several_places_are_told_apart(tmp_path: Path, server: ServerProcess) -> None:
    program = """
        import sys, requests

        session = requests.Session()

        def first():
            session.get(sys.argv[1])

        def second():
            session.get(sys.argv[1]); session.get(sys.argv[1])
            third()

        def third():
            session.get(sys.argv[1])

        for _ in range(3):
            first()
            second()
    """
    frames = [it.frame for it in ran(tmp_path, program, server.url).exchanges]
    places = [(it.line, it.function) for it in frames if it is not None]
    assert places == [(7, "first"), (10, "second"), (10, "second"), (14, "third")] * 3


def test_connections_from_several_places_are_told_apart(
    tmp_path: Path, server: ServerProcess
) -> None:
    program = """
        import sys, requests

        def first():
            requests.get(sys.argv[1])

        def second():
            requests.post(sys.argv[1])

        for _ in range(3):
            first()
            second()
    """
    seen = ran(tmp_path, program, server.url)
    stacks = [[it.function for it in connection.stack] for connection in seen.connections]
    inner = [
        (stack[stack.index(own) - 1], own)
        for stack, own in zip(stacks, ["first", "second"] * 3, strict=True)
    ]
    assert inner == [("get", "first"), ("post", "second")] * 3


def test_code_without_a_file_is_the_programs(tmp_path: Path, server: ServerProcess) -> None:
    program = """
        import sys
        from http.client import HTTPConnection

        exec('''
        connection = HTTPConnection(sys.argv[1])
        connection.request("GET", "/")
        connection.getresponse().read()
        '''.replace("        ", ""), {"sys": sys, "HTTPConnection": HTTPConnection})
    """
    (exchange,) = ran(tmp_path, program, f"{server.host}:{server.port}").exchanges
    assert exchange.frame is not None
    assert (exchange.frame.file, exchange.frame.line) == ("<string>", 3)


def test_calls_in_threads_are_told_apart(tmp_path: Path, server: ServerProcess) -> None:
    program = """
        import sys, threading, requests

        def work():
            requests.get(sys.argv[1])

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    """
    seen = ran(tmp_path, program, server.url)
    assert {it.frame.line for it in seen.exchanges if it.frame} == {5}
    assert len(seen.exchanges) == 4


CALLED_BACK = """
    import os, sys, requests

    sys.path.insert(0, os.path.join(os.path.dirname(__file__), "site-packages"))
    from {module} import call

    session = requests.Session()

    def kept(url):
        return session.get(url)

    for get in [requests.get, kept] * 3:
        call(get, sys.argv[1])
"""
"""Both of what is called back call as many functions until a request is sent."""
CALLING = "def call(function, *arguments):\n    return function(*arguments)\n"


@pytest.mark.parametrize(
    ("module", "caller"), [("calling", "call"), ("site-packages/trying", "<module>")]
)
def test_who_is_called_back_is_told_from_who_calls(
    tmp_path: Path, server: ServerProcess, module: str, caller: str
) -> None:
    file = tmp_path / f"{module}.py"
    file.parent.mkdir(exist_ok=True)
    file.write_text(CALLING)
    seen = ran(tmp_path, CALLED_BACK.format(module=file.stem), server.url)
    frames = [it.frame for it in seen.exchanges]
    assert [it.function for it in frames if it is not None] == [caller, "kept"] * 3
    openers = [{it.function for it in connection.stack} for connection in seen.connections]
    assert ["kept" in them for them in openers] == [False, True, False, False]
