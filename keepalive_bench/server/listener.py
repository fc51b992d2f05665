"""The server itself: it accepts connections, gives each a thread, and ends them all."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from keepalive_bench.server.address import bind, url_of
from keepalive_bench.server.answers import Answers
from keepalive_bench.server.connection import Connection, Service
from keepalive_bench.server.counts import Counter
from keepalive_bench.server.recording import Recorder

if TYPE_CHECKING:
    from typing_extensions import Self

    from keepalive_bench.server.counts import Stats
    from keepalive_bench.server.settings import Settings
    from keepalive_bench.server.tls import Tls

_PAUSE_AFTER_FAILED_ACCEPT_S = 0.05
_ENOUGH_TO_END_S = 2.0


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

    def __init__(self, settings: Settings) -> None:
        self._counter = Counter()
        self._stopping = threading.Event()
        with ExitStack() as resources:
            self._listener = resources.enter_context(bind(settings))
            recorder = None
            if settings.record is not None:
                recorder = resources.enter_context(Recorder(settings.record))
            self._service = Service(
                behaviour=settings.behaviour,
                answers=Answers(settings.behaviour),
                counter=self._counter,
                recorder=recorder,
                tls=_load_tls(settings) if settings.tls else None,
                stopping=self._stopping,
            )
            self._resources = resources.pop_all()
        self.url = url_of(self._listener, tls=settings.tls)
        self.port: int = self._listener.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept_all, daemon=True)
        self._living: dict[Connection, threading.Thread] = {}

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
        while not self._stopping.is_set():
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                # The end, or a bad moment such as no free file descriptor, which passes.
                self._stopping.wait(_PAUSE_AFTER_FAILED_ACCEPT_S)
                continue
            connection = self._receive(accepted, self._counter.accept())
            thread = threading.Thread(target=self._live, args=(connection,), daemon=True)
            self._living[connection] = thread
            try:
                thread.start()
            except RuntimeError:  # no thread is left, which passes, too
                del self._living[connection]
                accepted.close()
                self._stopping.wait(_PAUSE_AFTER_FAILED_ACCEPT_S)

    def _receive(self, accepted: socket.socket, number: int) -> Connection:
        fault = self._service.behaviour.fault
        if fault is not None and fault.strikes_connection(number):
            # Here, because a server without faults is to start without them.
            from keepalive_bench.server.faulty import FaultyConnection  # noqa: PLC0415

            return FaultyConnection(accepted, number, self._service, fault)
        return Connection(accepted, number, self._service)

    def _live(self, connection: Connection) -> None:
        try:
            connection.run()
        finally:
            del self._living[connection]


def _load_tls(settings: Settings) -> Tls:
    # Here, because ssl takes longer to import than all the rest: a plain server starts at once.
    from keepalive_bench.server.tls import Tls  # noqa: PLC0415

    return Tls(settings)
