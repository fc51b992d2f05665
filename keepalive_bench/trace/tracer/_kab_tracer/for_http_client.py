"""What `http.client` does, and so `urllib.request`; and what urllib3 does through it.

A connection is a `Wire`, which hangs on the `HTTPConnection` from its making on; a response read to
its end is told by its `_close_conn`. Where an answer says that its connection is closed after it,
`http.client` hands the socket over to the response: so it does with the wire.

Frames are looked at only where a connection is closed: they tell who wants that, and so why.
"""

from __future__ import annotations

import sys

from .layout import ASKS_TO_CLOSE, HAS_BODY
from .lives import Client, Connection, name_of, now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, ModuleType
    from typing import Any, TypeAlias

    from .lives import Exchange, Tracer
    from .patching import Patches
    from .records import Records

    Function: TypeAlias = Callable[..., Any]
    Thing: TypeAlias = Any
    """What is a library's, whatever that is."""

_LONGEST = 60
"""Characters of a field that are kept."""
_OTHER, _CONNECTION, _KEEP_ALIVE, _CODING, _LENGTH, _SERVER, _VIA, _LOCATION = range(8)
_WANTED = {
    "connection": _CONNECTION,
    "keep-alive": _KEEP_ALIVE,
    "transfer-encoding": _CODING,
    "content-length": _LENGTH,
    "server": _SERVER,
    "via": _VIA,
    "location": _LOCATION,
}
_SPELLINGS: dict[str, int] = {}
_MOST_SPELLINGS, _MOST_ANSWERS = 500, 2_000
_VERSIONS = {9: "HTTP/0.9", 10: "HTTP/1.0", 11: "HTTP/1.1", 20: "HTTP/2"}
_PORTS = {"http": 80, "https": 443}
_HTTPS = 443
_FINAL, _BODILESS = 200, (204, 304)
_REDIRECTS = frozenset((300, 301, 302, 303, 305, 307, 308))
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
_EMPTY = b"", b"0"
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
        """When it began to be opened for a request that is yet to begin, as pools do."""
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
    answers = _Answers(tracer.records)

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
                    if exchange.is_unbound:
                        _found_open(tracer, self)
                    exchange.sent()
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
                    exchange = wire.exchange
                    if exchange is not None:
                        exchange.answered(response.status, *answers.read(response, wire.origin))
                        if self.sock is None:  # the response has it
                            self.__dict__[attribute] = Wire(tracer, wire.client, wire.number)
                            wire.is_handed_over = True
                        if response.fp is not None:
                            response.__dict__[attribute] = exchange, wire
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
        wire = _found_wire(tracer, connection)
    if wire.is_opening:
        return None
    if wire.is_open:  # whoever opens it again has let go of the socket before
        wire.closed("connection-closed")
    wire.is_opening, wire.is_spoilt, wire.is_named = True, False, False
    wire.opening()
    if wire.client is not None and connection.default_port == _HTTPS:
        wire.asked = now()  # before the request, whose time it takes nevertheless
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
    wire = connection.__dict__.get(tracer.attribute)
    lines = connection._buffer  # noqa: SLF001  # no other way
    try:
        head = b"\n".join(lines)
    except TypeError:  # botocore's may be text
        head = b"\n".join(it if isinstance(it, bytes) else it.encode("utf-8") for it in lines)
    if wire is None or not wire.is_named or not wire.is_open or connection.sock is None:
        wire = _prepared(tracer, connection, wire, _target(head))
    head = head.lower()
    flags = ASKS_TO_CLOSE if b"close" in _field(head, b"\nconnection:") else 0
    if (
        body is not None
        or b"\ntransfer-encoding:" in head
        or _field(head, b"\ncontent-length:") not in _EMPTY
    ):
        flags |= HAS_BODY
    since, wire.asked = wire.asked, 0.0
    wire.exchange = exchange = wire.begins(flags, since)
    return exchange


def _prepared(tracer: Tracer, connection: Thing, wire: Wire | None, target: str) -> Wire:
    """See whether the connection of a request is open, and whom it asks."""
    sock = connection.sock
    if wire is None:
        wire = _found_wire(tracer, connection)
        if sock is not None:
            wire.found(*_names(connection, target, sock), wire.client)
    elif wire.is_open and sock is None:  # somebody has taken it away
        wire.closed("connection-closed")
    wire.before, wire.target = wire.number, target
    if not wire.is_open and sock is None:
        wire.is_spoilt = False
        wire.opening()  # by a `connect` that nobody knows, perhaps
    elif not wire.is_open and not wire.is_spoilt:  # by one that nobody knows
        wire.connected(*_names(connection, target, sock), wire.client)
        wire.ready(is_tls=hasattr(sock, "getpeercert"))
    elif target and wire.is_open and not wire.is_named:
        wire.serves(*_names(connection, target, sock))
    wire.is_named = True
    return wire


def _found_wire(tracer: Tracer, connection: Thing) -> Wire:
    """What hangs on a connection that was made before the tracer began, by a pool maybe."""
    module, name = type(connection).__module__, type(connection).__qualname__
    client = None
    if module != "http.client":
        client = Client(tracer, f"{module}.{name}").was_there()
    wire = connection.__dict__[tracer.attribute] = Wire(tracer, client)
    return wire


def _found_open(tracer: Tracer, connection: Thing) -> None:
    """A request was sent on a connection that nobody saw being opened."""
    wire = wire_of(tracer, connection)
    if wire is not None and not wire.is_open and connection.sock is not None and not wire.is_spoilt:
        wire.connected(*_names(connection, wire.target, connection.sock), wire.client)
        wire.ready(is_tls=hasattr(connection.sock, "getpeercert"))


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


def _close_reason(response: Thing, frame: FrameType) -> str | None:
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


def _target(head: bytes) -> str:
    """The origin that a request's first line names: that of one which asks a proxy."""
    target = head[head.find(b" ") + 1 :]
    if target[:4].lower() != b"http":
        return ""
    return origin_in(target.partition(b" ")[0].decode("latin-1"))


def _field(head: bytes, name: bytes) -> bytes:
    start = head.find(name)
    if start < 0:
        return b""
    return head[start + len(name) :].partition(b"\n")[0].strip()


class _Answers:
    """Reads what the heads of responses say; most say what one before has said."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._forget()

    def read(self, response: Thing, own: str) -> tuple[int, str]:
        """The number of what one says, and the origin that it leads to, if that is another one.

        Args:
            response: of `http.client`'s.
            own: the origin that answers.
        """
        if self._of is not self._records.key or len(self._known) > _MOST_ANSWERS:
            self._forget()
        connection = keep_alive = coding = length = server = via = location = None
        for name, value in response.headers._headers:  # noqa: SLF001  # raw_items, without its copy
            # A name is known as it is spelled: to fold each costs more than all else here.
            key = _SPELLINGS.get(name)
            if key is None:
                key = _spelled(name)
            if key == _OTHER:
                continue
            if key == _CONNECTION:
                connection = f"{connection}, {value}" if connection else value
            elif key == _KEEP_ALIVE:
                keep_alive = value
            elif key == _CODING:
                coding = f"{coding}, {value}" if coding else value
            elif key == _LENGTH:
                length = value
            elif key == _SERVER:
                server = value
            elif key == _VIA:
                via = f"{via}, {value}" if via else value
            else:
                location = value
        status = response.status
        if response._method == "HEAD" or status < _FINAL or status in _BODILESS:  # noqa: SLF001  # no other way
            framing = "none"
        elif coding:
            framing = _framing(coding)
        else:
            framing = "close" if length is None else "length"
        said = response.version, connection, keep_alive, framing, server, via
        number = self._known.get(said)
        if number is None:
            version = _VERSIONS.get(response.version, "HTTP/?")
            text = "\t".join((version, *map(_short, said[1:])))
            number = self._known[said] = self._records.text(text)
        if location is None or status not in _REDIRECTS:
            return number, ""
        leads_to = origin_in(location.strip(), own.partition(":")[0])
        return number, "" if leads_to == own else leads_to

    def _forget(self) -> None:
        self._of = self._records.key
        self._known: dict[object, int] = {}


def _spelled(name: str) -> int:
    """Which field a name is of, however it is spelled."""
    key = _WANTED.get(name.lower(), _OTHER)
    if len(_SPELLINGS) < _MOST_SPELLINGS:
        _SPELLINGS[name] = key
    return key


def _framing(coding: str) -> str:
    """How a body's end is told where it has a coding (RFC 9112, section 6.3)."""
    last = coding.rstrip(", \t").rpartition(",")[2].partition(";")[0].strip().lower()
    return "chunked" if last == "chunked" else "close"


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
