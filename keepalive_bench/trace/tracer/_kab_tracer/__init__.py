"""What `kab trace` gets into a program: notes how it uses its connections.

The standard library only, and of that nothing that the program doesn't import itself: a library
that changes others at its import, as gevent does, must find them as it would without.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .tracing import Tracing

_tracing: Tracing | None = None


def start(folder: str, most_bytes: int) -> None:
    """Trace this process, and whatever it forks, to its end; where that is done already, nothing.

    Args:
        folder: where to put the records. Can't they be put there, the process isn't traced.
        most_bytes: how many bytes the whole folder may hold; 0: as many as there is room for.
    """
    global _tracing  # noqa: PLW0603  # a process has one
    if _tracing is None:
        from .tracing import Tracing

        _tracing = Tracing(folder, most_bytes, is_for_life=True)


def start_from_environment() -> None:
    """Start as `kab trace` says, whoever calls, and be found on `sys.path` no longer."""
    try:
        folder = os.environ.get("_KAB_TRACE")
        if folder:
            start(folder, int(os.environ.get("_KAB_TRACE_LIMIT") or 0))
    except Exception:  # noqa: BLE001, S110  # the program never sees it; no records tell of it
        pass
    own = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    sys.path[:] = [path for path in sys.path if os.path.abspath(path or os.curdir) != own]
