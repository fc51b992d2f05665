"""TLS on the server's side, with a certificate that is good for loopback only."""

from __future__ import annotations

import ssl
from contextlib import suppress
from typing import TYPE_CHECKING

from keepalive_bench.errors import UsageError
from keepalive_bench.units import filename

if TYPE_CHECKING:
    import socket

    from keepalive_bench.server.settings import ServerSettings

_HANDSHAKE_TIMEOUT_S = 10.0
_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


class ServerTls:
    """What a server's connections need for TLS; one context serves them all.

    Raises:
        UsageError: The certificate or its key can't be used.
    """

    def __init__(self, settings: ServerSettings) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        _load(self._context, settings)
        if settings.tls_min is not None:
            self._context.minimum_version = _VERSIONS[settings.tls_min]
        if settings.tls_max is not None:
            self._context.maximum_version = _VERSIONS[settings.tls_max]

    def wrap(self, plain: socket.socket) -> ssl.SSLSocket:
        """Take a connection over, without saying anything yet."""
        return self._context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)

    @staticmethod
    def shake_hands(connection: ssl.SSLSocket) -> None:
        """Do the handshake; a client that stays silent doesn't hold its thread for ever.

        Raises:
            OSError: The handshake failed or took too long.
        """
        connection.settimeout(_HANDSHAKE_TIMEOUT_S)
        connection.do_handshake()
        connection.settimeout(None)

    @staticmethod
    def say_goodbye(connection: socket.socket) -> None:
        """Send TLS's own end of the connection, so that it can't be taken for a truncation.

        The client's goodbye is not waited for: it may never come.
        """
        if isinstance(connection, ssl.SSLSocket):
            connection.settimeout(0)
            with suppress(OSError, ValueError):
                connection.unwrap()


def _load(context: ssl.SSLContext, settings: ServerSettings) -> None:
    try:
        # A key with a password is refused: without one given, OpenSSL would ask the terminal.
        context.load_cert_chain(settings.certificate, settings.key_file, password=str)
    except OSError as error:  # OpenSSL's errors are some, too.
        no_match = "one of them is no plain PEM file, or they don't belong together"
        reason = no_match if isinstance(error, ssl.SSLError) else error.strerror
        raise UsageError(
            f"The certificate {filename(settings.certificate)} and the key "
            f"{filename(settings.key_file)} can't be used: {reason}."
        ) from error
