"""What is true of how a connection ended, in the codes of reasons."""

from __future__ import annotations

from typing import NamedTuple


class Truth(NamedTuple):
    """Why a connection ended, as the world that ended it knows."""

    right: frozenset[str]
    """The codes that name the cause."""
    vague: frozenset[str] = frozenset()
    """Codes that name none of it, but say nothing that isn't true: they count as `unknown`."""


def truth(*right: str, vague: tuple[str, ...] = ()) -> Truth:
    """The codes that are right, and those that are at least not wrong."""
    return Truth(frozenset(right), frozenset({"unknown", "undecided", *vague}))


REQUEST_LIMIT = truth("request-limit")
DIES_AT_LIMIT = truth("request-limit", vague=("after-error",))
SERVER_CLOSE = truth("server-close")
MAX_AGE = truth("max-age")
MAX_AGE_ANNOUNCED = truth("max-age", vague=("server-close",))
MAX_AGE_RACED = truth("max-age", vague=("stale-race", "after-error"))
MAX_AGE_CUT = truth("max-age", vague=("after-error",))
IDLE_TIMEOUT = truth("idle-timeout")
STALE_RACE = truth("stale-race", vague=("after-error", "idle-timeout"))
RECYCLED = truth("recycled")
SURPLUS = truth("recycled", vague=("request-limit",))
"""Where each is closed after one response, for whatever reason, that is a limit of one, too."""
RECYCLED_RACED = truth("recycled", vague=("stale-race", "after-error"))
RECYCLED_CUT = truth("recycled", "after-error")
RECYCLED_ANNOUNCED = truth("recycled", "server-close")
IDLE_DROP = truth("idle-drop", vague=("after-error",))
AFTER_ERROR = truth("after-error")
ASKED_TO_CLOSE = truth("asked-to-close", vague=("server-close",))
ERROR_RESPONSE = truth("error-response", vague=("server-close",))
UNREAD_REQUEST = truth("unread-request")
UNREAD_CUT = truth("unread-request", vague=("after-error",))
UNREAD_PARSED = truth("unread-request", vague=("error-response", "server-close"))
