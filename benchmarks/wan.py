"""A client's machine and a server's, with a wide-area link between them: two network namespaces.

Linux only, and root only: `obstacle` says what is in the way.
"""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import shutil
import struct
import subprocess
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from link import Link, forward

if TYPE_CHECKING:
    from collections.abc import Iterator

CLIENT_ADDRESS, SERVER_ADDRESS = "198.18.0.1", "198.18.0.2"
"""For benchmarks (RFC 2544). Whoever lays another link has namespaces, so addresses, of its own."""
_TUN = Path("/dev/net/tun")
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_REQUEST = "16sH22x"
"""struct ifreq: a name, and flags."""


@dataclass(frozen=True)
class Namespace:
    """A network of its own, by name."""

    name: str

    def command(self, *command: str) -> list[str]:
        """A command line that runs another one inside."""
        return ["ip", "netns", "exec", self.name, *command]


@dataclass(frozen=True)
class Wan:
    """Both ends of a link. The server's address is `SERVER_ADDRESS`."""

    client: Namespace
    server: Namespace


def obstacle() -> str | None:
    """Why there can be no link here; `None`: there can."""
    if not _TUN.exists():
        return f"there is no {_TUN}, which a Linux kernel with the module tun has"
    if shutil.which("ip") is None:
        return "ip is not installed (Debian's package iproute2)"
    if os.geteuid() != 0:
        return "network namespaces need root"
    try:
        with wan(Link(rtt_s=0)):
            return None
    except (OSError, subprocess.CalledProcessError) as error:
        told = getattr(error, "stderr", b"") or b""
        return f"the system refuses: {told.decode().strip() or error}"


@contextmanager
def wan(link: Link, seed: int = 0) -> Iterator[Wan]:
    """Two namespaces joined by a link; both are gone with the block.

    Raises:
        OSError: the system refuses a device.
        CalledProcessError: it refuses a namespace.
    """
    with ExitStack() as stack:
        client = stack.enter_context(_namespace("client"))
        server = stack.enter_context(_namespace("server"))
        ends = (
            stack.enter_context(_device(client, CLIENT_ADDRESS, SERVER_ADDRESS)),
            stack.enter_context(_device(server, SERVER_ADDRESS, CLIENT_ADDRESS)),
        )
        stack.enter_context(_forwarding(ends, link, seed))
        yield Wan(client, server)


@contextmanager
def _namespace(role: str) -> Iterator[Namespace]:
    name = f"kab-{role}-{uuid4().hex[:8]}"
    try:
        _ip("netns", "add", name)
        _ip("-netns", name, "link", "set", "lo", "up")
        yield Namespace(name)
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)


@contextmanager
def _device(inside: Namespace, address: str, peer: str) -> Iterator[int]:
    """A TUN device in a namespace; its file, here, has what is sent there. It ends with the file.

    It is made outside and moved, so its name must be free there for a moment: the kernel picks it.
    """
    device = os.open(_TUN, os.O_RDWR | os.O_NONBLOCK)
    try:
        request = struct.pack(_REQUEST, b"kab%d", _IFF_TUN | _IFF_NO_PI)
        name = struct.unpack(_REQUEST, fcntl.ioctl(device, _TUNSETIFF, request))[0]
        name = name.rstrip(b"\0").decode()
        _ip("link", "set", name, "netns", inside.name)
        _ip("-netns", inside.name, "address", "add", address, "peer", peer, "dev", name)
        _ip("-netns", inside.name, "link", "set", name, "up")
        yield device
    finally:
        os.close(device)


@contextmanager
def _forwarding(ends: tuple[int, int], link: Link, seed: int) -> Iterator[None]:
    """Carry packets, in a process of its own: nothing that is measured must hold it up."""
    process = multiprocessing.get_context("fork").Process(
        target=forward, args=(*ends, link, seed), daemon=True
    )
    process.start()
    try:
        yield
    finally:
        process.kill()  # it has nothing to tidy up, and other signals can meet the fork half done
        process.join()


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
