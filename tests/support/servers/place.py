"""Where a server under test runs: its listening socket, its folder, and what it notes there."""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from support.daemon import TIMEOUT_S, daemon, listening

if TYPE_CHECKING:
    import socket
    import subprocess
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

_TESTS = Path(__file__).parents[2]
"""Where our modules are found from."""


@dataclass(frozen=True)
class Place:
    """A socket that listens already, and a folder."""

    listener: socket.socket
    folder: Path

    @property
    def descriptor(self) -> int:
        return self.listener.fileno()

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    @property
    def log(self) -> Path:
        """A line for each request: the port that it came from."""
        return self.folder / "seen"

    def run(
        self, *command: object, env: Mapping[str, str] | None = None
    ) -> AbstractContextManager[subprocess.Popen[bytes]]:
        """Run a program that inherits the socket."""
        known = {"SEEN": str(self.log), "PYTHONPATH": str(_TESTS), **(env or {})}
        return daemon([str(word) for word in command], env=known, inherited=[self.descriptor])

    def python(self, *arguments: object) -> AbstractContextManager[subprocess.Popen[bytes]]:
        return self.run(sys.executable, *arguments)

    def requests_per_connection(self, requests: int) -> list[int]:
        """What the server itself saw, when it has written down that many requests."""
        deadline = time.monotonic() + TIMEOUT_S
        while len(ports := self.log.read_text().split()) < requests:
            assert time.monotonic() < deadline, f"the server saw {len(ports)} of {requests}"
            time.sleep(0.01)
        return [len(list(group)) for _, group in groupby(ports)]


@contextmanager
def place() -> Iterator[Place]:
    with tempfile.TemporaryDirectory() as name, listening() as listener:
        folder = Path(name)
        folder.chmod(0o755)  # servers that root starts become other users
        yield Place(listener, folder)
