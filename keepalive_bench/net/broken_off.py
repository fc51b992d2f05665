"""What is known of an exchange that broke off: how much had come, and what that looks like."""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING

from urllib3 import HTTPResponse

from keepalive_bench.net.failures import failure_of, first_cause
from keepalive_bench.net.response_parser import BODILESS
from keepalive_bench.results import failure_kinds as kinds
from keepalive_bench.results.exchange import Failure
from keepalive_bench.results.failure_causes import (
    CHUNKED_NOTHING,
    ENDLESS,
    NO_LENGTH,
    SILENCE,
    STILL_COMING,
    TLS_RECORD,
)
from keepalive_bench.units import plural

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

    from keepalive_bench.net.tracer import ExchangeTrace

_WORDS = {
    kinds.TRUNCATED_BODY.code: ", then the connection ended",
    kinds.RESET.code: ", then: {message}",
    kinds.TLS_BROKEN.code: ", then: {message}",
    kinds.DEADLINE.code: "",
}
"""How it goes on after what came."""
_SETTINGS, _GOAWAY = 4, 7
_SETTING_BYTES, _LEAST_GOAWAY = 6, 8
_TLS_TYPES, _TLS_MAJOR = range(20, 24), 3
_LINE_END = 2
_STREAMS = ("text/event-stream", "multipart/x-mixed-replace")
"""Server-sent events (HTML, section 9.2), and what came before them."""
_SILENT = 0.5
"""Of the time since the first byte."""


def failure_in(
    trace: ExchangeTrace,
    error: Exception,
    response: BaseHTTPResponse | None,
    size: int,
    ended: int,
) -> tuple[Failure, int]:
    """Why an exchange broke off, and how many bytes of body it has.

    Args:
        trace: what was noted of it.
        error: what was raised in the end.
        response: its answer, if the head had come whole.
        size: bytes of body that urllib3 had given out.
        ended: when it broke off.
    """
    failure = failure_of(trace.broken or error, trace.reached)
    if isinstance(response, HTTPResponse):
        size = _came(error, response, size)
        said = _of_body(response, size)
    elif trace.first_byte and (foreign := _foreign(trace.start)):
        return foreign, size
    else:
        said = "the head began" if trace.first_byte else ""
    if said and failure.kind in _WORDS:
        words = _WORDS[failure.kind].format(message=failure.message)
        if failure.kind == kinds.DEADLINE.code:
            words = _at_deadline(trace, response, ended)
        failure = failure._replace(message=f"{said}{words}")
        if response is not None and response.status in BODILESS and not size:
            failure = failure._replace(message=f"a {response.status} {CHUNKED_NOTHING}")
    return failure, size


def _came(error: Exception, response: HTTPResponse, size: int) -> int:
    """Bytes of body that came, with those that urllib3 kept back, as there were too few of them."""
    came, cause = max(size, response.tell()), first_cause(error)
    if not response.chunked or not isinstance(cause, http.client.IncompleteRead):
        return came
    partial, lacking, left = cause.partial, cause.expected or 0, response.chunk_left or 0
    if not isinstance(partial, bytes):  # urllib3's own have a number there
        return came
    if len(partial) + lacking == _LINE_END != left:  # it is the chunk's end that is lacking
        return came + left
    return came + len(partial)


def _of_body(response: HTTPResponse, came: int) -> str:
    """`13 of 23 bytes came`, `1 byte came in chunks, without the last one`."""
    if response.chunked:
        return f"{plural(came, 'byte')} came in chunks, without the last one"
    left = response.length_remaining
    told = f"{came:,} of {plural(came + left, 'byte')}" if left else plural(came, "byte")
    return f"{told} came"


def _at_deadline(trace: ExchangeTrace, response: BaseHTTPResponse | None, ended: int) -> str:
    """Whether more was coming, or nothing was for most of the time since the first byte."""
    kind = "" if response is None else response.headers.get("Content-Type", "")
    if kind.lower().startswith(_STREAMS):
        return f", and {ENDLESS}"
    if ended - trace.silent_since <= _SILENT * (ended - trace.first_byte):
        return f" {STILL_COMING}"
    has_end = response is None or response.chunked or response.length_remaining
    return f", {SILENCE}" if has_end else f", {SILENCE}: {NO_LENGTH}"


def _foreign(start: bytes) -> Failure | None:
    """What another protocol answered, by the first bytes of it; `None`: it may be HTTP/1.

    RFC 9113, section 4.1: a length of 24 bits, a type, flags, a stream, which is 0 for the frames
    that a connection begins and ends with. RFC 8446, section 5.1: a record's type, and 3.x.
    """
    if len(start) > 1 and start[0] in _TLS_TYPES and start[1] == _TLS_MAJOR:
        return Failure(kinds.MALFORMED_RESPONSE.code, TLS_RECORD)
    length, kind, stream = int.from_bytes(start[:3], "big"), start[3:4], start[5:9]
    is_settings = kind == bytes((_SETTINGS,)) and length % _SETTING_BYTES == 0
    is_goaway = kind == bytes((_GOAWAY,)) and length >= _LEAST_GOAWAY
    if stream == bytes(4) and (is_settings or is_goaway):
        return Failure(kinds.HTTP2_SPOKEN.code, "a frame of HTTP/2 came")
    return None
