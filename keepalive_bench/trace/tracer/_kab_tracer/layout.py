"""How records are laid out in their files: the one place that the tracer and kab's reader share.

A file is an array of slots of 64 bytes, each a record. Its first byte says which kind it is, and so
does its last one, so that a slot that was never finished shows. A slot's number is its place in all
of its process's files, from 0; records refer to each other by it, and 0, which is the process's own
record, stands for nothing there. Times are `time.perf_counter()`; 0 stands for none.

What a process records is in `{pid}-{nanoseconds}-{segment}.kab`: the first segment holds
as many slots as its process's record says, and each further one twice as many as the one before,
up to `MOST_SLOTS`. Files of 0 bytes, and of other names, aren't records.
"""

from __future__ import annotations

from _struct import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from mmap import mmap
    from typing import TypeAlias, Union

    Slot: TypeAlias = tuple[int, Union[mmap, bytearray], int]
    """Its number, in which memory it is, and from which byte on."""

U8: TypeAlias = "int"
U16: TypeAlias = "int"
U32: TypeAlias = "int"
I32: TypeAlias = "int"
F64: TypeAlias = "float"
_CODES = {"U8": ("B", 1), "U16": ("H", 2), "U32": ("I", 4), "I32": ("i", 4), "F64": ("d", 8)}
"""As `struct` has them, and how many bytes each takes."""

VERSION = 1
SLOT_BYTES = 64
FIRST_SLOTS = 256
FIRST_SLOTS_OF_ROOT = 4096
"""Who may change into another user may soon be unable to make another file."""
SLOTS_AHEAD = 65_536
"""How many are made before it does, where that is seen."""
MOST_SLOTS = 262_144
SUFFIX = ".kab"
CHUNK_BYTES = 48
"""How much of a text a slot holds."""
RECORDS_LOST, LIMIT_REACHED = "records lost: ", "their limit is reached"
"""How trouble is told that left no room for more, and why that was where nothing failed."""
LONGEST_TEXT = 1_000
"""Bytes of UTF-8; of a longer one, the rest is left out."""

# Of an exchange.
ASKS_TO_CLOSE = 1
"""Its own request says `Connection: close`."""
HAS_BODY = 2
"""Its request has one."""
IS_REDIRECT = 4
"""`detail` is the origin that the answer leads to."""
IS_HTTP_2 = 8

# Of a connection.
IS_TLS = 1
IS_TUNNEL = 2
"""Through a proxy's CONNECT."""
HAS_FAILED = 4
"""It was never usable: `detail` is the text of what was raised."""
IS_INHERITED = 8
"""Over a fork: not opened here; `previous` is its number in the parent's records."""
IS_SHARED = 16
"""It leads to a proxy that is asked for whatever server: `origin` is the first that was."""

# Of a client (and `IS_INHERITED`: its parent made it).
BLOCKS = 1
"""Who finds no free connection waits."""

# Of a child.
IS_PYTHON = 1
IS_CLOSED_TO_TRACERS = 2
"""It was started with -I, -E or -S, or without the variables that get the tracer in."""
IS_SHUT_OUT = 4
"""It was forked, and can't make files of records."""

ENDINGS = (
    "open",
    "found-fin",
    "found-rst",
    "found-data",
    "found-closed",
    "announced",
    "failed",
    "pool-full",
    "unread",
    "evicted",
    "client-closed",
    "connection-closed",
    "collected",
    "expired",
    "never-kept",
)
"""How a connection ended, as the number in its record says.

Found so when it was to be used again (`found-closed`: nobody knows how); `announced` by the last
answer; after an exchange that `failed`; the pool was full; its response was closed or dropped
`unread`; its pool was `evicted` from its client's; the program closed the client or pool
(`client-closed`), or the connection; nobody had it any more (`collected`); idle for longer than the
client itself allows (`expired`); the library keeps no connections of that kind (`never-kept`).
"""

ANSWER_FIELDS = ("http_version", "connection", "keep_alive", "framing", "server", "via")
"""What a text of an answer holds, in order, with tabs between; `-`: the answer doesn't say."""


class Process:
    """Slot 0 of each process."""

    version: U8
    python: U16
    """Its version: 0x030b for 3.11."""
    pid: U32
    parent: U32
    """The process id of who started it."""
    started: F64
    wall: F64
    """When that was by `time.time()`."""
    ended: F64
    """0: it was killed, or it is still running."""
    lost: U32
    """How many records didn't go into a file."""
    errors: U32
    """How many errors of the tracer's were swallowed."""
    forked_from: U32
    """The text of how its parent's files begin; 0: it was started afresh."""
    first: U32
    """How many slots its first file holds."""


class Text:
    """A part of a text: `CHUNK_BYTES` bytes from `CHUNK_OFFSET`."""

    length: U8
    following: U32
    """The slot of the next part; 0: this is the last one."""


CHUNK_OFFSET = 12


class Frame:
    """A call, at the top of a stack of them."""

    caller: U32
    """Another frame; 0: nobody, or who called doesn't matter."""
    file: U32
    """A text."""
    function: U32
    """A text."""
    line: U32


class Client:
    """What keeps connections: a pool, or what has pools."""

    flags: U8
    of: U32
    """The client that it belongs to; 0: none."""
    kind: U32
    """A text: the class, `urllib3.PoolManager`."""
    origin: U32
    """A text; 0: it connects to any."""
    frame: U32
    """Who made it."""
    differs: U32
    """A text: what sets it apart from the last pool of that client's for that origin: names of
    settings, with commas between."""
    most: I32
    """How many connections it keeps; -1: as many as there are."""
    made: F64
    ended: F64
    """When it was closed, or nobody had it any more."""


class Connection:
    """A connection that was opened, or couldn't be."""

    flags: U8
    origin: U32
    """A text: `https://api.example.com:443`."""
    via: U32
    """A text: the proxy's origin; 0: there is none."""
    client: U32
    previous: U32
    """The connection before it of the same object; 0: none."""
    frame: U32
    """Who opened it."""
    began: F64
    connected: F64
    """The TCP handshake was done."""
    ready: F64
    """So was all else: a proxy's tunnel, TLS."""
    ended: F64
    detail: U32
    """Who closed it, a frame; or, where it never was usable, a text: what was raised."""
    ending: U8
    """Its number in `ENDINGS`."""


class Exchange:
    """A request, and its response as far as there is one."""

    flags: U8
    connection: U32
    """0: it never got one."""
    frame: U32
    """The nearest call in the program's own code."""
    who: U32
    """A number for the thread, greenlet or task."""
    began: F64
    sent: F64
    answered: F64
    """The response's head was there."""
    ended: F64
    """The response was read to its end, or the exchange failed."""
    answer: U32
    """A text of `ANSWER_FIELDS`."""
    detail: U32
    """A text: the class of what was raised; of a redirect, the origin it leads to."""
    origin: U32
    """A text: where it goes, if that isn't its connection's; 0: it is."""
    status: U16
    """0: there was no response."""


class Child:
    """A process that this one started."""

    flags: U8
    pid: U32
    started: F64


class Trouble:
    """An error of the tracer's own, each kind once."""

    what: U32
    """A text."""
    when: F64


class Layout:
    """Where a record's members are in its slot: each at a multiple of its size.

    That is found out when it is needed: most processes write few kinds of records.
    """

    offsets: dict[str, int]
    """By member: from which byte of the slot on it is."""
    struct: Struct
    """A whole slot: the kind, the members, and the kind again."""
    _tail: str

    def __init__(self, kind: int, record: type) -> None:
        self.kind = kind
        self.record = record
        self.names = tuple(record.__annotations__)

    def __getattr__(self, name: str) -> object:
        if name not in Layout.__annotations__:
            raise AttributeError(name)
        self.offsets = {}
        form, at = self._form(self.names, 1)
        self._tail = f"{form}{SLOT_BYTES - 1 - at}xB"
        self.struct = Struct(f"=B{self._tail}")
        return self.__dict__[name]

    def _form(self, names: Sequence[str], at: int) -> tuple[str, int]:
        """How members are packed from a byte of the slot on, and where the last one ends."""
        form = ""
        for name in names:
            code, size = _CODES[self.record.__annotations__[name]]
            gap = -at % size
            form += f"{gap}x{code}" if gap else code
            self.offsets[name] = at + gap
            at += gap + size
        return form, at

    def tail(self) -> Callable[..., None]:
        """What packs all but a slot's first byte: before that, it is as if it weren't there."""
        return Struct(f"={self._tail}").pack_into

    def part(self, first: str, last: str = "") -> tuple[Callable[..., None], int]:
        """What packs only a member, or some that follow each other, and where in the slot."""
        names = self.names[self.names.index(first) : self.names.index(last or first) + 1]
        form, _ = self._form(names, self.offsets[first])
        return Struct(f"={form}").pack_into, self.offsets[first]

    def write(self, slot: Slot, *values: float) -> None:
        """Write a record, or write it again, as a whole: whoever reads never sees half of it."""
        _, memory, at = slot
        memory[at : at + SLOT_BYTES] = self.struct.pack(self.kind, *values, self.kind)


def start_of(segment: int, first: int) -> int:
    """The number of the first slot of a segment, where the first one holds `first`."""
    doublings = (MOST_SLOTS // first).bit_length() - 1
    if segment <= doublings:
        return first * ((1 << segment) - 1)
    return first * ((1 << doublings) - 1) + (segment - doublings) * MOST_SLOTS


KINDS = tuple(
    Layout(number, record)
    for number, record in enumerate(
        (Process, Text, Frame, Client, Connection, Exchange, Child, Trouble), 1
    )
)
PROCESS, TEXT, FRAME, CLIENT, CONNECTION, EXCHANGE, CHILD, TROUBLE = KINDS
