"""Why a connection can have been opened."""

from __future__ import annotations

from typing import NamedTuple


class ReasonKind(NamedTuple):
    """One reason for which connections are opened."""

    code: str


FIRST_USE = ReasonKind("first-use")
BY_DESIGN = ReasonKind("by-design")
AFTER_ERROR = ReasonKind("after-error")
STALE_RACE = ReasonKind("stale-race")
SERVER_CLOSE = ReasonKind("server-close")
HTTP_1_0 = ReasonKind("http-1.0")
CLOSE_DELIMITED = ReasonKind("close-delimited")
KEEP_ALIVE_MAX = ReasonKind("keep-alive-max")
REQUEST_LIMIT = ReasonKind("request-limit")
IDLE_TIMEOUT = ReasonKind("idle-timeout")
UNSOLICITED_DATA = ReasonKind("unsolicited-data")
UNREAD_BODY = ReasonKind("unread-body")
POOL_FULL = ReasonKind("pool-full")
POOL_EXHAUSTED = ReasonKind("pool-exhausted")
UNKNOWN = ReasonKind("unknown")

REASON_KINDS = tuple(it for it in tuple(globals().values()) if isinstance(it, ReasonKind))
"""All of them, in the order of precedence: where several are true, the first is named."""
