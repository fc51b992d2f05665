"""A network namespace of a test's own: what is dead there is dead for nobody else."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Iterator

DEAD = "10.9.0.1"
"""An address that never answers: what is sent there goes to a device that drops it."""
LINK_LOCAL = "fe80::1"
"""An address of the device `lo`."""


class Namespace:
    """A namespace whose loopback device is up, and has those addresses."""

    def __init__(self, name: str) -> None:
        self.name = name

    def command(self, *command: str) -> list[str]:
        """A command line that runs another one inside."""
        return ["ip", "netns", "exec", self.name, *command]

    @contextmanager
    def resolving(self, nameserver: str, options: str = "") -> Iterator[None]:
        """Names are looked up at a nameserver, by commands that start meanwhile (ip-netns(8))."""
        folder = Path("/etc/netns") / self.name
        folder.mkdir(parents=True)
        (folder / "resolv.conf").write_text(f"nameserver {nameserver}\n{options}\n")
        try:
            yield
        finally:
            shutil.rmtree(folder)


@contextmanager
def namespace() -> Iterator[Namespace]:
    name = f"kab-{uuid4().hex[:8]}"
    _ip("netns", "add", name)
    try:
        for command in (
            "link set lo up",
            f"route add {DEAD}/32 dev lo",
            f"address add {LINK_LOCAL}/64 dev lo nodad",
        ):
            _ip("-netns", name, *command.split())
        yield Namespace(name)
    finally:
        _ip("netns", "delete", name)


@cache
def obstacle() -> str | None:
    """Why there can be no namespace here; nothing if there can."""
    if shutil.which("ip") is None:
        return "needs iproute2"
    if os.geteuid() != 0:
        return "needs root, for a network namespace"
    with suppress(subprocess.CalledProcessError), namespace():
        return None
    return "the kernel gives no network namespace"


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
