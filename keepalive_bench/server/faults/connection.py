"""A connection on which something goes wrong: a fault decides what, here it is done."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, NoReturn

from keepalive_bench.server.connection import ClientConnection
from keepalive_bench.server.faults.kinds import Beneath, Do, Scene, When
from keepalive_bench.server.received import parse_request
from keepalive_bench.server.responses import persistence_after

if TYPE_CHECKING:
    from keepalive_bench.server.connection import Service
    from keepalive_bench.server.faults import Fault
    from keepalive_bench.server.received import Reader, ReceivedRequest

_HELLO_TIMEOUT_S = 10.0
_RECEIVE_SIZE = 64 * 1024
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # struct linger: lingers, for no time
_NOBODYS_REQUEST = parse_request(b"GET / HTTP/1.1\r\nHost: kab")


class FaultyConnection(ClientConnection):
    """One that has a fault; wherever it doesn't strike, all is as it should be."""

    def __init__(
        self, accepted: socket.socket, number: int, service: Service, fault: Fault
    ) -> None:
        super().__init__(accepted, number, service)
        self._fault = fault
        self._answered = 0
        self._resets = False

    def _open(self) -> None:
        if self._fault.kind.when is When.HANDSHAKE:
            self._socket.settimeout(_HELLO_TIMEOUT_S)
            if self._socket.recv(_RECEIVE_SIZE):
                self._socket.settimeout(None)
                self._strike(_NOBODYS_REQUEST, 1)
            raise ConnectionAbortedError
        super()._open()
        if self._fault.kind.when is When.OPEN:
            self._strike(_NOBODYS_REQUEST, 1)

    def _next_request(self, reader: Reader) -> ReceivedRequest | None:
        strikes = self._fault.kind.when is When.IDLE and self._fault.strikes_request(self._answered)
        if strikes and not self._hears(reader, float(self._fault.exactly or 0)):
            self._strike(_NOBODYS_REQUEST, self._answered)
        return super()._next_request(reader)

    def _read_body(self, reader: Reader, request: ReceivedRequest) -> bytes:
        is_left = self._fault.kind.when is When.BODY
        if is_left and self._fault.strikes_request(self._answered + 1):
            self._service.counter.add("faults")
            return b""
        return super()._read_body(reader, request)

    def _hears(self, reader: Reader, within_s: float) -> bool:
        """Whether something comes in time, be it the client's end; in no time nothing does."""
        if not within_s:
            return False
        self._socket.settimeout(within_s)
        try:
            reader.wait()
        except TimeoutError:
            return False
        finally:
            self._socket.settimeout(None)
        return True

    def _respond(self, request: ReceivedRequest, nth: int) -> bool:
        self._answered = nth
        strikes = self._fault.kind.when is When.REQUEST and self._fault.strikes_request(nth)
        if not strikes or request.is_for_stats:
            return super()._respond(request, nth)
        self._pause(self._service.behaviour.delay_s)
        self._strike(request, nth)
        return not persistence_after(self._service.behaviour, request, nth).closes

    def _strike(self, request: ReceivedRequest, nth: int) -> None:
        """Do what the fault asks for; if it ends the connection, this doesn't return."""
        self._service.counter.add("faults")
        scene = Scene(
            behaviour=self._service.behaviour,
            request=request,
            nth=nth,
            value=self._fault.exactly,
        )
        for step in self._fault.kind.act(scene):
            if isinstance(step, bytes):
                self._socket.sendall(step)
            elif isinstance(step, float):
                self._pause(step)
            elif isinstance(step, Beneath):
                socket.socket.sendall(self._socket, step.data)
            elif step is Do.NAGLE:
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)
            else:
                self._end(step)

    def _end(self, how: Do) -> NoReturn:
        if how is Do.HOLD:
            while self._socket.recv(_RECEIVE_SIZE):
                pass
        self._resets = how is Do.RESET
        raise ConnectionAbortedError

    def _close(self, *, linger: bool) -> None:
        if self._resets:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        else:
            super()._close(linger=linger)
