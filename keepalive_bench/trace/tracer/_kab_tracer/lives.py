"""What happens to clients, connections and exchanges of any library, in the tracer's own terms.

The patches of each library call these, and hang each `Client` and `Connection` on an object of the
library's: where that goes away, so do these, which tells that nobody has it any more. They may
raise: whoever wraps a function of a library's sees to it that nothing gets out.

What was made before a fork is written again in the child's records when it is used there. A number
is reserved before anything else is written: that begins records of their own in a process that was
forked unnoticed, and texts and calls have other numbers there.
"""

from __future__ import annotations

import sys
from _thread import get_ident
from itertools import count

from .closers import name_of
from .layout import (
    ASKS_TO_CLOSE,
    BLOCKS,
    CLIENT,
    CONNECTION,
    ENDINGS,
    EXCHANGE,
    HAS_BODY,
    HAS_FAILED,
    IS_HTTP_2,
    IS_INHERITED,
    IS_REDIRECT,
    IS_SHARED,
    IS_TLS,
    IS_TUNNEL,
)
from .segments import NOWHERE
from .stacks import Stacks, who
from .system import now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .layout import Slot
    from .records import Records

_NUMBER_OF = {name: number for number, name in enumerate(ENDINGS)}
_PUT_CLIENT = CLIENT.tail()
_PUT_END_OF_CLIENT, _END_OF_CLIENT_AT = CLIENT.part("ended")
_PUT_OPENED, _OPENED_AT = CONNECTION.part("connected", "ready")
_PUT_END_OF_CONNECTION, _END_OF_CONNECTION_AT = CONNECTION.part("ended", "ending")
_KIND, _PUT_ALL = EXCHANGE.kind, EXCHANGE.tail()
_FLAGS_AT = EXCHANGE.offsets["flags"]
_PUT_CONNECTION, _CONNECTION_AT = EXCHANGE.part("connection")
_PUT_SENT, _SENT_AT = EXCHANGE.part("sent")
_PUT_ANSWER, _ANSWER_AT = EXCHANGE.part("answered", "status")
_PUT_END, _END_AT = EXCHANGE.part("ended")
_PUT_DETAIL, _DETAIL_AT = EXCHANGE.part("detail")
_MOST = 2**31 - 1
"""Of connections that a client keeps, as a record has them; more are as good as no limit."""
_BY_THE_PROGRAM = frozenset(("client-closed", "connection-closed", "pool-full", "unread"))
"""Endings of which it matters where in the program they come about."""
_tracers = count()


class Tracer:
    """One tracer of this process: that of `kab trace` or that of `watch`; both may be at work."""

    def __init__(self, records: Records, only_thread: int = 0) -> None:
        self.records = records
        self.stacks = Stacks(records)
        self.attribute = sys.intern(f"_kab_{id(_tracers):x}_{next(_tracers)}")
        """What its own hangs on other people's objects by. This module may be there twice."""
        self.is_over = False
        """Whether the process ends: what goes away then was kept to the end."""
        self.only_thread = only_thread
        """The one thread whose requests are noted; 0: all are."""
        self.claim: Callable[[], Slot] = self._claim_here if only_thread else records.claim
        """A slot for a request."""

    @property
    def is_elsewhere(self) -> bool:
        """Whether this is a thread whose requests aren't noted."""
        return bool(self.only_thread) and self.only_thread != get_ident()

    def _claim_here(self) -> Slot:
        return NOWHERE if self.is_elsewhere else self.records.claim()


class Hung:
    """What hangs on objects of the program's, which it may pickle, copy and compare as ever."""

    __slots__ = ()

    def __reduce__(self) -> tuple[type, tuple[()]]:
        return type(None), ()  # of a copy, nothing is known

    def __eq__(self, other: object) -> bool:
        return other is None or isinstance(other, Hung)

    __hash__ = object.__hash__


hang = object.__setattr__
"""Hangs something on an object, whatever its class does where attributes are set."""


class Client(Hung):
    """A pool, or what has pools. Made by whoever makes that, as its calls are noted.

    It has no record before something refers to it: many are made and never used.
    """

    _slot: Slot | None = None
    _flags = 0
    _ended = 0.0
    ending = ""
    """How connections of its end that nobody closes: `evicted`, say; empty: nobody knows."""

    def __init__(
        self,
        tracer: Tracer,
        kind: type | str,
        of: Client | None = None,
        origin: str = "",
        differs: str = "",
        most: int = -1,
        *,
        blocks: bool = False,
    ) -> None:
        own = tracer.records.own
        self._tracer = tracer
        self._own = own if own.mark[0] else tracer.records.here()
        self._made = now()
        if blocks:
            self._flags = BLOCKS
        self._says = of, kind, origin, differs, min(most, _MOST)
        # Who made the one that it belongs to made this one, too.
        self._stack = 0 if of else tracer.stacks.call("making", is_whole=True)

    @property
    def number(self) -> int:
        """That of its record, in this process."""
        records = self._tracer.records
        if self._own is not records.own:
            self._own, self._slot = records.own, None
            self.was_there()
        if self._slot is None:
            of, kind, origin, differs, most = self._says
            above = of.number if of else 0
            self._slot = slot = records.claim()
            texts = records.own.texts
            if not isinstance(kind, str):
                kind = f"{kind.__module__}.{kind.__qualname__}"
            refers = above, texts[kind], texts[origin], self._stack, texts[differs]
            number, memory, at = slot
            made, ended = self._made, self._ended
            _PUT_CLIENT(memory, at + 1, self._flags, *refers, most, made, ended, CLIENT.kind)
            memory[at] = CLIENT.kind
            return number
        return self._slot[0]

    def was_there(self) -> Client:
        """It was made before this tracer began, or the process was forked: nobody knows where."""
        self._flags |= IS_INHERITED
        self._stack = 0
        return self

    def closed(self) -> None:
        """The program closed it, or nobody has it any more."""
        if not self._ended and not self._tracer.is_over:
            if self._slot is None:
                self._ended = now()
            elif self._own.is_here and self._own.mark[0]:
                self._ended = now()
                _, memory, at = self._slot
                _PUT_END_OF_CLIENT(memory, at + _END_OF_CLIENT_AT, self._ended)

    def __del__(self) -> None:
        try:
            if self._slot is not None and not self._ended:
                self.closed()
        except Exception:  # noqa: BLE001, S110  # Python itself is coming down: nobody is told
            pass


class Connection(Hung):
    """A connection of an object of a library's; when that opens it again, it is another one."""

    # What many never set is the class's.
    _slot: Slot
    _began = _connected = _ready = _ended = 0.0
    _previous = _stack = _flags = _ending = _detail = 0
    _is_made = False
    """Whether there is a record for this opening already."""
    _client: Client | None = None
    origin = via = ""
    """Where it leads; empty before it was opened."""
    is_open = False
    is_shared = False
    """Whether requests to any server may go over it: it leads to a proxy."""
    number = 0
    """Of the one that is open, or was the last; 0: there never was one."""

    def __init__(self, tracer: Tracer, previous: int = 0) -> None:
        self._tracer = tracer
        self._own = tracer.records.own
        if previous:
            self.number = previous

    def opening(self, since: float = 0.0) -> None:
        """It begins to be opened; who wants that is noted: an error in a task comes by itself.

        Args:
            since: when that was; 0: now.
        """
        if not self._tracer.records.own.mark[0]:
            self._tracer.records.here()
        self._began = since or now()
        self._stack = self._tracer.stacks.call("opening", is_whole=True)

    def leads(self, origin: str, via: str = "", client: Client | None = None) -> None:
        """It turns out where a connection leads that is being opened.

        So there is a record before it is open; it isn't one yet for who reads it.
        """
        self._make(origin, via, client)
        self._write()

    def connected(
        self, origin: str, via: str = "", client: Client | None = None, *, is_all: bool = False
    ) -> None:
        """The TCP handshake is done.

        Args:
            origin: where it leads.
            via: the proxy's origin.
            client: whose it is.
            is_all: nothing else belongs to opening it.
        """
        if self._is_made and origin == self.origin and via == self.via:
            self.is_reached(is_all=is_all)
            return
        self._make(origin, via, client)
        self.is_open, self._connected = True, now()
        self._ready = self._connected if is_all else 0.0
        self._write()

    def is_reached(self, *, is_all: bool) -> None:
        """The TCP handshake is done, with who it was said to lead to."""
        at_s = now()
        self.is_open, self._connected, self._ready = True, at_s, at_s if is_all else 0.0
        _, memory, at = self._slot
        _PUT_OPENED(memory, at + _OPENED_AT, at_s, self._ready)

    def ready(self, *, is_tls: bool, is_tunnel: bool = False) -> None:
        """So is all else that belongs to opening it."""
        if self.is_open:
            self._flags |= (IS_TLS if is_tls else 0) | (IS_TUNNEL if is_tunnel else 0)
            self._ready = now()
            self._write()

    def failed(
        self, origin: str, error: BaseException, via: str = "", client: Client | None = None
    ) -> None:
        """It couldn't be opened, or it was and isn't usable."""
        if not self.is_open:
            self._make(origin, via, client)
        self._flags |= HAS_FAILED
        self._detail = self._tracer.records.text(name_of(error))
        self._write()
        self._end("failed")

    def found(self, origin: str, via: str = "", client: Client | None = None) -> None:
        """It is open, and was before this tracer began: as if inherited, from nobody."""
        self._make(origin, via, client)
        self.is_open, self._flags, self._previous, self._stack = True, IS_INHERITED, 0, 0
        self._write()

    def serves(self, origin: str, via: str) -> None:
        """It turns out whom a proxy asks, as requests on it say."""
        if self.is_open and self._own.is_running():
            self.origin, self.via = origin, via
            self._write()

    def begun(
        self,
        *,
        asks_to_close: bool = False,
        has_body: bool = False,
        is_http_2: bool = False,
        since: float = 0.0,
        origin: str = "",
    ) -> Exchange:
        """A request begins on it; or for it, where it is yet to be opened.

        Args:
            asks_to_close: its own header says `Connection: close`.
            has_body: it has one.
            is_http_2: it is one of many at once.
            since: when it began; 0: now.
            origin: where it goes, if not where the connection leads.
        """
        flags = (ASKS_TO_CLOSE if asks_to_close else 0) | (HAS_BODY if has_body else 0)
        return Exchange(self._tracer, self, flags | (IS_HTTP_2 if is_http_2 else 0), since, origin)

    def closed(self, ending: str) -> None:
        """It ended; `ending`: one of `ENDINGS`."""
        if not self.is_open or self._tracer.is_over:
            return
        if not (self._own.is_here and self._own.mark[0]):  # it is the parent's, and open there
            self.is_open = self._is_made = False
            self._began = 0.0
            return
        if ending in _BY_THE_PROGRAM:
            self._detail = self._tracer.stacks.call("closing")
        self._end(ending)

    def dropped(self) -> str:
        """How it ended where nobody has it any more."""
        return "collected"

    def __del__(self) -> None:
        try:
            if self.is_open and self._own.is_running() and not self._tracer.is_over:
                self._end(self.dropped())
        except Exception:  # noqa: BLE001, S110  # Python itself is coming down: nobody is told
            pass

    def _make(self, origin: str, via: str, client: Client | None) -> None:
        """Begin another record, unless there is one for this opening."""
        self.origin, self.via, self._client = origin, via, client
        if self._is_made:
            return
        records, previous, self._is_made = self._tracer.records, self.number, True
        self._slot = records.claim()
        self.number = self._slot[0]
        # A parent's is nothing here.
        self._previous = previous if self._own is records.own else 0
        self._own = records.own
        if previous or self._ended:  # what the last one set, which may have had no slot
            self._flags = self._ending = self._detail = 0
            self._connected = self._ready = self._ended = 0.0
        if not self._began:
            self.opening()
        if self._tracer.only_thread and self._tracer.is_elsewhere:
            # To the thread that is watched, it was there before.
            self._flags, self._previous, self._stack = IS_INHERITED, 0, 0

    def inherit(self) -> None:
        """Go on with it, as it is of the process that forked this one."""
        records = self._tracer.records
        self._previous, self._slot = self.number, records.claim()
        self.number, self._own, self._stack = self._slot[0], records.own, 0
        self._flags |= IS_INHERITED
        self._write()

    def _end(self, ending: str) -> None:
        self.is_open, self._ending, self._ended = False, _NUMBER_OF[ending], now()
        _, memory, at = self._slot
        how = self._ended, self._detail, self._ending
        _PUT_END_OF_CONNECTION(memory, at + _END_OF_CONNECTION_AT, *how)
        self._began, self._is_made = 0.0, False

    def _write(self) -> None:
        texts, client = self._tracer.records.own.texts, self._client
        flags = self._flags | IS_SHARED if self.is_shared else self._flags
        refers = texts[self.via], client.number if client else 0, self._previous, self._stack
        times = self._began, self._connected, self._ready, self._ended
        how = self._detail, self._ending
        CONNECTION.write(self._slot, flags, texts[self.origin], *refers, *times, *how)


class Exchange:
    """A request, and its response.

    There is one for each request, so each of its facts is written in its place as it is known. Its
    connection is let go as soon as its number is known, as both may hold each other.
    """

    __slots__ = (
        "_at",
        "_memory",
        "_origin",
        "_own",
        "_records",
        "began",
        "flags",
        "has_failed",
        "is_answered",
        "is_over",
        "unbound",
    )

    def __init__(
        self,
        tracer: Tracer,
        connection: Connection,
        flags: int,
        since: float = 0.0,
        origin: str = "",
    ) -> None:
        self.began = began = since or now()
        self._records = records = tracer.records
        _, memory, at = tracer.claim()
        self._memory, self._at, self._own = memory, at, records.own
        self._origin = to = records.text(origin) if origin else 0
        self.flags = flags
        """Those of the layout."""
        self.is_answered = False
        """Whether the response's head is there."""
        self.is_over = False
        """Whether the response was read to its end, or there won't be one."""
        self.has_failed = False
        self.unbound: Connection | None = None
        """Its connection, as long as its number isn't known."""
        if connection.is_open:
            if connection._own is not records.own:  # noqa: SLF001  # they are one
                connection.inherit()
            of = connection.number
        else:
            of, self.unbound = 0, connection
        frame = tracer.stacks.call("asking")
        _PUT_ALL(memory, at + 1, flags, of, frame, who(), began, 0.0, 0.0, 0.0, 0, 0, to, 0, _KIND)
        memory[at] = _KIND

    @property
    def asks_to_close(self) -> bool:
        """Whether its own header says `Connection: close`."""
        return bool(self.flags & ASKS_TO_CLOSE)

    def sent(self) -> None:
        """The request was written."""
        if self._own.is_here:  # else it is its parent's
            _PUT_SENT(self._memory, self._at + _SENT_AT, now())
            if self.unbound is not None:
                self._bind()

    def answered(self, status: int, answer: int, redirect: str = "") -> None:
        """The response's head is there, even if not all of the request could be sent.

        Args:
            status: its status code.
            answer: the number of the text of `ANSWER_FIELDS`.
            redirect: the origin it leads to, where that is another one.
        """
        at, detail = now(), 0
        self.is_answered, self.is_over, self.has_failed = True, False, False
        if self._own.is_here:
            if redirect:
                detail = self._records.text(redirect)
                self._flag(self.flags | IS_REDIRECT)
            origin = self._origin
            _PUT_ANSWER(
                self._memory, self._at + _ANSWER_AT, at, 0.0, answer, detail, origin, status
            )
            if self.unbound is not None:
                self._bind()

    def ended(self) -> None:
        """The response was read to its end."""
        if not self.is_over:
            self.is_over = True
            if self._own.is_here:
                _PUT_END(self._memory, self._at + _END_AT, now())
                if self.unbound is not None:
                    self._bind()

    def failed(self, error: BaseException | str) -> None:
        """There is no response, or not all of it.

        Args:
            error: what was raised, or its class's name.
        """
        if not self.is_over and self._own.is_running():
            self.is_over = self.has_failed = True
            name = error if isinstance(error, str) else name_of(error)
            self._flag(self.flags & ~IS_REDIRECT)
            _PUT_DETAIL(self._memory, self._at + _DETAIL_AT, self._records.text(name))
            _PUT_END(self._memory, self._at + _END_AT, now())
            if self.unbound is not None:
                self._bind()

    def _flag(self, flags: int) -> None:
        self.flags = self._memory[self._at + _FLAGS_AT] = flags

    def _bind(self) -> None:
        """Note its connection, if there is one now, or won't be."""
        connection = self.unbound
        if connection is not None and (connection.is_open or self.is_over):
            _PUT_CONNECTION(self._memory, self._at + _CONNECTION_AT, connection.number)
            self.unbound = None
