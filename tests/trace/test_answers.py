"""What the tracer reads in heads of requests and responses."""

from __future__ import annotations

import pytest

from keepalive_bench.trace.tracer._kab_tracer.answers import Head, asks

_CLOSE, _OTHER = (b"Connection", b"close"), (b"connection", b"TE")


@pytest.mark.parametrize(
    ("fields", "closes", "has_body"),
    [
        ((), False, False),
        ((_CLOSE, _OTHER), True, False),  # RFC 9110, section 5.3: several are one list
        ((_OTHER, _CLOSE), True, False),
        (((b"Connection", b"TE , Close"),), True, False),
        (((b"Connection", b"x-close, closed"),), False, False),  # other options
        (((b"Content-Length", b"0"),), False, False),
        (((b"content-length", b"5"), (b"Content-Length", b"5")), False, True),
        (((b"Transfer-Encoding", b"chunked"), (b"Content-Length", b"0")), False, True),
    ],
)
def test_a_request_asks_for_its_connections_end_and_has_a_body(
    fields: tuple[tuple[bytes, bytes], ...], *, closes: bool, has_body: bool
) -> None:
    assert asks(fields) == (closes, has_body)


@pytest.mark.parametrize(
    ("version", "connection", "closes"),
    [
        ("HTTP/1.1", b"close", True),
        ("HTTP/1.1", b"Upgrade, CLOSE", True),
        ("HTTP/1.1", b"disclose", False),
        ("HTTP/1.0", b"keep-alive", False),
        ("HTTP/1.0", b"no-keep-alive", True),
    ],
)
def test_a_response_ends_its_connection_by_whole_words(
    version: str, connection: bytes, *, closes: bool
) -> None:
    fields = ((b"Content-Length", b"0"), (b"Connection", connection))
    assert Head(version, 200, fields).closes == closes
