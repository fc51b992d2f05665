"""TLS: one context for all arms, its certificates loaded once; another for the arm that resumes.

A new HTTPS pool that has to load the certificates itself pays some 30 ms for it: that is no cost
of a connection, so it must not enter any arm's first request.

TLS session resumption, which urllib3 never does, goes through the context, a public seam:
`sslsocket_class` and `sslobject_class` (for TLS within TLS) are what it makes connections of, and
`do_handshake` is where a session can be offered. A session belongs to its context, so an arm that
resumes has one of its own, and the other arms stay as they are.
"""

from __future__ import annotations

import ssl
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from urllib3.exceptions import InsecureRequestWarning
from urllib3.util.ssl_ import create_urllib3_context
from urllib3.util.ssltransport import SSLTransport

from keepalive_bench.errors import UsageError
from keepalive_bench.results.failure_causes import NAMELESS
from keepalive_bench.units import enumerated, filename, shortened

if TYPE_CHECKING:
    from pathlib import Path

    from keepalive_bench.plan.network import Tls

_SINGLE_USE_FROM = "TLSv1.3"
_NAMES_SHOWN, _NAME_LIMIT = 4, 60
"""Of a certificate that is for others: how many, and characters of each."""
_NO_PEM = "it is not in PEM format, or the passphrase is wrong"
"""What OpenSSL doesn't tell Python."""
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def build_context(tls: Tls) -> ssl.SSLContext:
    """The context that every connection of a run shares.

    Raises:
        UsageError: a file of certificates or keys can't be used, or no cipher is known.
    """
    context = create_urllib3_context()
    context.sslsocket_class = _NamingSocket
    _set_versions(context, tls)
    _trust(context, tls)
    if tls.cert_file is not None:
        _identify(context, tls, tls.cert_file)
    return context


def proxy_context(tls: Tls) -> ssl.SSLContext:
    """The context for an https proxy: it trusts the same, and shows no client certificate."""
    context = create_urllib3_context()
    _trust(context, tls)
    return context


def _set_versions(context: ssl.SSLContext, tls: Tls) -> None:
    if tls.minimum is not None:
        context.minimum_version = VERSIONS[tls.minimum]
    if tls.maximum is not None:
        context.maximum_version = VERSIONS[tls.maximum]
    if tls.ciphers is not None:
        try:
            context.set_ciphers(tls.ciphers)
        except ssl.SSLError:
            shown = shortened(tls.ciphers)
            raise UsageError(f"OpenSSL knows no cipher in '{shown}' (--ciphers).") from None


def _trust(context: ssl.SSLContext, tls: Tls) -> None:
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        # It was asked for, and is said once by whoever asked: not once a request.
        warnings.filterwarnings("ignore", category=InsecureRequestWarning)
    elif tls.ca_file is None:
        context.load_default_certs()
    else:
        shown = filename(tls.ca_file)
        try:
            context.load_verify_locations(cafile=tls.ca_file)
        except ssl.SSLError:
            raise UsageError(f"{shown} contains no certificate in PEM format (--cacert).") from None
        except OSError as error:
            raise UsageError(f"{shown} can't be read (--cacert): {error.strerror}.") from None


def _identify(context: ssl.SSLContext, tls: Tls, cert_file: Path) -> None:
    """Load the client's certificate; without a passphrase given, OpenSSL must not ask for one."""
    files = " and ".join(filename(path) for path in (cert_file, tls.key_file) if path)
    try:
        context.load_cert_chain(cert_file, tls.key_file, password=lambda: tls.key_password or "")
    except ssl.SSLError as error:
        reason = (error.reason or "").replace("_", " ").lower() or _NO_PEM
        raise UsageError(
            f"{files} can't be used as the client's certificate and key: {reason} "
            "(--cert, --key, --key-password-file)."
        ) from None
    except OSError as error:
        raise UsageError(f"{files} can't be read (--cert, --key): {error.strerror}.") from None
    except ValueError:  # an empty passphrase, on releases that don't take one
        raise UsageError(f"{files}: the key has a passphrase (--key-password-file).") from None


class Sessions:
    """An arm's TLS sessions that wait for a handshake; the latest is used first.

    There are never more than connections were open at once. Safe from any thread, as a list's own
    steps are.
    """

    def __init__(self) -> None:
        self._waiting: list[ssl.SSLSession] = []

    def offer(self, handshake: _ResumingSocket | _ResumingObject) -> None:
        """Give a handshake that is about to begin the latest session, if there is one."""
        if self._waiting:
            with suppress(IndexError):  # another thread may be quicker
                handshake.offered = handshake.session = self._waiting.pop()

    def keep(self, connection: object) -> None:
        """Take the session of a connection that is about to be closed, for the next one.

        With TLS 1.3 there is none before the first read, as tickets come behind the handshake; and
        a ticket is for one connection only (RFC 8446, appendix C.4; some servers insist). Until
        TLS 1.2, a session that was taken up is as good as before. It isn't asked for again: that
        takes 0.1 ms, and before Python 3.12.8 and 3.13.1 it loses the memory of a session
        (https://github.com/python/cpython/issues/116810).
        """
        secured = connection.sslobj if isinstance(connection, SSLTransport) else connection
        # A handshake that failed leaves the plain socket, or the TLS of an https proxy.
        if not isinstance(secured, _ResumingSocket | _ResumingObject):
            return
        lasts = secured.session_reused and secured.version() != _SINGLE_USE_FROM
        session = secured.offered if lasts else secured.session
        if session is not None and (session.has_ticket or session.id):
            self._waiting.append(session)


def say_goodbye(connection: object) -> None:
    """End TLS properly: after a mere FIN, servers with OpenSSL 3 drop the session from their cache.

    The server's own goodbye is not waited for.
    """
    if isinstance(connection, ssl.SSLSocket | SSLTransport):
        connection.settimeout(0)
        with suppress(OSError, ValueError):
            connection.unwrap()


class _NamingSocket(ssl.SSLSocket):
    """A TLS connection that says which names a certificate is for that isn't for the one asked."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002  # the socket's signature
        try:
            super().do_handshake(block)
        except ssl.SSLCertVerificationError as error:
            if "mismatch" in error.verify_message and (names := self._names()) is not None:
                told = error.verify_message.rstrip(".")
                meant = f"but for {enumerated(names)}" if names else NAMELESS
                error.verify_message = f"{told}, {meant}"
            raise

    def _names(self) -> list[str] | None:
        """Names in the certificate; `None` where Python doesn't tell what it refused.

        It does so since 3.13, in public; before, only what is inside the socket does.
        """
        try:
            first, *_ = self._sslobj.get_unverified_chain()  # type: ignore[attr-defined]  # not in typeshed
            found = first.get_info().get("subjectAltName", ())
            names = [name[:_NAME_LIMIT] for _, name in found]
        except (AttributeError, TypeError, ValueError, OSError):
            return None
        more = len(names) - _NAMES_SHOWN
        return [*names[:_NAMES_SHOWN], *([f"{more} more"] if more > 0 else [])]


class _ResumingSocket(_NamingSocket):
    """A TLS connection that offers the server a session."""

    sessions: ClassVar[Sessions]
    offered: ssl.SSLSession | None = None

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002  # the socket's signature
        self.sessions.offer(self)
        super().do_handshake(block)


class _ResumingObject(ssl.SSLObject):
    """The same for TLS within TLS, where a handshake is called again until it is done."""

    sessions: ClassVar[Sessions]
    offered: ssl.SSLSession | None = None
    _has_begun = False

    def do_handshake(self) -> None:
        if not self._has_begun:
            self._has_begun = True
            self.sessions.offer(self)
        super().do_handshake()


def resuming_context(tls: Tls, sessions: Sessions) -> ssl.SSLContext:
    """A context whose handshakes take up sessions.

    urllib3 asks for no tickets with TLS 1.2 (OP_NO_TICKET), which leaves servers without a cache
    of sessions nothing to resume from; this one asks.

    Raises:
        UsageError: a file of certificates or keys can't be used, or no cipher is known.
    """
    context = build_context(tls)
    context.options &= ~ssl.OP_NO_TICKET
    namespace = {"sessions": sessions}
    context.sslsocket_class = type("ResumingSocket", (_ResumingSocket,), namespace)
    context.sslobject_class = type("ResumingObject", (_ResumingObject,), namespace)
    return context
