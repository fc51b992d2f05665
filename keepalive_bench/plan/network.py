"""How the server is reached, and how its certificate is checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Literal, NamedTuple

from keepalive_bench.errors import UsageError
from keepalive_bench.plan.limits import within_s
from keepalive_bench.units import quoted

if TYPE_CHECKING:
    from pathlib import Path

    from keepalive_bench.plan.target import Target

TlsVersion = Literal["1.2", "1.3"]
TLS_VERSIONS: tuple[TlsVersion, ...] = ("1.2", "1.3")


class Route(NamedTuple):
    """Connect to another host and port than the URL's; an empty host or port 0 is left as it is."""

    host: str
    port: int
    to_host: str
    to_port: int


class Resolution(NamedTuple):
    """The addresses to take for a name and port, in place of looking the name up."""

    host: str
    port: int
    addresses: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Tls:
    """How the server's certificate is checked, and what the client shows of itself.

    Raises:
        UsageError: a key without a certificate, or a lowest version above the highest.
    """

    verify: bool = True
    ca_file: Path | None = None
    """PEM certificates to trust in place of the system's."""
    cert_file: Path | None = None
    """The client's own certificate, PEM, with its chain."""
    key_file: Path | None = None
    """Its key; `None`: in the certificate's file."""
    key_password: str | None = field(default=None, repr=False)
    ciphers: str | None = None
    """OpenSSL's cipher list, for TLS 1.2."""
    minimum: TlsVersion | None = None
    maximum: TlsVersion | None = None

    def __post_init__(self) -> None:
        """Check what belongs together."""
        if self.key_file is not None and self.cert_file is None:
            raise UsageError("A client's key needs its certificate too (--cert).")
        if self.minimum and self.maximum and self.minimum > self.maximum:
            raise UsageError(f"TLS can't be {self.minimum} at least and {self.maximum} at most.")


@dataclass(frozen=True, kw_only=True)
class Network:
    """How the server is reached, and how long kab waits for it.

    Raises:
        UsageError: a time that is not above 0, or above a million seconds, a source that is no
            address, or two ways that contradict each other.
    """

    ip_version: Literal[4, 6] | None = None
    timeout_s: float = 30.0
    """Deadline for a whole exchange, from asking for a connection to the last body byte."""
    connect_timeout_s: float | None = None
    """Deadline for DNS, TCP and TLS together; `None`: the exchange's own."""
    proxy: Target | None = None
    """An http or https proxy: plain requests are forwarded, https is tunnelled."""
    connect_to: tuple[Route, ...] = ()
    resolve: tuple[Resolution, ...] = ()
    unix_socket: Path | None = None
    """A Unix socket to connect to, whatever the URL's host."""
    source_addresses: tuple[str, ...] = ()
    """Local addresses to connect from, in turns."""
    tcp_nodelay: bool | None = None
    """Whether Nagle's algorithm is off; `None`: as urllib3 has it, off except behind proxies."""
    tcp_keepalive: bool = False
    """Whether the system probes idle connections (SO_KEEPALIVE)."""

    def __post_init__(self) -> None:
        """Check the times, and what excludes each other."""
        limits = (("timeout", self.timeout_s), ("connect timeout", self.connect_timeout_s))
        for name, seconds in limits:
            if seconds is not None:
                within_s(name, seconds)
        if self.proxy is not None and self.proxy.path != "/":
            raise UsageError(f"A proxy's URL has no path, as {quoted(self.proxy.shown)} has.")
        for address in self.source_addresses:
            if not is_address(address):
                raise UsageError(f"{quoted(address)} is no IP address to connect from.")
        self._check_ways()

    def _check_ways(self) -> None:
        pairs = (
            ("A proxy", self.proxy, "a Unix socket", self.unix_socket),
            # The proxy connects to the server: where to isn't for kab to choose.
            ("A proxy", self.proxy, "another place to connect to", self.connect_to),
            ("A source address", self.source_addresses, "a Unix socket", self.unix_socket),
        )
        for one, first, other, second in pairs:
            if first and second:
                raise UsageError(f"{one} and {other} contradict each other: leave one out.")


def is_address(text: str) -> bool:
    """Whether a text is an IPv4 or IPv6 address; the latter may have a scope."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
