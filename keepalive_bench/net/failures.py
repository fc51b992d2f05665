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
from keepalive_bench.net.tcp import LookUpTookAllError, PortsExhaustedError
from keepalive_bench.results import failure_causes as causes
from keepalive_bench.results import failure_kinds as kinds
from keepalive_bench.results.exchange import Failure

if TYPE_CHECKING:
    from keepalive_bench.results.failure_kinds import FailureKind

Stage = Literal[
    "idle", "pool", "dns", "connect", "open", "tunnel", "tls", "send", "wait", "receive"
]
"""How far an exchange had got when it failed; `open`: a connection, but nothing written on it."""

_MESSAGE_LIMIT = 300
_FORESEEN = (OSError, HTTPError, http.client.HTTPException, ValueError)
_UNTRUSTED = ssl.SSLCertVerificationError
_TIME_IS_UP = (TimeoutError, EmptyPoolError)
_BROKEN = (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)
_TRUNCATED = (IncompleteRead, http.client.IncompleteRead, ProtocolError)
_MALFORMED = (http.client.HTTPException, InvalidHeader, ValueError)
_LATE = ("unknown_ca", "access_denied", "handshake_failure")
"""Alerts that are of the handshake, whenever they come; those about certificates are, too."""
_ANY: tuple[Stage, ...] = get_args(Stage)
_UNANSWERED: dict[Stage, str] = {
    "dns": causes.LOOK_UP_TOOK_ALL,
    "connect": causes.NO_SYN_ACK,
    "tunnel": causes.NO_TUNNEL,
    "tls": causes.HANDSHAKE_UNFINISHED,
}
"""What a step of connecting waited for in vain."""
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
    (("send", "wait", "receive"), ssl.SSLError, kinds.TLS_BROKEN),
    (_ANY, _MALFORMED, kinds.MALFORMED_RESPONSE),
    (_ANY, _FORESEEN, kinds.OTHER),
)
"""Stages, causes, and what these are called in those: the first that fits."""


def failure_of(error: BaseException, stage: Stage) -> Failure:
    """Name what ended an exchange, from the stage it had reached and from the first cause.

    urllib3 wraps causes, in ways that differ between its releases; the first cause and the stage
    don't. What nobody foresaw is `other`, whenever it comes.
    """
    cause = first_cause(error) if isinstance(error, _FORESEEN) else error
    if not isinstance(cause, BlockingIOError) and (limit := limit_reached(cause)):
        return Failure(
            kinds.LIMIT_REACHED.code, f"{limit}: lower --concurrency, or raise the limit"
        )
    if not isinstance(cause, _FORESEEN):
        return Failure(kinds.OTHER.code, f"{type(cause).__name__}: {cause}"[:_MESSAGE_LIMIT])
    kind = _kind(cause, stage)
    if kind is kinds.CONNECT_TIMEOUT:
        took_all = isinstance(cause, LookUpTookAllError)
        return Failure(kind.code, causes.LOOK_UP_TOOK_ALL if took_all else _UNANSWERED[stage])
    return Failure(kind.code, _message(cause))


def _kind(cause: BaseException, stage: Stage) -> FailureKind:
    if (alert := _alert(cause)) and (stage == "tls" or "certificate" in alert or alert in _LATE):
        # With TLS 1.3, a client learns after its handshake that its certificate is refused.
        return kinds.TLS_HANDSHAKE
    if isinstance(cause, InvalidChunkLength) and cause.length:
        return kinds.MALFORMED_RESPONSE
    if type(cause) is http.client.HTTPException and "headers" in str(cause) and stage != "tunnel":
        return kinds.TOO_MANY_HEADERS
    return next(
        kind for stages, types, kind in _KINDS if stage in stages and isinstance(cause, types)
    )


def first_cause(error: BaseException) -> BaseException:
    """What an exception was raised for in the first place."""
    seen: list[BaseException] = []
    while error not in seen:
        seen.append(error)
        wrapped = next((part for part in error.args if isinstance(part, BaseException)), None)
        context = None if error.__suppress_context__ else error.__context__
        error = error.__cause__ or wrapped or context or error
    return error


def _alert(cause: BaseException) -> str | None:
    """The name of the alert that ended TLS, as RFC 8446 has it; `None`: there was none.

    OpenSSL's reasons are `SSLV3_ALERT_HANDSHAKE_FAILURE`, `TLSV1_UNRECOGNIZED_NAME` and the like;
    where Python doesn't know one, the text has it in small letters.
    """
    if not isinstance(cause, ssl.SSLError):
        return None
    said = cause.reason or str(cause).upper().replace(" ", "_")
    found = re.search(r"(?:SSLV3_ALERT|TLSV1_ALERT|TLSV13_ALERT|TLSV1)_([A-Z_]+)", said)
    return found[1].strip("_").lower() if found else None


def _message(cause: BaseException) -> str:
    if isinstance(cause, _UNTRUSTED):
        return cause.verify_message
    if alert := _alert(cause):
        return f"{causes.ALERT}{alert}"
    if isinstance(cause, ssl.SSLError) and cause.reason:
        return cause.reason.replace("_", " ").lower()
    text = (cause.strerror if isinstance(cause, OSError) else None) or str(cause)
    return (text or type(cause).__name__)[:_MESSAGE_LIMIT]
