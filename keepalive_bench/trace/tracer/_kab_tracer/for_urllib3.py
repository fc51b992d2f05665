"""What urllib3 does, 1.26 and 2, wherever it is installed, also within another package.

Its connection is a subclass of `http.client`'s, where requests, responses and closings are noted:
here, how connections are opened, and which pool and which manager they are of.
"""

from __future__ import annotations

from _thread import get_ident

from .answers import Head
from .closers import cause_of
from .for_http_client import connecting, prepared, wire_of
from .layout import HAS_BODY
from .lives import Client, Exchange, hang
from .origins import PORTS, origin_of
from .wrappers import Watcher, after, around, before

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, TypeAlias

    from .for_http_client import Wire
    from .lives import Tracer
    from .patching import Patches
    from .wrappers import Function, Maker

    Thing: TypeAlias = Any
    """What is a library's, whatever that is."""

_MAKERS: dict[tuple[str, int], tuple[Client, str]] = {}
"""By tracer and thread: the manager that is making a pool, and how that differs from its last."""
_PLACE = ("key_scheme", "key_host", "key_port")
"""Fields of a pool's key that say where its connections lead."""
_HAS_DEFAULT = ("blocksize",)
"""Settings that a key names even where nobody has set them."""


def patch_connection(tracer: Tracer, patches: Patches, module: ModuleType) -> None:
    """Note how connections are opened."""
    for name in ("HTTPConnection", "HTTPSConnection"):
        owner: type = getattr(module, name)
        if "connect" in vars(owner):  # without ssl, urllib3 has a dummy
            patches.wrap(owner, "connect", connecting(tracer))
    patches.wrap(module.HTTPConnection, "_new_conn", after(_Watch(tracer).reached))


def patch_socks(tracer: Tracer, patches: Patches, module: ModuleType) -> None:
    """Note how connections are opened through a SOCKS proxy."""
    patches.wrap(module.SOCKSConnection, "_new_conn", after(_Watch(tracer).reached))


def patch_http_2(tracer: Tracer, patches: Patches, module: ModuleType) -> None:
    """Note requests over HTTP/2, where the program has urllib3 speak it: one after the other."""
    watch, connection = _Watch(tracer), module.HTTP2Connection
    patches.wrap(connection, "connect", connecting(tracer))
    patches.wrap(connection, "endheaders", around(watch.sends, watch.sent, watch.failed))
    patches.wrap(connection, "getresponse", around(watch.waits, watch.answered, watch.failed))


def patch_pool(tracer: Tracer, patches: Patches, module: ModuleType) -> None:
    """Note what pools there are, and which connections they make."""
    watch, pool = _Watch(tracer), module.HTTPConnectionPool
    patches.wrap(pool, "__init__", after(watch.made_pool))
    patches.wrap(pool, "close", before(watch.closes_pool))
    for owner in (pool, module.HTTPSConnectionPool):
        patches.wrap(owner, "_new_conn", after(watch.made_connection))


def patch_manager(tracer: Tracer, patches: Patches, module: ModuleType) -> None:
    """Note what managers there are, and how their pools come and go."""
    watch, manager = _Watch(tracer), module.PoolManager
    patches.wrap(manager, "__init__", _making_manager(tracer))
    patches.wrap(manager, "_new_pool", around(watch.makes_pool, watch.took_pool, watch.took_none))
    patches.wrap(manager, "clear", before(watch.clears))


def _making_manager(tracer: Tracer) -> Maker:
    # Written out, as `requests.get` makes two: `after` would be two calls more for each.
    name, trouble = tracer.attribute, tracer.records.trouble

    def make(original: Function) -> Function:
        def __init__(self: Thing, *args: Thing, **kwargs: Thing) -> None:  # noqa: N807
            original(self, *args, **kwargs)
            try:
                hang(self, name, Client(tracer, type(self)))
            except Exception as error:  # noqa: BLE001  # the program never sees it
                trouble(error)

        return __init__

    return make


class _Watch(Watcher):
    """Notes for one tracer what happens to pools and managers."""

    def __init__(self, tracer: Tracer) -> None:
        self.tracer = tracer
        self._name = tracer.attribute

    def _client(self, thing: Thing) -> Client | None:
        found: Client | None = getattr(thing, self._name, None)
        return found

    def reached(self, connection: Thing, _: Thing) -> None:
        """TCP is connected."""
        wire: Wire | None = getattr(connection, self._name, None)
        if wire is not None and wire.is_opening and not wire.is_open:
            wire.is_reached(is_all=wire.is_plain)

    def made_connection(self, pool: Thing, connection: Thing) -> None:
        """A pool made a connection, which isn't opened yet."""
        wire, client = getattr(connection, self._name, None), getattr(pool, self._name, None)
        if wire is not None:
            wire.client = client if client is not None else self.made_pool(pool).was_there()

    def made_pool(self, pool: Thing, _: None = None) -> Client:
        """A pool was made."""
        port = pool.port or PORTS.get(pool.scheme, "")
        origin = origin_of(pool.scheme, (pool.host or "").strip("[]"), port)
        most = getattr(pool.pool, "maxsize", 0) or -1
        blocks = bool(pool.block)
        of, differs = _MAKERS.get((self._name, get_ident()), (None, ""))
        client = Client(self.tracer, type(pool), of, origin, differs, most, blocks=blocks)
        hang(pool, self._name, client)
        return client

    def sends(self, connection: Thing, message_body: object = None) -> Exchange:
        """A request's head is to be sent."""
        wire = wire_of(self.tracer, connection)
        if wire is None or not wire.is_open or connection.sock is None:
            wire = prepared(self.tracer, connection, wire, "")
        since, wire.asked, wire.asks = wire.asked, 0.0, ""
        flags = 0 if message_body is None else HAS_BODY
        wire.exchange = exchange = Exchange(self.tracer, wire, flags, since)
        return exchange

    def sent(self, _: Thing, exchange: Exchange | None, __: object) -> None:
        """It was."""
        if exchange is not None:
            exchange.sent()

    def waits(self, connection: Thing) -> Exchange | None:
        """All of its response is to be read."""
        wire = wire_of(self.tracer, connection)
        return wire.exchange if wire is not None else None

    def answered(self, connection: Thing, exchange: Exchange | None, response: Thing) -> None:
        """It was."""
        wire = wire_of(self.tracer, connection)
        if exchange is not None and wire is not None:
            fields = [(name.encode(), value.encode()) for name, value in response.headers.items()]
            head = Head("HTTP/2", response.status, fields)
            text = self.tracer.records.text(head.text)
            exchange.answered(response.status, text, head.redirect(wire.origin))
            exchange.ended()

    def failed(self, _: Thing, exchange: Exchange | None, error: BaseException) -> None:
        """There is no response, or not all of it."""
        if exchange is not None:
            exchange.failed(cause_of(error))

    def closes_pool(self, pool: Thing) -> None:
        """The program closes a pool."""
        _close(self._client(pool), "client-closed")

    def makes_pool(
        self, manager: Thing, scheme: str, host: str, port: int, request_context: Thing = None
    ) -> None:
        """A manager makes a pool, as it has none with all of these settings."""
        client = getattr(manager, self._name, None)
        if client is None:
            client = Client(self.tracer, type(manager)).was_there()
            hang(manager, self._name, client)
        differs = ""
        if manager.pools._container:  # noqa: SLF001  # no other way
            place = scheme.lower(), host.lower(), port
            differs = _differences(manager, place, request_context or {})
        _MAKERS[self._name, get_ident()] = client, differs

    def took_pool(self, manager: Thing, *_: Thing) -> None:
        """It made it, and another one may have to go for it."""
        _MAKERS.pop((self._name, get_ident()), None)
        pools = manager.pools._container  # noqa: SLF001  # no other way
        if pools and len(pools) >= manager.pools._maxsize:  # noqa: SLF001  # the same
            _close(self._client(_pools(manager)[0]), "evicted")

    def took_none(self, *_: Thing) -> None:
        """It couldn't make it."""
        _MAKERS.pop((self._name, get_ident()), None)

    def clears(self, manager: Thing) -> None:
        """The program has a manager let go of all its pools."""
        if manager.pools._container:  # noqa: SLF001  # no other way
            for pool in _pools(manager):
                _close(self._client(pool), "client-closed")


def _close(client: Client | None, ending: str) -> None:
    """A client keeps no connections any more."""
    if client is not None:
        client.ending = client.ending or ending
        client.closed()


def _pools(manager: Thing) -> list[Thing]:
    """A manager's pools, the one that was asked for the longest ago first; without its lock."""
    return list(manager.pools._container.values())  # noqa: SLF001  # no other way


def _differences(manager: Thing, place: tuple[str, str, int], context: dict[str, Any]) -> str:
    """Names of settings that set a pool to come apart from the last one of its manager's there."""
    keys = list(manager.pools._container)  # noqa: SLF001  # no other way
    for key in reversed(keys):
        if tuple(getattr(key, name, None) for name in _PLACE) == place:
            names = (field[4:] for field in key._fields if field not in _PLACE)
            return ",".join(name for name in names if _is_other(key, name, context))
    return ""


def _is_other(key: Thing, name: str, context: dict[str, Any]) -> bool:
    value: Thing = context.get(name)
    if value is None and name in _HAS_DEFAULT:
        return False
    if isinstance(value, list):
        value = tuple(value)
    elif hasattr(value, "items"):
        value = frozenset(value.items())
    return bool(getattr(key, f"key_{name}") != value)
