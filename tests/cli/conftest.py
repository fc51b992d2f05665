from __future__ import annotations

import socket
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from keepalive_bench.server import ServerProcess, ServerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def server() -> Iterator[ServerProcess]:
    """A plain server, shared: look at differences of its counts."""
    with ServerProcess(ServerSettings()) as process:
        yield process


@pytest.fixture(scope="session")
def tls_server() -> Iterator[ServerProcess]:
    with ServerProcess(ServerSettings(tls=True)) as process:
        yield process


@pytest.fixture
def refusing_url() -> Iterator[str]:
    """A port that is taken, so that nobody else gets it, and at which nobody listens."""
    with closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/"


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
