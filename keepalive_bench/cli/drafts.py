"""Files that aren't complete yet: whatever ends kab takes them with it, as far as it is told."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager, suppress
from threading import current_thread, main_thread
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NAMES = ("QUIT", "USR1", "USR2", "ALRM", "VTALRM", "PROF", "XCPU", "IO", "PWR", "STKFLT", "TRAP")
_DEADLY = tuple(getattr(signal, f"SIG{name}") for name in _NAMES if hasattr(signal, f"SIG{name}"))
"""Signals that end a process at once, unless it says otherwise. SIGKILL can't be heard."""
_NAME_SHOWN = 40

_unfinished: set[Path] = set()


@contextmanager
def drafted(target: Path, mode: int) -> Iterator[IO[bytes]]:
    """A binary stream to a file beside the target, which it replaces when the block ends well.

    Raises:
        OSError: it can't be written, or can't take the target's place.
    """
    # Its name is known before it exists, so that no Ctrl-C falls in between.
    draft = target.with_name(f".{target.name[:_NAME_SHOWN]}.{os.urandom(4).hex()}.tmp")
    try:
        with _mortal(draft):
            with draft.open("xb") as raw:
                draft.chmod(mode)
                yield raw
            draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _mortal(draft: Path) -> Iterator[None]:
    """Signals that end kab remove the draft first; where they are ignored or caught, they don't."""
    _unfinished.add(draft)
    heard = [] if current_thread() is not main_thread() else list(_DEADLY)
    heard = [number for number in heard if signal.getsignal(number) is signal.SIG_DFL]
    try:
        for number in heard:
            signal.signal(number, _die)
        yield
    finally:
        _unfinished.discard(draft)
        if not _unfinished:
            for number in _DEADLY:
                if signal.getsignal(number) is _die:
                    signal.signal(number, signal.SIG_DFL)


def discard() -> None:
    """Remove all drafts: the process is about to end, without leaving any block."""
    for draft in _unfinished:
        with suppress(OSError):
            draft.unlink()


def _die(number: int, _frame: object) -> None:
    discard()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
