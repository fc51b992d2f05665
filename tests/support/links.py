"""Places with a network namespace each, joined to a hub by links that have round-trip times."""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SERVER, SCHEDULER = "198.19.0.1", "198.19.0.2"
"""Addresses in the hub; all are for benchmarks (RFC 2544)."""
_TUN = Path("/dev/net/tun")
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_REQUEST = "16sH22x"
"""struct ifreq: a name, and flags."""
_FORWARD = (
    "import sys; sys.path.append(sys.argv[1]); from link import Link, forward; "
    "forward(int(sys.argv[2]), int(sys.argv[3]), Link(rtt_s=float(sys.argv[4])), 1)"
)
_BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
_URGENT = ("chrt", "--fifo", "1")
"""What is measured by goes before all else on this machine, as links do."""


@dataclass(frozen=True)
class Site:
    """A namespace, and the process that carries its packets (the hub has none)."""

    name: str
    forwarder: subprocess.Popen[bytes] | None = None

    @property
    def inside(self) -> tuple[str, ...]:
        """What goes before a command that is to run there."""
        return ("ip", "netns", "exec", self.name, *_URGENT)

    def cut(self) -> None:
        """Drop each packet from now on."""
        assert self.forwarder is not None
        self.forwarder.send_signal(signal.SIGSTOP)

    def drop(self, address: str) -> None:
        """Drop each packet to an address in the hub."""
        _ip("-netns", self.name, "route", "replace", f"{address}/32", "dev", "lo")


def obstacle() -> str | None:
    """Why there can be no links here; nothing if there can."""
    if not _TUN.exists():
        return f"there is no {_TUN}"
    if os.geteuid() != 0:
        return "network namespaces need root"
    try:
        with star([0.0]):
            return None
    except (OSError, subprocess.CalledProcessError) as error:
        return f"the system refuses links: {error}"


@contextmanager
def star(rtts_s: Sequence[float]) -> Iterator[tuple[Site, list[Site]]]:
    """A hub, and a site behind a link of each round-trip time; all are gone with the block."""
    with ExitStack() as stack:
        hub = Site(stack.enter_context(_namespace()))
        for address in (SERVER, SCHEDULER):
            _ip("-netns", hub.name, "address", "add", f"{address}/32", "dev", "lo")
        yield (
            hub,
            [stack.enter_context(_site(hub, number, rtt_s)) for number, rtt_s in enumerate(rtts_s)],
        )


@contextmanager
def _site(hub: Site, number: int, rtt_s: float) -> Iterator[Site]:
    ours, theirs = f"198.18.{number}.1", f"198.18.{number}.2"
    with (
        _namespace() as name,
        _device(hub.name, f"to{number}", ours, theirs) as one,
        _device(name, "hub", theirs, ours) as other,
    ):
        for address in (SERVER, SCHEDULER):
            _ip("-netns", name, "route", "add", f"{address}/32", "dev", "hub")
        words = (f"{_BENCHMARKS}", f"{one}", f"{other}", f"{rtt_s}")
        process = subprocess.Popen(
            [sys.executable, "-c", _FORWARD, *words],
            pass_fds=(one, other),
        )
        try:
            yield Site(name, process)
        finally:
            process.kill()
            process.wait()


@contextmanager
def _namespace() -> Iterator[str]:
    name = f"kab-place-{uuid4().hex[:8]}"
    _ip("netns", "add", name)
    try:
        _ip("-netns", name, "link", "set", "lo", "up")
        yield name
    finally:
        _ip("netns", "delete", name)


@contextmanager
def _device(inside: str, name: str, address: str, peer: str) -> Iterator[int]:
    """A TUN device in a namespace; its file, here, has what is sent there. It ends with the file.

    It is made outside, where the kernel picks a free name, and moved.
    """
    device = os.open(_TUN, os.O_RDWR | os.O_NONBLOCK)
    try:
        request = struct.pack(_REQUEST, b"kabp%d", _IFF_TUN | _IFF_NO_PI)
        made = struct.unpack(_REQUEST, fcntl.ioctl(device, _TUNSETIFF, request))[0]
        picked = made.rstrip(b"\0").decode()
        _ip("link", "set", picked, "netns", inside, "name", name)
        _ip("-netns", inside, "address", "add", address, "peer", peer, "dev", name)
        _ip("-netns", inside, "link", "set", name, "up")
        yield device
    finally:
        os.close(device)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
