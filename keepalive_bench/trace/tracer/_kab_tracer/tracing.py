"""A tracer at work in a process: its records, its patches, and what it does at forks and ends."""

from __future__ import annotations

import atexit
import os

from .hook import Hook
from .patching import Patches
from .processes import patch_os
from .records import Records

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

    from .lives import Tracer


class Tracing:
    """Begins as it is made, unless its records can't be put anywhere.

    Args:
        folder: where they are put.
        most_bytes: how many bytes the whole folder may hold; 0: as many as there is room for.
        is_for_life: it goes on until the process ends, or is another user's even.
        only_thread: the one whose requests are recorded; 0: all are.
    """

    _at_work: ClassVar[list[Tracing]] = []
    """Those that a fork concerns."""
    _tracer: Tracer | None = None
    _is_told_of_forks = False
    """What is told of them is so for ever, so it is one for all."""

    def __init__(
        self, folder: str, most_bytes: int, *, is_for_life: bool = False, only_thread: int = 0
    ) -> None:
        self.records = Records(folder, most_bytes, is_for_life=is_for_life)
        self._only_thread = only_thread
        self.patches = Patches(self.records)
        self.hook = Hook(lambda: self.tracer, self.patches)
        self.is_on = self.records.is_kept
        if not self.is_on:
            return
        self._at_work.append(self)
        if not Tracing._is_told_of_forks:
            Tracing._is_told_of_forks = True
            os.register_at_fork(before=_forking, after_in_child=_forked)
        atexit.register(self._exit)
        try:
            patch_os(self.records, self.patches, os)
            self.hook.put_in()
        except Exception as error:  # noqa: BLE001  # the program never sees it
            self.records.trouble(error)

    @property
    def tracer(self) -> Tracer:
        """What libraries' patches tell; most processes never import one."""
        if self._tracer is None:
            from .lives import Tracer  # which may patch libraries, and so ask for it, too

            made = Tracer(self.records, self._only_thread)
            tracer: Tracer = self.__dict__.setdefault("_tracer", made)  # the first thread's
            return tracer
        return self._tracer

    def end(self) -> None:
        """Take all out again; the records end here."""
        if self.is_on:
            self.is_on = False
            self._stop()
            self._at_work.remove(self)
            self.hook.take_out()
            self.patches.undo()
            self.records.end()
            self.records.let_go()
            atexit.unregister(self._exit)

    def forking(self) -> None:
        """A child is about to be forked."""
        try:
            self.records.forking()
        except Exception as error:  # noqa: BLE001  # the program never sees it
            self.records.trouble(error)

    def forked(self) -> None:
        """This process is a child that was forked."""
        try:
            self.records.begin()
        except Exception as error:  # noqa: BLE001  # the program never sees it
            self.records.trouble(error)

    def _stop(self) -> None:
        if self._tracer is not None:
            self._tracer.is_over = True

    def _exit(self) -> None:
        try:
            self._stop()
            for name in self.hook.missed():
                self.records.note(f"{name} was imported past the tracer")
            self.records.end()
        except Exception as error:  # noqa: BLE001  # the program never sees it
            self.records.trouble(error)


def _forking() -> None:
    for tracing in list(Tracing._at_work):  # noqa: SLF001  # its own
        tracing.forking()


def _forked() -> None:
    for tracing in list(Tracing._at_work):  # noqa: SLF001  # its own
        tracing.forked()
