"""Writes records into files that are mapped into memory, so that no death of the process loses any.

No lock is taken, and no file is kept open by number: a signal's handler or a destructor may record
in the middle of a record, and a program may close all files that it doesn't know.
"""

from __future__ import annotations

import os
import sys
import time
from itertools import count

from . import layout
from .layout import CHUNK_BYTES, CHUNK_OFFSET, LONGEST_TEXT, PROCESS, SLOT_BYTES, TEXT, TROUBLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from mmap import mmap

    from .layout import Layout

_MOST_TEXTS = 50_000
"""No more different texts and calls of a process are told apart."""


class Records:
    """What one process records. A child that it forks goes on in files of its own."""

    def __init__(self, folder: str, most_bytes: int) -> None:
        self.folder, self.most_bytes = folder, most_bytes
        self.pid = 0
        self.key = ""
        self._kept: list[mmap] = []
        """All maps that ever were: where one goes away, it closes a file by number, which may be
        the program's by then."""
        self.begin()

    @property
    def is_kept(self) -> bool:
        """Whether there is a file for them."""
        return bool(self._maps)

    def begin(self) -> None:
        """Begin files of this process's own."""
        forked_from = self.key
        self.pid = os.getpid()
        self.key = f"{self.pid}-{time.time_ns()}"
        self._maps: dict[int, mmap] = {}
        self._starts = [0]
        self._end = 0
        self._numbers: Iterator[int] = count()
        self._losses: Iterator[int] = count(1)
        self._errors: Iterator[int] = count(1)
        self._lost = self._failed = 0
        self._ended = 0.0
        self._is_full = False
        self._texts: dict[str, int] = {}
        self._frames: dict[tuple[int, str, int, str], int] = {}
        self._troubles: dict[str, int] = {}
        self._started, self._wall, self._parent = time.perf_counter(), time.time(), os.getppid()
        self._forked_from = 0
        if self.reserve() != 0:  # it is the first one, or there is no file
            return
        self._forked_from = self.text(forked_from) if forked_from else 0
        self._tell()

    def end(self) -> None:
        """Note that the process ends in order."""
        if self.pid == os.getpid():
            self._ended = time.perf_counter()
            self._tell()

    def reserve(self) -> int:
        """The number of a slot for a record to come; 0: there is no room for it."""
        if self.pid != os.getpid():  # forked behind Python's back
            self.begin()
        number = next(self._numbers)
        if number >= self._end and not self._grow(number):
            self._lost = next(self._losses)
            if self._end:
                self._tell()
            return 0
        return number

    def write(self, layout: Layout, number: int, *values: float) -> None:
        """Write a record, or write it again, into its slot; into 0, nothing."""
        if number:
            self._write(layout, number, *values)

    def add(self, layout: Layout, *values: float) -> int:
        """Write a record into a slot of its own."""
        number = self.reserve()
        self.write(layout, number, *values)
        return number

    def text(self, text: str) -> int:
        """The number of a text, which is written once; 0: it is empty."""
        if not text:
            return 0
        number = self._texts.get(text)
        if number is None:
            number = self._write_text(text)
            if number and len(self._texts) < _MOST_TEXTS:
                self._texts[text] = number
        return number

    def frame(self, caller: int, file: str, line: int, function: str) -> int:
        """The number of a call, which is written once."""
        key = caller, file, line, function
        number = self._frames.get(key)
        if number is None:
            if len(self._frames) >= _MOST_TEXTS:
                return 0
            values = caller, self.text(file), self.text(function), line
            number = self.add(layout.FRAME, *values)
            if number:
                self._frames[key] = number
        return number

    def trouble(self, error: BaseException) -> None:
        """Note an error of the tracer's own; it is nobody else's."""
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
        """Note something that keeps the tracer from its work: each once, with how often it was."""
        try:
            self._failed = next(self._errors)
            if what not in self._troubles:
                self._troubles[what] = 0
                self.add(TROUBLE, self.text(what), time.perf_counter())
            self._tell()
        except Exception:  # noqa: BLE001, S110  # there is nobody left to tell
            pass

    def _tell(self) -> None:
        """Write the process's own record."""
        version = sys.version_info[0] << 8 | sys.version_info[1]
        values = (self._started, self._wall, self._ended, self._lost, self._failed)
        head = layout.VERSION, version, self.pid, self._parent
        if self._maps:
            self._write(PROCESS, 0, *head, *values, self._forked_from)

    def _write(self, layout: Layout, number: int, *values: float) -> None:
        segment = len(self._starts) - 1
        while segment and number < self._starts[segment]:
            segment -= 1
        at = (number - self._starts[segment]) * SLOT_BYTES
        place = self._maps[segment]
        layout.struct.pack_into(place, at, layout.kind, *values)
        place[at + SLOT_BYTES - 1] = layout.kind

    def _write_text(self, text: str) -> int:
        data, number = text.encode("utf-8", "backslashreplace")[:LONGEST_TEXT], 0
        for start in reversed(range(0, max(len(data), 1), CHUNK_BYTES)):
            part, following = data[start : start + CHUNK_BYTES], number
            number = self.reserve()
            if not number:
                return 0
            segment = len(self._starts) - 1
            while segment and number < self._starts[segment]:
                segment -= 1
            at = (number - self._starts[segment]) * SLOT_BYTES + CHUNK_OFFSET
            self._maps[segment][at : at + len(part)] = part
            self._write(TEXT, number, len(part), following)
        return number

    def _grow(self, number: int) -> bool:
        """Make files until there is a place for a slot."""
        if self._is_full:
            return False
        try:
            while number >= self._end:
                segment = len(self._maps)
                first = layout.FIRST_SLOTS if os.geteuid() else layout.FIRST_SLOTS_OF_ROOT
                slots = min(first << segment, layout.MOST_SLOTS)
                made = self._segment(segment, slots)
                if self._maps.setdefault(segment, made) is made:
                    if segment:
                        self._starts.append(self._end)
                    self._end += slots
        except (OSError, ValueError):
            self._is_full = True
        return not self._is_full

    def _segment(self, segment: int, slots: int) -> mmap:
        from mmap import mmap

        size = slots * SLOT_BYTES
        path = os.path.join(self.folder, f"{self.key}-{segment}{layout.SUFFIX}")
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(file, 0, size)  # on a full disk, a hole in a mapped file is deadly
            made = mmap(file, size)
        finally:
            os.close(file)
        self._kept.append(made)
        return made
