"""The files of one process, and what is in them: segments of slots, each mapped into memory.

No file is kept open: a program may close all file descriptors that it doesn't know, and use them
again. No lock is taken: a signal's handler or a destructor may record in the middle of a record.
"""

from __future__ import annotations

import os
import sys
from errno import EEXIST, EFBIG, EMFILE, ENFILE
from itertools import count, repeat

from . import layout
from .layout import (
    CHUNK_BYTES,
    CHUNK_OFFSET,
    LONGEST_TEXT,
    PROCESS,
    SLOT_BYTES,
    TEXT,
    TROUBLE,
)
from .mapping import allocate, deadly_size, map_file, unmap
from .system import is_programs, mark, now, wall, wall_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, MutableSequence
    from mmap import mmap

    from .layout import Slot

NOWHERE: Slot = (0, bytearray(SLOT_BYTES), 0)
"""Where records go that there is no room for."""
_UNIT_BYTES = layout.FIRST_SLOTS * SLOT_BYTES
_MANY_UNITS = 4_096
"""From then on, who may change into another user makes first files no larger than others do."""
MOST_TEXTS = 50_000
"""No more different texts, and calls, of a process are told apart."""
_RETRY_S = 0.1
"""How long to make no file after there was no file descriptor for one."""
_ALLOTTED = "allotted"
"""A file in the folder: its length is how many units of bytes all others were made with."""


class Texts(dict):  # type: ignore[type-arg]  # Python 3.9 can't subscribe it without the typing module
    """The numbers of texts: one that isn't there is written."""

    def __init__(self, own: Own) -> None:
        super().__init__({"": 0})
        self._own = own

    def __missing__(self, text: str) -> int:
        return self._own.write_text(text)


class Own:
    """What belongs to one process, and not to those that it forks: its files and what is in them.

    Files are made when they are due, by whoever needs one. Where two do at once, each makes one,
    and one stays. Slots are handed out by iterators of Python's own, which nothing interrupts.
    """

    def __init__(
        self, folder: str, most_bytes: int, parent: Own | None, *, is_for_life: bool
    ) -> None:
        self.folder, self.most_bytes, self.is_for_life = folder, most_bytes, is_for_life
        self.pid, self.parent = os.getpid(), os.getppid()
        self.key = f"{self.pid}-{wall_ns()}"
        self.started, self.wall, self.ended = now(), wall(), 0.0
        self.losses, self.errors = count(1), count(1)
        self.lost = self.failed = self.forked_from = 0
        self.for_child = NOWHERE
        self.texts = Texts(self)
        self.frames: dict[tuple[int, str, int, str], int] = {}
        self.troubles: set[str] = set()
        self.places: dict[int, tuple[int, mmap]] = {}
        """By segment: the number of its first slot, and its memory."""
        self.end = 0
        """The number after that of the last slot that there is memory for."""
        self.slots: Iterator[Slot] = iter(())
        """Those of a segment that nobody has yet."""
        self._free: dict[int, Iterator[Slot]] = {}
        """The same, by segment."""
        self._full = 0
        """So many segments have none."""
        self.mark: MutableSequence[int] = mark() if parent is None else parent.mark
        """Of forks, as `system.mark` has it."""
        self.is_here = True
        """Whether this process is still the one that runs, as far as Python knows of forks."""
        self._first = 0
        self._tries = count(1)
        self._retry = 0.0
        self._spare = 0, 0
        self._begin(parent)

    def _begin(self, parent: Own | None) -> None:
        if not self.grow(0):
            if parent is not None:
                parent.tell_of_child(self.pid, self.started)
            return
        self.claim()  # the process's own record
        self._spare = self.claim()[0], self.claim()[0]
        if parent is not None:
            self.forked_from = self.claim()[0]
            self.put(self.forked_from, chunk(parent.key.encode(), 0))

    def tell(self) -> None:
        """Write the process's own record."""
        if self.end:
            version = sys.version_info[0] << 8 | sys.version_info[1]
            head = layout.VERSION, version, self.pid, self.parent
            values = (self.started, self.wall, self.ended, self.lost, self.failed)
            PROCESS.write((0, *self.slot(0)), *head, *values, self.forked_from, self._first)

    def tell_of_child(self, pid: int, started: float) -> None:
        """Note a child that has no file, in its parent's: both have it in memory."""
        flags = layout.IS_PYTHON | layout.IS_SHUT_OUT
        layout.CHILD.write(self.for_child, flags, pid, started)

    def stop(self) -> None:
        """Give the memory back, and have no place for anything."""
        places = list(self.places.values())
        self._retry, self.end, self.places = -1.0, 0, {}
        self.slots, self._free, self._full = iter(()), {}, 0
        self.texts, self.frames = Texts(self), {}
        for _, memory in places:
            unmap(memory)

    def is_running(self) -> bool:
        """Whether this process is the one that runs, even if that was forked unnoticed."""
        return self.is_here and bool(self.mark[0])

    def claim(self) -> Slot:
        """A slot for a record to come; `NOWHERE`: there is no room for it."""
        for segment in count(self._full):
            slots = self._free.get(segment) or self._free_of(segment)
            if slots is None:
                break
            slot = next(slots, None)
            if slot is not None:
                self.slots, self._full = slots, segment
                return slot
        self.lost = next(self.losses)
        self.tell()
        return NOWHERE

    def _free_of(self, segment: int) -> Iterator[Slot] | None:
        """All slots of a segment that there was no need of before; `None`: it can't be made."""
        start = layout.start_of(segment, self._first) if segment else 0
        if not (start < self.end or self.grow(start)):
            return None
        start, memory = self.places[segment]
        numbers = range(start, layout.start_of(segment + 1, self._first))
        places = range(0, len(numbers) * SLOT_BYTES, SLOT_BYTES)
        return self._free.setdefault(segment, zip(numbers, repeat(memory), places))

    def write_text(self, text: str) -> int:
        """Write a text that isn't there yet; its number."""
        data, number = text.encode("utf-8", "backslashreplace")[:LONGEST_TEXT], 0
        for start in reversed(range(0, len(data), CHUNK_BYTES)):
            part, following = data[start : start + CHUNK_BYTES], number
            number, memory, at = next(self.slots, None) or self.claim()
            if not number:
                return 0
            memory[at : at + SLOT_BYTES] = chunk(part, following)
        if len(self.texts) < MOST_TEXTS:
            self.texts[text] = number
        return number

    def put(self, number: int, packed: bytes) -> None:
        """Write into a slot."""
        memory, at = self.slot(number)
        memory[at : at + SLOT_BYTES] = packed

    def slot(self, number: int) -> tuple[mmap, int]:
        """Where a slot is: in which memory, and from which byte on."""
        segment = len(self.places) - 1
        start, memory = self.places[segment]
        while number < start:
            segment -= 1
            start, memory = self.places[segment]
        return memory, (number - start) * SLOT_BYTES

    def grow(self, number: int) -> bool:
        """Make files until there is a place for a slot."""
        if self._retry and (self._retry < 0 or now() < self._retry):
            return False
        try:
            while True:
                segment = len(self.places)
                self.end = layout.start_of(segment, self._first) if segment else 0
                if number < self.end:
                    return True
                self._make(segment)
        except (OSError, ValueError) as error:
            if is_programs(error):
                raise
            code = getattr(error, "errno", None)
            is_passing = code in (EMFILE, ENFILE)
            self._retry = now() + _RETRY_S if is_passing else -1.0
            self._tell_of_end(error)
            return False

    def _make(self, segment: int) -> None:
        """Make the file of a segment, unless another thread did so in the meantime."""
        size, first = self._allot(segment)
        path = os.path.join(self.folder, f"{self.key}-{segment}{layout.SUFFIX}")
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            file = os.open(path, flags, 0o600)
        except OSError as error:
            if error.errno != EEXIST:
                raise
            path = f"{path[: -len(layout.SUFFIX)]}.{next(self._tries)}{layout.SUFFIX}"
            file = os.open(path, flags, 0o600)
        is_used = False
        try:
            allocate(file, size)  # on a full disk, a hole in a mapped file is deadly
            made = 0 if not segment else layout.start_of(segment, self._first), map_file(file, size)
            if not segment:
                self._first = first
            is_used = self.places.setdefault(segment, made) is made
        finally:
            os.close(file)
            if not is_used:
                os.unlink(path)

    def _allot(self, segment: int) -> tuple[int, int]:
        """How many bytes a segment is to have, and how many slots the first one.

        How many all files were made with is the length of one that grows by a byte for each unit.

        Raises:
            OSError: there may be no more.
        """
        path = os.path.join(self.folder, _ALLOTTED)
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            used = os.fstat(file).st_size
            first = self._first or layout.FIRST_SLOTS
            if not segment and self.is_for_life and not os.geteuid() and used < _MANY_UNITS:
                first = layout.FIRST_SLOTS_OF_ROOT
            slots = layout.start_of(segment + 1, first) - layout.start_of(segment, first)
            size = slots * SLOT_BYTES
            units = size // _UNIT_BYTES
            if self.most_bytes and used * _UNIT_BYTES + size > self.most_bytes:
                raise OSError(0, layout.LIMIT_REACHED)
            limit = deadly_size()
            if limit is not None and limit < max(size, used + units):
                raise OSError(EFBIG, os.strerror(EFBIG))
            os.write(file, b"." * units)
        finally:
            os.close(file)
        return size, first

    def _tell_of_end(self, error: Exception) -> None:
        """Note, once, why there is no room for more."""
        why = getattr(error, "strerror", None) or type(error).__name__
        what = f"{layout.RECORDS_LOST}{why}"
        if self.end and what not in self.troubles:
            self.troubles.add(what)
            text, trouble = self._spare
            self.put(text, chunk(what.encode()[:CHUNK_BYTES], 0))
            TROUBLE.write((trouble, *self.slot(trouble)), text, now())


def chunk(part: bytes, following: int) -> bytes:
    """A part of a text, as it is in its slot."""
    packed = TEXT.struct.pack(TEXT.kind, len(part), following, TEXT.kind)
    return packed[:CHUNK_OFFSET] + part + packed[CHUNK_OFFSET + len(part) :]
