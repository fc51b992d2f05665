"""Writes records into files that are mapped into memory, so that no death of the process loses any.

No lock is taken: a signal's handler or a destructor may record in the middle of a record. No file
is kept open: a program may close all file descriptors that it doesn't know, and use them again.
"""

from __future__ import annotations

import os
import sys
import time
from errno import EEXIST, EFBIG, EINVAL, EMFILE, ENFILE, EOPNOTSUPP
from itertools import count

from . import layout
from .layout import CHUNK_BYTES, CHUNK_OFFSET, LONGEST_TEXT, PROCESS, SLOT_BYTES, TEXT, TROUBLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from mmap import mmap

    from .layout import Layout, Slot

# Not the functions themselves: freezegun looks for those in modules, and replaces them.
now: Callable[[], float] = time.perf_counter.__call__  # type: ignore[operator]
_wall: Callable[[], float] = time.time.__call__  # type: ignore[operator]
_wall_ns: Callable[[], int] = time.time_ns.__call__  # type: ignore[operator]
getpid = os.getpid
NOWHERE: Slot = (0, bytearray(SLOT_BYTES), 0)
"""Where records go that there is no room for."""
_MOST_TEXTS = 50_000
"""No more different texts and calls of a process are told apart."""
_MOST_TROUBLES = 100
_UNIT_BYTES = layout.FIRST_SLOTS * SLOT_BYTES
_MANY_UNITS = 4_096
"""From then on, who may change into another user makes first files no larger than others do."""
_RETRY_S = 0.1
"""How long to make no file after there was no file descriptor for one."""
_OWN_FOLDER = os.path.dirname(os.path.abspath(__file__)) + os.sep
_OWN_ERRORS = frozenset(("builtins", "struct", "socket"))
"""Modules of the classes that are raised here, and by what is called from here."""
_ALLOTTED = "allotted"
"""A file in the folder: its length is how many units of bytes all others were made with."""


class Records:
    """What one process records. A child that it forks goes on in files of its own."""

    def __init__(self, folder: str, most_bytes: int, *, is_for_life: bool = False) -> None:
        self.folder, self.most_bytes = folder, most_bytes
        self._own = _Own(folder, most_bytes, None, is_for_life=is_for_life)
        self.pid, self.key = self._own.pid, self._own.key
        self._own.tell()

    @property
    def is_kept(self) -> bool:
        """Whether there is a file for them."""
        return self._own.end > 0

    def begin(self) -> None:
        """Begin files of this process's own, as one that was forked."""
        last = self._own
        own = _Own(self.folder, self.most_bytes, last, is_for_life=last.is_for_life)
        self._own = own  # all at once: a signal's handler may record at any time
        self.pid, self.key = own.pid, own.key
        own.tell()

    def forking(self) -> None:
        """A child is about to be forked, which may be unable to make files."""
        self._own.for_child = self.claim()

    def end(self, *, is_over: bool = True) -> None:
        """Note that the process ends in order, or that it doesn't after all."""
        if self.pid == getpid():
            self._own.ended = now() if is_over else 0.0
            self._own.tell()

    def let_go(self) -> None:
        """Give the memory back; nothing is recorded any more."""
        places = list(self._own.places.values())
        self._own.stop()
        for _, memory in places:
            _unmap(memory)

    def leaving(self) -> None:
        """The process is about to become another user's, who may be unable to make files."""
        own = self._own
        if own.end and self.pid == getpid():
            own.grow(next(own.numbers) + layout.SLOTS_AHEAD)

    def here(self) -> int:
        """The process's id, whose records these are now, even if it was forked unnoticed."""
        if self.pid != getpid():
            self.begin()
        return self.pid

    def claim(self) -> Slot:
        """A slot for a record to come; `NOWHERE`: there is no room for it."""
        if self.pid != getpid():  # forked behind Python's back
            self.begin()
        own = self._own
        number = next(own.numbers)
        if number < own.end or own.grow(number):
            start, memory = own.places[len(own.places) - 1]
            if number >= start:
                return number, memory, (number - start) * SLOT_BYTES
            return number, *own.slot(number)
        own.lost = next(own.losses)
        own.tell()
        return NOWHERE

    def add(self, layout: Layout, *values: float) -> int:
        """Write a record into a slot of its own; its number."""
        slot = self.claim()
        layout.write(slot, *values)
        return slot[0]

    def text(self, text: str) -> int:
        """The number of a text, which is written once; 0: it is empty.

        In a process that was forked behind Python's back, that is its own only after a `claim`.
        """
        return (self._own.texts.get(text) or self._write_text(text)) if text else 0

    def frame(self, caller: int, file: str, line: int, function: str) -> int:
        """The number of a call, which is written once."""
        frames = self._own.frames
        key = caller, file, line, function
        number = frames.get(key)
        if number is None:
            if len(frames) >= _MOST_TEXTS:
                return 0
            values = caller, self.text(file), self.text(function), line
            number = self.add(layout.FRAME, *values)
            if number:
                frames[key] = number
        return number

    def trouble(self, error: BaseException) -> None:
        """Note an error of the tracer's own; it is nobody else's.

        Raises:
            BaseException: that error, if it is the program's after all.
        """
        if is_programs(error):
            raise error
        try:
            place, trace = "", error.__traceback__
            while trace is not None:
                code = trace.tb_frame.f_code
                place = f"{os.path.basename(code.co_filename)}:{trace.tb_lineno}"
                trace = trace.tb_next
            self.note(f"{type(error).__name__} at {place}")
        except Exception:  # noqa: BLE001, S110  # there is nobody left to tell
            pass

    def note(self, what: str) -> None:
        """Note what keeps the tracer from its work: each once, and how often there was any."""
        try:
            own = self._own
            own.failed = next(own.errors)
            if what not in own.troubles and len(own.troubles) < _MOST_TROUBLES:
                own.troubles.add(what)
                self.add(TROUBLE, self.text(what), now())
            own.tell()
        except Exception:  # noqa: BLE001, S110  # there is nobody left to tell
            pass

    def _write_text(self, text: str) -> int:
        data, number = text.encode("utf-8", "backslashreplace")[:LONGEST_TEXT], 0
        for start in reversed(range(0, len(data), CHUNK_BYTES)):
            part, following = data[start : start + CHUNK_BYTES], number
            number, memory, at = self.claim()
            if not number:
                return 0
            memory[at : at + SLOT_BYTES] = _chunk(part, following)
        texts = self._own.texts
        if len(texts) < _MOST_TEXTS:
            texts[text] = number
        return number


class _Own:
    """What belongs to one process, and not to those that it forks: its files and what is in them.

    Its slots' numbers are handed out whether there is a file for them yet or not; files are made
    when they are due, by whoever needs one. Where two do at once, each makes one, and one stays.
    """

    def __init__(
        self, folder: str, most_bytes: int, parent: _Own | None, *, is_for_life: bool
    ) -> None:
        self.folder, self.most_bytes, self.is_for_life = folder, most_bytes, is_for_life
        self.pid, self.parent = getpid(), os.getppid()
        self.key = f"{self.pid}-{_wall_ns()}"
        self.started, self.wall, self.ended = now(), _wall(), 0.0
        self.numbers, self.losses, self.errors = count(), count(1), count(1)
        self.lost = self.failed = self.forked_from = 0
        self.for_child = NOWHERE
        self.texts: dict[str, int] = {}
        self.frames: dict[tuple[int, str, int, str], int] = {}
        self.troubles: set[str] = set()
        self.places: dict[int, tuple[int, mmap]] = {}
        """By segment: the number of its first slot, and its memory."""
        self.end = 0
        """The number after that of the last slot that there is memory for."""
        self._first = 0
        self._tries = count(1)
        self._retry = 0.0
        self._spare = 0, 0
        self._begin(parent)

    def _begin(self, parent: _Own | None) -> None:
        if not self.grow(next(self.numbers)):
            if parent is not None:
                parent.tell_of_child(self.pid, self.started)
            return
        self._spare = next(self.numbers), next(self.numbers)
        if parent is not None:
            self.forked_from = next(self.numbers)
            self.put(self.forked_from, _chunk(parent.key.encode(), 0))

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
        """Have no place for anything."""
        self._retry, self.end, self.places = -1.0, 0, {}
        self.texts, self.frames = {}, {}

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
            _allocate(file, size)  # on a full disk, a hole in a mapped file is deadly
            made = 0 if not segment else layout.start_of(segment, self._first), _map(file, size)
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
                raise OSError(0, "their limit is reached")
            limit = _deadly_size()
            if limit is not None and limit < max(size, used + units):
                raise OSError(EFBIG, os.strerror(EFBIG))
            os.write(file, b"." * units)
        finally:
            os.close(file)
        return size, first

    def _tell_of_end(self, error: Exception) -> None:
        """Note, once, why there is no room for more."""
        what = f"records lost: {getattr(error, 'strerror', None) or type(error).__name__}"
        if self.end and what not in self.troubles:
            self.troubles.add(what)
            text, trouble = self._spare
            self.put(text, _chunk(what.encode()[:CHUNK_BYTES], 0))
            TROUBLE.write((trouble, *self.slot(trouble)), text, now())


def is_programs(error: BaseException) -> bool:
    """Whether an error in the middle of the tracer's work is meant for the program.

    A timeout, mostly. A signal's handler raises it, which is called with the frame that it
    interrupts; or another thread does, by the C API: then its class isn't one that is raised here.
    """
    trace = error.__traceback__
    while trace is not None:
        frame, trace = trace.tb_frame, trace.tb_next
        if trace is None:
            is_here = frame.f_code.co_filename.startswith(_OWN_FOLDER)
            return is_here and type(error).__module__ not in _OWN_ERRORS
        for given in trace.tb_frame.f_locals.values():
            if given is frame or (type(given) is tuple and any(it is frame for it in given)):
                return True
    return False


def _chunk(part: bytes, following: int) -> bytes:
    packed = TEXT.struct.pack(TEXT.kind, len(part), following, TEXT.kind)
    return packed[:CHUNK_OFFSET] + part + packed[CHUNK_OFFSET + len(part) :]


def _deadly_size() -> int | None:
    """How large a file may become before a signal kills the process; `None`: none does."""
    signal = sys.modules.get("_signal")
    if signal is not None and signal.getsignal(signal.SIGXFSZ) == signal.SIG_IGN:
        return None  # as Python has it, unless the program changes that: it is an error then
    try:
        file = os.open("/proc/self/limits", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        for line in os.read(file, 8192).splitlines():
            if line.startswith(b"Max file size"):
                soft = line.split()[3]
                return int(soft) if soft.isdigit() else None
    finally:
        os.close(file)
    return None


def _allocate(file: int, size: int) -> None:
    """Give a file bytes that are really there."""
    try:
        os.posix_fallocate(file, 0, size)
    except AttributeError:  # macOS
        pass
    except OSError as error:
        if error.errno not in (EINVAL, EOPNOTSUPP):
            raise
    else:
        return
    zeros = bytes(min(size, 1 << 20))
    while size > 0:
        size -= os.write(file, zeros[:size])


class _Holder(str):
    """A text with attributes."""

    __slots__ = ("held", "scan")


def _hold() -> list[object] | None:
    """A list that is never freed, not even when Python ends.

    What iterates over a folder keeps the folder's name, which the garbage collector can't see: so
    it never finds this circle.
    """
    holder = _Holder(os.sep)
    try:
        holder.scan = os.scandir(holder)  # type: ignore[attr-defined]
    except OSError:
        return None
    holder.scan.close()  # type: ignore[attr-defined]
    holder.held = held = []  # type: ignore[attr-defined, var-annotated]
    return held


_held = None if sys.version_info >= (3, 13) else _hold()
_kept: list[object] = []
_numbers: dict[int, int] = {}
"""By the identity of what is mapped: which file descriptor it takes for its own."""


def _map(file: int, size: int) -> mmap:
    """Map a file into memory, and keep no file descriptor of it."""
    from mmap import mmap

    if sys.version_info >= (3, 13):
        return mmap(file, size, trackfd=False)
    copy = os.dup(file)  # mmap makes a copy of it, too, and that one is most likely to be next
    os.close(copy)
    made = mmap(file, size)
    if _held is None:  # at the end of Python, the copy is closed: it had better be the same file
        _kept.append(made)
        return made
    _held.append(made)  # it would close its copy by number, which may be anyone's by then
    number = _close_copy(file, copy)
    if number >= 0:
        _numbers[id(made)] = number
    return made


def _unmap(memory: mmap) -> None:
    """Give memory back, unless that would close a file descriptor of somebody else's."""
    if sys.version_info >= (3, 13):
        memory.close()
    elif _held is not None and id(memory) in _numbers and _takes(_numbers[id(memory)]):
        memory.close()
        del _numbers[id(memory)]
        _held.remove(memory)


def _takes(number: int) -> bool:
    """Have a file descriptor of this number, if nobody has it."""
    from fcntl import F_DUPFD_CLOEXEC, fcntl

    try:
        first = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    if first == number:
        return True
    try:
        second = fcntl(first, F_DUPFD_CLOEXEC, number)
    except OSError:
        return False
    finally:
        os.close(first)
    if second != number:
        os.close(second)
    return bool(second == number)


def _close_copy(file: int, likely: int) -> int:
    """Close the other file descriptor of a file that nobody else knows; which one it was."""
    status = os.fstat(file)
    for other in [likely, *range(256)]:
        if other != file:
            try:
                found = os.fstat(other)
                is_same = (found.st_dev, found.st_ino) == (status.st_dev, status.st_ino)
                if is_same and _is_copy(file, other):
                    os.close(other)
                    return int(other)
            except OSError:
                continue
    return -1


def _is_copy(file: int, other: int) -> bool:
    """Whether two file descriptors share their position: inodes aren't told apart everywhere."""
    for position in (12_347, 54_323):
        os.lseek(file, position, os.SEEK_SET)
        if os.lseek(other, 0, os.SEEK_CUR) != position:
            return False
    return True
