"""Programs that use an HTTP client, each run under the tracer, and what was recorded of them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from support.patience import PATIENCE_S
from support.venvs import venv

from keepalive_bench import trace
from keepalive_bench.server import CERTIFICATE
from keepalive_bench.trace.reading import read

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from keepalive_bench.trace.recording import Client, Connection, Exchange, Process

_TRACER = Path(trace.__file__).parent / "tracer"
_SYNC = (
    ("async with", "with"),
    ("async for", "for"),
    ("async def", "def"),
    ("AsyncConnectionPool", "ConnectionPool"),
    ("AsyncClient", "Client"),
    ("AsyncHTTPTransport", "HTTPTransport"),
    ("asyncio.run(main())", "main()"),
    ("asyncio.sleep", "time.sleep"),
    ("await ", ""),
    ("aclose", "close"),
    ("aread", "read"),
    ("aiter", "iter"),
)


class Traced(NamedTuple):
    """What was recorded of a program's one process."""

    process: Process
    clients: tuple[Client, ...]
    connections: tuple[Connection, ...]
    """Those that were opened, or should have been."""
    exchanges: tuple[Exchange, ...]

    @property
    def opened(self) -> int:
        """How many connections TCP knows of."""
        return sum(it.connected_s is not None for it in self.connections)

    @property
    def sent(self) -> int:
        """How many requests."""
        return sum(it.sent_s is not None for it in self.exchanges)

    @property
    def endings(self) -> list[str]:
        """How the connections ended, as they were opened."""
        return [it.ending for it in self.connections]

    def client(self, number: int | None) -> Client:
        return self.process.clients[number or 0]


class Python:
    """Which one runs the programs, and with what."""

    path: ClassVar[str] = sys.executable
    options: ClassVar[list[str]] = ["-W", "error"]


@contextmanager
def installed(factory: pytest.TempPathFactory, *requirements: str) -> Iterator[None]:
    """Run them with these packages, in a venv of their own; none: in that of the tests."""
    if not requirements:
        yield
        return
    name = "-".join(re.sub(r"\W+", "-", it) for it in requirements)
    with running(str(venv(factory, name, sys.executable, list(requirements)) / "bin" / "python")):
        yield


@contextmanager
def running(python: str) -> Iterator[None]:
    """Run them with this Python."""
    before = Python.path, Python.options
    Python.path, Python.options = python, []
    try:
        yield
    finally:
        Python.path, Python.options = before


def traced(program: str, *arguments: str) -> Traced:
    """Run one that says nothing on standard error, and has one process."""
    with tempfile.TemporaryDirectory() as folder:
        file, records = Path(folder, "program.py"), Path(folder, "records")
        file.write_text(dedent(program), encoding="utf-8")
        records.mkdir()
        environment = {
            **{name: value for name, value in os.environ.items() if "COVERAGE" not in name},
            "PYTHONPATH": str(_TRACER),
            "_KAB_TRACE": str(records),
            "SSL_CERT_FILE": str(CERTIFICATE),
            "NO_PROXY": "*",
        }
        command = [Python.path, *Python.options, str(file), *arguments]
        done = subprocess.run(
            command,
            env=environment,
            timeout=PATIENCE_S,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        recording = read(records)
        assert not recording.damaged
        (process,) = recording.processes
        assert not process.troubles, process.troubles
        connections, exchanges = tuple(process.connections()), tuple(process.exchanges())
        clients = tuple(process.clients.values())
    return Traced(process, clients, connections, exchanges)


def as_sync(program: str) -> str:
    """The same program without `async`, as httpcore itself is made of its async half."""
    for words, others in _SYNC:
        program = program.replace(words, others)
    return program
