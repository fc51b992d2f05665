"""How the server is reached, and how its certificate is checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from keepalive_bench.errors import UsageError
from keepalive_bench.plan.options import (
    Effect,
    Stored,
    choice,
    flag,
    nothing,
    option,
    options,
    ruled,
    switch,
    valued,
)
from keepalive_bench.plan.target import Target
from keepalive_bench.plan.values import (
    Resolution,
    Route,
    is_address,
    parse_resolution,
    parse_route,
    parse_time,
    resolution_text,
    route_text,
    time_text,
    within_s,
)
from keepalive_bench.typed_json import above
from keepalive_bench.units import quoted

if TYPE_CHECKING:
    from keepalive_bench.plan.options import Asked, File

TlsVersion = Literal["1.2", "1.3"]
TLS_VERSIONS: tuple[TlsVersion, ...] = ("1.2", "1.3")
PATH = Stored(
    str | None,
    lambda path: None if path is None else str(path),
    lambda text: None if text is None else Path(text),
)


def _passphrase(file: File) -> str:
    try:
        return file.content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise UsageError(f"{file.name} is not UTF-8 (--key-password-file).") from None


CACERT = valued(
    Path,
    lambda path: () if path is None else (str(path),),
    flags=("--cacert",),
    source="checked",
    help="Certificates to trust, PEM.",
    example="--cacert {ca}",
    effect=Effect("exit code", "0"),
    rivals=("insecure",),
)
INSECURE = flag(
    lambda verify: not verify,
    flags=("-k", "--insecure"),
    help="Don't check the server's certificate.",
    example="-k",
    effect=Effect("exit code", "0"),
)
CERT = valued(
    Path,
    lambda path: () if path is None else (str(path),),
    flags=("--cert",),
    source="checked",
    help="The client's own certificate, PEM.",
    example="-k --cert {both}",
    effect=Effect("shown of itself", "CN=client"),
)
KEY = valued(
    Path,
    lambda path: () if path is None else (str(path),),
    flags=("--key",),
    source="checked",
    help="Its key.  [default: in the certificate's file]",
    example="-k --cert {cert} --key {key}",
    effect=Effect("shown of itself", "CN=client"),
)
KEY_PASSWORD = valued(
    _passphrase,
    nothing,
    flags=("--key-password-file",),
    source="content",
    metavar="FILE",
    help="The key's passphrase.  [default: asked for]",
    example="-k --cert {cert} --key {locked} --key-password-file {passphrase}",
    effect=Effect("shown of itself", "CN=client"),
)


def passphrase_wanted(asked: Asked) -> Path | None:
    """The key that may need a passphrase which nobody has given."""
    return None if KEY_PASSWORD.name in asked else asked[KEY] or asked[CERT]


def _verify(asked: Asked) -> bool | None:
    if asked[INSECURE] and asked[CACERT]:
        raise UsageError("--insecure and --cacert contradict each other: leave one out.")
    return False if asked[INSECURE] else None


@dataclass(frozen=True, kw_only=True)
class Tls:
    """How the server's certificate is checked, and what the client shows of itself.

    Raises:
        UsageError: a key without a certificate, or a lowest version above the highest.
    """

    verify: bool = ruled(True, _verify, INSECURE, shown=True)  # noqa: FBT003  # the field's default
    ca_file: Path | None = ruled(
        None, lambda asked: asked[CACERT], CACERT, shown=True, about={"stored": PATH}
    )
    """PEM certificates to trust in place of the system's."""
    cert_file: Path | None = ruled(
        None, lambda asked: asked[CERT], CERT, shown=True, about={"stored": PATH}
    )
    """The client's own certificate, PEM, with its chain."""
    key_file: Path | None = ruled(
        None, lambda asked: asked[KEY], KEY, shown=True, about={"stored": PATH}
    )
    """Its key; `None`: in the certificate's file."""
    key_password: str | None = ruled(None, lambda asked: asked[KEY_PASSWORD], KEY_PASSWORD)
    ciphers: str | None = option(
        None,
        str,
        flags=("--ciphers",),
        metavar="LIST",
        help="OpenSSL's cipher list, for TLS 1.2.",
        example="-k --tls-max 1.2 --ciphers ECDHE+AES128+AESGCM",
        effect=Effect("document", "connections.ciphers[0][1] =~ AES128"),
        shown=True,
    )
    """OpenSSL's cipher list, for TLS 1.2."""
    minimum: TlsVersion | None = choice(
        None,
        TLS_VERSIONS,
        flags=("--tls-min",),
        help="Lowest version of TLS.",
        example="-k --tls-min 1.3",
        effect=Effect("offered", "TLS 1.3 alone"),
        shown=True,
        about={"json": "tls_min"},
    )
    maximum: TlsVersion | None = choice(
        None,
        TLS_VERSIONS,
        flags=("--tls-max",),
        help="Highest version of TLS.",
        example="-k --tls-max 1.2",
        effect=Effect("document", "connections.ciphers[0][0] == TLSv1.2"),
        shown=True,
        about={"json": "tls_max"},
    )

    def __post_init__(self) -> None:
        """Check what belongs together."""
        if self.key_file is not None and self.cert_file is None:
            raise UsageError("A client's key needs its certificate too (--cert).")
        if self.minimum and self.maximum and self.minimum > self.maximum:
            raise UsageError(f"TLS can't be {self.minimum} at least and {self.maximum} at most.")


IPV4 = flag(
    lambda version: version == 4,  # noqa: PLR2004  # it is called so
    flags=("-4", "--ipv4"),
    help="Use IPv4 only.",
    example="--connect-to ::[::1]:9 -4",
    effect=Effect("said", "dns (Address family"),
)
IPV6 = flag(
    lambda version: version == 6,  # noqa: PLR2004  # the same
    flags=("-6", "--ipv6"),
    help="Use IPv6 only.",
    rivals=("ipv4",),
    example="-6",
    effect=Effect("said", "dns (Address family"),
)


def _ip_version(asked: Asked) -> Literal[4, 6] | None:
    if asked[IPV4] and asked[IPV6]:
        raise UsageError("--ipv4 and --ipv6 contradict each other: leave one out.")
    return 4 if asked[IPV4] else 6 if asked[IPV6] else None


def _proxy(text: str) -> Target | None:
    return Target(text) if text else None


def _url(proxy: Target | None) -> str:
    return proxy.url if proxy else ""


def _without_credentials(proxy: Target | None) -> Target | None:
    return Target(proxy.origin) if proxy else None


@dataclass(frozen=True, kw_only=True)
class Network:
    """How the server is reached, and how long kab waits for it.

    Raises:
        UsageError: a time that is not above 0, or above a million seconds, a source that is no
            address, or two ways that contradict each other.
    """

    timeout_s: Annotated[float, above(0)] = option(
        30.0,
        parse_time,
        spell=time_text,
        flags=("-t", "--timeout"),
        metavar="TIME",
        help="Deadline for a whole exchange, the body included: 5s, 500ms; a number is of seconds.",
        example="-n 1 -t 1e-6",
        effect=Effect("exit code", "1"),
        shown=True,
    )
    """Deadline for a whole exchange, from asking for a connection to the last body byte."""
    connect_timeout_s: Annotated[float, above(0)] | None = option(
        None,
        parse_time,
        spell=time_text,
        flags=("--connect-timeout",),
        metavar="TIME",
        help="Deadline for name, TCP and TLS together.  [default: the timeout]",
        example="-n 1 --connect-timeout 1e-6",
        effect=Effect("exit code", "1"),
        shown=True,
    )
    """Deadline for DNS, TCP and TLS together; `None`: the exchange's own."""
    ip_version: Literal[4, 6] | None = ruled(None, _ip_version, IPV4, IPV6, shown=True)
    proxy: Target | None = option(
        None,
        _proxy,
        spell=_url,
        flags=("-x", "--proxy"),
        metavar="URL",
        help="http:// or https:// proxy, with credentials: plain requests are forwarded, https is "
        "tunnelled.",
        rivals=("unix-socket", "connect-to"),
        example="--proxy {url}",
        effect=Effect("sent", "GET http://"),
        shown=_without_credentials,
        about={
            "stored": Stored(str | None, lambda it: _url(it) or None, lambda it: _proxy(it or ""))
        },
    )
    """An http or https proxy: plain requests are forwarded, https is tunnelled."""
    connect_to: tuple[Route, ...] = options(
        (),
        parse_route,
        spell=route_text,
        flags=("--connect-to",),
        metavar="HOST1:PORT1:HOST2:PORT2",
        help="Connect to the second in place of the first; Host header, SNI and certificate check "
        "stay.",
        example="--connect-to ::127.0.0.1:{port}",
        effect=Effect("reached", "http://127.0.0.1:9/"),
        shown=True,
        about={
            "stored": Stored(
                tuple[tuple[str, int, str, int], ...],
                lambda several: [list(route) for route in several],
                lambda several: tuple(Route(*route) for route in several),
            )
        },
    )
    resolve: tuple[Resolution, ...] = options(
        (),
        parse_resolution,
        spell=resolution_text,
        flags=("--resolve",),
        metavar="HOST:PORT:ADDRESS[,ADDRESS]",
        help="Take these addresses, and don't look the name up.",
        example="--resolve there.test:{port}:127.0.0.1",
        effect=Effect("reached", "http://there.test:{port}/"),
        shown=True,
        about={
            "stored": Stored(
                tuple[tuple[str, int, tuple[str, ...]], ...],
                lambda several: [[host, port, list(ends)] for host, port, ends in several],
                lambda several: tuple(Resolution(*it) for it in several),
            )
        },
    )
    unix_socket: Path | None = option(
        None,
        Path,
        flags=("--unix-socket",),
        source="file",
        help="Connect to a Unix socket.",
        rivals=("source-address",),
        example="--unix-socket {socket}",
        effect=Effect("reached", "http://127.0.0.1:9/"),
        shown=True,
        about={"stored": PATH},
    )
    """A Unix socket to connect to, whatever the URL's host."""
    source_addresses: tuple[str, ...] = options(
        (),
        str,
        flags=("--source-address",),
        metavar="ADDRESS",
        help="Connect from a local address; several are taken in turns.",
        example="--source-address 127.0.0.3",
        effect=Effect("client", "127.0.0.3"),
        shown=True,
    )
    """Local addresses to connect from, in turns."""
    tcp_nodelay: bool | None = switch(
        None,
        off="--no-tcp-nodelay",
        flags=("--tcp-nodelay",),
        help="Nagle's algorithm off or on.  [default: urllib3's own, off except behind a proxy]",
        example="--no-tcp-nodelay",
        effect=Effect("socket option", "TCP_NODELAY == 0"),
        shown=True,
    )
    """Whether Nagle's algorithm is off; `None`: as urllib3 has it, off except behind proxies."""
    tcp_keepalive: bool = switch(
        default=False,
        flags=("--tcp-keepalive",),
        help="Let the system probe idle connections.",
        example="--tcp-keepalive",
        effect=Effect("socket option", "SO_KEEPALIVE == 1"),
        shown=True,
    )
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
