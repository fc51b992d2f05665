"""What `http.client` does, and so `urllib.request`; and what urllib3 does through it.

A connection is a `Wire`, which hangs on the `HTTPConnection` from its making on; a response read to
its end is told by its `_close_conn`. Where an answer says that its connection is closed after it,
`http.client` hands the socket over to the response: so it does with the wire.
"""

from __future__ import annotations

import sys

from .answers import NO_ANSWER, Answers, asks
from .closers import (
    EXIT,
    FOUND,
    POOL,
    POOL_FULL,
    REQUEST,
    RESPONSE,
    broken_by,
    cause_of,
    closer_of,
    found_on,
)
from .layout import ASKS_TO_CLOSE, HAS_BODY
from .lives import Client, Connection, Exchange, hang
from .origins import PORTS, origin_in, origin_of, unix_origin
from .system import now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, ModuleType
    from typing import Any, TypeAlias

    from .lives import Tracer
    from .patching import Patches

    Function: TypeAlias = Callable[..., Any]
    Make: TypeAlias = Callable[[Function], Function]
    Head: TypeAlias = "tuple[list[bytes | str], int]"
    """The header of a request, as it was sent, and what a record says of that."""
    Thing: TypeAlias = Any
    """What is a library's, whatever that is."""

_HTTPS = PORTS["https"]
_UNIX = 1
_COLON = ord(":")
_SOCKS = {1: "socks4"}
"""PySocks' numbers."""
NO_HEAD: Head = [], 0
_getframe = sys._getframe  # noqa: SLF001  # the only way to ask who calls


class Wire(Connection):
    """The connection of an `HTTPConnection`, and what it is in the middle of."""

    exchange: Exchange | None = None
    """The last one."""
    last = NO_ANSWER
    head: Head = NO_HEAD
    """Of the last request."""
    asked = 0.0
    """When it began to be opened for a request that is yet to begin, as pools do."""
    asks = ""
    """The origin that the last request went to; empty: where it leads."""
    before = 0
    """Its number when the last request began that found it closed."""
    target = ""
    """The origin that a request names which asks a proxy."""
    is_opening = is_answering = False
    is_plain = False
    """TCP is all that belongs to opening it."""
    is_handed_over = False
    """The response has it: it ends with that."""
    is_spoilt = False
    """It has a socket that can't be used."""
    is_named = False
    """A request has said whom it asks."""

    def __init__(self, tracer: Tracer, client: Client | None = None, previous: int = 0) -> None:
        super().__init__(tracer, previous)
        self.client = client
        """The pool that it is of."""
        self.asks, self.asked, self.is_handed_over = "", 0.0, False  # asked for each time

    def names(self, connection: Thing, sock: Thing) -> tuple[str, str]:
        """The origin that a connection leads to, and that of the proxy on the way.

        Args:
            connection: the library's.
            sock: its socket, if it is there.
        """
        self.is_shared = False
        path = _unix_path(connection, sock)
        if path is not None:
            return unix_origin(path), ""
        scheme = "https" if connection.default_port == _HTTPS else "http"
        host, port = connection.host, connection.port
        peer = origin_of(scheme, host, port)
        tunnel = getattr(connection, "_tunnel_host", None)
        if tunnel:
            proxy = getattr(getattr(connection, "proxy", None), "scheme", None) or "http"
            to = origin_of(scheme, tunnel, connection._tunnel_port)  # noqa: SLF001  # no other way
            return to, origin_of(proxy, host, port)
        socks = getattr(connection, "_socks_options", None)
        if socks:
            scheme = _SOCKS.get(socks.get("socks_version"), "socks5")
            return peer, origin_of(scheme, socks["proxy_host"], socks["proxy_port"])
        if self.target and self.target != peer:
            self.is_shared = True
            return self.target, peer
        return peer, ""

    def dropped(self) -> str:
        """How it ended where nobody has it any more."""
        exchange = self.exchange
        if self.is_handed_over:
            return "announced"
        if exchange is None or (exchange.is_over and not exchange.has_failed):
            if exchange is not None and exchange.asks_to_close:  # urllib.request took its socket
                return "connection-closed"
            return (self.client.ending if self.client else "") or "collected"
        return "unread" if exchange.is_answered and not exchange.has_failed else "failed"


def patch_client(tracer: Tracer, patches: Patches, module: ModuleType) -> None:
    """Note what `http.client` does."""
    connection = module.HTTPConnection
    patches.wrap(connection, "__init__", _making(tracer))
    patches.wrap(connection, "connect", connecting(tracer))
    patches.wrap(connection, "_tunnel", _tunnelling(tracer))
    patches.wrap(connection, "endheaders", _sending(tracer))
    patches.wrap(connection, "getresponse", _answering(tracer))
    patches.wrap(connection, "close", _closing(tracer))
    patches.wrap(module.HTTPResponse, "_close_conn", _reading(tracer))
    if hasattr(module, "HTTPSConnection"):  # Python was built with ssl
        patches.wrap(module.HTTPSConnection, "connect", connecting(tracer))


def _making(tracer: Tracer) -> Make:
    attribute, trouble = tracer.attribute, tracer.records.trouble

    def make(original: Function) -> Function:
        def __init__(self: Thing, *args: Thing, **kwargs: Thing) -> None:  # noqa: N807
            original(self, *args, **kwargs)
            try:
                hang(self, attribute, Wire(tracer))
            except Exception as error:  # noqa: BLE001  # the program never sees it
                trouble(error)

        return __init__

    return make


def connecting(tracer: Tracer) -> Make:
    """What wraps a `connect`; those that it calls in turn belong to the same opening."""
    trouble = tracer.records.trouble

    def make(original: Function) -> Function:
        def connect(self: Thing, *args: Thing, **kwargs: Thing) -> Thing:
            wire = None
            try:
                wire = _opening(tracer, self)
            except Exception as error:  # noqa: BLE001  # the program never sees it
                trouble(error)
            try:
                result = original(self, *args, **kwargs)
            except BaseException as error:
                if wire is not None:
                    _guard(tracer, _unopened, self, wire, error)
                raise
            try:
                if wire is None or not wire.is_open:
                    reached(tracer, self)
                if wire is not None and not wire.is_plain:
                    _opened(self, wire)
            except Exception as error:  # noqa: BLE001  # the program never sees it
                trouble(error)
            finally:
                if wire is not None:
                    wire.is_opening = False
            return result

        return connect

    return make


def _tunnelling(tracer: Tracer) -> Make:
    def make(original: Function) -> Function:
        def _tunnel(self: Thing, *args: Thing, **kwargs: Thing) -> Thing:
            try:
                reached(tracer, self)
            except Exception as error:  # noqa: BLE001  # the program never sees it
                tracer.records.trouble(error)
            return original(self, *args, **kwargs)

        return _tunnel

    return make


def _sending(tracer: Tracer) -> Make:
    trouble, heads = tracer.records.trouble, [NO_HEAD]

    def make(original: Function) -> Function:
        def endheaders(
            self: Thing, message_body: Thing = None, *, encode_chunked: Thing = False, **rest: Thing
        ) -> Thing:
            exchange = None
            try:
                exchange = _begun(tracer, self, message_body, heads)
            except Exception as error:  # noqa: BLE001  # the program never sees it
                trouble(error)
            try:
                if rest:  # none costs less
                    result = original(self, message_body, encode_chunked=encode_chunked, **rest)
                else:
                    result = original(self, message_body, encode_chunked=encode_chunked)
            except BaseException as error:
                if exchange is not None:
                    _guard(tracer, _unsent, self, exchange, error)
                raise
            try:
                if exchange is not None:
                    if exchange.unbound is not None and not exchange.unbound.is_open:
                        _found_open(tracer, self, exchange)
                    exchange.sent()
            except Exception as error:  # noqa: BLE001  # the program never sees it
                trouble(error)
            return result

        return endheaders

    return make


def _answering(tracer: Tracer) -> Make:  # noqa: C901  # a call less, for each request
    attribute, trouble = tracer.attribute, tracer.records.trouble
    answers = Answers(tracer.records)

    def make(original: Function) -> Function:  # noqa: C901  # the same
        def getresponse(self: Thing, *args: Thing, **kwargs: Thing) -> Thing:
            wire: Thing = None
            exchange = None
            try:
                wire = getattr(self, attribute, None)
                if wire is not None:
                    exchange = wire.exchange
                if exchange is not None:
                    wire.is_answering = True
                    if exchange.flags & HAS_BODY:
                        exchange.sent()  # all of it only now
            except Exception as error:  # noqa: BLE001  # the program never sees it
                trouble(error)
            if exchange is None:
                return original(self, *args, **kwargs)
            try:
                # urllib3 1.26 has some, and none costs less.
                response = original(self, *args, **kwargs) if args or kwargs else original(self)
            except BaseException as error:
                _guard(tracer, _unanswered, self, wire, error)
                raise
            wire.is_answering = False
            try:
                wire.last = said = answers.read(response, wire.last, wire.asks or wire.origin)
                exchange.answered(said.status, said.number, said.redirect)
                if self.sock is None:  # the response has it
                    hang(self, attribute, Wire(tracer, wire.client, wire.number))
                    wire.is_handed_over = True
                if response.fp is not None:
                    hang(response, attribute, [exchange, wire, response.length == 0])
            except Exception as error:  # noqa: BLE001  # the program never sees it
                trouble(error)
            return response

        return getresponse

    return make


def _closing(tracer: Tracer) -> Make:
    attribute, trouble = tracer.attribute, tracer.records.trouble

    def make(original: Function) -> Function:
        def close(self: Thing, *args: Thing, **kwargs: Thing) -> Thing:
            try:
                wire = getattr(self, attribute, None)
                if wire is not None and wire.is_open and not (wire.is_opening or wire.is_answering):
                    ending = _ending(wire, self, _getframe(1))
                    if ending:
                        wire.closed(ending)
                    else:
                        tracer.is_over = True
            except Exception as error:  # noqa: BLE001  # the program never sees it
                trouble(error)
            return original(self, *args, **kwargs)

        return close

    return make


def _reading(tracer: Tracer) -> Make:
    attribute, trouble = tracer.attribute, tracer.records.trouble

    def make(original: Function) -> Function:
        def _close_conn(self: Thing, *args: Thing, **kwargs: Thing) -> Thing:
            try:
                held = getattr(self, attribute, None)
                if held:
                    exchange, wire, is_empty = held
                    held.clear()
                    if self.length == 0 and not (is_empty or self.chunked):
                        exchange.ended()
                    else:
                        _let_go(self, exchange, _getframe(1))
                    if wire.is_handed_over:
                        wire.closed("failed" if exchange.has_failed else "announced")
            except Exception as error:  # noqa: BLE001  # the program never sees it
                trouble(error)
            return original(self, *args, **kwargs) if args or kwargs else original(self)

        return _close_conn

    return make


def _let_go(response: Thing, exchange: Exchange, frame: FrameType) -> None:
    """Nothing more of a response will be read."""
    error = broken_by(response, frame)
    if error is None:
        exchange.ended()
    elif error:
        exchange.failed(error)


def wire_of(tracer: Tracer, connection: Thing) -> Wire | None:
    """What hangs on a connection of the library's; `None`: it was there before the tracer."""
    found: Wire | None = getattr(connection, tracer.attribute, None)
    return found


def reached(tracer: Tracer, connection: Thing) -> None:
    """TCP is connected, at least, if a connection is being opened."""
    wire: Wire | None = getattr(connection, tracer.attribute, None)
    if wire is not None and wire.is_opening and not wire.is_open:
        sock = connection.sock
        if sock is not None:
            names = wire.names(connection, sock) if _is_unix(sock) else (wire.origin, wire.via)
            wire.connected(*names, wire.client, is_all=wire.is_plain)


def _guard(tracer: Tracer, note: Function, *args: Thing) -> None:
    """Note something in the middle of an error of the program's."""
    try:
        note(tracer, *args)
    except Exception as error:  # noqa: BLE001  # the program never sees it
        tracer.records.trouble(error)


def _opening(tracer: Tracer, connection: Thing) -> Wire | None:
    """It begins to be opened; `None`: it is being opened already."""
    wire: Wire | None = getattr(connection, tracer.attribute, None)
    if wire is None:
        wire = _found_wire(tracer, connection)
    if wire.is_opening:
        return None
    if wire.is_open:  # whoever opens it again has let go of the socket before
        wire.closed("connection-closed")
    wire.is_opening, wire.is_spoilt = True, False
    if wire.before != wire.number:  # it isn't opened by a request, which would have said so
        wire.is_named, wire.target = False, ""
    wire.opening()
    is_tunnel = getattr(connection, "_tunnel_host", None)
    wire.is_plain = connection.default_port != _HTTPS and not is_tunnel
    origin, via = wire.names(connection, None)
    wire.leads(origin, via, wire.client)  # later, a server may wait for more
    if wire.client is not None and connection.default_port == _HTTPS:
        wire.asked = now()  # before the request, whose time it takes nevertheless
    return wire


def _opened(connection: Thing, wire: Wire) -> None:
    is_tunnel = bool(getattr(connection, "_tunnel_host", None))
    wire.ready(is_tls=_is_tls(connection.sock), is_tunnel=is_tunnel)


def _unopened(tracer: Tracer, connection: Thing, wire: Wire, error: BaseException) -> None:
    reached(tracer, connection)  # an error after that leaves the socket where it is
    wire.is_opening, wire.is_spoilt = False, connection.sock is not None
    origin, via = wire.names(connection, connection.sock)
    cause = cause_of(error)
    wire.failed(origin, cause, via, wire.client)
    if wire.asked:  # the request for which it was to be opened gets no further
        since, wire.asked = wire.asked, 0.0
        wire.exchange = wire.begun(since=since)
        wire.exchange.failed(cause)


def prepared(tracer: Tracer, connection: Thing, wire: Wire | None, target: str) -> Wire:
    """See whether the connection of a request is open, and whom it asks."""
    sock = connection.sock
    is_new = wire is None
    wire = _found_wire(tracer, connection) if wire is None else wire
    wire.before, wire.target = wire.number, target
    if is_new and sock is not None:
        wire.found(*wire.names(connection, sock), wire.client)
    elif wire.is_open and sock is None:  # somebody has taken it away
        wire.closed("connection-closed")
    if not wire.is_open and sock is None:
        wire.is_spoilt = False
    elif not wire.is_open and not wire.is_spoilt:  # by one that nobody knows
        wire.connected(*wire.names(connection, sock), wire.client)
        wire.ready(is_tls=_is_tls(sock))
    elif target and wire.is_open and not wire.is_named:
        wire.serves(*wire.names(connection, sock))
    wire.is_named = True
    return wire


def _begun(tracer: Tracer, connection: Thing, body: Thing, heads: list[Head]) -> Exchange:
    """A request is about to be sent; `heads` has the last one's, on any connection."""
    lines, wire = connection._buffer, getattr(connection, tracer.attribute, None)  # noqa: SLF001
    line, fields = lines[0], lines[1:]
    target = "" if type(line) is bytes and _COLON not in line else _target(line)
    if wire is None or not wire.is_open or not wire.is_named or connection.sock is None:
        wire = prepared(tracer, connection, wire, target)
    if target or wire.asks:
        wire.asks = target if wire.is_open and target != wire.origin else ""
    sent, flags = wire.head
    if fields != sent:  # mostly, they are the same, also on a new connection
        sent, flags = heads[-1]
        if fields != sent:
            sent, flags = fields, _flags(fields)
        wire.head = heads[-1] = sent, flags
    since = wire.asked
    if since:
        wire.asked = 0.0
    if body is not None:
        flags |= HAS_BODY
    wire.exchange = exchange = Exchange(tracer, wire, flags, since, wire.asks)
    return exchange


def _found_wire(tracer: Tracer, connection: Thing) -> Wire:
    """What hangs on a connection that was made before the tracer began, by a pool maybe."""
    module, name = type(connection).__module__, type(connection).__qualname__
    client = None
    if module != "http.client":
        client = Client(tracer, f"{module}.{name}").was_there()
    wire = Wire(tracer, client)
    hang(connection, tracer.attribute, wire)
    return wire


def _found_open(tracer: Tracer, connection: Thing, exchange: Exchange) -> None:
    """A request was sent on a connection that nobody saw being opened."""
    wire, sock = wire_of(tracer, connection), connection.sock
    if wire is not None and not wire.is_open and sock is not None and not wire.is_spoilt:
        wire.opening(exchange.began)
        wire.connected(*wire.names(connection, sock), wire.client)
        wire.ready(is_tls=_is_tls(sock))


def _unsent(tracer: Tracer, connection: Thing, exchange: Exchange, error: BaseException) -> None:
    """Not all of a request could be sent; an answer may come nevertheless."""
    wire = wire_of(tracer, connection)
    is_known = wire is None or wire.is_open or wire.number != wire.before
    if wire is not None and not is_known and isinstance(error, OSError):
        # By a `connect` that nobody knows: the others have told.
        wire.opening(exchange.began)
        wire.failed(*_failed_names(connection, wire, error))
    exchange.failed(cause_of(error))


def _failed_names(
    connection: Thing, wire: Wire, error: BaseException
) -> tuple[str, BaseException, str, Client | None]:
    origin, via = wire.names(connection, connection.sock)
    return origin, cause_of(error), via, wire.client


def _unanswered(_tracer: Tracer, connection: Thing, wire: Wire, error: BaseException) -> None:
    wire.is_answering = False
    if isinstance(error, TypeError):  # urllib3 1.26 tries an argument of Python 2 first
        return
    exchange = wire.exchange
    if exchange is not None and not exchange.is_answered:
        exchange.failed(error)
    if connection.sock is None:
        wire.closed("failed")


def _ending(wire: Wire, connection: Thing, frame: FrameType) -> str:
    """Why a connection is closed; empty: it isn't, but the process ends."""
    closer, exchange = closer_of(frame), wire.exchange
    is_unread = exchange is not None and exchange.is_answered and not exchange.is_over
    lost = wire.client.ending if wire.client is not None else ""
    if closer == EXIT:
        return ""
    if closer == FOUND and not is_unread:
        return found_on(connection.sock)
    if closer == REQUEST and exchange is not None and not exchange.is_over:
        exchange.failed(sys.exc_info()[1] or Exception())
    if closer == REQUEST or (exchange is not None and exchange.has_failed):
        return "failed"
    if closer == RESPONSE or (is_unread and closer == FOUND):
        return "unread"  # a response that was read has let go of its connection
    if closer in (POOL, POOL_FULL):
        return lost or (POOL_FULL if closer == POOL_FULL else "collected")
    return "connection-closed"


def _is_unix(sock: Thing) -> bool:
    raw: Thing = getattr(sys.modules.get("_socket"), "socket", None)
    if raw is not None and isinstance(sock, raw):
        return bool(raw.family.__get__(sock) == _UNIX)  # without an enum
    return getattr(sock, "family", None) == _UNIX


def _unix_path(connection: Thing, sock: Thing) -> Thing:
    """Where a Unix socket leads to; `None`: it isn't one."""
    if sock is None:
        return getattr(connection, "unix_socket", None)  # docker's
    return sock.getpeername() if _is_unix(sock) else None


def _is_tls(sock: Thing) -> bool:
    return hasattr(sock, "getpeercert")


def _target(line: bytes | str) -> str:
    """The origin that a request's first line names: that of one which asks a proxy."""
    line = line if isinstance(line, bytes) else line.encode("utf-8")
    target = line.partition(b" ")[2].partition(b" ")[0]
    return origin_in(target.decode("latin-1")) if target[:4].lower() == b"http" else ""


def _flags(lines: list[bytes | str]) -> int:
    """What a record says of a request, by the lines of its header."""
    texts = (it if isinstance(it, bytes) else it.encode("utf-8") for it in lines)  # botocore's
    parts = (it.partition(b":") for it in texts)
    asks_to_close, has_body = asks((name, value.strip()) for name, _, value in parts)
    return (ASKS_TO_CLOSE if asks_to_close else 0) | (HAS_BODY if has_body else 0)
