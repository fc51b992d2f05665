"""The tracer gets in beside other tools that get into programs, and disturbs none of them."""

from __future__ import annotations

import os
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest
from support.pythons import TRACER, read_whole, run
from support.venvs import lowest_python, venv

from keepalive_bench.server import Server, ServerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

TOOLS = [
    "coverage>=7",
    "ddtrace>=2",
    "gevent>=23",
    "opentelemetry-distro",
    "opentelemetry-instrumentation-requests",
    "requests>=2.28",
]
QUIET = {
    "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
    "DD_TRACE_ENABLED": "false",
    "OTEL_LOGS_EXPORTER": "none",
    "OTEL_METRICS_EXPORTER": "none",
    "OTEL_TRACES_EXPORTER": "none",
}
PROGRAM = """
import sys, requests
from importlib.metadata import distributions
with requests.Session() as session:
    for _ in range(3):
        session.get(sys.argv[1]).close()
print(*sorted({"ddtrace", "coverage", "opentelemetry"} & set(sys.modules)))
print("kab-tracer" in {it.metadata["Name"] for it in distributions()})
print([it for it in sys.path if "tracer" in it])
"""


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of a venv that has these tools."""
    return venv(tmp_path_factory, "tools", lowest_python(), TOOLS) / "bin"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(ServerSettings()) as server:
        yield server


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)  # coverage looks for its settings where it starts
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


@pytest.fixture
def records(tmp_path: Path) -> Path:
    folder = tmp_path / "records"
    folder.mkdir()
    return folder


def counts(folder: Path) -> tuple[int, int]:
    """How many connections and requests were recorded."""
    processes = read_whole(folder).processes
    connections = sum(len(list(it.connections())) for it in processes)
    return connections, sum(len(list(it.exchanges())) for it in processes)


def variables(tools: Path, records: Path) -> dict[str, str]:
    """What starts these tools quietly; the tracer's folder is yet to be put on the path."""
    named = {**os.environ, **QUIET, "_KAB_TRACE": str(records)}
    named["PATH"] = f"{tools}{os.pathsep}{os.environ['PATH']}"
    named["COVERAGE_FILE"] = str(records.parent / "coverage")
    named.pop("PYTHONPATH", None)
    return named


@pytest.mark.parametrize(
    ("command", "module"),
    [
        (("ddtrace-run", "python"), "ddtrace"),
        (("opentelemetry-instrument", "python"), "opentelemetry"),
        (("coverage", "run"), "coverage"),
    ],
)
def test_a_program_is_traced_that_a_tool_starts(
    tools: Path, server: Server, program: Path, records: Path, command: tuple[str, str], module: str
) -> None:
    env = {**variables(tools, records), "PYTHONPATH": str(TRACER)}
    tool, *words = command
    printed = run(str(tools / tool), *words, str(program), server.url, env=env, stderr=None)
    assert printed.splitlines() == [module, "False", "[]"]
    assert counts(records) == (server.stats.accepts, server.stats.requests) == (1, 3)


@pytest.mark.parametrize(
    ("tool", "module"), [("ddtrace-run", "ddtrace"), ("opentelemetry-instrument", "opentelemetry")]
)
def test_so_is_one_where_the_tool_starts_the_tracer(
    tools: Path, server: Server, program: Path, records: Path, tool: str, module: str
) -> None:
    script = records.parent / "as-kab"
    script.write_text(f'#!/bin/sh\nPYTHONPATH="{TRACER}:$PYTHONPATH" exec python "$@"\n')
    script.chmod(0o755)
    command = str(tools / tool), str(script), str(program), server.url
    printed = run(*command, env=variables(tools, records), stderr=None)
    assert printed.splitlines() == [module, "False", "[]"]
    assert counts(records) == (server.stats.accepts, server.stats.requests) == (1, 3)


def test_gevent_patches_what_it_would(tools: Path, server: Server, records: Path) -> None:
    program = dedent("""
        from gevent import monkey
        monkey.patch_all()
        import gevent, sys, requests
        def get():
            with requests.Session() as session:
                session.get(sys.argv[1]).close()
                session.get(sys.argv[1]).close()
        gevent.joinall([gevent.spawn(get) for _ in range(5)], raise_error=True)
    """)
    env = {**os.environ, "PYTHONPATH": str(TRACER), "_KAB_TRACE": str(records)}
    run(str(tools / "python"), "-W", "error", "-c", program, server.url, env=env)
    assert counts(records) == (server.stats.accepts, server.stats.requests) == (5, 10)
    (process,) = read_whole(records).processes
    assert len({it.who for it in process.exchanges()}) == 5
