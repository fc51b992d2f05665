"""What httpcore does, and so httpx: sync and async, HTTP/1.1 and HTTP/2, from httpcore 0.15 on.

A TCP connection is what a backend's `connect_tcp` returns, a stream; TLS makes another stream of
it. What becomes of it hangs on these, on the `HTTP11Connection` or `HTTP2Connection` that speaks
over them, and on the connection of the pool around that.

Which of the pool's connections is being opened is in a variable of the context: it is that of the
thread, greenlet or task, whichever library runs them.
"""

from __future__ import annotations

import os
import sys
import time
from _contextvars import ContextVar

from .answers import NONE_YET, asks
from .closers import found_on
from .lives import Client, Connection
from .origins import origin_in, origin_of, unix_origin
from .system import now
from .wrappers import Watcher, around, around_async, quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, TypeAlias

    from .lives import Exchange, Tracer
    from .patching import Patches

    Theirs: TypeAlias = Any
    """An object of httpcore's, or of httpx's."""

_WHOLE = frozenset(("DONE", "MUST_CLOSE", "CLOSED"))
"""States of h11 in which a response was read to its end."""
_SWITCHED = frozenset(("MIGHT_SWITCH_PROTOCOL", "SWITCHED_PROTOCOL"))
_BODILESS = frozenset((b"HEAD", b"CONNECT"))
_FOLDERS = [os.path.join("httpcore", name) for name in ("_async", "_sync")]
_POOLS_FILES = tuple(os.path.join(folder, "connection_pool.py") for folder in _FOLDERS)
_SPEAKERS = frozenset(("__iter__", "__aiter__", "handle_request", "handle_async_request"))
"""What closes a response because of an error, as it reads it."""
_SPEAKERS_FILES = tuple(
    os.path.join(folder, name) for folder in _FOLDERS for name in ("http11.py", "http2.py")
)
_DEEPEST = 16
"""So many calls lie between what closes a connection and why, at most."""
_frame = sys._getframe  # noqa: SLF001  # the only way to ask who calls


class _Pool:
    """A pool, and whether it is being closed."""

    __slots__ = ("client", "is_closing")

    def __init__(self, client: Client) -> None:
        self.client = client
        self.is_closing = False


class _Life(Connection):
    """A connection of a pool's: what it leads to, and what it is in the middle of."""

    __slots__ = (
        "announces",
        "asks",
        "ending",
        "exchanges",
        "head",
        "is_tunnel",
        "is_usable",
        "place",
        "pool",
        "speakers",
    )

    def __init__(self, tracer: Tracer, place: str, via: str, pool: _Pool | None) -> None:
        super().__init__(tracer)
        self.place, self.via, self.pool = place, via, pool
        self.is_tunnel = self.is_usable = False
        self.announces = False
        """Whether the last response says that it ends."""
        self.asks = ""
        """The origin that the last request went to; empty: where it leads."""
        self.speakers = 0
        """How many have spoken HTTP on it: in a tunnel, the first one asks the proxy for it."""
        self.exchanges: dict[int, Exchange] = {}
        """Those under way, by their stream's number."""
        self.head = NONE_YET
        """That of the last response."""
        self.ending = ""
        """How it ends if it is closed now."""

    @property
    def client(self) -> Client | None:
        """That of its pool."""
        return self.pool.client if self.pool else None

    def reached(self) -> None:
        """TCP is connected."""
        self.is_usable, self.speakers = False, 0
        self.connected(self.place, self.via, self.client)

    def unusable(self, error: BaseException) -> None:
        """It couldn't be opened, or not as far as is needed."""
        self.failed(self.place, error, self.via, self.client)

    def dropped(self) -> str:
        """How it ended where nobody has it any more."""
        is_unread = any(it.is_answered and not it.is_over for it in self.exchanges.values())
        return "unread" if is_unread else super().dropped()


class _Opening:
    """A request that finds its connection not open yet."""

    __slots__ = ("began", "has_begun", "is_opener", "life", "token")

    def __init__(self, life: _Life) -> None:
        self.life, self.began = life, now()
        self.has_begun = False
        """Whether its exchange has."""
        self.is_opener = False
        """Whether it opens it itself: others wait for that."""
        self.token: Any = None


class _Watch(Watcher):
    """Notes what objects of httpcore's do, for one tracer."""

    def __init__(self, tracer: Tracer) -> None:
        self.tracer = tracer
        self._name = tracer.attribute
        self._opening: ContextVar[_Opening | None] = ContextVar(f"{self._name}_o", default=None)
        self._maker: ContextVar[Client | None] = ContextVar(f"{self._name}_m", default=None)
        """Whose pools are being made."""

    def _of(self, thing: object) -> Any:  # noqa: ANN401  # whatever hangs there
        return getattr(thing, "__dict__", {}).get(self._name)

    # Clients and pools.

    def makes_client(self, client: Theirs, *_: object, limits: object = None, **__: object) -> Any:  # noqa: ANN401  # a token
        """A client of httpx's is being made, and so are its pools."""
        classes = (it for it in type(client).__mro__ if it.__module__.partition(".")[0] == "httpx")
        kind = f"httpx.{next(classes).__name__}"
        limits = limits or getattr(sys.modules["httpx._config"], "DEFAULT_LIMITS", None)
        most = _most(getattr(limits, "max_keepalive_connections", None))
        return self._maker.set(Client(self.tracer, kind, most=most))

    def made_client(self, client: Theirs, token: Any, _: object) -> None:  # noqa: ANN401  # a context's
        """It was, or it failed."""
        if token is not None:
            client.__dict__[self._name] = self._maker.get()
            self._maker.reset(token)

    def closes_client(self, client: Theirs, *_: object) -> None:
        """The program closes it."""
        known = self._of(client)
        if known is not None:
            known.closed()

    def made_pool(self, pool: Theirs, *_: object) -> None:
        """A pool was made."""
        most = _most(getattr(pool, "_max_keepalive_connections", None))
        blocks = most >= 0 and most == getattr(pool, "_max_connections", None)
        kind = f"httpcore.{type(pool).__name__}"
        client = Client(self.tracer, kind, self._maker.get(), most=most, blocks=blocks)
        pool.__dict__[self._name] = _Pool(client)

    def closes_pool(self, pool: Theirs) -> None:
        """It is being closed."""
        known = self._of(pool)
        if known is not None:
            known.is_closing = True
            known.client.closed()

    def closed_pool(self, pool: Theirs, *_: object) -> None:
        """It was; it may be used again."""
        known = self._of(pool)
        if known is not None:
            known.is_closing = False

    @quietly
    def made_connection(self, pool: Theirs, origin: Theirs, made: Theirs) -> None:
        """A pool made a connection, which isn't open yet."""
        proxy = getattr(made, "_proxy_origin", None)
        via = "" if proxy is None else _origin(proxy)
        leads_to = _origin(origin)
        if getattr(made, "_uds", None):
            leads_to = unix_origin(made._uds)  # noqa: SLF001
        known = self._of(pool)
        if known is None:  # it was made before this tracer began
            self.made_pool(pool)
            known = self._of(pool)
            known.client.was_there()
        life = _Life(self.tracer, leads_to, via, known)
        life.is_tunnel = hasattr(made, "_connected")
        # Up to httpcore 0.15, what a proxy forwards shares its connections.
        life.is_shared = proxy is not None and not hasattr(made, "_remote_origin")
        made.__dict__[self._name] = life
        if proxy is not None and made._connection is not None:  # noqa: SLF001  # that to the proxy
            made._connection.__dict__[self._name] = life  # noqa: SLF001

    # Opening a connection.

    def enters(self, connection: Theirs, *_: object) -> _Opening | None:
        """A request has got a connection; an `_Opening`, where that isn't open."""
        is_open = getattr(connection, "_connected", None)  # a tunnel's
        if is_open or (is_open is None and connection._connection is not None):  # noqa: SLF001
            return None
        life = self._of(connection)
        if life is None:
            return None
        outer = self._opening.get()
        if outer is not None and outer.life is life:  # a tunnel asks for itself
            return None
        opening = _Opening(life)
        opening.token = self._opening.set(opening)
        return opening

    def leaves(self, _: Theirs, opening: _Opening | None, __: object) -> None:
        """The head of its response is there."""
        if opening is not None:
            self._opening.reset(opening.token)

    def leaves_failed(self, _: Theirs, opening: _Opening | None, error: BaseException) -> None:
        """It failed."""
        if opening is None:
            return
        self._opening.reset(opening.token)
        if type(error).__name__ == "ConnectionNotAvailable":  # it goes to another connection
            return
        life = opening.life
        if opening.is_opener and life.is_open and not life.is_usable:
            life.unusable(error)
        if not opening.has_begun:
            life.begun(since=opening.began).failed(error)

    def connects(self, *_: object, **__: object) -> _Life | None:
        """A backend is to connect."""
        opening = self._opening.get()
        if opening is None:
            return None
        opening.is_opener = True
        opening.life.opening()
        return opening.life

    def connected(self, _: Theirs, life: _Life | None, stream: Theirs) -> None:
        """It has."""
        if life is not None and stream.get_extra_info("socket") is not None:  # it isn't a mock's
            life.reached()
            stream.__dict__[self._name] = life

    def fails_to_connect(self, _: Theirs, life: _Life | None, error: BaseException) -> None:
        """It hasn't."""
        if life is not None:
            life.unusable(error)

    def secured(self, stream: Theirs, _: object, secure: Theirs) -> None:
        """TLS made another stream of one."""
        life = self._of(stream)
        if life is not None:
            secure.__dict__[self._name] = life

    def fails_to_secure(self, stream: Theirs, _: object, error: BaseException) -> None:
        """Its handshake failed."""
        life = self._of(stream)
        if life is not None:
            life.unusable(error)

    def speaks(self, http: Theirs, *_: object) -> None:
        """There is somebody to speak HTTP over a stream."""
        stream, opening = http._network_stream, self._opening.get()  # noqa: SLF001
        life = self._of(stream)
        if life is None and opening is not None:  # through a backend of the program's own
            opening.is_opener, life = True, opening.life
            if not life.is_open:
                self.connected(None, life, stream)
        if life is None or not life.is_open:
            http.__dict__[self._name] = None  # it isn't a real one
            return
        http.__dict__[self._name] = life
        life.speakers += 1
        if life.speakers > life.is_tunnel:
            life.is_usable = True
            is_tls = stream.get_extra_info("ssl_object") is not None
            life.ready(is_tls=is_tls, is_tunnel=life.is_tunnel)

    # Exchanges.

    def begins(self, http: Theirs, request: Theirs, stream_id: int = 0) -> None:
        """A request is to be sent."""
        life = self._of(http)
        if self._name not in http.__dict__:
            life = self._found(http)
        if life is None or not life.is_usable:
            return
        opening, since = self._opening.get(), 0.0
        if opening is not None and opening.life is life and not opening.has_begun:
            opening.has_begun, since = True, opening.began
        if life.is_shared:
            asked = origin_in(request.url.target.decode("latin-1"))
            life.asks = "" if asked == life.place else asked
        asks_to_close, has_body = asks(request.headers)
        life.exchanges[stream_id] = life.begun(
            asks_to_close=asks_to_close,
            has_body=has_body,
            is_http_2=stream_id > 0,
            since=since,
            origin=life.asks,
        )

    def _found(self, http: Theirs) -> _Life:
        """A connection that was open before the tracer came."""
        life = http.__dict__[self._name] = _Life(self.tracer, _origin(http._origin), "", None)  # noqa: SLF001
        life.found(life.place)
        life.is_usable = True
        return life

    def sent(
        self, http: Theirs, request: Theirs, stream_id: int = 0
    ) -> tuple[Exchange, bool] | None:
        """It was; an exchange, and whether its response has no body."""
        life = self._of(http)
        exchange: Exchange | None = life and life.exchanges.get(stream_id)
        if exchange is None:
            return None
        exchange.sent()
        return exchange, request.method in _BODILESS

    def answered(self, http: Theirs, state: tuple[Exchange, bool] | None, head: Theirs) -> None:
        """The head of its response is there."""
        if state is None:
            return
        if hasattr(http, "_h2_state"):
            version, (status, fields) = "HTTP/2", head
        else:
            version, status, fields = head[0].decode("latin-1"), head[1], head[3]
        exchange, is_bodiless = state
        life: _Life = self._of(http)
        said = life.head.next(version, status, fields, is_bodiless=is_bodiless)
        life.head, life.announces = said, said.closes
        text = self.tracer.records.text(said.text)
        exchange.answered(status, text, said.redirect(life.asks or life.place))

    def unanswered(
        self, _: Theirs, state: tuple[Exchange, bool] | None, error: BaseException
    ) -> None:
        """It won't be."""
        if state is not None:
            state[0].failed(error)

    def closes_response(self, http: Theirs) -> None:
        """A response in HTTP/1 is closed, which closes the connection unless both are done."""
        life = self._of(http)
        exchange: Exchange | None = life and life.exchanges.pop(0, None)
        if exchange is None:
            return
        state = repr(http._h11_state.their_state)  # noqa: SLF001
        is_read = exchange.is_answered and state in _WHOLE
        error = None if is_read else _reading_error()
        if error is not None:
            exchange.failed(error)
            life.ending = "failed"
        elif is_read:
            exchange.ended()
            life.ending = "announced" if life.announces else "connection-closed"
        elif state in _SWITCHED:
            exchange.ended()
            life.ending = "connection-closed"
        else:
            life.ending = "unread"

    def closes_stream(self, http: Theirs, stream_id: int) -> None:
        """One in HTTP/2 is, which closes the connection only where that is at its end."""
        life = self._of(http)
        exchange: Exchange | None = life and life.exchanges.pop(stream_id, None)
        if exchange is None:
            return
        error = _reading_error()
        if error is not None:
            exchange.failed(error)
        elif exchange.is_answered and not http._events.get(stream_id):  # noqa: SLF001
            stream = http._h2_state.streams.get(stream_id)  # noqa: SLF001
            if stream is None or stream.closed:
                exchange.ended()
        life.ending = "announced"
        if http._connection_error:  # noqa: SLF001  # it stays in its pool, and isn't used again
            life.closed("announced" if _is_terminated(http) else "failed")

    def closed_response(self, http: Theirs, *_: object) -> None:
        """It was."""
        life = self._of(http)
        if life is not None:
            life.ending = ""

    def closes(self, http: Theirs) -> None:
        """A connection is closed."""
        life = self._of(http)
        if life is not None and life.is_usable and life.is_open:
            life.closed(life.ending or _ending(http, life))


def _ending(http: Theirs, life: _Life) -> str:
    """How a connection ends that is closed while no response is."""
    if life.pool is not None and life.pool.is_closing:
        return "client-closed"
    if not any(file.endswith(_POOLS_FILES) for file, _ in _callers()):
        return "connection-closed"
    stream = http._network_stream  # noqa: SLF001
    found = (
        found_on(stream.get_extra_info("socket")) if stream.get_extra_info("is_readable") else ""
    )
    if found and life.announces:  # h11 expects more, even after a body that ends like this
        return "announced"
    if found and (found != "found-data" or hasattr(http, "_h11_state")):
        return found
    expires = http._expire_at  # noqa: SLF001
    is_old = expires is not None and time.monotonic() > expires
    return "expired" if is_old else "pool-full"


def _is_terminated(http: Theirs) -> bool:
    """Whether a GOAWAY has come."""
    names = ("_connection_terminated", "_connection_error_event")  # before 0.16, the second
    return any(getattr(http, name, None) is not None for name in names)


def _reading_error() -> BaseException | None:
    """The error because of which a response is closed; `None`: it was given up."""
    for file, name in _callers():
        if name in _SPEAKERS and file.endswith(_SPEAKERS_FILES):
            error = sys.exc_info()[1]
            return None if isinstance(error, GeneratorExit) else error
    return None


def _callers() -> list[tuple[str, str]]:
    """Files and names of who calls, the nearest first."""
    frame, callers = _frame(2), list[tuple[str, str]]()
    while frame.f_back is not None and len(callers) < _DEEPEST:
        frame = frame.f_back
        callers.append((frame.f_code.co_filename, frame.f_code.co_name))
    return callers


def _most(number: int | None) -> int:
    return -1 if number is None or number >= sys.maxsize else number


def _origin(origin: Theirs) -> str:
    return origin_of(origin.scheme.decode("ascii"), origin.host.decode("latin-1"), origin.port)


# What puts that into modules. Those for async programs have the names of the others, with `Async`
# and `a` before them.


def _watch(tracer: Tracer) -> _Watch:
    """The one that all modules share."""
    known: _Watch | None = vars(tracer).get("_httpcore")
    if known is None:
        known = vars(tracer)["_httpcore"] = _Watch(tracer)
    return known


def patch_client(tracer: Tracer, patches: Patches, module: ModuleType) -> None:
    """Watch `httpx._client`."""
    watch = _watch(tracer)
    making = around(watch.makes_client, watch.made_client, watch.made_client)
    for owner in (module.Client, module.AsyncClient):
        patches.wrap(owner, "__init__", making)
    for name in ("close", "__exit__"):
        patches.wrap(module.Client, name, around(watch.closes_client))
    for name in ("aclose", "__aexit__"):
        patches.wrap(module.AsyncClient, name, around_async(watch.closes_client))


def patch_pool(tracer: Tracer, patches: Patches, module: ModuleType) -> None:
    """Watch `connection_pool`."""
    watch, pool = _watch(tracer), _class(module, "ConnectionPool")
    patches.wrap(pool, "__init__", around(after=watch.made_pool))
    _patch_making(watch, patches, pool)
    _wrap(patches, pool, "close", watch.closes_pool, watch.closed_pool, watch.closed_pool)


def patch_connection(tracer: Tracer, patches: Patches, module: ModuleType) -> None:
    """Watch `connection`."""
    _patch_opening(_watch(tracer), patches, _class(module, "HTTPConnection"))


def patch_http_proxy(tracer: Tracer, patches: Patches, module: ModuleType) -> None:
    """Watch `http_proxy`."""
    _patch_making(_watch(tracer), patches, _class(module, "HTTPProxy"))
    _patch_opening(_watch(tracer), patches, _class(module, "TunnelHTTPConnection"))


def patch_socks_proxy(tracer: Tracer, patches: Patches, module: ModuleType) -> None:
    """Watch `socks_proxy`."""
    _patch_making(_watch(tracer), patches, _class(module, "SOCKSProxy"))
    _patch_opening(_watch(tracer), patches, _class(module, "Socks5Connection"))


def patch_speaker(tracer: Tracer, patches: Patches, module: ModuleType) -> None:
    """Watch `http11` or `http2`."""
    watch, is_2 = _watch(tracer), module.__name__.endswith("2")
    http = _class(module, "HTTP2Connection" if is_2 else "HTTP11Connection")
    receive = "_receive_response" if is_2 else "_receive_response_headers"
    closes = watch.closes_stream if is_2 else watch.closes_response
    patches.wrap(http, "__init__", around(after=watch.speaks))
    _wrap(patches, http, "_send_request_headers", watch.begins)
    _wrap(patches, http, receive, watch.sent, watch.answered, watch.unanswered)
    _wrap(
        patches,
        http,
        "_response_closed",
        closes,
        watch.closed_response,
        watch.closed_response,
    )
    _wrap(patches, http, "close", watch.closes)


def patch_backend(tracer: Tracer, patches: Patches, module: ModuleType) -> None:
    """Watch `sync`, `anyio` (it was `asyncio` once) or `trio`."""
    watch = _watch(tracer)
    wrapper = around if module.__name__.endswith(".sync") else around_async
    connecting = wrapper(watch.connects, watch.connected, watch.fails_to_connect)
    securing = wrapper(after=watch.secured, failed=watch.fails_to_secure)
    for owner in list(vars(module).values()):
        if getattr(owner, "__module__", "") == module.__name__:
            if "connect_tcp" in vars(owner):
                patches.wrap(owner, "connect_tcp", connecting)
                patches.wrap(owner, "connect_unix_socket", connecting)
            if "start_tls" in vars(owner):
                patches.wrap(owner, "start_tls", securing)


def _patch_making(watch: _Watch, patches: Patches, pool: type) -> None:
    def make(original: Theirs) -> Theirs:
        def create_connection(self: Theirs, origin: Theirs) -> Theirs:
            made = original(self, origin)
            watch.made_connection(self, origin, made)
            return made

        return create_connection

    patches.wrap(pool, "create_connection", make)


def _patch_opening(watch: _Watch, patches: Patches, connection: type) -> None:
    name = "handle_request"
    if connection.__name__.startswith("Async"):
        name = "handle_async_request"
    _wrap(patches, connection, name, watch.enters, watch.leaves, watch.leaves_failed)


def _class(module: ModuleType, name: str) -> type:
    found: type = getattr(module, f"Async{name}" if "._async." in module.__name__ else name)
    return found


def _wrap(patches: Patches, owner: type, name: str, *notes: Theirs) -> None:
    if owner.__name__.startswith("Async"):
        name = "aclose" if name == "close" else name
        patches.wrap(owner, name, around_async(*notes))
    else:
        patches.wrap(owner, name, around(*notes))
