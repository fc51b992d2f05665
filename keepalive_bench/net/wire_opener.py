"""Opens connections for a probe, each in its way: to the server, or through a proxy, with TLS."""

from __future__ import annotations

import socket
import ssl
import warnings
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

from urllib3.util.ssltransport import SSLTransport

from keepalive_bench.net import check_library
from keepalive_bench.net.failures import failure_of
from keepalive_bench.net.tcp import Dialer, address_name
from keepalive_bench.net.tcp_info import handshake_of
from keepalive_bench.net.tls import Sessions, build_context, proxy_context, resuming_context
from keepalive_bench.net.wire import Facts, NoResponseError, Wire
from keepalive_bench.net.wire_reader import ResponseSource, TimedBytes
from keepalive_bench.plan.request import basic
from keepalive_bench.results.exchange import Failure
from keepalive_bench.results.failure_kinds import PROXY

if TYPE_CHECKING:
    from keepalive_bench.net.failures import Stage
    from keepalive_bench.net.tcp import Address, Clock
    from keepalive_bench.net.wire_reader import Secured
    from keepalive_bench.plan.network import Network, Tls
    from keepalive_bench.plan.target import Target

_SECOND = 1_000_000_000
_DEFAULTS = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)
"""urllib3's own socket options."""
_USUAL_ALPN = ("http/1.1",)
"""What urllib3 offers."""
_OK = 200
_VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}
TLS_BUILT_IN = {
    "1.0": ssl.HAS_TLSv1,
    "1.1": ssl.HAS_TLSv1_1,
    "1.2": ssl.HAS_TLSv1_2,
    "1.3": ssl.HAS_TLSv1_3,
}
"""Versions, and whether this machine's OpenSSL has them at all."""
_OLD = {"1.0", "1.1"}
_OLD_CIPHERS = "ALL:!aNULL:!eNULL"
"""All that authenticate the server and encrypt."""
_WITHOUT_IDS = "1.3"
"""The first version whose sessions have no id to be taken up by."""


class WayOfTls(NamedTuple):
    """What a connection offers in TLS; connections of one way share a context, and sessions."""

    version: str = ""
    """The only one that is offered; empty: those that the plan allows."""
    alpn: tuple[str, ...] | None = None
    resumes: str = ""
    """`ticket`, `id`, or nothing."""


class UntriedError(Exception):
    """A connection isn't opened, for a reason of this side's."""

    def __init__(self, reason: Literal["no-address", "openssl", "options"]) -> None:
        super().__init__(reason)
        self.reason = reason


class WireOpener:
    """Opens connections to a server. Safe from any thread.

    Raises:
        UsageError: a file that the plan names can't be used, or urllib3 is another library.
    """

    def __init__(self, target: Target, network: Network, tls: Tls, clock: Clock) -> None:
        check_library()
        self._target, self._network, self._tls, self._clock = target, network, tls, clock
        self._dialer = Dialer(network, clock)
        self._contexts: dict[WayOfTls, ssl.SSLContext | UntriedError] = {}
        self._sessions: dict[WayOfTls, Sessions] = {}
        self._found: list[Address] = []
        """Of the name, once they were asked for: a look-up may say them in another order."""
        proxy = network.proxy
        self._proxy_context = proxy_context(tls) if proxy and proxy.scheme == "https" else None
        self.prepare(WayOfTls())

    def prepare(self, way: WayOfTls) -> None:
        """Load what connections of a way need, before anything is timed."""
        if self._target.scheme == "https" and way not in self._contexts:
            try:
                usual = way == WayOfTls()  # whose failure is to be seen as all see it
                self._contexts[way] = self._made(way) if usual else self._checked(way)
            except UntriedError as error:
                self._contexts[way] = error

    def keep(self, way: WayOfTls, wire: Wire) -> bool:
        """Keep the session of a connection, for the next one of its way; whether it has one."""
        session, sessions = wire.session, self._sessions.get(way)
        if session is None or sessions is None:
            return False
        if not (session.has_ticket if way.resumes == "ticket" else session.id):
            return False
        sessions.keep(wire.secured)
        return True

    def open(self, way: WayOfTls, address: int | None = None) -> Wire:
        """Open a connection; the first address that answers, or only that of a number.

        Raises:
            NoResponseError: it can't be opened.
            UntriedError: there is no such address, or its TLS can't be offered.
        """
        if isinstance(context := self._contexts.get(way), UntriedError):
            raise context
        began, stage = self._clock(), _Stage()
        timeout_s = self._network.connect_timeout_s or self._network.timeout_s
        deadline = began + round(timeout_s * _SECOND)
        opened: Secured | None = None
        try:
            opened, peer = self._dialled(stage, deadline, address)
            plain, connected = opened, self._clock()
            proxy = self._network.proxy
            if self._proxy_context is not None and proxy is not None:
                stage.now = "tls"
                opened = self._secured(opened, self._proxy_context, proxy.host, deadline)
            if proxy is not None and self._target.scheme == "https":
                stage.now = "tunnel"
                self._tunnel(opened, proxy, deadline)
            secured = self._clock()
            if context is not None:
                stage.now = "tls"
                opened = self._secured(opened, context, self._target.host, deadline)
            return self._wire(opened, plain, peer, (stage.dialled_ns, connected, secured))
        except Exception as error:  # nobody knows all that may be raised
            if opened is not None:
                opened.close()
            if isinstance(error, NoResponseError | UntriedError):
                raise
            raise NoResponseError(failure_of(error, stage.now), peer=stage.peer) from None

    def _dialled(
        self, stage: _Stage, deadline: int, number: int | None
    ) -> tuple[socket.socket, str]:
        end = self._network.proxy or self._target
        found: list[Address]
        found, _ = self._dialer.resolve(end.host, end.port)
        stage.now, stage.dialled_ns = "connect", self._clock()
        if number is not None:
            named = {address_name(it.sockaddr): it for it in (self._found or found)}
            self._found = [*named.values()]
            found = self._found[number : number + 1]
            if not found:
                raise UntriedError("no-address")
            stage.peer = address_name(found[0].sockaddr)
        dialled = self._dialer.connect(found, _DEFAULTS, deadline)
        stage.dialled_ns = dialled.began
        return dialled.socket, dialled.peer

    def _secured(
        self,
        opened: Secured,
        context: ssl.SSLContext,
        host: str,
        deadline: int,
    ) -> Secured:
        opened.settimeout(max((deadline - self._clock()) / _SECOND, 1e-3))
        name = host.rstrip(".")
        if isinstance(opened, ssl.SSLSocket):
            return SSLTransport(opened, context, name, suppress_ragged_eofs=False)
        return context.wrap_socket(
            cast("socket.socket", opened),
            server_hostname=name,
            suppress_ragged_eofs=False,
        )

    def _tunnel(self, opened: Secured, proxy: Target, deadline: int) -> None:
        """Ask a proxy for a tunnel.

        Raises:
            NoResponseError: it refuses.
        """
        host = f"[{self._target.host}]" if ":" in self._target.host else self._target.host
        end = f"{host}:{self._target.port}"
        lines = [f"CONNECT {end} HTTP/1.1", f"Host: {end}"]
        if proxy.credentials:
            lines.append(f"Proxy-Authorization: {basic(proxy.credentials)}")
        opened.settimeout(max((deadline - self._clock()) / _SECOND, 1e-3))
        opened.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        # Unbuffered, so that nothing of what comes behind the answer is lost.
        source = ResponseSource(TimedBytes(opened, self._clock, deadline))
        response = HTTPResponse(cast("Any", source), method="CONNECT")
        response.begin()
        if response.status != _OK:
            message = f"Tunnel connection failed: {response.status} {response.reason}"
            raise NoResponseError(Failure(PROXY.code, message[:300]))

    def _wire(
        self, opened: Secured, plain: socket.socket, peer: str, times: tuple[int, int, int]
    ) -> Wire:
        dialled, connected, secured = times
        inner: Any = opened.sslobj if isinstance(opened, SSLTransport) else opened
        tls = inner if self._target.scheme == "https" else None
        facts = Facts(
            peer=peer,
            connect_s=(connected - dialled) / _SECOND,
            tls_s=tls and (self._clock() - secured) / _SECOND,
            round_trip_s=handshake_of(plain).min_rtt_s,
            tls_version=tls and tls.version(),
            cipher=tls and tls.cipher()[0],
            alpn=tls and tls.selected_alpn_protocol(),
            resumed=tls and tls.session_reused,
        )
        return Wire(opened, facts, self._clock)

    def _checked(self, way: WayOfTls) -> ssl.SSLContext:
        """A context that can begin a handshake.

        Raises:
            UntriedError: this machine's OpenSSL can't, or the user's options forbid it.
        """
        tls = self._tls
        highest = "1.2" if way.resumes == "id" else way.version
        if highest and tls.minimum is not None and highest < tls.minimum:
            raise UntriedError("options")
        if way.version and tls.maximum is not None and way.version > tls.maximum:
            raise UntriedError("options")
        if way.version and not TLS_BUILT_IN[way.version]:
            raise UntriedError("openssl")
        try:
            context = self._made(way)
            context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="a").do_handshake()
        except ssl.SSLWantReadError:  # it has begun, and waits for the server's part
            return context
        except (ssl.SSLError, ValueError):
            raise UntriedError("openssl" if tls.ciphers is None else "options") from None
        raise AssertionError("no handshake is over before it has begun")

    def _made(self, way: WayOfTls) -> ssl.SSLContext:
        if way.resumes:
            self._sessions[way] = Sessions()
            context = resuming_context(self._tls, self._sessions[way])
        else:
            context = build_context(self._tls)
        context.set_alpn_protocols(list(_USUAL_ALPN if way.alpn is None else way.alpn))
        if way.version:
            with warnings.catch_warnings():  # Python warns of old versions, which are asked for
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
                context.maximum_version = _VERSIONS[way.version]
                context.minimum_version = _VERSIONS[way.version]
            if way.version in _OLD:  # which OpenSSL's own level of security forbids
                context.set_ciphers(f"{self._tls.ciphers or _OLD_CIPHERS}:@SECLEVEL=0")
        if way.resumes == "id":
            context.options |= ssl.OP_NO_TICKET
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        return context


class _Stage:
    """How far the opening of a connection has got."""

    def __init__(self) -> None:
        self.now: Stage = "dns"
        self.dialled_ns = 0
        self.peer: str | None = None
        """The address, where only one is to be tried."""
