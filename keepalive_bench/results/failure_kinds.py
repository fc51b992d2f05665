"""How an exchange can fail."""

from __future__ import annotations

from typing import NamedTuple


class FailureKind(NamedTuple):
    """One way for an exchange to fail."""

    code: str


DNS = FailureKind("dns")
CONNECT_REFUSED = FailureKind("connect-refused")
CONNECT_TIMEOUT = FailureKind("connect-timeout")
CONNECT_FAILED = FailureKind("connect-failed")
PORTS_EXHAUSTED = FailureKind("ports-exhausted")
LIMIT_REACHED = FailureKind("limit-reached")
TLS_UNTRUSTED = FailureKind("tls-untrusted")
TLS_HANDSHAKE = FailureKind("tls-handshake")
PROXY = FailureKind("proxy")
RESET = FailureKind("reset")
RESET_BEFORE_REQUEST = FailureKind("reset-before-request")
CLOSED_BEFORE_RESPONSE = FailureKind("closed-before-response")
READ_TIMEOUT = FailureKind("read-timeout")
DEADLINE = FailureKind("deadline")
TRUNCATED_BODY = FailureKind("truncated-body")
MALFORMED_RESPONSE = FailureKind("malformed-response")
TOO_MANY_HEADERS = FailureKind("too-many-headers")
INFORMATIONAL_RESPONSE = FailureKind("informational-response")
UNEXPECTED_STATUS = FailureKind("unexpected-status")
OTHER = FailureKind("other")

FAILURE_KINDS = tuple(it for it in tuple(globals().values()) if isinstance(it, FailureKind))
"""All of them, in the order of an exchange's course."""
