"""From the exception that ended an exchange to the name of the failure."""

from __future__ import annotations

import http.client
import re
import ssl
from typing import TYPE_CHECKING, Literal, get_args

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

_MESSAGE_LIMIT = 300
_HTTP2 = r"(?s)\x00[\x00-\x40].[\x04\x07]\x00{5}"
"""How the first frame of HTTP/2 begins, as it can be SETTINGS or GOAWAY alone (RFC 9113, 3.4)."""
_FORESEEN = (OSError, HTTPError, http.client.HTTPException, ValueError)
_UNTRUSTED = ssl.SSLCertVerificationError
_TIME_IS_UP = (TimeoutError, EmptyPoolError)
_BROKEN = (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)
_TRUNCATED = (IncompleteRead, http.client.IncompleteRead, ProtocolError)
_MALFORMED = (http.client.HTTPException, InvalidHeader, ValueError)
_ANY: tuple[Stage, ...] = get_args(Stage)
_KINDS: tuple[tuple[tuple[Stage, ...], type | tuple[type, ...], FailureKind], ...] = (
    (("dns", "connect", "tunnel", "tls"), _TIME_IS_UP, kinds.CONNECT_TIMEOUT),
    (("wait",), _TIME_IS_UP, kinds.READ_TIMEOUT),  # no byte of an answer came
    (_ANY, _TIME_IS_UP, kinds.DEADLINE),
    (_ANY, _UNTRUSTED, kinds.TLS_UNTRUSTED),
    (("dns",), _FORESEEN, kinds.DNS),
    (("connect",), ConnectionRefusedError, kinds.CONNECT_REFUSED),
    (("connect",), PortsExhaustedError, kinds.PORTS_EXHAUSTED),
    (("connect",), _FORESEEN, kinds.CONNECT_FAILED),
    (("open",), _BROKEN, kinds.RESET_BEFORE_REQUEST),
    (("tunnel",), _FORESEEN, kinds.PROXY),
    (("tls",), _FORESEEN, kinds.TLS_HANDSHAKE),
    (_ANY, http.client.RemoteDisconnected, kinds.CLOSED_BEFORE_RESPONSE),  # it is a reset, too
    (_ANY, _TRUNCATED, kinds.TRUNCATED_BODY),
    (_ANY, _BROKEN, kinds.RESET),
    # While writing: it had gone already.
    (_ANY, (ssl.SSLEOFError, ssl.SSLZeroReturnError), kinds.RESET),
    (_ANY, _MALFORMED, kinds.MALFORMED_RESPONSE),
    (_ANY, _FORESEEN, kinds.OTHER),
)
"""Stages, causes, and what these are called in those: the first that fits."""


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
    if isinstance(cause, ssl.SSLError) and "_ALERT_" in (cause.reason or ""):
        # With TLS 1.3, a client learns after its handshake that its certificate is refused.
        return kinds.TLS_HANDSHAKE
    if isinstance(cause, InvalidChunkLength) and cause.length:
        return kinds.MALFORMED_RESPONSE
    if isinstance(cause, http.client.BadStatusLine) and re.match(_HTTP2, str(cause)):
        return kinds.HTTP2_SPOKEN
    if type(cause) is http.client.HTTPException and "headers" in str(cause) and stage != "tunnel":
        return kinds.TOO_MANY_HEADERS
    return next(
        kind for stages, types, kind in _KINDS if stage in stages and isinstance(cause, types)
    )


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
    if isinstance(cause, http.client.BadStatusLine) and re.match(_HTTP2, str(cause)):
        return "a frame of HTTP/2 came"
    text = (cause.strerror if isinstance(cause, OSError) else None) or str(cause)
    return (text or type(cause).__name__)[:_MESSAGE_LIMIT]
