"""Hostile servers, and what a run of four requests against each must count."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

REQUESTS = 4
TIMEOUT_S = 1.0
"""Of cases in which one is waited for; in others a slow machine gets the time that it needs."""
_NO_TIMEOUT_S = 10.0
_TIMEOUTS = {"connect-timeout", "deadline", "read-timeout"}


@dataclass(frozen=True, kw_only=True)
class Case:
    """What a server is told to do, and what comes of it."""

    server: dict[str, Any]
    client: dict[str, Any] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int]

    @property
    def connections(self) -> int:
        return sum(self.reasons.values())

    @property
    def timeout_s(self) -> float:
        return TIMEOUT_S if _TIMEOUTS & self.failures.keys() else _NO_TIMEOUT_S


def broken(kind: str, fault: str, reason: str = "after-error", **server: Any) -> Case:  # noqa: ANN401
    """The second answer on each connection is none, so that it takes two for four requests."""
    return Case(
        server={"fault": (fault, "2"), **server},
        failures={kind: 2},
        reasons={"first-use": 1, reason: 1},
    )


def lost(reason: str, **server: Any) -> Case:  # noqa: ANN401
    """Every answer is one, but costs the connection."""
    return Case(server=server, reasons={"first-use": 1, reason: 3})


def halved(reason: str, **server: Any) -> Case:  # noqa: ANN401
    """Every second answer costs the connection."""
    return Case(server=server, reasons={"first-use": 1, reason: 1})


def harmless(**server: Any) -> Case:  # noqa: ANN401
    """Strange, but no reason to part."""
    return Case(server=server, reasons={"first-use": 1})


def unreachable(kind: str, **server: Any) -> Case:  # noqa: ANN401
    """No connection ever gets as far as a request."""
    return Case(
        server={"tls": True, **server},
        failures={kind: 4},
        reasons={"first-use": 1, "after-error": 3},
    )


ENDS = {
    "no answer": broken("read-timeout", "never-answer"),
    "closed for an answer": broken("closed-before-response", "close-on-request", "request-limit"),
    "reset for an answer": broken("reset", "reset-on-request", "request-limit"),
    "closed in the head": broken("malformed-response", "close-in-head"),
    "reset in the head": broken("reset", "reset-in-head"),
    "silent in the head": broken("deadline", "stall-in-head"),
    "closed in the body": broken("truncated-body", "close-in-body"),
    "reset in the body": broken("reset", "reset-in-body"),
    "silent in the body": broken("deadline", "stall-in-body"),
    "closed in a chunk": broken("truncated-body", "close-in-body", chunked=True),
    "reset in a chunk": broken("reset", "reset-in-body", chunked=True),
    "silent in a chunk": broken("deadline", "stall-in-body", chunked=True),
    "no last chunk": broken("truncated-body", "no-last-chunk"),
    "closed in the body, on HTTP/1.0": Case(
        server={"fault": "close-in-body", "http_10": True},
        failures={"truncated-body": 4},
        reasons={"first-use": 1, "after-error": 3},
    ),
    "closed in the body, as announced": Case(
        server={"fault": "close-in-body", "connection_close": True},
        failures={"truncated-body": 4},
        reasons={"first-use": 1, "after-error": 3},
    ),
    "closed at the first request": Case(
        server={"fault": "close-on-request"},
        failures={"closed-before-response": 4},
        reasons={"first-use": 1, "after-error": 3},
    ),
    "one bad connection among good ones": Case(
        server={"fault": ("close-in-body", "2", "2")},  # the first one is the warm-up's
        failures={"truncated-body": 1},
        reasons={"first-use": 1, "after-error": 1},
    ),
}

FRAMES = {
    "a length too big": broken("deadline", "length-too-big"),
    "a length too small": lost("unsolicited-data", fault="length-too-small"),
    "a length of none": lost("unsolicited-data", fault="length-too-small=2000"),
    "a negative length": broken("malformed-response", "odd-length=-1"),
    "a length in words": broken("malformed-response", "odd-length=many"),
    "an empty length": broken("malformed-response", "odd-length="),
    "a length with a decimal point": broken("malformed-response", "odd-length=10.5"),
    "a length of 400 digits": broken("deadline", f"odd-length={'9' * 400}"),
    "a length twice the same": harmless(headers=(("Content-Length", "1024"),)),
    "two lengths": broken("malformed-response", "two-lengths"),
    "a length and chunks": harmless(fault="length-and-chunks"),
    "a malformed chunk": broken("malformed-response", "malformed-chunk"),
    "no length at all": lost("close-delimited", fault="close-delimited"),
    "204 with a body": lost("unsolicited-data", fault="forbidden-body=204"),
    "304 with a body": lost("unsolicited-data", fault="forbidden-body=304"),
    "204 without a body": harmless(status=204),
    "304 without a body": harmless(status=304),
    "an empty body": harmless(body_size=0),
    "an empty body in chunks": harmless(body_size=0, chunked=True),
    "a gzip bomb": harmless(fault="gzip-bomb"),
    "an endless body in chunks": broken("deadline", "endless-body"),
    "an endless body of a known length": broken("deadline", "endless-length"),
    "the answer byte by byte": broken("deadline", "drip=0.01"),
    "the body byte by byte": broken("deadline", "drip-body=0.01"),
    "head and body apart, with Nagle": harmless(fault="nagle"),
}

HEADS = {
    "a garbage status line": broken("malformed-response", "garbage-status"),
    "an empty status line": broken("malformed-response", "garbage-status="),
    "another protocol": broken("malformed-response", "garbage-status=RTSP/1.0 200 OK"),
    "a status of two digits": broken("malformed-response", "garbage-status=HTTP/1.1 20 OK"),
    "a status of four digits": broken("malformed-response", "garbage-status=HTTP/1.1 2000 OK"),
    "a status line about headers": broken("malformed-response", "garbage-status=too many headers"),
    "HTTP/2.0 in a status line": broken("malformed-response", "garbage-status=HTTP/2.0 200 OK"),
    "a frame of HTTP/2": broken("http2-spoken", "http2"),
    "a header without a colon": broken("malformed-response", "malformed-header"),
    "a header of a megabyte": broken("malformed-response", "long-header"),
    "headers of almost a mebibyte": harmless(fault="big-head=1000000"),
    "headers of more than a mebibyte": broken("too-many-headers", "big-head"),
    "10,000 headers": broken("too-many-headers", "many-headers"),
    "101 headers": broken("too-many-headers", "many-headers=101"),
    "103 in the answer's packet": broken("informational-response", "interim=103"),
    "102 in the answer's packet": broken("informational-response", "interim=102"),
    "100 in the answer's packet": harmless(fault="interim=100"),
    "100 again and again": broken("deadline", "endless-interim=0.01"),
    "hostile text": harmless(fault="hostile-text"),
    "a huge Keep-Alive": harmless(keep_alive_header="timeout=" + "9" * 300),
    "a nonsensical Keep-Alive": harmless(keep_alive_header="max=-1, timeout=, ;;; \xff"),
}

PARTINGS = {
    "closed as announced each time": lost("server-close", connection_close=True),
    "closed as announced": halved("server-close", close_after=2),
    "closed as announced, in capitals": lost(
        "server-close", headers=(("Connection", "Keep-Alive, CLOSE"),), silent_close_after=1
    ),
    "HTTP/1.0": lost("http-1.0", http_10=True),
    "HTTP/1.0 that keeps the connection": Case(
        server={"http_10": True},
        client={"headers": (("Connection", "keep-alive"),)},
        reasons={"first-use": 1},
    ),
    "closed at an announced max": halved(
        "keep-alive-max", silent_close_after=2, keep_alive_header="timeout=5, max=2"
    ),
    "closed at an announced max, counted down": halved("server-close", keep_alive_max=1),
    "closed before an announced max": lost(
        "request-limit", silent_close_after=1, keep_alive_header="timeout=5, max=100"
    ),
    "closed in silence after each": lost("request-limit", silent_close_after=1),
    "answered twice": lost("unsolicited-data", fault="answer-twice"),
    "answered twice, and closed as announced": lost(
        "server-close", fault="answer-twice", connection_close=True
    ),
    "bodies left unread": Case(
        server={},
        client={"max_body": 10},
        reasons={"first-use": 1, "unread-body": 3},
    ),
    "bodies left unread, in chunks": Case(
        server={"chunked": True},
        client={"max_body": 10},
        reasons={"first-use": 1, "unread-body": 3},
    ),
    "bodies left unread and closed as announced": Case(
        server={"connection_close": True},
        client={"max_body": 10},
        reasons={"first-use": 1, "server-close": 3},
    ),
}

HANDSHAKES = {
    "closed in the handshake": unreachable("tls-handshake", fault="close-in-handshake"),
    "reset in the handshake": unreachable("tls-handshake", fault="reset-in-handshake"),
    "silent in the handshake": unreachable("connect-timeout", fault="stall-in-handshake"),
    "HTTP in the handshake": unreachable("tls-handshake", fault="garbage-in-handshake"),
    "a certificate for another host": unreachable("tls-untrusted", certificate="wrong-host"),
    "an expired certificate": unreachable("tls-untrusted", certificate="expired"),
    "an untrusted certificate": unreachable("tls-untrusted", certificate="untrusted"),
}
