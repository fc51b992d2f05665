"""What urllib3 does, 1.26 and 2, wherever it is installed, also within another package.

Its connection is a subclass of `http.client`'s, where requests, responses and closings are noted:
here, how connections are opened, and which pool and which manager they are of.
"""

from __future__ import annotations

from .answers import origin_of
from .for_http_client import connecting, reached, wire_of
from .lives import Client

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any, TypeAlias

    from .lives import Tracer
    from .patching import Patches

    Function: TypeAlias = Callable[..., Any]
    Thing: TypeAlias = Any
    """What is a library's, whatever that is."""

_PORTS = {"http": 80, "https": 443}
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
    patches.wrap(module.HTTPConnection, "_new_conn", _reaching(tracer))


def patch_socks(tracer: Tracer, patches: Patches, module: ModuleType) -> None:
    """Note how connections are opened through a SOCKS proxy."""
    patches.wrap(module.SOCKSConnection, "_new_conn", _reaching(tracer))


def patch_pool(tracer: Tracer, patches: Patches, module: ModuleType) -> None:
    """Note what pools there are, and which of their connections are used."""
    attribute, trouble = tracer.attribute, tracer.records.trouble

    def making(original: Function) -> Function:
        def __init__(self: Thing, *args: Thing, **kwargs: Thing) -> None:  # noqa: N807
            original(self, *args, **kwargs)
            try:
                self.__dict__[attribute] = _pool(tracer, self)
            except Exception as error:  # noqa: BLE001  # the program never sees it
                trouble(error)

        return __init__

    def opening(original: Function) -> Function:
        def _new_conn(self: Thing, *args: Thing, **kwargs: Thing) -> Thing:
            connection = original(self, *args, **kwargs)
            try:
                wire = wire_of(tracer, connection)
                if wire is not None:
                    wire.client = self.__dict__.get(attribute) or _found_pool(tracer, self)
            except Exception as error:  # noqa: BLE001  # the program never sees it
                trouble(error)
            return connection

        return _new_conn

    def closing(original: Function) -> Function:
        def close(self: Thing, *args: Thing, **kwargs: Thing) -> Thing:
            try:
                _close(self.__dict__.get(attribute), "client-closed")
            except Exception as error:  # noqa: BLE001  # the program never sees it
                trouble(error)
            return original(self, *args, **kwargs)

        return close

    pool = module.HTTPConnectionPool
    patches.wrap(pool, "__init__", making)
    for owner in (pool, module.HTTPSConnectionPool):
        patches.wrap(owner, "_new_conn", opening)
    patches.wrap(pool, "close", closing)


def patch_manager(tracer: Tracer, patches: Patches, module: ModuleType) -> None:
    """Note what managers there are, and how their pools come and go."""
    attribute, trouble = tracer.attribute, tracer.records.trouble

    def making(original: Function) -> Function:
        def __init__(self: Thing, *args: Thing, **kwargs: Thing) -> None:  # noqa: N807
            original(self, *args, **kwargs)
            try:
                self.__dict__[attribute] = Client(tracer, _kind(self))
            except Exception as error:  # noqa: BLE001  # the program never sees it
                trouble(error)

        return __init__

    def growing(original: Function) -> Function:
        def _new_pool(
            self: Thing, scheme: Thing, host: Thing, port: Thing, *args: Thing, **kwargs: Any
        ) -> Thing:
            differs = ""
            try:
                if attribute not in self.__dict__:
                    self.__dict__[attribute] = Client(tracer, _kind(self)).was_there()
                context = args[0] if args else kwargs.get("request_context")
                differs = _differences(self, (scheme, host, port), context)
            except Exception as error:  # noqa: BLE001  # the program never sees it
                trouble(error)
            pool = original(self, scheme, host, port, *args, **kwargs)
            try:
                client = pool.__dict__.get(attribute)
                if client is not None:
                    client.belongs(self.__dict__.get(attribute), differs)
                _close(_evicted(self, attribute), "evicted")
            except Exception as error:  # noqa: BLE001  # the program never sees it
                trouble(error)
            return pool

        return _new_pool

    def clearing(original: Function) -> Function:
        def clear(self: Thing, *args: Thing, **kwargs: Thing) -> Thing:
            try:
                for pool in _pools(self):
                    _close(pool.__dict__.get(attribute), "client-closed")
            except Exception as error:  # noqa: BLE001  # the program never sees it
                trouble(error)
            return original(self, *args, **kwargs)

        return clear

    manager = module.PoolManager
    patches.wrap(manager, "__init__", making)
    patches.wrap(manager, "_new_pool", growing)
    patches.wrap(manager, "clear", clearing)


def _reaching(tracer: Tracer) -> Callable[[Function], Function]:
    """What wraps a `_new_conn`, which returns a socket once TCP is connected."""

    def make(original: Function) -> Function:
        def _new_conn(self: Thing, *args: Thing, **kwargs: Thing) -> Thing:
            sock = original(self, *args, **kwargs)
            try:
                reached(tracer, self, sock)
            except Exception as error:  # noqa: BLE001  # the program never sees it
                tracer.records.trouble(error)
            return sock

        return _new_conn

    return make


def _pool(tracer: Tracer, pool: Thing) -> Client:
    """A pool that was made."""
    port = pool.port or _PORTS.get(pool.scheme, "")
    origin = origin_of(pool.scheme, (pool.host or "").strip("[]"), port)
    most = getattr(pool.pool, "maxsize", 0)
    kind = _kind(pool)
    return Client(tracer, kind, origin=origin, most=most or -1, blocks=bool(pool.block))


def _found_pool(tracer: Tracer, pool: Thing) -> Client:
    """A pool that was made before this tracer began."""
    made = pool.__dict__[tracer.attribute] = _pool(tracer, pool).was_there()
    return made


def _kind(thing: object) -> str:
    return f"{type(thing).__module__}.{type(thing).__qualname__}"


def _close(client: Client | None, ending: str) -> None:
    """A client keeps no connections any more."""
    if client is not None:
        client.ending = client.ending or ending
        client.closed()


def _pools(manager: Thing) -> list[Thing]:
    """A manager's pools, the one that was asked for the longest ago first; without its lock."""
    return list(manager.pools._container.values())  # noqa: SLF001  # no other way


def _evicted(manager: Thing, attribute: str) -> Client | None:
    """The client of the pool that goes when another one comes."""
    pools = _pools(manager)
    if len(pools) < manager.pools._maxsize or not pools:  # noqa: SLF001  # no other way
        return None
    client: Client | None = pools[0].__dict__.get(attribute)
    return client


def _differences(manager: Thing, place: tuple[Thing, Thing, Thing], context: Thing) -> str:
    """Names of settings that set a pool to come apart from the last one of its manager's there."""
    if context is None:
        return ""
    keys = list(manager.pools._container)  # noqa: SLF001  # no other way
    place = (place[0].lower(), place[1].lower(), place[2])
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
