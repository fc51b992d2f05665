"""What aiohttp's client does, from aiohttp 3.8 on.

What becomes of a TCP connection hangs on the `ResponseHandler` that is its protocol. A connector
makes one in `_create_connection`, with as many attempts as its host has addresses; which of them
is under way is in a variable of the context.

A server's FIN is seen as soon as the event loop runs, and not only when the connection is to be
used again. A response has ended when all of it has come, whether or not the program reads it: from
then on its connection is free.
"""

from __future__ import annotations

import os
import sys
from _contextvars import ContextVar

from .answers import NONE_YET
from .lives import Client, Connection
from .origins import origin_of, unix_origin
from .wrappers import Watcher, around, around_async, quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, TypeAlias

    from .lives import Exchange, Tracer
    from .patching import Patches

    Theirs: TypeAlias = Any
    """An object of aiohttp's."""

_VERSIONS = {(1, 0): "HTTP/1.0", (1, 1): "HTTP/1.1"}
_INFORMATIONAL, _SWITCHING, _FINAL = 100, 101, 200
_INTERRUPTIONS = frozenset(("CancelledError", "TimeoutError"))
_CONNECTORS_FILE = os.path.join("aiohttp", "connector.py")
_CONNECTORS = frozenset(("_close", "_close_immediately", "connect"))
"""What closes a connection because its connector is closed."""
_KEEPERS = frozenset(("_get", "_cleanup"))
"""What looks for a connection among those that are kept."""
_DEEPEST = 8
"""So many calls lie between what closes a connection and why, at most."""
_frame = sys._getframe  # noqa: SLF001  # the only way to ask who calls


class _Life(Connection):
    """A connection, and what it is in the middle of."""

    __slots__ = (
        "announces",
        "client",
        "exchange",
        "has_failed",
        "head",
        "is_bodiless",
        "is_secure",
        "is_switched",
        "payload",
        "place",
        "token",
    )

    def __init__(self, tracer: Tracer, request: Theirs, connector: Theirs) -> None:
        super().__init__(tracer)
        url, proxy = request.url, request.proxy
        self.place, self.via = _origin(url), _origin(proxy) if proxy else ""
        if hasattr(connector, "_path"):
            self.place = unix_origin(connector._path)  # noqa: SLF001
        self.is_secure = url.scheme in ("https", "wss")
        self.client: Client | None = getattr(connector, "__dict__", {}).get(tracer.attribute)
        self.exchange: Exchange | None = None
        """The one under way, or the last."""
        self.head = NONE_YET
        """That of its last response."""
        self.payload: Theirs = None
        """Its response's body."""
        self.has_failed = False
        """Whether an attempt to open it has."""
        self.announces = self.is_bodiless = self.is_switched = False
        self.token: Any = None

    def reached(self) -> None:
        """TCP is connected."""
        if not self.is_open:
            self.connected(self.place, self.via, self.client)

    def unusable(self, error: BaseException) -> None:
        """An attempt to open it failed."""
        self.has_failed = True
        self.failed(self.place, error, self.via, self.client)

    def asked(self, request: Theirs, *, forces_close: bool) -> Exchange:
        """A request begins on it, or is what it is opened for."""
        get = request.headers.get
        asks_to_close = forces_close or "close" in get("Connection", "").lower()
        has_body = get("Content-Length", "0") != "0" or get("Transfer-Encoding") is not None
        self.is_bodiless, self.payload = request.method == "HEAD", None
        self.exchange = self.begun(asks_to_close=asks_to_close, has_body=has_body)
        return self.exchange

    def is_read(self) -> bool:
        """Whether all of the last response has come."""
        return self.payload is not None and self.payload.is_eof() and not self.error()

    def error(self) -> BaseException | None:
        """What kept the rest of it from coming."""
        error: BaseException | None = self.payload and self.payload.exception()
        # Of who closes a response without reading it, too.
        return None if error is None or str(error) == "Connection closed" else error

    def dropped(self) -> str:
        """How it ended where nobody has it any more."""
        is_unread = self.payload is not None and not self.is_switched and not self.is_read()
        return "unread" if is_unread else super().dropped()


class _Watch(Watcher):
    """Notes what objects of aiohttp's do, for one tracer."""

    def __init__(self, tracer: Tracer) -> None:
        self.tracer = tracer
        self._name = tracer.attribute
        self._opening: ContextVar[_Life | None] = ContextVar(f"{self._name}_o", default=None)
        self._maker: ContextVar[Client | None] = ContextVar(f"{self._name}_m", default=None)
        """Whose connector is being made."""

    def _of(self, thing: object) -> Any:  # noqa: ANN401  # whatever hangs there
        return getattr(thing, "__dict__", {}).get(self._name)

    # Sessions and connectors.

    def makes_session(self, *_: object, **__: object) -> Any:  # noqa: ANN401  # a context's
        """A session is being made, and maybe its connector."""
        return self._maker.set(Client(self.tracer, "aiohttp.ClientSession"))

    def made_session(self, session: Theirs, token: Any, _: object) -> None:  # noqa: ANN401  # a context's
        """It was, or it failed."""
        if token is not None:
            session.__dict__[self._name] = self._maker.get()  # `setattr` may warn
            self._maker.reset(token)

    def closes_client(self, client: Theirs, *_: object, **__: object) -> None:
        """A session or connector is closed."""
        known = self._of(client)
        if known is not None:
            known.closed()

    def made_connector(self, connector: Theirs, *_: object) -> None:
        """A connector was made."""
        limits = [it for it in (connector.limit, connector.limit_per_host) if it]
        classes = (it for it in type(connector).__mro__ if it.__module__.startswith("aiohttp."))
        kind, of = f"aiohttp.{next(classes).__name__}", self._maker.get()
        most = min(limits, default=-1)
        connector.__dict__[self._name] = Client(
            self.tracer, kind, of, most=most, blocks=bool(limits)
        )

    # Opening a connection.

    def opens(self, connector: Theirs, req: Theirs, *_: object, **__: object) -> _Life:
        """A connector is to open a connection."""
        if self._of(connector) is None:  # it was made before this tracer began
            self.made_connector(connector)
            self._of(connector).was_there()
        life = _Life(self.tracer, req, connector)
        life.opening()
        life.asked(req, forces_close=connector.force_close)
        life.token = self._opening.set(life)
        return life

    def opened(self, _: Theirs, life: _Life | None, protocol: Theirs) -> None:
        """It has."""
        if life is None:
            return
        self._opening.reset(life.token)
        if protocol.transport is None and not life.is_open:
            return  # it only looks like one, in a test
        life.reached()
        life.ready(is_tls=life.is_secure, is_tunnel=life.is_secure and bool(life.via))
        protocol.__dict__[self._name] = life

    def fails_to_open(self, _: Theirs, life: _Life | None, error: BaseException) -> None:
        """It couldn't."""
        if life is None:
            return
        self._opening.reset(life.token)
        if life.is_open or not life.has_failed:
            life.unusable(error)
        if life.exchange is not None:
            life.exchange.failed(error)

    def attempts(self, *_: object, **kwargs: object) -> _Life | None:
        """An address is tried."""
        life: _Life | None = self._opening.get()
        if life is None or "sock" in kwargs:  # that of a tunnel
            return None
        if life.is_open:  # the one before isn't whom it should be
            life.closed("failed")
        if life.number:
            life.opening()
        return life

    def attempted(self, _: Theirs, life: _Life | None, __: object) -> None:
        """It is open, TLS included."""
        if life is not None:
            life.reached()

    def attempt_failed(self, _: Theirs, life: _Life | None, error: BaseException) -> None:
        """It isn't."""
        if life is not None:
            if "SSL" in type(error.__cause__ or error).__name__:  # TCP was connected
                life.reached()
            life.unusable(error)

    @quietly
    def tcp_connected(self) -> None:
        """TCP is connected."""
        life = self._opening.get()
        if life is not None:
            life.reached()

    # Exchanges.

    def sends(self, request: Theirs, conn: Theirs) -> Exchange | None:
        """A request is to be sent on a connection."""
        life: _Life | None = self._of(conn.protocol) or self._found(request, conn)
        if life is None:
            return None
        exchange = life.exchange
        if exchange is not None and not exchange.is_answered and not exchange.is_over:
            return exchange  # the one that it was opened for
        return life.asked(request, forces_close=conn._connector.force_close)  # noqa: SLF001

    def _found(self, request: Theirs, conn: Theirs) -> _Life | None:
        """A connection that was open before the tracer came; a tunnel is asked for on another."""
        if request.method == "CONNECT" or getattr(conn.protocol, "transport", None) is None:
            return None
        life = _Life(self.tracer, request, conn._connector)  # noqa: SLF001
        life.found(life.place, life.via, life.client)
        conn.protocol.__dict__[self._name] = life
        return life

    def sent(self, _: Theirs, exchange: Exchange | None, __: object) -> None:
        """It was: its head, at least."""
        if exchange is not None:
            exchange.sent()

    def failed(self, _: Theirs, exchange: Exchange | None, error: BaseException) -> None:
        """It couldn't be, or there is no response."""
        if exchange is not None:
            exchange.failed(error)

    def waits(self, protocol: Theirs) -> Exchange | None:
        """The head of a response is waited for."""
        life: _Life | None = self._of(protocol)
        return life.exchange if life else None

    def answered(self, protocol: Theirs, exchange: Exchange | None, head: Theirs) -> None:
        """It is there."""
        if exchange is None:  # it is a message of a web socket, say
            return
        life, (message, payload) = self._of(protocol), head
        code = message.code
        if _INFORMATIONAL <= code < _FINAL and code != _SWITCHING:
            return
        version = _VERSIONS.get(message.version, "HTTP/?")
        said = life.head.next(version, code, message.raw_headers, is_bodiless=life.is_bodiless)
        life.head = said
        text = self.tracer.records.text(said.text)
        exchange.answered(code, text, said.redirect(life.place))
        life.announces = said.closes or bool(message.should_close)
        life.payload, life.is_switched = payload, code == _SWITCHING
        if life.is_switched:
            exchange.ended()
        else:
            payload.on_eof(self._quiet(exchange.ended))

    def _quiet(self, note: Theirs) -> Theirs:
        """What a library calls by itself."""

        def quiet() -> None:
            try:
                note()
            except Exception as error:  # noqa: BLE001  # the program never sees it
                self.tracer.records.trouble(error)

        return quiet

    # How a connection ends.

    def closes(self, protocol: Theirs) -> None:
        """It is closed from here."""
        life: _Life | None = self._of(protocol)
        if life is not None and life.is_open:
            life.closed(_ending(protocol, life))

    def loses(self, _: Theirs, exc: BaseException | None) -> BaseException | None:
        """It was closed from there, or has been from here."""
        return exc

    def lost(self, protocol: Theirs, exc: BaseException | None, _: object) -> None:
        """Its protocol knows."""
        life: _Life | None = self._of(protocol)
        if life is None or not life.is_open:
            return
        if life.exchange is not None and not life.is_switched and not life.is_read():
            error = life.error() or exc
            if life.payload is not None and error is not None:
                life.exchange.failed(error)
            life.closed("failed")  # where there is no response, who waits notes it
        elif exc is None:
            life.closed("found-fin")
        else:
            is_reset = isinstance(exc, ConnectionResetError)
            life.closed("found-rst" if is_reset else "found-closed")


def _ending(protocol: Theirs, life: _Life) -> str:
    """How a connection ends that is closed from here; what became of its exchange is noted, too."""
    callers, exchange = _callers(), life.exchange
    if not callers.isdisjoint(_KEEPERS):
        return "expired" if protocol.is_connected() else "found-closed"
    if not callers.isdisjoint(_CONNECTORS):
        return "collected" if "__del__" in callers else "client-closed"
    if exchange is None or life.is_switched:
        return "connection-closed"
    if life.is_read():
        exchange.ended()
        return _ending_once_read(protocol, life, exchange, is_released="release" in callers)
    error = sys.exc_info()[1]
    if life.payload is not None and type(error).__name__ not in _INTERRUPTIONS:
        error = life.error()
    if error is not None:
        exchange.failed(error)
    return "unread" if life.payload is not None and error is None else "failed"


def _ending_once_read(
    protocol: Theirs, life: _Life, exchange: Exchange, *, is_released: bool
) -> str:
    """How it ends after a response that was read."""
    if life.announces:
        return "announced"
    if protocol._tail or len(protocol):  # noqa: SLF001  # more came than was asked for
        return "found-data"
    # Before aiohttp 3.11, that is so with all that a proxy forwards.
    is_forced = protocol._should_close and not exchange.asks_to_close  # noqa: SLF001
    is_forced = is_forced and is_released and bool(life.via) and not life.is_secure
    return "never-kept" if is_forced else "connection-closed"


def _callers() -> set[str]:
    """Names of a connector's methods among who calls."""
    frame, callers = _frame(2), set[str]()
    for _ in range(_DEEPEST):
        if frame.f_back is None:
            break
        frame = frame.f_back
        if frame.f_code.co_filename.endswith(_CONNECTORS_FILE):
            callers.add(frame.f_code.co_name)
    return callers


def _origin(url: Theirs) -> str:
    return origin_of(url.scheme, url.raw_host or "", url.port)


# What puts that into modules.


def _watch(tracer: Tracer) -> _Watch:
    """The one that all modules share."""
    known: _Watch | None = vars(tracer).get("_aiohttp")
    if known is None:
        known = vars(tracer)["_aiohttp"] = _Watch(tracer)
    return known


def patch_client(tracer: Tracer, patches: Patches, module: ModuleType) -> None:
    """Watch `client`."""
    watch, session = _watch(tracer), module.ClientSession
    making = around(watch.makes_session, watch.made_session, watch.made_session)
    patches.wrap(session, "__init__", making)
    patches.wrap(session, "close", around_async(watch.closes_client))


def patch_connector(tracer: Tracer, patches: Patches, module: ModuleType) -> None:
    """Watch `connector`."""
    watch, base, tcp = _watch(tracer), module.BaseConnector, module.TCPConnector
    patches.wrap(base, "__init__", around(after=watch.made_connector))
    for name in ("_close", "_close_immediately"):
        if name in vars(base):
            patches.wrap(base, name, around(watch.closes_client))
    opening = around_async(watch.opens, watch.opened, watch.fails_to_open)
    for owner in (tcp, module.UnixConnector, module.NamedPipeConnector):
        patches.wrap(owner, "_create_connection", opening)
    attempting = around_async(watch.attempts, watch.attempted, watch.attempt_failed)
    patches.wrap(tcp, "_wrap_create_connection", attempting)
    eyeballs = getattr(module, "aiohappyeyeballs", None)  # before 3.10, loops connect themselves
    if eyeballs is not None:
        patches.wrap(eyeballs, "start_connection", _connecting(watch))


def patch_protocol(tracer: Tracer, patches: Patches, module: ModuleType) -> None:
    """Watch `client_proto`."""
    watch, protocol = _watch(tracer), module.ResponseHandler
    patches.wrap(protocol, "connection_lost", around(watch.loses, watch.lost, watch.lost))
    for name in ("close", "abort"):
        if name in vars(protocol):
            patches.wrap(protocol, name, around(watch.closes))


def patch_request(tracer: Tracer, patches: Patches, module: ModuleType) -> None:
    """Watch `client_reqrep`."""
    watch = _watch(tracer)
    owner = next(it for it in module.ClientRequest.__mro__ if "send" in vars(it))
    patches.wrap(owner, "send", around_async(watch.sends, watch.sent, watch.failed))


def patch_streams(tracer: Tracer, patches: Patches, module: ModuleType) -> None:
    """Watch `streams`."""
    watch = _watch(tracer)
    reading = around_async(watch.waits, watch.answered, watch.failed)
    patches.wrap(module.DataQueue, "read", reading)


def _connecting(watch: _Watch) -> Theirs:
    def make(original: Theirs) -> Theirs:
        async def start_connection(*args: object, **kwargs: object) -> object:
            sock = await original(*args, **kwargs)
            watch.tcp_connected()
            return sock

        return start_connection

    return make
