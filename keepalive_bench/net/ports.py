"""The local ports that are free for connections to where a plan leads, as Linux tells it.

What counts was found by experiment (docs/methodology.md, "Local ports").
"""

from __future__ import annotations

import struct
import time
from collections import Counter
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from socket import AF_INET, AF_INET6, inet_ntop
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.net.tcp import Dialer, address_name, suits
from keepalive_bench.plan.local_ports import connections_wanted, port_use

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from keepalive_bench.net.tcp import Address
    from keepalive_bench.plan.local_ports import PortUse
    from keepalive_bench.plan.plan import Plan

_PROC = Path("/proc")
_SETTINGS = Path("sys/net/ipv4")
_TABLES = (Path("net/tcp"), Path("net/tcp6"))
_LISTEN, _TIME_WAIT = 0x0A, 0x06
_LINGER_S = 66.0
"""TIME_WAIT's 60 s (Linux's TCP_TIMEWAIT_LEN), and up to 5.1 s by which the kernel's timers are
late: they are coarser the longer they run, and coarsest at 100 ticks a second."""
_REUSED_AFTER_MS = 1000
_ON, _ON_LOOPBACK = 1, 2
_MAPPED = "::ffff:"
_V4_DIGITS = 8


class Entry(NamedTuple):
    """One TCP socket of the system's table."""

    local: str
    port: int
    peer: str
    peer_port: int
    state: int


class PortSettings(NamedTuple):
    """What the system says of its local ports."""

    ports: frozenset[int]
    """Those that it takes for connections."""
    reuse: int
    reuse_after_s: float
    timestamps: bool
    most_lingering: int

    def held_s(self, peer: str) -> float:
        """How long a port stays taken after a connection to an address."""
        on = self.reuse == _ON or (self.reuse == _ON_LOOPBACK and ip_address(peer).is_loopback)
        return self.reuse_after_s if on and self.timestamps else _LINGER_S


def ports_for(plan: Plan) -> PortUse | None:
    """The ports that a run will use up, against those that are free.

    `None`: there are plenty, the plan needs none, or the system doesn't tell.
    """
    if plan.network.unix_socket is not None or not connections_wanted(plan.experiment):
        return None
    with suppress(OSError, ValueError):  # no Linux, or a name without an address
        return _look(plan, port_settings(_PROC), entries(_PROC))
    return None


def _look(plan: Plan, system: PortSettings, table: Sequence[Entry]) -> PortUse | None:
    """The use of the ports to the address that has the fewest."""
    experiment, network = plan.experiment, plan.network
    most = len(table) + connections_wanted(experiment)
    if most + experiment.threads * len(experiment.arms) < len(system.ports) / 2:
        return None
    if len(system.ports) > system.most_lingering:  # what is over that number isn't held at all
        return None
    sources: Sequence[str | None] = network.source_addresses or (None,)
    end = network.proxy or plan.target
    destinations, _ = Dialer(network, time.perf_counter_ns).resolve(end.host, end.port)
    uses = [
        port_use(
            experiment,
            peer=address_name(address.sockaddr),
            free=_free(system, table, address, sources),
            each=len(set(sources)),
            held_s=system.held_s(_plain(address.sockaddr[0])),
        )
        for address in destinations
        if any(suits(address, source) for source in sources)
    ]
    return min(uses, key=lambda use: use.ports / use.held_s, default=None)


def _free(
    system: PortSettings, table: Sequence[Entry], address: Address, sources: Sequence[str | None]
) -> int:
    """Free ports of all sources together; these take turns, so the one with the fewest decides."""
    peer, peer_port = _plain(address.sockaddr[0]), address.sockaddr[1]
    reused = system.held_s(peer) < _LINGER_S
    turns = Counter(sources)
    free = [
        len(system.ports - _taken(table, peer, peer_port, source, reused=reused)) / turns[source]
        for source in turns
        if suits(address, source)
    ]
    return int(min(free) * len(sources))


def _taken(
    table: Sequence[Entry], peer: str, peer_port: int, source: str | None, *, reused: bool
) -> set[int]:
    """Ports that a connection can't have: of connections to the same place, and of listeners.

    A port that something listens at is taken whatever its address.
    """
    local = None if source is None else _plain(str(ip_address(source)))
    return {
        it.port
        for it in table
        if it.state == _LISTEN
        or (
            (it.peer, it.peer_port) == (peer, peer_port)
            and local in {None, it.local}
            and not (reused and it.state == _TIME_WAIT)
        )
    }


def port_settings(proc: Path) -> PortSettings:
    """What the system says.

    Raises:
        OSError, ValueError: it doesn't, or in another way than Linux.
    """
    place, ports = proc / _SETTINGS, port_range(proc)
    reserved = _ranges((place / "ip_local_reserved_ports").read_text())
    delay = place / "tcp_tw_reuse_delay"  # since Linux 6.14
    after_ms = int(delay.read_text()) if delay.exists() else _REUSED_AFTER_MS
    return PortSettings(
        ports=frozenset(ports).difference(*reserved),
        reuse=int((place / "tcp_tw_reuse").read_text()),
        reuse_after_s=after_ms / 1000,
        timestamps=(place / "tcp_timestamps").read_text().strip() != "0",
        most_lingering=int((place / "tcp_max_tw_buckets").read_text()),
    )


def port_range(proc: Path = _PROC) -> range:
    """The local ports that the system has for connections to one address, reserved ones included.

    Raises:
        OSError, ValueError: it doesn't tell, or in another way than Linux.
    """
    lowest, highest = map(int, (proc / _SETTINGS / "ip_local_port_range").read_text().split())
    return range(lowest, highest + 1)


def _ranges(text: str) -> Iterator[range]:
    """`8080,9000-9009`, as ranges."""
    for part in text.strip().split(","):
        if part:
            first, _, last = part.partition("-")
            yield range(int(first), int(last or first) + 1)


def entries(proc: Path) -> list[Entry]:
    """All TCP sockets of the network that this process sees."""
    return [
        entry
        for table in _TABLES
        if (proc / table).exists()  # without IPv6 there is one only
        for entry in parsed((proc / table).read_text().splitlines()[1:])
    ]


def parsed(lines: Iterable[str]) -> Iterator[Entry]:
    """The rows of `/proc/net/tcp` or `/proc/net/tcp6`, their headline left out.

    An address is in hexadecimal, four bytes at a time in the machine's own order.
    """
    for line in lines:
        _, here, there, state, *_ = line.split()
        yield Entry(*_end(here), *_end(there), int(state, 16))


def _end(text: str) -> tuple[str, int]:
    digits, _, port = text.partition(":")
    words = [int(digits[at : at + 8], 16) for at in range(0, len(digits), 8)]
    packed = struct.pack(f"={len(words)}I", *words)
    family = AF_INET if len(digits) == _V4_DIGITS else AF_INET6
    return _plain(inet_ntop(family, packed)), int(port, 16)


def _plain(address: str) -> str:
    """An address as the tables are compared: no scope, and IPv4 as such, within IPv6 too."""
    address = address.partition("%")[0].lower()
    mapped = address.startswith(_MAPPED) and "." in address
    return address.removeprefix(_MAPPED) if mapped else address
