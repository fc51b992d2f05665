"""What `http.client` does, and so `urllib.request`; and what urllib3 does through it.

A connection is a `Wire`, which hangs on the `HTTPConnection` from its making on; a response read to
its end is told by its `_close_conn`. Where an answer says that its connection is closed after it,
`http.client` hands the socket over to the response: so it does with the wire.

Frames are looked at only where a connection is closed: they tell who wants that, and so why.
"""

from __future__ import annotations

import sys

from .lives import Client, Connection, name_of, now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, ModuleType
    from typing import Any, TypeAlias, Union

    from .lives import Exchange, Tracer
    from .patching import Patches

    Function: TypeAlias = Callable[..., Any]
    Thing: TypeAlias = Any
    """What is a library's, whatever that is."""

_LONGEST = 60
"""Characters of a field that are kept."""
_WANTED = frozenset(
    (
        "connection",
        "content-length",
        "keep-alive",
        "location",
        "server",
        "transfer-encoding",
        "via",
    )
)
_VERSIONS = {9: "HTTP/0.9", 10: "HTTP/1.0", 11: "HTTP/1.1", 20: "HTTP/2"}
_PORTS = {"http": 80, "https": 443}
_HTTPS = 443
_FINAL, _REDIRECTS, _NOT_MODIFIED = 200, range(300, 400), 304
_BODILESS = (204, _NOT_MODIFIED)
_FOUND, _POOL_FULL, _POOL, _RESPONSE, _REQUEST = "found", "pool-full", "pool", "response", "request"
_CLOSERS = {
    "_get_conn": {"connectionpool.py": _FOUND},
    "_put_conn": {"connectionpool.py": _POOL_FULL},
    "_close_pool_connections": {"connectionpool.py": _POOL},
    "close": {"connectionpool.py": _POOL, "response.py": _RESPONSE},
    "_error_catcher": {"response.py": _RESPONSE},
    "urlopen": {"connectionpool.py": _REQUEST},
}
"""Functions of urllib3's that close connections, by name and file, wherever it is installed."""
_INCOMPLETE = "http.client.IncompleteRead"
_BREAKING = ("_update_chunk_length", "_read_next_chunk_size")
"""They close a response because what they have read makes no sense."""
_CHUNKS_READER = "read_chunked"
"""urllib3 reads chunks by itself, and then closes the response."""
_TCP, _TCP_INFO, _CLOSE_WAIT, _PEEK = 6, 11, 8, 0x02 | 0x40
"""Linux's: the peer has sent its end, and MSG_PEEK | MSG_DONTWAIT."""
_UNIX = 1
_ALERT, _ENCRYPTED, _HEAD, _LONGEST_ALERT = 0x15, 0x17, 5, 24
_LOOK = 4096
_getframe = sys._getframe  # noqa: SLF001  # the only way to ask who calls


class Wire(Connection):
    """The connection of an `HTTPConnection`, and what it is in the middle of."""

    __slots__ = (
        "asked",
        "before",
        "client",
        "exchange",
        "is_answering",
        "is_handed_over",
        "is_named",
        "is_opening",
        "is_spoilt",
        "target",
    )

    def __init__(self, tracer: Tracer, client: Client | None = None, previous: int = 0) -> None:
        super().__init__(tracer, previous)
        self.client = client
        """The pool that it is of."""
        self.exchange: Exchange | None = None
        """The last one."""
        self.asked = 0.0
        """When a pool gave it away for a request that is yet to begin."""
        self.before = 0
        """Its number when the last request began."""
        self.target = ""
        """The origin that a request names which asks a proxy."""
        self.is_opening = self.is_answering = False
        self.is_handed_over = False
        """The response has it: it ends with that."""
        self.is_spoilt = False
        """It has a socket that can't be used."""
        self.is_named = False
        """A request has said whom it asks."""

    def dropped(self) -> str:
        """How it ended where nobody has it any more."""
        exchange = self.exchange
        if self.is_handed_over:
            return "announced"
        if exchange is not None and exchange.has_failed:
            return "failed"
        if exchange is not None and exchange.asks_to_close:  # urllib.request takes the socket away
            return "connection-closed"
        if exchange is not None and not exchange.is_over:
            return "unread" if exchange.is_answered else "failed"
        return (self.client.ending if self.client else "") or "collected"


def patch_client(tracer: Tracer, patches: Patches, module: ModuleType) -> None:
    """Note what `http.client` does."""
    attribute, trouble = tracer.attribute, tracer.records.trouble

    def making(original: Function) -> Function:
        def __init__(self: Thing, *args: Thing, **kwargs: Thing) -> None:  # noqa: N807
            original(self, *args, **kwargs)
            try:
                self.__dict__[attribute] = Wire(tracer)
            except Exception as error:  # noqa: BLE001  # the program never sees it
                trouble(error)

        return __init__

    def tunnelling(original: Function) -> Function:
        def _tunnel(self: Thing, *args: Thing, **kwargs: Thing) -> Thing:
            try:
                reached(tracer, self)
            except Exception as error:  # noqa: BLE001  # the program never sees it
                trouble(error)
            return original(self, *args, **kwargs)

        return _tunnel

    def sending(original: Function) -> Function:
        def endheaders(self: Thing, *args: Thing, **kwargs: Thing) -> Thing:
            exchange = None
            try:
                body = args[0] if args else kwargs.get("message_body")
                exchange = _begun(tracer, self, body)
            except Exception as error:  # noqa: BLE001  # the program never sees it
                trouble(error)
            try:
                result = original(self, *args, **kwargs)
            except BaseException as error:
                if exchange is not None:
                    _guard(tracer, _unsent, self, exchange, error)
                raise
            try:
                if exchange is not None:
                    _sent(tracer, self, exchange)
            except Exception as error:  # noqa: BLE001  # the program never sees it
                trouble(error)
            return result

        return endheaders

    def answering(original: Function) -> Function:
        def getresponse(self: Thing, *args: Thing, **kwargs: Thing) -> Thing:
            wire = self.__dict__.get(attribute)
            try:
                if wire is not None:
                    wire.is_answering = True
                    exchange = wire.exchange
                    if exchange is not None and exchange.has_body and not exchange.is_over:
                        exchange.sent()  # all of it only now
            except Exception as error:  # noqa: BLE001  # the program never sees it
                trouble(error)
            try:
                response = original(self, *args, **kwargs)
            except BaseException as error:
                if wire is not None:
                    _guard(tracer, _unanswered, self, wire, error)
                raise
            try:
                if wire is not None:
                    wire.is_answering = False
                    _answered(tracer, self, wire, response)
            except Exception as error:  # noqa: BLE001  # the program never sees it
                trouble(error)
            return response

        return getresponse

    def closing(original: Function) -> Function:
        def close(self: Thing, *args: Thing, **kwargs: Thing) -> Thing:
            try:
                wire = self.__dict__.get(attribute)
                if wire is not None and wire.is_open and not (wire.is_opening or wire.is_answering):
                    ending = _ending(wire, self, _getframe(1))
                    if ending:
                        wire.closed(ending)
            except Exception as error:  # noqa: BLE001  # the program never sees it
                trouble(error)
            return original(self, *args, **kwargs)

        return close

    def ending(original: Function) -> Function:
        def _close_conn(self: Thing, *args: Thing, **kwargs: Thing) -> Thing:
            held = self.__dict__.pop(attribute, None)
            if held is not None:
                try:
                    _read(self, held, _getframe(1))
                except Exception as error:  # noqa: BLE001  # the program never sees it
                    trouble(error)
            return original(self, *args, **kwargs)

        return _close_conn

    connection = module.HTTPConnection
    patches.wrap(connection, "__init__", making)
    patches.wrap(connection, "connect", connecting(tracer))
    patches.wrap(connection, "_tunnel", tunnelling)
    patches.wrap(connection, "endheaders", sending)
    patches.wrap(connection, "getresponse", answering)
    patches.wrap(connection, "close", closing)
    patches.wrap(module.HTTPResponse, "_close_conn", ending)
    if hasattr(module, "HTTPSConnection"):  # Python was built with ssl
        patches.wrap(module.HTTPSConnection, "connect", connecting(tracer))


def connecting(tracer: Tracer) -> Callable[[Function], Function]:
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
                reached(tracer, self)
                if wire is not None:
                    _opened(self, wire)
            except Exception as error:  # noqa: BLE001  # the program never sees it
                trouble(error)
            return result

        return connect

    return make


def wire_of(tracer: Tracer, connection: Thing) -> Wire | None:
    """What hangs on a connection of the library's; `None`: it was there before the tracer."""
    found: Wire | None = connection.__dict__.get(tracer.attribute)
    return found


def reached(tracer: Tracer, connection: Thing, sock: Thing = None) -> None:
    """TCP is connected, at least, if a connection is being opened."""
    wire = wire_of(tracer, connection)
    if wire is not None and wire.is_opening and not wire.is_open:
        sock = sock or connection.sock
        if sock is not None:
            origin, via = _names(connection, wire.target, sock)
            wire.connected(origin, via, wire.client)


def origin_of(scheme: str, host: str, port: object) -> str:
    """An origin, as records have it."""
    host = host.rstrip(".").lower()
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def origin_in(url: str, scheme: str = "") -> str:
    """The origin in a URL, or in a reference from a page of a scheme; empty: it has none."""
    before, mark, rest = url.partition("//")
    named, colon, more = before.partition(":")
    if not mark or more or (before and not colon):
        return ""
    scheme = named.lower() or scheme
    for end in "/?#\\":
        rest = rest.partition(end)[0]
    host, colon, port = rest.rpartition("@")[2].rpartition(":")
    if not colon or "]" in port:
        host, port = host + colon + port, ""
    if not host or not (port or "0").isdecimal():
        return ""
    return origin_of(scheme, host.strip("[]"), port or _PORTS.get(scheme, ""))


def _guard(tracer: Tracer, note: Function, *args: Thing) -> None:
    """Note something in the middle of an error of the program's."""
    try:
        note(tracer, *args)
    except Exception as error:  # noqa: BLE001  # the program never sees it
        tracer.records.trouble(error)


def _opening(tracer: Tracer, connection: Thing) -> Wire | None:
    """It begins to be opened; `None`: it is being opened already."""
    wire = wire_of(tracer, connection)
    if wire is None:
        wire = connection.__dict__[tracer.attribute] = Wire(tracer)
    if wire.is_opening:
        return None
    if wire.is_open:  # whoever opens it again has let go of the socket before
        wire.closed("connection-closed")
    wire.is_opening, wire.is_spoilt, wire.is_named = True, False, False
    wire.opening()
    return wire


def _opened(connection: Thing, wire: Wire) -> None:
    wire.is_opening = False
    is_tls = hasattr(connection.sock, "getpeercert")
    wire.ready(is_tls=is_tls, is_tunnel=bool(getattr(connection, "_tunnel_host", None)))


def _unopened(tracer: Tracer, connection: Thing, wire: Wire, error: BaseException) -> None:
    reached(tracer, connection)  # an error after that leaves the socket where it is
    wire.is_opening, wire.is_spoilt = False, connection.sock is not None
    origin, via = _names(connection, wire.target, connection.sock)
    cause = _cause(error)
    wire.failed(origin, cause, via, wire.client)
    if wire.asked:  # the request for which it was to be opened never gets any further
        since, wire.asked = wire.asked, 0.0
        wire.exchange = wire.begun(since=since)
        wire.exchange.failed(cause)


def _begun(tracer: Tracer, connection: Thing, body: object) -> Exchange:
    """A request is about to be sent."""
    wire = wire_of(tracer, connection)
    sock = connection.sock
    head, target = _head(connection)
    if wire is None:
        wire = connection.__dict__[tracer.attribute] = Wire(tracer)
        if sock is not None:
            wire.found(*_names(connection, target, sock))
    elif wire.is_open and sock is None:  # somebody has taken it away
        wire.closed("connection-closed")
    wire.before = wire.number
    if not wire.is_open:
        if sock is None:
            wire.is_spoilt = False
            wire.opening()  # by a `connect` that nobody knows, perhaps
        elif not wire.is_spoilt:  # by one that nobody knows
            wire.connected(*_names(connection, target, sock), wire.client)
            wire.ready(is_tls=hasattr(sock, "getpeercert"))
    wire.target = target
    if target and wire.is_open and not wire.is_named:
        wire.serves(*_names(connection, target, sock))
    wire.is_named = True
    since, wire.asked = wire.asked, 0.0
    wire.exchange = exchange = wire.begun(
        asks_to_close=b"close" in _field(head, b"\nconnection:"),
        has_body=body is not None
        or b"\ntransfer-encoding:" in head
        or _field(head, b"\ncontent-length:") not in (b"", b"0"),
        since=since,
    )
    return exchange


def _sent(tracer: Tracer, connection: Thing, exchange: Exchange) -> None:
    """A request's head was sent, and its body, if `http.client` knows of that."""
    wire = wire_of(tracer, connection)
    if wire is not None and not wire.is_open and connection.sock is not None and not wire.is_spoilt:
        wire.connected(*_names(connection, wire.target, connection.sock), wire.client)
        wire.ready(is_tls=hasattr(connection.sock, "getpeercert"))
    exchange.sent()


def _unsent(tracer: Tracer, connection: Thing, exchange: Exchange, error: BaseException) -> None:
    """Not all of a request could be sent; an answer may come nevertheless."""
    wire = wire_of(tracer, connection)
    if wire is not None and not wire.is_open:
        if wire.number == wire.before and isinstance(error, OSError):
            # By a `connect` that nobody knows: the others have told.
            origin, via = _names(connection, wire.target, connection.sock)
            wire.failed(origin, error, via, wire.client)
    exchange.failed(_cause(error))


def _unanswered(_tracer: Tracer, connection: Thing, wire: Wire, error: BaseException) -> None:
    wire.is_answering = False
    if isinstance(error, TypeError):  # urllib3 1.26 tries an argument of Python 2 first
        return
    if wire.exchange is not None:
        wire.exchange.failed(error)
    if connection.sock is None:
        wire.closed("failed")


def _answered(tracer: Tracer, connection: Thing, wire: Wire, response: Thing) -> None:
    """The head of a response is there."""
    exchange = wire.exchange
    if exchange is None:
        return
    own = wire.origin
    answer, redirect = _answer(response, own)
    exchange.answered(response.status, answer, redirect)
    if connection.sock is None:  # the response has it
        fresh = Wire(tracer, wire.client, wire.number)
        connection.__dict__[tracer.attribute] = fresh
        wire.is_handed_over = True
    if response.fp is not None:
        response.__dict__[tracer.attribute] = exchange, wire


def _read(response: Thing, held: tuple[Exchange, Wire], frame: FrameType) -> None:
    """A response is let go: at its end, or before."""
    exchange, wire = held
    name = frame.f_code.co_name
    is_short = not response.chunked and bool(response.length)
    if name == "close":
        error = _close_reason(response, frame)
        if error is None:
            exchange.ended()
        elif error:
            exchange.failed(error)
    elif name in _BREAKING or is_short:
        exchange.failed(_INCOMPLETE)
    else:
        exchange.ended()
    if wire.is_handed_over:
        wire.closed("failed" if exchange.has_failed else "announced")


def _close_reason(response: Thing, frame: FrameType) -> Union[str, None]:
    """What a response is closed for: an error's name; nothing; `None`: it was read to its end."""
    if not response.chunked and response.length == 0:
        return None
    caller = frame.f_back
    if caller is not None and caller.f_code.co_name == _CHUNKS_READER:
        return None
    for _ in range(2):
        if caller is None:
            break
        if caller.f_code.co_name in _BREAKING:
            return _INCOMPLETE
        if caller.f_code.co_name == "_error_catcher":
            error = sys.exc_info()[1]
            # A generator that is dropped reads no further.
            is_none = error is None or isinstance(error, GeneratorExit)
            return "" if is_none else name_of(_cause(error))
        caller = caller.f_back
    return ""


def _ending(wire: Wire, connection: Thing, frame: FrameType) -> str:
    """Why a connection is closed; empty: it isn't, but the process ends."""
    role, exchange = _closer(frame), wire.exchange
    is_unread = exchange is not None and exchange.is_answered and not exchange.is_over
    lost = wire.client.ending if wire.client is not None else ""
    if role == _FOUND:
        return "unread" if is_unread else _found(connection.sock)
    if exchange is not None and exchange.has_failed:
        return "failed"
    if role in ("", _POOL):
        return role and (lost or "collected")
    if role == _POOL_FULL:
        return lost or role
    if role == _RESPONSE:
        return "unread" if is_unread else "connection-closed"
    if role == _REQUEST:
        if exchange is not None:
            exchange.failed(sys.exc_info()[1] or Exception())
        return "failed"
    return "connection-closed"


def _closer(frame: FrameType | None) -> str:
    """Who closes a connection: a role of `_CLOSERS`; `program`; empty: Python does, at its end."""
    while frame is not None:
        name, file = frame.f_code.co_name, frame.f_code.co_filename
        for tail, role in _CLOSERS.get(name, {}).items():
            if file.endswith(tail):
                return "" if _is_exit(frame) else role
        if name != "close":
            break
        frame = frame.f_back
    return "program"


def _is_exit(frame: FrameType) -> bool:
    """Whether a pool's connections are closed by `weakref`, as the process ends."""
    caller = frame.f_back and frame.f_back.f_back
    return caller is not None and caller.f_code.co_name == "_exitfunc"


def _found(sock: Thing) -> str:
    """What is there on a connection that was to be used again, and can be read from."""
    sock = getattr(sock, "_sock", sock)  # gevent's
    module = sys.modules.get("_socket")
    if module is None or not isinstance(sock, module.socket):
        return "found-closed"
    raw = module.socket  # its methods see what is on the wire, also under TLS
    try:
        data = raw.recv(sock, _LOOK, _PEEK)
        is_half = sys.platform == "linux" and raw.getsockopt(sock, _TCP, _TCP_INFO, 1)[0]
    except ConnectionResetError:
        return "found-rst"
    except BrokenPipeError:  # it was reset after its end
        return "found-fin"
    except OSError:
        return "found-closed"
    if not data:
        return "found-fin"
    if hasattr(sock, "getpeercert") and (is_half == _CLOSE_WAIT or _says_goodbye(data)):
        return "found-fin"
    return "found-data"


def _says_goodbye(data: bytes) -> bool:
    """Whether there is an alert among records of TLS: encrypted, it is known by its length."""
    while len(data) >= _HEAD:
        length = data[3] << 8 | data[4]
        if data[0] == _ALERT or (data[0] == _ENCRYPTED and length <= _LONGEST_ALERT):
            return True
        data = data[_HEAD + length :]
    return False


def _names(connection: Thing, target: str, sock: Thing) -> tuple[str, str]:
    """The origin that a connection leads to, and that of the proxy on the way.

    Args:
        connection: the library's.
        target: the origin that a request on it names, if it does.
        sock: its socket, if it is there.
    """
    scheme = "https" if connection.default_port == _HTTPS else "http"
    host, port = connection.host, connection.port
    if getattr(sock, "family", None) == _UNIX:
        return origin_of("unix", host, 0), ""
    peer = origin_of(scheme, host, port)
    tunnel = getattr(connection, "_tunnel_host", None)
    if tunnel:
        proxy = getattr(getattr(connection, "proxy", None), "scheme", None) or "http"
        to = origin_of(scheme, tunnel, connection._tunnel_port)  # noqa: SLF001  # no other way
        return to, origin_of(proxy, host, port)
    socks = getattr(connection, "_socks_options", None)
    if socks:
        return peer, origin_of("socks", socks["proxy_host"], socks["proxy_port"])
    if target and target != peer:
        return target, peer
    return peer, ""


def _head(connection: Thing) -> tuple[bytes, str]:
    """The lines of a request's head, in lower case, and the origin that its first one names."""
    lines = connection._buffer  # noqa: SLF001  # no other way
    try:
        head = b"\n".join(lines)
    except TypeError:  # botocore's may be text
        head = b"\n".join(it if isinstance(it, bytes) else it.encode("utf-8") for it in lines)
    target = head[head.find(b" ") + 1 :]
    named = ""
    if target[:4].lower() == b"http":
        named = origin_in(target.partition(b" ")[0].decode("latin-1"))
    return head.lower(), named


def _field(head: bytes, name: bytes) -> bytes:
    start = head.find(name)
    if start < 0:
        return b""
    return head[start + len(name) :].partition(b"\n")[0].strip()


def _answer(response: Thing, own: str) -> tuple[str, str]:
    """What the head of a response says, and the origin that it leads to, if that is another one."""
    said: dict[str, str] = {}
    for name, value in response.headers.raw_items():
        key = name.lower()
        if key in _WANTED:
            said[key] = f"{said[key]}, {value}" if key in said else value
    status, get = response.status, said.get
    framing = "none" if response._method == "HEAD" else _framing(status, said)  # noqa: SLF001  # no other way
    version = _VERSIONS.get(response.version, "HTTP/?")
    fields = get("connection"), get("keep-alive"), framing, get("server"), get("via")
    answer = "\t".join((version, *map(_short, fields)))
    if status in _REDIRECTS and status != _NOT_MODIFIED and "location" in said:
        leads_to = origin_in(said["location"].strip(), own.partition(":")[0])
        return answer, "" if leads_to == own else leads_to
    return answer, ""


def _framing(status: int, said: dict[str, str]) -> str:
    """How a body's end is told (RFC 9112, section 6.3)."""
    if status < _FINAL or status in _BODILESS:
        return "none"
    codings = said.get("transfer-encoding", "").rstrip(", \t")
    if codings:
        last = codings.rpartition(",")[2].partition(";")[0].strip().lower()
        return "chunked" if last == "chunked" else "close"
    return "length" if "content-length" in said else "close"


def _short(value: str | None) -> str:
    return (value and value.replace("\t", " ").strip()[:_LONGEST]) or "-"


def _cause(error: BaseException) -> BaseException:
    """What a library's own error stands for, if that is the system's."""
    found: BaseException | None = error
    while found is not None and type(found).__module__.rpartition(".")[2] == "exceptions":
        cause = found.__cause__ or found.__context__
        if cause is None:
            break
        found = cause
    return found if found is not None else error
