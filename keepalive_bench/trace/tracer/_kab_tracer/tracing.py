"""A tracer at work in a process: its records, its patches, and what it does at forks and ends."""

from __future__ import annotations

import atexit
import os

from .hook import Hook
from .lives import Tracer
from .patching import Patches
from .processes import patch_os
from .records import Records


class Tracing:
    """Begins as it is made, unless its records can't be put anywhere.

    Args:
        folder: where they are put.
        most_bytes: how many bytes the whole folder may hold; 0: as many as there is room for.
        is_for_life: it goes on until the process ends, or is another user's even.
    """

    def __init__(self, folder: str, most_bytes: int, *, is_for_life: bool = False) -> None:
        self.records = Records(folder, most_bytes, is_for_life=is_for_life)
        self.tracer = Tracer(self.records)
        self.patches = Patches(self.records)
        self.hook = Hook(self.tracer, self.patches)
        self.is_on = self.records.is_kept
        if not self.is_on:
            return
        os.register_at_fork(before=self._forking, after_in_child=self._forked)
        atexit.register(self._exit)
        try:
            patch_os(self.tracer, self.patches, os)
            self.hook.put_in()
        except Exception as error:  # noqa: BLE001  # the program never sees it
            self.records.trouble(error)

    def end(self) -> None:
        """Take all out again; the records end here."""
        if self.is_on:
            self.is_on = False
            self.tracer.is_over = True
            self.hook.take_out()
            self.patches.undo()
            self.records.end()
            atexit.unregister(self._exit)

    def _forking(self) -> None:
        if self.is_on:
            try:
                self.records.forking()
            except Exception as error:  # noqa: BLE001  # the program never sees it
                self.records.trouble(error)

    def _forked(self) -> None:
        if self.is_on:
            try:
                self.records.begin()
            except Exception as error:  # noqa: BLE001  # the program never sees it
                self.records.trouble(error)

    def _exit(self) -> None:
        try:
            self.tracer.is_over = True
            for name in self.hook.missed():
                self.records.note(f"{name} was imported past the tracer")
            self.records.end()
        except Exception as error:  # noqa: BLE001  # the program never sees it
            self.records.trouble(error)
