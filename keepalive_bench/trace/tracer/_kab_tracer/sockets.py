"""How the kernel sees a connection, asked without touching what has come on it."""

from __future__ import annotations

import sys

_TCP, _INFO = 6, 11
_OURS_TO_CLOSE = 8
"""CLOSE_WAIT: the peer has sent its FIN."""
_GONE = 7
"""CLOSE: it was reset."""


def found(sock: object) -> str:
    """How a socket that nobody has closed was ended by its peer: an ending; empty: it wasn't."""
    ask = getattr(sock, "getsockopt", None)
    if ask is None:
        return ""
    if not sys.platform.startswith("linux"):
        return ""
    try:
        state = ask(_TCP, _INFO, 1)[0]
    except (OSError, ValueError):  # no TCP, or closed already
        return ""
    return {_OURS_TO_CLOSE: "found-fin", _GONE: "found-rst"}.get(state, "")
