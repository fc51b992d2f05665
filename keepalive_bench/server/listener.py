"""The server itself: it accepts connections, gives each a thread, and ends them all."""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import ExitStack, suppress
from ipaddress import ip_address
from itertools import count
from typing import TYPE_CHECKING, Any

from keepalive_bench.errors import UsageError
from keepalive_bench.server.connection import ClientConnection, Service
from keepalive_bench.server.counts import Counter, Recorder
from keepalive_bench.server.responses import ResponseFactory
from keepalive_bench.units import filename, quoted

if TYPE_CHECKING:
    import ssl

    from typing_extensions import Self

    from keepalive_bench.server.counts import Stats
    from keepalive_bench.server.settings import ServerSettings

# So deep that no client of a benchmark ever waits for a place; the system may allow less.
_BACKLOG = 4096
_PAUSE_AFTER_FAILED_ACCEPT_S = 0.05
_ENOUGH_TO_END_S = 2.0
_POLL_S = 0.05

_Address = tuple[socket.AddressFamily, tuple[Any, ...]]  # as bind() takes it, host first


class Server:
    """A server in this process.

    It has its address and holds its files from birth on. Connections are accepted from `start`
    to `stop`; as a context manager it does both.

    Attributes:
        url: Its address, such as ``http://127.0.0.1:41233`` or ``https://[::1]:41233``.
        port: The port of that address.

    Raises:
        UsageError: The address can't be served, the record can't be written, or the certificate
            can't be used.
    """

    def __init__(self, settings: ServerSettings) -> None:
        self._counter = Counter()
        self._stopping = threading.Event()
        with ExitStack() as resources:
            self._listener = resources.enter_context(_bind(settings))
            recorder = None
            if settings.record is not None:
                recorder = resources.enter_context(Recorder(settings.record))
            self._fault, self._one_at_a_time = settings.fault, settings.one_at_a_time
            self._service = Service(
                behaviour=settings.behaviour,
                responses=ResponseFactory(settings.behaviour),
                counter=self._counter,
                recorder=recorder,
                tls=tls_context(settings) if settings.tls else None,
                stopping=self._stopping,
            )
            self._resources = resources.pop_all()
        self.url = _url_of(self._listener, tls=settings.tls)
        self.port: int = self._listener.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept_all, daemon=True)
        self._living: dict[ClientConnection, threading.Thread] = {}

    @property
    def stats(self) -> Stats:
        """The counts up to now.

        A client can think a TLS 1.3 handshake complete before the server does: it is surely
        counted only when a request on its connection has been answered.
        """
        return self._counter.snapshot()

    def start(self) -> None:
        """Begin to accept connections."""
        self._accepting.start()

    def stop(self) -> Stats:
        """End all connections and the server, and return the final counts."""
        deadline = time.monotonic() + _ENOUGH_TO_END_S
        self._stopping.set()
        with suppress(OSError):  # Where shutdown doesn't wake up accept(), close does.
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        if self._accepting.is_alive():
            self._accepting.join(_ENOUGH_TO_END_S)
        living = list(self._living.items())
        for connection, _ in living:
            connection.hang_up()
        for _, thread in living:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._resources.close()
        return self._counter.snapshot()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _accept_all(self) -> None:
        numbers = count(1)
        while not self._stopping.is_set():
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                # The end, or a bad moment such as no free file descriptor, which passes.
                self._stopping.wait(_PAUSE_AFTER_FAILED_ACCEPT_S)
                continue
            self._counter.add("accepts")
            connection = self._receive(accepted, next(numbers))
            thread = threading.Thread(target=self._live, args=(connection,), daemon=True)
            self._living[connection] = thread
            try:
                thread.start()
            except RuntimeError:  # no thread is left, which passes, too
                del self._living[connection]
                accepted.close()
                self._stopping.wait(_PAUSE_AFTER_FAILED_ACCEPT_S)
            while self._one_at_a_time and thread.is_alive() and not self._stopping.is_set():
                thread.join(_POLL_S)

    def _receive(self, accepted: socket.socket, number: int) -> ClientConnection:
        if self._fault is not None and self._fault.strikes_connection(number):
            # Here, because a server without faults is to start without them.
            from keepalive_bench.server.faults.connection import (  # noqa: PLC0415
                FaultyConnection,
            )

            return FaultyConnection(accepted, number, self._service, self._fault)
        return ClientConnection(accepted, number, self._service)

    def _live(self, connection: ClientConnection) -> None:
        try:
            connection.run()
        finally:
            del self._living[connection]


def tls_context(settings: ServerSettings) -> ssl.SSLContext:
    """What a server's connections need for TLS.

    Raises:
        UsageError: The certificate or its key can't be used.
    """
    # Here, because it takes longer to import than all the rest: a plain server starts at once.
    import ssl  # noqa: PLC0415

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # A key with a password is refused: without one given, OpenSSL would ask the terminal.
        context.load_cert_chain(settings.certificate, settings.key_file, password=str)
    except OSError as error:  # OpenSSL's errors are some, too.
        no_match = "one of them isn't a plain PEM file, or they don't belong together"
        reason = no_match if isinstance(error, ssl.SSLError) else error.strerror
        raise UsageError(
            f"The certificate {filename(settings.certificate)} and the key "
            f"{filename(settings.key_file)} can't be used: {reason}."
        ) from error
    versions = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
    if settings.tls_min is not None:
        context.minimum_version = versions[settings.tls_min]
    if settings.tls_max is not None:
        context.maximum_version = versions[settings.tls_max]
    return context


def _bind(settings: ServerSettings) -> socket.socket:
    """Listen on the first address of the host that can be had.

    Raises:
        UsageError: There is none, or other machines could reach it and that isn't allowed.
    """
    addresses = _resolve(settings)
    for _, address in addresses:
        if not (settings.allow_remote or ip_address(address[0]).is_loopback):
            raise UsageError(
                f"Other machines could reach {quoted(settings.host)}: only loopback is served "
                "unless remote clients are allowed (--allow-remote)."
            )
    problems = []
    for family, address in addresses:
        both = family == socket.AF_INET6 and socket.has_dualstack_ipv6()
        try:
            return socket.create_server(
                address, family=family, backlog=_BACKLOG, dualstack_ipv6=both
            )
        except OSError as error:
            problems.append(os.strerror(error.errno or 0))  # its own text repeats the address
    raise UsageError(f"Can't serve on {quoted(settings.host)} port {settings.port}: {problems[0]}.")


def _url_of(listener: socket.socket, *, tls: bool) -> str:
    """Name the address that was bound, as a client writes it."""
    host, port = listener.getsockname()[:2]
    host = f"[{host}]" if ":" in host else host
    return f"{'https' if tls else 'http'}://{host}:{port}"


def _resolve(settings: ServerSettings) -> list[_Address]:
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"Can't serve on {quoted(settings.host)}: {reason}.") from error
    return [(family, address) for family, _, _, _, address in found]
