"""What a process records, in memory that is a file's: so no death of the process loses any."""

from __future__ import annotations

import os

from . import layout
from .layout import TROUBLE
from .segments import MOST_TEXTS, Own
from .system import is_programs, now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .layout import Layout, Slot

_MOST_TROUBLES = 100


class Records:
    """What one process records. A child that it forks goes on in files of its own."""

    def __init__(self, folder: str, most_bytes: int, *, is_for_life: bool = False) -> None:
        self.folder, self.most_bytes = folder, most_bytes
        self.own = Own(folder, most_bytes, None, is_for_life=is_for_life)
        self.pid, self.key = self.own.pid, self.own.key
        self.own.tell()

    @property
    def is_kept(self) -> bool:
        """Whether there is a file for them."""
        return self.own.end > 0

    def begin(self) -> None:
        """Begin files of this process's own, as one that was forked."""
        last = self.own
        last.is_here = False
        own = Own(self.folder, self.most_bytes, last, is_for_life=last.is_for_life)
        self.own = own  # all at once: a signal's handler may record at any time
        self.pid, self.key = own.pid, own.key
        own.mark[0] = 1
        own.tell()

    def forking(self) -> None:
        """A child is about to be forked, which may be unable to make files."""
        self.own.for_child = self.claim()

    def end(self, *, is_over: bool = True) -> None:
        """Note that the process ends in order, or that it doesn't after all."""
        if self.own.is_running():
            self.own.ended = now() if is_over else 0.0
            self.own.tell()

    def let_go(self) -> None:
        """Give the memory back; nothing is recorded any more."""
        self.own.stop()

    def leaving(self) -> None:
        """The process is about to become another user's, who may be unable to make files."""
        own = self.own
        if own.end and own.is_running():
            own.grow(own.claim()[0] + layout.SLOTS_AHEAD)

    def here(self) -> Own:
        """What belongs to this process, even if it was forked behind Python's back."""
        if not self.own.mark[0]:
            self.begin()
        return self.own

    def claim(self) -> Slot:
        """A slot for a record to come; `NOWHERE`: there is no room for it."""
        own = self.own
        if not own.mark[0]:
            own = self.here()
        return next(own.slots, None) or own.claim()

    def add(self, layout: Layout, *values: float) -> int:
        """Write a record into a slot of its own; its number."""
        slot = self.claim()
        layout.write(slot, *values)
        return slot[0]

    def text(self, text: str) -> int:
        """The number of a text, which is written once; 0: it is empty.

        In a process that was forked behind Python's back, that is its own only after a `claim`.
        """
        number: int = self.own.texts[text]
        return number

    def frame(self, caller: int, file: str, line: int, function: str) -> int:
        """The number of a call, which is written once."""
        frames = self.own.frames
        key = caller, file, line, function
        number = frames.get(key)
        if number is None:
            if len(frames) >= MOST_TEXTS:
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
            own = self.own
            own.failed = next(own.errors)
            if what not in own.troubles and len(own.troubles) < _MOST_TROUBLES:
                own.troubles.add(what)
                self.add(TROUBLE, self.text(what), now())
            own.tell()
        except Exception:  # noqa: BLE001, S110  # there is nobody left to tell
            pass
