"""What happens to clients, connections and exchanges of any library, in the tracer's own terms.

The patches of each library call these, and hang each `Client` and `Connection` on an object of the
library's: where that goes away, so do these, which tells that nobody has it any more. They may
raise: whoever wraps a function of a library's sees to it that nothing gets out.

What was made before a fork is written again in the child's records when it is used there. A number
is reserved before anything else is written: that begins records of their own in a process that was
forked unnoticed, and texts and calls have other numbers there.
"""

from __future__ import annotations

import os
import sys
import time
from _struct import Struct
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
    SLOT_BYTES,
)
from .stacks import Stacks, who

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .records import Records

now: Callable[[], float] = time.perf_counter.__call__  # type: ignore[operator]  # not itself: freezegun looks for that, and replaces it
_NUMBER_OF = {name: number for number, name in enumerate(ENDINGS)}
_PACK = EXCHANGE.struct.pack
_STATUS, _TIME, _ANSWER = Struct("=H"), Struct("=d"), Struct("=ddI")
_STATUS_AT, _ANSWER_AT = EXCHANGE.offsets["status"], EXCHANGE.offsets["answered"]
_ENDED_AT = EXCHANGE.offsets["ended"]
_BY_THE_PROGRAM = frozenset(("client-closed", "connection-closed", "pool-full", "unread"))
"""Endings of which it matters where in the program they come about."""
_tracers = count()
_frame = sys._getframe  # noqa: SLF001  # the only way to ask who calls


class Tracer:
    """One tracer of this process: that of `kab trace` or that of `watch`; both may be at work."""

    def __init__(self, records: Records, only_thread: int = 0) -> None:
        self.records = records
        self.stacks = Stacks(records)
        self.attribute = f"_kab_{id(_tracers):x}_{next(_tracers)}"
        """What its own hangs on other people's objects by. This module may be there twice."""
        self.is_over = False
        """Whether the process ends: what goes away then was kept to the end."""
        self.only_thread = only_thread
        """The one thread whose requests are noted; 0: all are."""

    @property
    def is_elsewhere(self) -> bool:
        """Whether this is a thread whose requests aren't noted."""
        return bool(self.only_thread) and self.only_thread != get_ident()


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
    """A pool, or what has pools. Made by whoever makes that, as its calls are noted."""

    __slots__ = (
        "_ended",
        "_flags",
        "_made",
        "_number",
        "_pid",
        "_refers",
        "_says",
        "_stack",
        "_tracer",
        "ending",
    )

    def __init__(
        self,
        tracer: Tracer,
        kind: str,
        of: Client | None = None,
        origin: str = "",
        differs: str = "",
        most: int = -1,
        *,
        blocks: bool = False,
    ) -> None:
        self._tracer = tracer
        self._number = tracer.records.reserve()
        self._pid = tracer.records.pid
        self._made, self._ended = now(), 0.0
        self._flags = BLOCKS if blocks else 0
        # Who made the one that it belongs to made this one, too.
        self._stack = 0 if of else tracer.stacks.whole_again(1, kind)
        self.ending = ""
        """How connections of its end that nobody closes: `evicted`, say; empty: nobody knows."""
        self._say(of, kind, origin, differs, most)

    @property
    def number(self) -> int:
        """That of its record, in this process."""
        if self._pid != self._tracer.records.pid:
            self._number = self._tracer.records.reserve()
            self._pid, self._stack = self._tracer.records.pid, 0
            self._flags |= IS_INHERITED
            self._say(*self._says)
        return self._number

    def belongs(self, of: Client | None, differs: str = "") -> None:
        """It turns out to be another client's.

        Args:
            of: whose.
            differs: what sets it apart from the last one of that client's for its origin.
        """
        _, kind, origin, _, most = self._says
        self._say(of, kind, origin, differs, most)

    def was_there(self) -> Client:
        """It was made before this tracer began, nobody knows where."""
        self._flags |= IS_INHERITED
        self._stack = 0
        self._say(*self._says)
        return self

    def closed(self) -> None:
        """The program closed it, or nobody has it any more."""
        if not self._ended and self._pid == os.getpid() and not self._tracer.is_over:
            self._ended = now()
            self._write()

    def __del__(self) -> None:
        try:  # noqa: SIM105  # contextlib isn't there yet
            self.closed()
        except Exception:  # noqa: BLE001, S110  # Python itself is coming down: nobody is told
            pass

    def _say(self, of: Client | None, kind: str, origin: str, differs: str, most: int) -> None:
        self._says = of, kind, origin, differs, most
        text = self._tracer.records.text
        texts = text(kind), text(origin), self._stack, text(differs)
        self._refers = of.number if of else 0, *texts, most
        self._write()

    def _write(self) -> None:
        values = self._flags, *self._refers, self._made, self._ended
        self._tracer.records.write(CLIENT, self._number, *values)


class Connection(Hung):
    """A connection of an object of a library's; when that opens it again, it is another one."""

    __slots__ = (
        "_began",
        "_connected",
        "_detail",
        "_ended",
        "_ending",
        "_flags",
        "_pid",
        "_previous",
        "_ready",
        "_refers",
        "_says",
        "_stack",
        "_tracer",
        "is_open",
        "is_shared",
        "number",
    )

    def __init__(self, tracer: Tracer, previous: int = 0) -> None:
        self._tracer = tracer
        self._pid = tracer.records.pid
        self._began = 0.0
        self._flags = 0
        self._ready = 0.0
        self._says: tuple[str, str, Client | None] = "", "", None
        self.is_open = False
        self.is_shared = False
        """Whether requests to any server may go over it: it leads to a proxy."""
        self.number = previous
        """Of the one that is open, or was the last; 0: there never was one."""

    @property
    def origin(self) -> str:
        """Where it leads; empty before it was opened."""
        return self._says[0]

    def opening(self) -> None:
        """It begins to be opened; who wants that is noted: an error in a task comes by itself."""
        self._began, self._stack = now(), self._tracer.stacks.whole_again(1, "opening")

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
        self._make(origin, via, client)
        self.is_open, self._connected = True, now()
        self._ready = self._connected if is_all else 0.0
        self._write()

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
        self._end("failed")

    def found(self, origin: str, via: str = "", client: Client | None = None) -> None:
        """It is open, and was before this tracer began: as if inherited, from nobody."""
        self._make(origin, via, client)
        self.is_open, self._flags, self._previous, self._stack = True, IS_INHERITED, 0, 0
        self._write()

    def serves(self, origin: str, via: str) -> None:
        """It turns out whom a proxy asks, as requests on it say."""
        if self.is_open and self._pid == os.getpid():
            self._say(origin, via, self._says[2])
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
        return Exchange(
            self._tracer, self, flags | (IS_HTTP_2 if is_http_2 else 0), since, 0, origin
        )

    def closed(self, ending: str) -> None:
        """It ended; `ending`: one of `ENDINGS`."""
        if not self.is_open or self._tracer.is_over:
            return
        if self._pid != os.getpid():  # it is the parent's, and open there
            self.is_open = False
            return
        if ending in _BY_THE_PROGRAM:
            self._detail = self._tracer.stacks.own_call(_frame(1))
        self._end(ending)

    def dropped(self) -> str:
        """How it ended where nobody has it any more."""
        return "collected"

    def __del__(self) -> None:
        try:
            if self.is_open and self._pid == os.getpid() and not self._tracer.is_over:
                self._end(self.dropped())
        except Exception:  # noqa: BLE001, S110  # Python itself is coming down: nobody is told
            pass

    def _make(self, origin: str, via: str, client: Client | None) -> None:
        """Begin another record."""
        records, previous = self._tracer.records, self.number
        self.number = records.reserve()
        self._previous = previous if self._pid == records.pid else 0  # a parent's is nothing here
        self._pid = records.pid
        self._say(origin, via, client)
        self._flags = self._ending = self._detail = 0
        self._connected = self._ready = self._ended = 0.0
        if not self._began:
            self._began, self._stack = now(), self._tracer.stacks.whole_again(2, "opening")
        if self._tracer.is_elsewhere:  # to the thread that is watched, it was there before
            self._flags, self._previous, self._stack = IS_INHERITED, 0, 0

    def inherit(self) -> None:
        """Go on with it, as it is of the process that forked this one."""
        self._previous, self.number = self.number, self._tracer.records.reserve()
        self._pid, self._stack = os.getpid(), 0
        self._flags |= IS_INHERITED
        self._say(*self._says)
        self._write()

    def _end(self, ending: str) -> None:
        self.is_open, self._ending, self._ended = False, _NUMBER_OF[ending], now()
        self._write()
        self._began = 0.0

    def _say(self, origin: str, via: str, client: Client | None) -> None:
        self._says = origin, via, client
        text = self._tracer.records.text
        self._refers = text(origin), text(via), client.number if client else 0

    def _write(self) -> None:
        times = self._began, self._connected, self._ready, self._ended
        origin, *refers = self._refers
        flags = self._flags | IS_SHARED if self.is_shared else self._flags
        values = flags, self._ending, origin, *times, *refers, self._previous
        self._tracer.records.write(CONNECTION, self.number, *values, self._stack, self._detail)


class Exchange:
    """A request, and its response.

    There is one for each request, so it writes its record by itself, and once it is sent at the
    latest; its connection is let go as soon as its number is known, as both may hold each other.
    """

    __slots__ = (
        "_answer",
        "_answered",
        "_began",
        "_connection",
        "_detail",
        "_ended",
        "_frame",
        "_of",
        "_origin",
        "_pid",
        "_records",
        "_sent",
        "_slot",
        "_status",
        "_who",
        "flags",
        "has_failed",
    )

    def __init__(
        self,
        tracer: Tracer,
        connection: Connection,
        flags: int,
        since: float = 0.0,
        call: int = 0,
        origin: str = "",
    ) -> None:
        self._began = since or now()
        self._records = records = tracer.records
        is_elsewhere = tracer.only_thread and tracer.is_elsewhere
        self._slot = None if is_elsewhere else records.claim()
        self._pid = records.pid
        self._origin = records.text(origin) if origin else 0
        self.flags = flags
        """Those of the layout."""
        self._status = self._answer = self._detail = 0
        self._sent = self._answered = self._ended = 0.0
        self.has_failed = False
        self._who = who()
        self._frame = call or tracer.stacks.own_call(_frame(1))
        if connection.is_open:
            if connection._pid != self._pid:  # noqa: SLF001  # they are one
                connection.inherit()
            self._of, self._connection = connection.number, None
            if flags & HAS_BODY:
                self._write()
        else:
            self._of, self._connection = 0, connection
            self._write()

    @property
    def is_unbound(self) -> bool:
        """Whether its connection isn't known yet."""
        return self._connection is not None

    @property
    def is_over(self) -> bool:
        """Whether the response was read to its end, or there won't be one."""
        return self._ended > 0

    @property
    def is_answered(self) -> bool:
        """Whether the response's head is there."""
        return self._answered > 0

    @property
    def asks_to_close(self) -> bool:
        """Whether its own header says `Connection: close`."""
        return bool(self.flags & ASKS_TO_CLOSE)

    def sent(self) -> None:
        """The request was written."""
        self._sent = now()
        self._write()

    def answered(self, status: int, answer: str | int, redirect: str = "") -> None:
        """The response's head is there, even if not all of the request could be sent.

        Args:
            status: its status code.
            answer: the text of `ANSWER_FIELDS`, or its number.
            redirect: the origin it leads to, where that is another one.
        """
        self._answered = answered = now()
        records = self._records
        if self._pid != records.pid:
            return
        if isinstance(answer, str):
            answer = records.text(answer)
        self._status, self._answer = status, answer
        slot = self._slot
        if redirect or self.has_failed or self._connection is not None or slot is None:
            self._ended, self._detail, self.has_failed = 0.0, 0, False
            if redirect:
                self.flags |= IS_REDIRECT
                self._detail = records.text(redirect)
            self._write()
            return
        # All else is there already.
        memory, at = slot
        _STATUS.pack_into(memory, at + _STATUS_AT, status)
        _ANSWER.pack_into(memory, at + _ANSWER_AT, answered, 0.0, answer)

    def ended(self) -> None:
        """The response was read to its end."""
        if not self._ended:
            self._ended = ended = now()
            if self._connection is not None:
                self._write()
            elif self._slot is not None and self._pid == self._records.pid:
                memory, at = self._slot
                _TIME.pack_into(memory, at + _ENDED_AT, ended)

    def failed(self, error: BaseException | str) -> None:
        """There is no response, or not all of it.

        Args:
            error: what was raised, or its class's name.
        """
        if not self._ended and self._pid == os.getpid():
            name = error if isinstance(error, str) else name_of(error)
            self._ended, self._detail = now(), self._records.text(name)
            self.flags &= ~IS_REDIRECT
            self.has_failed = True
            self._write()

    def _write(self) -> None:
        connection = self._connection
        if connection is not None and (connection.is_open or self._ended):
            self._of, self._connection = connection.number, None
        if self._slot is None or self._pid != self._records.pid:  # its request is its parent's
            return
        memory, at = self._slot
        memory[at : at + SLOT_BYTES] = _PACK(
            EXCHANGE.kind,
            self.flags,
            self._status,
            self._of,
            self._frame,
            self._who,
            self._began,
            self._sent,
            self._answered,
            self._ended,
            self._answer,
            self._detail,
            self._origin,
            EXCHANGE.kind,
        )
