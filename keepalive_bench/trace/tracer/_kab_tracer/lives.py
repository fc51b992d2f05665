"""What happens to clients, connections and exchanges of any library, in the tracer's own terms.

The patches of each library call these, and hang each `Client` and `Connection` on an object of the
library's: where that goes away, so do these, which tells that nobody has it any more. They may
raise: whoever wraps a function of a library's sees to it that nothing gets out.

What was made before a fork is written again in the child's records when it is used there.
"""

from __future__ import annotations

import os
import sys
import time

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
    IS_TLS,
    IS_TUNNEL,
)
from .stacks import Stacks, who

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .records import Records

now = time.perf_counter
_NUMBER_OF = {name: number for number, name in enumerate(ENDINGS)}
_frame = sys._getframe  # noqa: SLF001  # the only way to ask who calls


class Tracer:
    """One tracer of this process: that of `kab trace` or that of `watch`; both may be at work."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self.stacks = Stacks(records)
        self.attribute = f"_kab_{id(self):x}"
        """What its own hangs on other people's objects by."""
        self.is_over = False
        """Whether the process ends: what goes away then was kept to the end."""


class Client:
    """A pool, or what has pools. Made by whoever makes that, as its calls are noted."""

    __slots__ = ("_ended", "_flags", "_made", "_number", "_pid", "_says", "_stack", "_tracer")

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
        self._tracer, self._pid = tracer, tracer.records.pid
        self._made, self._ended = now(), 0.0
        self._flags = BLOCKS if blocks else 0
        self._says = of, kind, origin, differs, most
        self._stack = tracer.stacks.whole(_frame(1))
        self._number = tracer.records.reserve()
        self._write()

    @property
    def number(self) -> int:
        """That of its record, in this process."""
        if self._pid != os.getpid():
            self._pid, self._stack = os.getpid(), 0
            self._flags |= IS_INHERITED
            self._number = self._tracer.records.reserve()
            self._write()
        return self._number

    def closed(self) -> None:
        """The program closed it, or nobody has it any more."""
        if not self._ended and self._pid == os.getpid():
            self._ended = now()
            self._write()

    def __del__(self) -> None:
        if not self._tracer.is_over:
            self.closed()

    def _write(self) -> None:
        of, kind, origin, differs, most = self._says
        records = self._tracer.records
        texts = records.text(kind), records.text(origin), self._stack, records.text(differs)
        refers = of.number if of else 0, *texts, most
        records.write(CLIENT, self._number, self._flags, *refers, self._made, self._ended)


class Connection:
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
        "_says",
        "_stack",
        "_tracer",
        "is_open",
        "number",
    )

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._pid = tracer.records.pid
        self._began = 0.0
        self._flags = 0
        self.is_open = False
        self.number = 0
        """Of the one that is open, or was the last; 0: there never was one."""

    def opening(self) -> None:
        """It begins to be opened."""
        self._began = now()

    def connected(self, origin: str, via: str = "", client: Client | None = None) -> None:
        """The TCP handshake is done."""
        self._make(origin, via, client)
        self.is_open, self._connected = True, now()
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

    def begun(
        self, *, asks_to_close: bool = False, has_body: bool = False, is_http_2: bool = False
    ) -> Exchange:
        """A request begins on it; or for it, where it is yet to be opened."""
        if self.is_open and self._pid != os.getpid():
            self._inherit()
        flags = (ASKS_TO_CLOSE if asks_to_close else 0) | (HAS_BODY if has_body else 0)
        return Exchange(self._tracer, self, flags | (IS_HTTP_2 if is_http_2 else 0))

    def closed(self, ending: str) -> None:
        """It ended; `ending`: one of `ENDINGS`."""
        if self.is_open and self._pid == os.getpid():
            self._detail = self._tracer.stacks.whole(_frame(1))
            self._end(ending)

    def __del__(self) -> None:
        if self.is_open and self._pid == os.getpid() and not self._tracer.is_over:
            self._end("collected")

    def _make(self, origin: str, via: str, client: Client | None) -> None:
        """Begin another record."""
        records = self._tracer.records
        self._previous = self.number
        if self._pid != os.getpid():  # what the parent had is nothing here
            self._pid, self._previous = os.getpid(), 0
        self._says = origin, via, client
        self._flags = self._ending = self._detail = 0
        self._connected = self._ready = self._ended = 0.0
        self._began = self._began or now()
        self._stack = self._tracer.stacks.whole(_frame(2))
        self.number = records.reserve()

    def _inherit(self) -> None:
        """Go on with a connection of the process that forked this one."""
        self._pid, self._previous, self._stack = os.getpid(), self.number, 0
        self._flags |= IS_INHERITED
        self.number = self._tracer.records.reserve()
        self._write()

    def _end(self, ending: str) -> None:
        self.is_open, self._ending, self._ended = False, _NUMBER_OF[ending], now()
        self._write()
        self._began = 0.0

    def _write(self) -> None:
        origin, via, client = self._says
        records = self._tracer.records
        times = self._began, self._connected, self._ready, self._ended
        refers = records.text(via), client.number if client else 0, self._previous
        values = self._flags, self._ending, records.text(origin), *times, *refers
        records.write(CONNECTION, self.number, *values, self._stack, self._detail)


class Exchange:
    """A request, and its response."""

    __slots__ = (
        "_answer",
        "_answered",
        "_began",
        "_connection",
        "_detail",
        "_ended",
        "_flags",
        "_frame",
        "_number",
        "_of",
        "_pid",
        "_sent",
        "_status",
        "_tracer",
        "_who",
    )

    def __init__(self, tracer: Tracer, connection: Connection, flags: int) -> None:
        self._tracer, self._connection, self._flags = tracer, connection, flags
        self._pid = tracer.records.pid
        self._of = self._status = self._answer = self._detail = 0
        self._sent = self._answered = self._ended = 0.0
        self._who, self._frame = who(), tracer.stacks.own_call(_frame(2))
        self._began = now()
        self._number = tracer.records.reserve()
        self._write()

    def sent(self) -> None:
        """The request was written."""
        self._sent = now()

    def answered(self, status: int, answer: str, redirect: str = "") -> None:
        """The response's head is there.

        Args:
            status: its status code.
            answer: the text of `ANSWER_FIELDS`.
            redirect: the origin it leads to, where that is another one.
        """
        records = self._tracer.records
        self._answered, self._status = now(), status
        self._answer = records.text(answer)
        if redirect:
            self._flags |= IS_REDIRECT
            self._detail = records.text(redirect)
        self._write()

    def ended(self) -> None:
        """The response was read to its end."""
        if not self._ended:
            self._ended = now()
            self._write()

    def failed(self, error: BaseException) -> None:
        """There is no response, or not all of it."""
        if not self._ended:
            self._ended, self._detail = now(), self._tracer.records.text(name_of(error))
            self._write()

    def _write(self) -> None:
        if self._pid != os.getpid():  # its request is its parent's
            return
        connection = self._connection
        if not self._of and (connection.is_open or self._ended):
            self._of = connection.number
        times = self._began, self._sent, self._answered, self._ended
        values = self._flags, self._status, self._of, self._frame, self._who, *times
        self._tracer.records.write(EXCHANGE, self._number, *values, self._answer, self._detail)


def name_of(error: BaseException) -> str:
    """The name of an error's class, with its module's, unless it is built in."""
    of = type(error)
    return of.__qualname__ if of.__module__ == "builtins" else f"{of.__module__}.{of.__qualname__}"
