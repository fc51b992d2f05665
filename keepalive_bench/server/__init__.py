"""The embedded server: one whose connections, handshakes and requests are known exactly."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keepalive_bench.server.behaviour import Behaviour
    from keepalive_bench.server.child import ServerProcess
    from keepalive_bench.server.counts import Stats
    from keepalive_bench.server.faults import FAULTS, Fault
    from keepalive_bench.server.listener import Server
    from keepalive_bench.server.process import serve_forever
    from keepalive_bench.server.settings import CERTIFICATE, CERTIFICATES, ServerSettings

__all__ = [
    "CERTIFICATE",
    "CERTIFICATES",
    "FAULTS",
    "Behaviour",
    "Fault",
    "Server",
    "ServerProcess",
    "ServerSettings",
    "Stats",
    "serve_forever",
]

_HOMES = {
    "Behaviour": "behaviour",
    "FAULTS": "faults",
    "Fault": "faults",
    "Server": "listener",
    "ServerProcess": "child",
    "Stats": "counts",
    "serve_forever": "process",
}


def __getattr__(name: str) -> object:
    """Import a name when it is first used: the child of a `ServerProcess` must start fast."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'settings')}"), name)
