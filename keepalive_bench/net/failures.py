"""From the exception that ended an exchange to the name of the failure."""

from __future__ import annotations

import errno
import http.client
import ssl
from typing import Literal

from urllib3.exceptions import EmptyPoolError, IncompleteRead

from keepalive_bench.model.exchange import Failure

Stage = Literal["pool", "dns", "connect", "tls", "send", "wait", "receive"]
"""How far an exchange had got when it failed."""

_TIMEOUTS: dict[Stage, str] = {
    "pool": "deadline",
    "dns": "connect-timeout",
    "connect": "connect-timeout",
    "tls": "connect-timeout",
    "send": "deadline",
    "wait": "read-timeout",  # no byte of an answer came
    "receive": "deadline",  # an answer had begun
}
_MESSAGE_LIMIT = 300
_PORTS_EXHAUSTED = {errno.EADDRNOTAVAIL}
_RESET = (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)
_UNTRUSTED = ssl.SSLCertVerificationError


def failure_of(error: BaseException, stage: Stage) -> Failure:
    """Name what ended an exchange, from the stage it had reached and from the first cause.

    urllib3 wraps causes, in ways that differ between its releases; the first cause and the stage
    don't.
    """
    cause = _first_cause(error)
    return Failure(_kind(cause, stage), _message(cause))


def _kind(cause: BaseException, stage: Stage) -> str:
    if isinstance(cause, TimeoutError | EmptyPoolError):
        return _TIMEOUTS[stage]
    if stage == "dns":
        return "dns"
    if isinstance(cause, _UNTRUSTED):
        return "tls-untrusted"
    if stage == "tls":
        return "tls-handshake"
    if stage == "connect":
        return _connect(cause)
    return _response(cause)


def _connect(cause: BaseException) -> str:
    if isinstance(cause, ConnectionRefusedError):
        return "connect-refused"
    if isinstance(cause, OSError) and cause.errno in _PORTS_EXHAUSTED:
        return "ports-exhausted"
    return "connect-failed"


def _response(cause: BaseException) -> str:
    if isinstance(cause, http.client.RemoteDisconnected):
        return "closed-before-response"
    if isinstance(cause, IncompleteRead | http.client.IncompleteRead):
        return "truncated-body"
    if isinstance(cause, _RESET) or (isinstance(cause, OSError) and cause.errno == errno.EPIPE):
        return "reset"
    if isinstance(cause, http.client.HTTPException):
        return "too-many-headers" if "headers" in str(cause) else "malformed-response"
    if isinstance(cause, ValueError):
        return "malformed-response"
    return "other"


def _first_cause(error: BaseException) -> BaseException:
    seen: list[BaseException] = []
    while error not in seen:
        seen.append(error)
        wrapped = next((part for part in error.args if isinstance(part, BaseException)), None)
        error = error.__cause__ or wrapped or error.__context__ or error
    return error


def _message(cause: BaseException) -> str:
    if isinstance(cause, _UNTRUSTED):
        return cause.verify_message
    text = (cause.strerror if isinstance(cause, OSError) else None) or str(cause)
    return (text or type(cause).__name__)[:_MESSAGE_LIMIT]
