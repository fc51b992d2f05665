"""What becomes of a connection after an answer."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keepalive_bench.server.behaviour import Behaviour
    from keepalive_bench.server.messages import Request


class Ending(Enum):
    """What becomes of the connection after an answer, and whether the answer says so."""

    STAYS = "stays"
    STAYS_SAYING_SO = "stays, saying so"
    CLOSES_SAYING_SO = "closes, saying so"
    CLOSES_BY_DEFAULT = "closes, as HTTP/1.0 does where nothing is said"
    CLOSES_SILENTLY = "closes silently"

    @property
    def closes(self) -> bool:
        """Whether the server closes the connection."""
        return self not in {Ending.STAYS, Ending.STAYS_SAYING_SO}


def ending_after(behaviour: Behaviour, request: Request, nth: int) -> Ending:
    """Decide what becomes of the connection after the answer to its nth request."""
    if behaviour.connection_close or _is_reached(behaviour.close_after, nth):
        return Ending.CLOSES_SAYING_SO
    if _is_reached(behaviour.silent_close_after, nth):
        return Ending.CLOSES_SILENTLY
    if behaviour.keep_alive_max is not None and nth > behaviour.keep_alive_max:
        return Ending.CLOSES_SAYING_SO
    if behaviour.http_10 or request.minor_version == 0:
        if request.wants_keep_alive:
            return Ending.STAYS_SAYING_SO
        return Ending.CLOSES_BY_DEFAULT if behaviour.http_10 else Ending.CLOSES_SAYING_SO
    return Ending.CLOSES_SAYING_SO if request.wants_close else Ending.STAYS


def _is_reached(limit: int | None, nth: int) -> bool:
    return limit is not None and nth >= limit
