"""From a name to an open TCP connection, with the two steps timed apart."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any, NamedTuple

from keepalive_bench.errors import UsageError
from keepalive_bench.plan.values import is_address

if TYPE_CHECKING:
    from keepalive_bench.plan.network import Network
    from keepalive_bench.plan.values import Resolution, Route

Clock = Callable[[], int]
"""A monotonic clock, in nanoseconds."""

SocketOption = tuple[int, int, int | bytes]

_SECOND = 1_000_000_000
_NODELAY = (socket.IPPROTO_TCP, socket.TCP_NODELAY)
# Without it, Linux gives a port at once that no other connection has, to wherever it leads, and
# takes none again before a minute is over. Python knows the name since 3.12.
_LATE_PORT = (socket.IPPROTO_IP, getattr(socket, "IP_BIND_ADDRESS_NO_PORT", 24))
_LACKING = {errno.EADDRNOTAVAIL, errno.EADDRINUSE}
_FAMILIES = {None: socket.AF_UNSPEC, 4: socket.AF_INET, 6: socket.AF_INET6}


class Address(NamedTuple):
    """One of the addresses that a name stands for."""

    family: int
    sockaddr: Any  # its shape depends on the family; only the socket module looks into it


class Dialled(NamedTuple):
    """An open connection, and what it took."""

    socket: socket.socket
    peer: str
    """Where it leads: `127.0.0.1:80`, `[::1]:80`, `unix:/run/app.sock`."""
    failed: tuple[str, ...]
    """The addresses tried before in vain, with why."""
    began: int
    """When the attempt that succeeded began."""


class PortsExhaustedError(OSError):
    """No local port is free for another connection to an address."""


class LookUpTookAllError(TimeoutError):
    """No time was left to connect when the name had been looked up."""


class OpenedAndResetError(ConnectionResetError):
    """A connection was opened, and reset before anybody could use it.

    A refused one looks different: in reply to a SYN, an RST means ECONNREFUSED (Linux's
    `tcp_reset`). ECONNRESET, or EPIPE after a FIN, can only follow a handshake.
    """

    def __init__(self, peer: str) -> None:
        super().__init__(errno.ECONNRESET, "the connection was reset right after it was opened")
        self.peer = peer


class Dialer:
    """Opens connections as a plan says: where to, from where, with which socket options.

    Raises:
        UsageError: an address to connect from isn't this machine's, or the system can't be told
            when to probe connections.
    """

    def __init__(self, network: Network, clock: Clock) -> None:
        for source in network.source_addresses:
            _check_source(source)
        self._network, self._clock = network, clock
        self._sources = cycle(network.source_addresses or (None,))
        self._probes = list(_probes(network))

    def resolve(self, host: str, port: int) -> tuple[list[Address], bool]:
        """The addresses to try, in order, and whether a name was looked up.

        A look-up can't be interrupted.

        Raises:
            socket.gaierror: there are none.
            OSError: no file descriptor is left to look a name up.
        """
        network = self._network
        if network.unix_socket is not None:
            return [Address(socket.AF_UNIX, str(network.unix_socket))], False
        host, port = routed(network.connect_to, host, port)
        given = resolved(network.resolve, host, port)
        family = _FAMILIES[network.ip_version]
        # As bytes: of text, Python would import a codec first, in the time of the first connection.
        names = (name.encode() if name.isascii() else name for name in given or (host,))
        try:
            found = [
                Address(answer[0], answer[4])
                for name in names
                for answer in socket.getaddrinfo(name, port, family, socket.SOCK_STREAM)
            ]
        except socket.gaierror:
            os.close(os.open(os.devnull, os.O_RDONLY))  # if that is what is lacking, it says so
            raise
        return found, not given and not is_address(host)

    def options(self, defaults: Sequence[SocketOption]) -> list[SocketOption]:
        """Socket options: urllib3's own, but for what the plan says."""
        network, options = self._network, list(defaults)
        if network.unix_socket is not None:
            return []
        if network.tcp_nodelay is not None:
            options = [option for option in options if option[:2] != _NODELAY]
            options.append((*_NODELAY, int(network.tcp_nodelay)))
        options += self._probes
        return options

    def connect(
        self, addresses: Sequence[Address], defaults: Sequence[SocketOption], deadline: int
    ) -> Dialled:
        """Open a connection to the first address that answers.

        The addresses share one budget: each may use an equal part of the time that is left when
        its turn comes, so that a dead first address can't eat the time of the others.

        Raises:
            OpenedAndResetError: an address answered, and reset the connection; no other is tried.
            TimeoutError: nobody answered before the deadline.
            OSError: the last address refused, or can't be reached.
        """
        options, source = self.options(defaults), next(self._sources)
        addresses = [address for address in addresses if suits(address, source)]
        if not addresses:
            raise OSError(errno.EAFNOSUPPORT, f"no address can be reached from {source}")
        failed: list[str] = []
        last: OSError = LookUpTookAllError("no time left to connect")
        for turn, address in enumerate(addresses):
            began = self._clock()
            remaining = (deadline - began) / _SECOND
            if remaining <= 0:
                break
            try:
                opened = _dial(address, options, source, remaining / (len(addresses) - turn))
                return Dialled(opened, _peer_name(opened), tuple(failed), began)
            except (ConnectionResetError, BrokenPipeError):
                raise OpenedAndResetError(address_name(address.sockaddr)) from None
            except OSError as error:
                last = error
                failed.append(f"{address_name(address.sockaddr)}: {error.strerror or error}")
        raise last


def _probes(network: Network) -> Iterator[SocketOption]:
    """What lets the system probe idle connections, by the names that it has on this system.

    What Linux calls TCP_KEEPIDLE is macOS's TCP_KEEPALIVE; Windows has Linux's names, since
    Windows 10, release 1709.

    Raises:
        UsageError: the system, or this Python, can't be told when.
    """
    times = network.tcp_keepalive_time
    if network.tcp_keepalive or times is not None:
        yield socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1
    options = (("TCP_KEEPIDLE", "TCP_KEEPALIVE"), ("TCP_KEEPINTVL",))
    for names, seconds in zip(options, times or (None, None), strict=True):
        if seconds is None:
            continue
        number = next((getattr(socket, name) for name in names if hasattr(socket, name)), None)
        if number is None:
            raise UsageError(f"This system has no {names[0]}: leave --tcp-keepalive-time out.")
        yield socket.IPPROTO_TCP, number, seconds


def routed(routes: Sequence[Route], host: str, port: int) -> tuple[str, int]:
    """Where to connect in place of a host and port; an empty host or port 0 stands for any."""
    for route in routes:
        if route.host.lower() in {"", host.lower()} and route.port in {0, port}:
            return route.to_host or host, route.to_port or port
    return host, port


def resolved(resolutions: Sequence[Resolution], host: str, port: int) -> tuple[str, ...]:
    """The addresses given for a host and port; none where nothing was said."""
    for resolution in resolutions:
        if resolution.host.lower() in {"*", host.lower()} and resolution.port == port:
            return resolution.addresses
    return ()


def _check_source(source: str) -> None:
    # A UDP socket: TCP's ports may be used up, and then it isn't the address that is wrong.
    with socket.socket(_family(source), socket.SOCK_DGRAM) as tried:
        try:
            tried.bind((source, 0))
        except OSError as error:
            raise UsageError(
                f"{source} isn't an address of this machine: {error.strerror}."
            ) from None


def suits(address: Address, source: str | None) -> bool:
    """Whether an address can be reached from a local one; from `None`, any can."""
    return source is None or address.family == _family(source)


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _dial(
    address: Address, options: Sequence[SocketOption], source: str | None, timeout_s: float
) -> socket.socket:
    opened = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        for option in options:
            opened.setsockopt(*option)
        opened.settimeout(timeout_s)
        if source is not None:
            if sys.platform == "linux":
                opened.setsockopt(*_LATE_PORT, 1)
            opened.bind((source, 0))
        opened.connect(address.sockaddr)
    except BaseException as error:
        opened.close()
        if isinstance(error, OSError) and _lacks_ports(error, address, source):
            raise PortsExhaustedError(error.errno, "no local port is free") from None
        raise
    return opened


def _lacks_ports(error: OSError, address: Address, source: str | None) -> bool:
    """Whether ports are what is lacking.

    Without an address to connect from (IPv6 switched off, or one that has been taken away) the
    system says the same. UDP has ports of its own, and needs an address too: where it connects,
    there is one.
    """
    if error.errno not in _LACKING:
        return False
    try:
        with socket.socket(address.family, socket.SOCK_DGRAM) as tried:
            if source is not None:
                tried.bind((source, 0))
            tried.connect(address.sockaddr)
    except OSError:
        return False
    return True


def _peer_name(opened: socket.socket) -> str:
    try:
        return address_name(opened.getpeername())
    except OSError:  # there is no peer any more
        opened.close()
        raise ConnectionResetError from None


def address_name(sockaddr: Any) -> str:  # noqa: ANN401  # its shape depends on the family
    """A socket address as people write it."""
    if not isinstance(sockaddr, tuple):
        return f"unix:{sockaddr}"
    host, port, *more = sockaddr  # of IPv6: flow and scope
    scope = f"%{socket.if_indextoname(more[1])}" if more and more[1] else ""
    return f"[{host}{scope}]:{port}" if ":" in host else f"{host}:{port}"
