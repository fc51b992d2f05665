"""Where a server under test runs: its socket, its folder, and what it notes there."""

from __future__ import annotations

import socket
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from support.daemon import TIMEOUT_S, daemon

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

_TESTS = Path(__file__).parents[2]
"""Where our modules are found from."""
_ESTABLISHED, _LISTENING = "01", "0A"


class KernelSocket(NamedTuple):
    """A row of the kernel's table of IPv4 sockets."""

    local_port: int
    remote_port: int
    state: str


@dataclass(frozen=True)
class Place:
    """A port that nobody else gets, and a folder."""

    bound: socket.socket
    """Bound to the port; who inherits it gets it listening."""
    folder: Path

    @property
    def descriptor(self) -> int:
        return self.bound.fileno()

    @property
    def port(self) -> int:
        return int(self.bound.getsockname()[1])

    @property
    def log(self) -> Path:
        """A line for each request: the port that it came from."""
        return self.folder / "seen"

    def run(
        self, *command: object, env: Mapping[str, str] | None = None
    ) -> AbstractContextManager[subprocess.Popen[bytes]]:
        """Run a program that inherits the socket, which listens already."""
        self.bound.listen(1024)
        known = self._known(env)
        return daemon([str(word) for word in command], env=known, inherited=[self.descriptor])

    def python(self, *arguments: object) -> AbstractContextManager[subprocess.Popen[bytes]]:
        return self.run(sys.executable, *arguments)

    @contextmanager
    def run_listener(
        self, *command: object, env: Mapping[str, str] | None = None
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Run a program that inherits nothing, and listens at the port itself."""
        with daemon([str(word) for word in command], env=self._known(env)) as process:
            deadline = time.monotonic() + TIMEOUT_S
            while not any(
                it.local_port == self.port and it.state == _LISTENING for it in _sockets()
            ):
                assert process.poll() is None, f"{command} has ended with {process.returncode}"
                assert time.monotonic() < deadline, f"{command} doesn't listen"
                time.sleep(0.01)
            yield process

    def has_connection(self) -> bool:
        """Whether the kernel shows an open connection to the port."""
        return any(it.remote_port == self.port and it.state == _ESTABLISHED for it in _sockets())

    def requests_per_connection(self, requests: int) -> list[int]:
        """What the server itself saw, when it has written down that many requests."""
        deadline = time.monotonic() + TIMEOUT_S
        while len(ports := self._ports()) < requests:
            assert time.monotonic() < deadline, f"the server saw {len(ports)} of {requests}"
            time.sleep(0.01)
        return [len(list(group)) for _, group in groupby(ports)]

    def _ports(self) -> list[str]:
        return self.log.read_text().split() if self.log.exists() else []

    def _known(self, env: Mapping[str, str] | None) -> dict[str, str]:
        return {"SEEN": str(self.log), "PYTHONPATH": str(_TESTS), **(env or {})}


@contextmanager
def place() -> Iterator[Place]:
    """A place. Its port is taken as long as it lasts, though nobody listens there yet.

    Linux lets another socket that may share the address (SO_REUSEADDR, as servers set it) listen.
    """
    with tempfile.TemporaryDirectory() as name, socket.socket() as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", 0))
        folder = Path(name)
        folder.chmod(0o755)  # servers that root starts become other users
        yield Place(bound, folder)


def _sockets() -> Iterator[KernelSocket]:
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, state, *_ = line.split()
        yield KernelSocket(_port(local), _port(remote), state)


def _port(address: str) -> int:
    return int(address.rpartition(":")[2], 16)
