"""From the exception that ended an exchange to the name of the failure."""

from __future__ import annotations

import http.client
import ssl
from typing import Literal

from urllib3.exceptions import (
    EmptyPoolError,
    HTTPError,
    IncompleteRead,
    InvalidChunkLength,
    InvalidHeader,
    ProtocolError,
)

from keepalive_bench.net.exhaustion import PortsExhaustedError, limit_reached
from keepalive_bench.results.exchange import Failure

Stage = Literal[
    "idle", "pool", "dns", "connect", "open", "tunnel", "tls", "send", "wait", "receive"
]
"""How far an exchange had got when it failed; `open`: a connection, but nothing written on it."""

_TIMEOUTS: dict[Stage, str] = {
    "idle": "deadline",
    "pool": "deadline",
    "dns": "connect-timeout",
    "connect": "connect-timeout",
    "open": "deadline",
    "tunnel": "connect-timeout",
    "tls": "connect-timeout",
    "send": "deadline",
    "wait": "read-timeout",  # no byte of an answer came
    "receive": "deadline",  # an answer had begun
}
_BY_STAGE: dict[Stage, str] = {"dns": "dns", "tunnel": "proxy", "tls": "tls-handshake"}
PORTS_EXHAUSTED = "ports-exhausted"
_MESSAGE_LIMIT = 300
_BROKEN = (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)
_RESPONSE_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (http.client.RemoteDisconnected, "closed-before-response"),  # it is a reset, too
    ((IncompleteRead, http.client.IncompleteRead, ProtocolError), "truncated-body"),
    (_BROKEN, "reset"),
    ((ssl.SSLEOFError, ssl.SSLZeroReturnError), "reset"),  # while writing: it had gone already
    ((http.client.HTTPException, InvalidHeader, ValueError), "malformed-response"),
)
"""The first that fits."""
_UNTRUSTED = ssl.SSLCertVerificationError
_FORESEEN = (OSError, HTTPError, http.client.HTTPException, ValueError)


def failure_of(error: BaseException, stage: Stage) -> Failure:
    """Name what ended an exchange, from the stage it had reached and from the first cause.

    urllib3 wraps causes, in ways that differ between its releases; the first cause and the stage
    don't. What nobody foresaw is `other`, whenever it comes.
    """
    cause = _first_cause(error) if isinstance(error, _FORESEEN) else error
    if not isinstance(cause, BlockingIOError) and (limit := limit_reached(cause)):
        return Failure("limit-reached", f"{limit}: lower --concurrency, or raise the limit")
    if not isinstance(cause, _FORESEEN):
        return Failure("other", f"{type(cause).__name__}: {cause}"[:_MESSAGE_LIMIT])
    return Failure(_kind(cause, stage), _message(cause))


def _kind(cause: BaseException, stage: Stage) -> str:
    if isinstance(cause, TimeoutError | EmptyPoolError):
        return _TIMEOUTS[stage]
    if isinstance(cause, _UNTRUSTED):
        return "tls-untrusted"
    if isinstance(cause, ssl.SSLError) and "_ALERT_" in (cause.reason or ""):
        # With TLS 1.3, a client learns after its handshake that its certificate is refused.
        return "tls-handshake"
    if stage == "connect":
        return _connect(cause)
    if stage == "open" and isinstance(cause, _BROKEN):
        return "reset-before-request"
    return _BY_STAGE.get(stage) or _response(cause)


def _connect(cause: BaseException) -> str:
    if isinstance(cause, ConnectionRefusedError):
        return "connect-refused"
    if isinstance(cause, PortsExhaustedError):
        return PORTS_EXHAUSTED
    return "connect-failed"


def _response(cause: BaseException) -> str:
    if isinstance(cause, InvalidChunkLength) and cause.length:
        return "malformed-response"
    if type(cause) is http.client.HTTPException and "headers" in str(cause):
        return "too-many-headers"
    return next((kind for types, kind in _RESPONSE_KINDS if isinstance(cause, types)), "other")


def _first_cause(error: BaseException) -> BaseException:
    seen: list[BaseException] = []
    while error not in seen:
        seen.append(error)
        wrapped = next((part for part in error.args if isinstance(part, BaseException)), None)
        context = None if error.__suppress_context__ else error.__context__
        error = error.__cause__ or wrapped or context or error
    return error


def _message(cause: BaseException) -> str:
    if isinstance(cause, _UNTRUSTED):
        return cause.verify_message
    text = (cause.strerror if isinstance(cause, OSError) else None) or str(cause)
    return (text or type(cause).__name__)[:_MESSAGE_LIMIT]
