"""Small programs, run with the tracer in them, and what was recorded of each."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from tempfile import mkdtemp
from textwrap import dedent
from typing import TYPE_CHECKING, NamedTuple

from support.pythons import environment, read_whole, run

if TYPE_CHECKING:
    from keepalive_bench.trace.recording import Client, Connection, Exchange, Process


class Seen(NamedTuple):
    """What was recorded of a program, of all its processes together."""

    processes: tuple[Process, ...]
    printed: str

    @property
    def clients(self) -> list[Client]:
        return [it for process in self.processes for it in process.clients.values()]

    @property
    def connections(self) -> list[Connection]:
        return [it for process in self.processes for it in process.connections()]

    @property
    def exchanges(self) -> list[Exchange]:
        return [it for process in self.processes for it in process.exchanges()]

    @property
    def opened(self) -> int:
        """How many connections a server has accepted, if this is right."""
        here = [it for it in self.connections if it.inherited_from is None]
        return sum(it.connected_s is not None for it in here)

    @property
    def sent(self) -> int:
        """How many requests a server has got."""
        return sum(it.sent_s is not None for it in self.exchanges)

    @property
    def endings(self) -> Counter[str]:
        return Counter(it.ending for it in self.connections)

    @property
    def only(self) -> Connection:
        (connection,) = self.connections
        return connection


def ran(
    folder: Path, program: str, *arguments: str, python: str = sys.executable, code: int = 0
) -> Seen:
    """Run a program, as a file `app.py`, and read what the tracer recorded."""
    records = Path(mkdtemp(dir=folder))
    file = folder / "app.py"
    file.write_text(dedent(program), encoding="utf-8")
    env = environment(records)
    printed = run(python, str(file), *arguments, env=env, code=code, stderr=None)
    return Seen(read_whole(records).processes, printed)
