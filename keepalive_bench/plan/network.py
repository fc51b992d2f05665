"""How the server is reached, and how its certificate is checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args

from keepalive_bench.errors import UsageError
from keepalive_bench.plan.options import (
    Example,
    JsonForm,
    Option,
    choice,
    option,
    options,
    ruled,
    set_by,
    spelled,
    switch,
)
from keepalive_bench.plan.target import Target
from keepalive_bench.plan.values import (
    LONGEST_PROBE_S,
    ProbeTimes,
    Resolution,
    Route,
    is_address,
    parse_probe_times,
    parse_resolution,
    parse_route,
    parse_time,
    probe_times_text,
    resolution_text,
    route_text,
    time_text,
    within,
    within_s,
)
from keepalive_bench.typed_json import above
from keepalive_bench.units import quoted

if TYPE_CHECKING:
    from keepalive_bench.plan.options import Asked, File

TlsVersion = Literal["1.2", "1.3"]
TLS_VERSIONS: tuple[TlsVersion, ...] = get_args(TlsVersion)


def _passphrase(file: File) -> str:
    try:
        return file.content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise UsageError(f"{file.name} is not UTF-8 (--key-password-file).") from None


INSECURE = Option(
    form="switch",
    parse=bool,
    words=lambda verify: [] if verify else ["--insecure"],
    spelling="-k, --insecure",
    help="Don't check the server's certificate.",
    example=Example("-k", "0", "exit code"),
)


CACERT = Option(
    parse=Path,
    words=spelled(),
    spelling="--cacert FILE",
    source="checked",
    help="Certificates to trust (PEM).",
    example=Example("--cacert {ca}", "0", "exit code"),
    rivals=("insecure",),
)


def _verify(asked: Asked) -> bool | None:
    if asked[INSECURE] and CACERT in asked:
        raise UsageError("--insecure and --cacert contradict each other: leave one out.")
    return False if asked[INSECURE] else None


@dataclass(frozen=True, kw_only=True)
class Tls:
    """How the server's certificate is checked, and what the client shows of itself.

    Raises:
        UsageError: a key without a certificate, or a lowest version above the highest.
    """

    verify: bool = ruled(True, _verify, INSECURE, shown=True)  # noqa: FBT003  # the field's default
    """Whether the server's certificate is checked."""
    ca_file: Path | None = set_by(None, CACERT, shown=True, matters=False)
    """The file of certificates trusted in place of the system's; `None`: the system's."""
    cert_file: Path | None = option(
        None,
        Path,
        spelling="--cert FILE",
        source="checked",
        help="The client's own certificate (PEM).",
        example=Example("-k --cert {both}", "CN=client", "shown of itself"),
        shown=True,
        matters=False,
    )
    """The client's own certificate, with its chain; `None`: none is shown."""
    key_file: Path | None = option(
        None,
        Path,
        spelling="--key FILE",
        source="checked",
        help="Its key.  [default: in the certificate's file]",
        example=Example("-k --cert {cert} --key {key}", "CN=client", "shown of itself"),
        shown=True,
        matters=False,
    )
    """Its key; `None`: in the certificate's file, or none."""
    key_password: str | None = option(
        None,
        _passphrase,
        spelling="--key-password-file FILE",
        source="content",
        help="The key's passphrase.  [default: asked for]",
        example=Example(
            "-k --cert {cert} --key {locked} --key-password-file {passphrase}",
            "CN=client",
            "shown of itself",
        ),
        matters=False,
    )
    ciphers: str | None = option(
        None,
        str,
        spelling="--ciphers LIST",
        help="OpenSSL's cipher list, for TLS 1.2.",
        example=Example(
            "-k --tls-max 1.2 --ciphers ECDHE+AES128+AESGCM", "connections.ciphers[0][1] =~ AES128"
        ),
        shown=True,
    )
    """OpenSSL's cipher list for TLS 1.2; `None`: OpenSSL's own choice."""
    minimum: TlsVersion | None = choice(
        None,
        TLS_VERSIONS,
        spelling="--tls-min",
        help="Lowest version of TLS.",
        example=Example("-k --tls-min 1.3", "TLS 1.3 alone", "offered"),
        shown=True,
        json="tls_min",
    )
    """Lowest version of TLS; `None`: urllib3's own."""
    maximum: TlsVersion | None = choice(
        None,
        TLS_VERSIONS,
        spelling="--tls-max",
        help="Highest version of TLS.",
        example=Example("-k --tls-max 1.2", "connections.ciphers[0][0] == TLSv1.2"),
        shown=True,
        json="tls_max",
    )
    """Highest version of TLS; `None`: OpenSSL's own."""

    def __post_init__(self) -> None:
        """Check what belongs together."""
        if self.key_file is not None and self.cert_file is None:
            raise UsageError("A client's key needs its certificate too (--cert).")
        if self.minimum and self.maximum and self.minimum > self.maximum:
            raise UsageError(f"TLS can't be {self.minimum} at least and {self.maximum} at most.")


IPV4 = Option(
    form="switch",
    parse=bool,
    words=lambda version: ["--ipv4"] if version == 4 else [],  # noqa: PLR2004  # it is called so
    spelling="-4, --ipv4",
    help="Use IPv4 only.",
    example=Example("--connect-to ::[::1]:9 -4", "dns (Address family", "said"),
)
IPV6 = Option(
    form="switch",
    parse=bool,
    words=lambda version: ["--ipv6"] if version == 6 else [],  # noqa: PLR2004  # the same
    spelling="-6, --ipv6",
    help="Use IPv6 only.",
    rivals=("ipv4",),
    example=Example("-6", "dns (Address family", "said"),
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
        spelling="-t, --timeout TIME",
        help="Deadline of a whole exchange.",
        more="The body included: 5s, 500ms; a number alone is of seconds.",
        example=Example("-n 1 -t 1e-6", "1", "exit code"),
        shown=True,
        matters=False,
    )
    """Deadline of a whole exchange."""
    connect_timeout_s: Annotated[float, above(0)] | None = option(
        None,
        parse_time,
        spell=time_text,
        spelling="--connect-timeout TIME",
        help="Deadline of DNS, TCP and TLS.  [default: -t]",
        example=Example("-n 1 --connect-timeout 1e-6", "1", "exit code"),
        shown=True,
        matters=False,
    )
    """Deadline for DNS, TCP and TLS together; `None`: the exchange's own."""
    ip_version: Literal[4, 6] | None = ruled(None, _ip_version, IPV4, IPV6, shown=True)
    """The version of IP; `None`: either."""
    proxy: Target | None = option(
        None,
        _proxy,
        spell=_url,
        spelling="-x, --proxy URL",
        help="http:// or https:// proxy, with credentials.",
        more="Plain requests are forwarded, https is tunnelled.",
        rivals=("unix-socket", "connect-to"),
        example=Example("--proxy {url}", "GET http://", "sent"),
        shown=_without_credentials,
        json_form=JsonForm(str | None, lambda it: _url(it) or None, lambda it: _proxy(it or "")),
    )
    """The proxy; in a file, without credentials; `None`: none."""
    connect_to: tuple[Route, ...] = options(
        (),
        parse_route,
        spell=route_text,
        spelling="--connect-to H1:P1:H2:P2",
        help="Connect to host H2, port P2, instead of H1, P1.",
        more="Host header, SNI and the certificate's check stay. An empty host or port stands "
        "for any, or for the same.",
        example=Example("--connect-to ::127.0.0.1:{port}", "http://127.0.0.1:9/", "reached"),
        shown=True,
        json_form=JsonForm(
            tuple[tuple[str, int, str, int], ...],
            lambda several: [list(route) for route in several],
            lambda several: tuple(Route(*route) for route in several),
        ),
    )
    """`[host, port, host, port]`: connect to the second in place of the first; `""` and 0 stand for
    any, or for the same."""
    resolve: tuple[Resolution, ...] = options(
        (),
        parse_resolution,
        spell=resolution_text,
        spelling="--resolve HOST:PORT:ADDR",
        help="Take these addresses (ADDR,ADDR) instead of DNS.",
        example=Example(
            "--resolve there.test:{port}:127.0.0.1", "http://there.test:{port}/", "reached"
        ),
        shown=True,
        json_form=JsonForm(
            tuple[tuple[str, int, tuple[str, ...]], ...],
            lambda several: [[host, port, list(ends)] for host, port, ends in several],
            lambda several: tuple(Resolution(*it) for it in several),
        ),
    )
    """`[host, port, [addresses]]`: addresses taken in place of looking the name up."""
    unix_socket: Path | None = option(
        None,
        Path,
        spelling="--unix-socket PATH",
        source="file",
        help="Connect to a Unix socket.",
        rivals=("source-address",),
        example=Example("--unix-socket {socket}", "http://127.0.0.1:9/", "reached"),
        shown=True,
    )
    """The Unix socket that is connected to; `None`: none."""
    source_addresses: tuple[str, ...] = options(
        (),
        str,
        spelling="--source-address ADDRESS",
        help="Connect from this local address.",
        more="Several are taken in turns.",
        example=Example("--source-address 127.0.0.3", "127.0.0.3", "client"),
        shown=True,
        matters=False,
    )
    """Local addresses connected from, in turns; empty: the system's choice."""
    tcp_nodelay: bool | None = switch(
        None,
        spelling="--tcp-nodelay / --no-tcp-nodelay",
        help="Nagle's algorithm off or on.",
        more="Without either, as urllib3 has it: off except behind a proxy.",
        example=Example("--no-tcp-nodelay", "TCP_NODELAY == 0", "socket option"),
        shown=True,
    )
    """Whether Nagle's algorithm is off; `None`: as urllib3 has it, off except behind a proxy."""
    tcp_keepalive: bool = switch(
        default=False,
        spelling="--tcp-keepalive",
        help="Let the system probe idle connections.",
        example=Example("--tcp-keepalive", "SO_KEEPALIVE == 1", "socket option"),
        shown=True,
    )
    """Whether the system probes idle connections."""
    tcp_keepalive_time: ProbeTimes | None = option(
        None,
        parse_probe_times,
        spell=probe_times_text,
        spelling="--tcp-keepalive-time S[,S]",
        help="Probe after S idle seconds, then every S.",
        more="It implies --tcp-keepalive.",
        rivals=("unix-socket",),
        example=Example("--tcp-keepalive-time 60,10", "TCP_KEEPIDLE == 60", "socket option"),
        shown=True,
        json_form=JsonForm(
            tuple[int, int | None] | None,
            lambda times: times and list(times),
            lambda times: times and ProbeTimes(*times),
        ),
    )
    """`[idle, interval]`: after how many seconds the system probes an idle connection, and how
    often then (`null`: as the system has it); `None`: as the system has it."""

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
                raise UsageError(f"{quoted(address)} isn't an IP address to connect from.")
        for seconds in self.tcp_keepalive_time or ():
            if seconds is not None:
                within(1, LONGEST_PROBE_S, "seconds of --tcp-keepalive-time", seconds)
        if self.tcp_keepalive_time is not None:
            object.__setattr__(self, "tcp_keepalive", True)
        self._check_ways()

    def _check_ways(self) -> None:
        pairs = (
            ("A proxy", self.proxy, "a Unix socket", self.unix_socket),
            # The proxy connects to the server: where to isn't for kab to choose.
            ("A proxy", self.proxy, "another place to connect to", self.connect_to),
            ("A source address", self.source_addresses, "a Unix socket", self.unix_socket),
            ("A time of probes", self.tcp_keepalive_time, "a Unix socket", self.unix_socket),
        )
        for one, first, other, second in pairs:
            if first and second:
                raise UsageError(f"{one} and {other} contradict each other: leave one out.")
