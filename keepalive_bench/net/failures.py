"""From the exception that ended an exchange to the name of the failure."""

from __future__ import annotations

import http.client
import ssl
from typing import TYPE_CHECKING, Literal

from urllib3.exceptions import (
    EmptyPoolError,
    HTTPError,
    IncompleteRead,
    InvalidChunkLength,
    InvalidHeader,
    ProtocolError,
)

from keepalive_bench.errors import limit_reached
from keepalive_bench.net.tcp import PortsExhaustedError
from keepalive_bench.results import failure_kinds as kinds
from keepalive_bench.results.exchange import Failure

if TYPE_CHECKING:
    from keepalive_bench.results.failure_kinds import FailureKind

Stage = Literal[
    "idle", "pool", "dns", "connect", "open", "tunnel", "tls", "send", "wait", "receive"
]
"""How far an exchange had got when it failed; `open`: a connection, but nothing written on it."""

_TIMEOUTS: dict[Stage, FailureKind] = {
    "idle": kinds.DEADLINE,
    "pool": kinds.DEADLINE,
    "dns": kinds.CONNECT_TIMEOUT,
    "connect": kinds.CONNECT_TIMEOUT,
    "open": kinds.DEADLINE,
    "tunnel": kinds.CONNECT_TIMEOUT,
    "tls": kinds.CONNECT_TIMEOUT,
    "send": kinds.DEADLINE,
    "wait": kinds.READ_TIMEOUT,  # no byte of an answer came
    "receive": kinds.DEADLINE,  # an answer had begun
}
_BY_STAGE: dict[Stage, FailureKind] = {
    "dns": kinds.DNS,
    "tunnel": kinds.PROXY,
    "tls": kinds.TLS_HANDSHAKE,
}
_MESSAGE_LIMIT = 300
_BROKEN = (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)
_RESPONSE_KINDS: tuple[tuple[type | tuple[type, ...], FailureKind], ...] = (
    (http.client.RemoteDisconnected, kinds.CLOSED_BEFORE_RESPONSE),  # it is a reset, too
    ((IncompleteRead, http.client.IncompleteRead, ProtocolError), kinds.TRUNCATED_BODY),
    (_BROKEN, kinds.RESET),
    ((ssl.SSLEOFError, ssl.SSLZeroReturnError), kinds.RESET),  # while writing: it had gone already
    ((http.client.HTTPException, InvalidHeader, ValueError), kinds.MALFORMED_RESPONSE),
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
        return Failure(
            kinds.LIMIT_REACHED.code, f"{limit}: lower --concurrency, or raise the limit"
        )
    if not isinstance(cause, _FORESEEN):
        return Failure(kinds.OTHER.code, f"{type(cause).__name__}: {cause}"[:_MESSAGE_LIMIT])
    return Failure(_kind(cause, stage).code, _message(cause))


def _kind(cause: BaseException, stage: Stage) -> FailureKind:
    if isinstance(cause, TimeoutError | EmptyPoolError):
        return _TIMEOUTS[stage]
    if isinstance(cause, _UNTRUSTED):
        return kinds.TLS_UNTRUSTED
    if isinstance(cause, ssl.SSLError) and "_ALERT_" in (cause.reason or ""):
        # With TLS 1.3, a client learns after its handshake that its certificate is refused.
        return kinds.TLS_HANDSHAKE
    if stage == "connect":
        return _connect(cause)
    if stage == "open" and isinstance(cause, _BROKEN):
        return kinds.RESET_BEFORE_REQUEST
    return _BY_STAGE.get(stage) or _response(cause)


def _connect(cause: BaseException) -> FailureKind:
    if isinstance(cause, ConnectionRefusedError):
        return kinds.CONNECT_REFUSED
    if isinstance(cause, PortsExhaustedError):
        return kinds.PORTS_EXHAUSTED
    return kinds.CONNECT_FAILED


def _response(cause: BaseException) -> FailureKind:
    if isinstance(cause, InvalidChunkLength) and cause.length:
        return kinds.MALFORMED_RESPONSE
    if type(cause) is http.client.HTTPException and "headers" in str(cause):
        return kinds.TOO_MANY_HEADERS
    return next((kind for types, kind in _RESPONSE_KINDS if isinstance(cause, types)), kinds.OTHER)


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
