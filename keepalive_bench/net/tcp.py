"""From a name to an open TCP connection, with the two steps timed apart."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Literal

Clock = Callable[[], int]
"""A monotonic clock, in nanoseconds."""

SocketOption = tuple[int, int, int | bytes]

_SECOND = 1_000_000_000
_FAMILIES = {None: socket.AF_UNSPEC, 4: socket.AF_INET, 6: socket.AF_INET6}


@dataclass(frozen=True)
class Address:
    """One of the addresses that a name stands for."""

    family: int
    sockaddr: Any  # its shape depends on the family; only the socket module looks into it


def is_literal(host: str) -> bool:
    """Whether a host is an address already, so that nothing has to be looked up."""
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def resolve(host: str, port: int, ip_version: Literal[4, 6] | None) -> list[Address]:
    """The addresses of a host, in the order to try them. This can't be interrupted.

    Raises:
        socket.gaierror: there are none.
    """
    found = socket.getaddrinfo(host, port, _FAMILIES[ip_version], socket.SOCK_STREAM)
    return [Address(family, sockaddr) for family, _, _, _, sockaddr in found]


def connect(
    addresses: Sequence[Address],
    options: Sequence[SocketOption],
    deadline: int,
    clock: Clock,
) -> socket.socket:
    """Open a connection to the first address that answers.

    The addresses share one budget: each may use an equal part of the time that is left when its
    turn comes, so that a dead first address can't eat the time of the others.

    Raises:
        TimeoutError: nobody answered before the deadline.
        OSError: the last address refused, or can't be reached.
    """
    last: OSError = TimeoutError("no time left to connect")
    for turn, address in enumerate(addresses):
        remaining = (deadline - clock()) / _SECOND
        if remaining <= 0:
            break
        try:
            return _dial(address, options, remaining / (len(addresses) - turn))
        except OSError as error:
            last = error
    raise last


def _dial(address: Address, options: Sequence[SocketOption], timeout_s: float) -> socket.socket:
    opened = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        for option in options:
            opened.setsockopt(*option)
        opened.settimeout(timeout_s)
        opened.connect(address.sockaddr)
    except BaseException:
        opened.close()
        raise
    return opened


def peer_name(connected: socket.socket) -> str:
    """Where a connection leads: `127.0.0.1:80`, `[::1]:80`."""
    try:
        host, port = connected.getpeername()[:2]
    except OSError:  # the peer has already gone again
        return "?"
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
