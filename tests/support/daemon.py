"""Servers from Debian's packages, each a process that ends with its block."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from support.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

TIMEOUT_S = PATIENCE_S


def program(name: str) -> str:
    """Where a program is; Debian puts daemons where only root's path leads."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    assert found, f"{name} is not installed"
    return found


@contextmanager
def daemon(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    inherited: Sequence[int] = (),
) -> Iterator[subprocess.Popen[bytes]]:
    """Run one in the foreground; sockets that it inherits listen already."""
    process = subprocess.Popen(
        command,
        env={**os.environ, **(env or {})},
        pass_fds=inherited,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(TIMEOUT_S)


def listening(host: str = "127.0.0.1") -> socket.socket:
    """A socket for a daemon to inherit: its port is free for sure, and clients can queue."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, 0), family=family, backlog=1024)


def until_listening(path: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait for a daemon's Unix socket, which nothing announces."""
    deadline = time.monotonic() + TIMEOUT_S
    while not path.exists():
        assert process.poll() is None, f"{process.args!r} has ended with {process.returncode}"
        assert time.monotonic() < deadline, f"{process.args!r} doesn't listen"
        time.sleep(0.01)
