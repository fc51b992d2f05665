"""How an exchange can fail: every kind, and what anybody needs to know of it.

Requirement names, the schema, docs/findings.md and the tests that run its commands come from this
table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from keepalive_bench.results import failure_causes as causes

if TYPE_CHECKING:
    from keepalive_bench.plan.plan import Plan
    from keepalive_bench.results.exchange import Failure
    from keepalive_bench.results.failure_causes import Cause

Actor = Literal["server", "proxy", "path", "client", "kab"]
"""Who did something: `path` is the network and all that stands in it, `client` the machine that kab
runs on with the options in use, `kab` the way in which it measures."""


class Provoked(NamedTuple):
    """How to make something happen: commands, or, where those don't suffice, the test that does.

    In each text stands what follows `kab serve` and `kab run`; `URL` is the server's address.
    """

    run: str = ""
    serve: str | None = None
    """`None`: the command needs no server."""
    test: str = ""


class FailureKind(NamedTuple):
    """One way for an exchange to fail."""

    code: str
    title: str
    who: Actor
    provoked: Provoked
    proof: str = ""
    """What more than the title says there is to be seen."""
    advice: str = ""
    """What to ask oneself, where the message tells no more."""
    among_answers: str | None = None
    """The same where other requests were answered; `None`: no other thing."""
    by_proxy: str = ""
    """The same where the connection is one to a proxy; empty: no other thing."""
    causes: tuple[Cause, ...] = ()
    """What the message may tell, each with advice of its own; the first that fits is meant."""
    keeps_connection: bool = False
    """Whether the answer came whole, so that its connection is as good as any."""
    kills_idle: bool = False
    """Whether it is what a request meets on a connection that the server closes at that moment."""


DNS = FailureKind(
    code="dns",
    title="The name has no address",
    who="path",
    advice="Is the host's name right?",
    by_proxy="Is the name of the proxy right?",
    causes=causes.LOOK_UPS,
    provoked=Provoked("http://kab.invalid/"),
)
CONNECT_REFUSED = FailureKind(
    code="connect-refused",
    title="The connection was refused",
    who="server",
    advice="Is a server listening there?",
    among_answers="Is it restarting, does a firewall limit new connections, or are there several "
    "servers behind that address?",
    by_proxy="The proxy refused, not the server: is the proxy running, and is its address right?",
    provoked=Provoked("http://127.0.0.1:9/"),
)
CONNECT_TIMEOUT = FailureKind(
    code="connect-timeout",
    title="Connecting took too long",
    who="path",
    proof="Name, TCP and TLS together took longer than `--connect-timeout`, or than `--timeout`.",
    advice="Is the address right, and is there a firewall in between?",
    causes=causes.CONNECT_TIMEOUTS,
    provoked=Provoked("URL -n 2 --timeout 0.2", "--tls --fault stall-in-handshake"),
)
CONNECT_FAILED = FailureKind(
    code="connect-failed",
    title="The system couldn't connect for another reason, such as a missing route",
    who="path",
    advice="Is the address right, and does this machine have a route to it?",
    provoked=Provoked("http://127.255.255.255:9/"),
)
PORTS_EXHAUSTED = FailureKind(
    code="ports-exhausted",
    title="This machine has no free port left for another connection to that address",
    who="client",
    proof="Ports stay in use for a minute after their connections end. "
    "[What kab says before](methodology.md#local-ports).",
    provoked=Provoked(test="tests/net/test_local_ports.py"),
)
LIMIT_REACHED = FailureKind(
    code="limit-reached",
    title="No file descriptor or no memory was left for the request",
    who="client",
    proof="The message names the limit.",
    advice="Raise the limit that the message names, or use a lower --concurrency.",
    provoked=Provoked(test="tests/engine/test_limits.py"),
)
TLS_UNTRUSTED = FailureKind(
    code="tls-untrusted",
    title="The certificate has expired, is for another name, or isn't trusted",
    who="server",
    advice="-k skips the check.",
    causes=causes.UNTRUSTED,
    provoked=Provoked("URL -n 2", "--certificate expired"),
)
TLS_HANDSHAKE = FailureKind(
    code="tls-handshake",
    title="The TLS handshake failed, or what came wasn't TLS",
    who="server",
    proof="An alert, which the message names, proves that the port speaks TLS. With TLS 1.3, one "
    "about the client's certificate comes after the handshake.",
    advice="TLS had begun, so something in between may change the data, such as a proxy or a "
    "firewall that inspects TLS.",
    causes=causes.HANDSHAKES,
    provoked=Provoked("URL -n 2", "--tls --fault garbage-in-handshake"),
)
TLS_BROKEN = FailureKind(
    code="tls-broken",
    title="TLS failed after its handshake: a record couldn't be decrypted, or an alert came",
    who="path",
    causes=causes.BROKEN_TLS,
    provoked=Provoked("URL -n 2", "--tls --fault broken-record"),
)
PROXY = FailureKind(
    code="proxy",
    title="The proxy refused the tunnel, or ended the connection in place of opening it",
    who="proxy",
    causes=causes.TUNNELS,
    provoked=Provoked(test="tests/net/test_proxies.py"),
)
RESET = FailureKind(
    code="reset",
    title="RST came in place of a response, or in the middle of it",
    who="server",
    kills_idle=True,
    advice="The server, or something on the path (a firewall, a balancer), ended the connection: "
    "does this port speak HTTP/1.1?",
    among_answers="The server, or something on the path (a firewall, a balancer), ended the "
    "connection: their logs may say why.",
    provoked=Provoked("URL -n 2", "--fault reset-in-body"),
)
RESET_BEFORE_REQUEST = FailureKind(
    code="reset-before-request",
    title="A new connection was reset before the request could be written",
    who="server",
    proof="A connection limit does that, a balancer without a backend, or a server that is "
    "shutting down. The connection counts as opened, because its TCP handshake was completed. If "
    "the reset comes a moment later, it is `reset` or `closed-before-response`.",
    advice="Is there a connection limit, or a balancer without a backend?",
    provoked=Provoked(test="tests/net/test_early_resets.py"),
)
CLOSED_BEFORE_RESPONSE = FailureKind(
    code="closed-before-response",
    title="The connection was closed before the first byte of a response",
    who="server",
    advice="Does this port speak HTTP/1.1, or only HTTPS or HTTP/2?",
    among_answers="The server's log may say why. A gateway also does that when its own connection "
    "to the server behind it has died (HAProxy, Apache): compare how long the two keep idle "
    "connections.",
    kills_idle=True,
    provoked=Provoked("URL -n 2", "--fault close-on-request"),
)
READ_TIMEOUT = FailureKind(
    code="read-timeout",
    title="No byte of a response came within `--timeout`",
    who="server",
    advice="Does the server respond to this at all? A longer --timeout helps only if it is that "
    "slow.",
    among_answers="A longer --timeout helps only if the server is that slow at times.",
    provoked=Provoked("URL -n 2 --timeout 0.2", "--fault never-answer"),
)
DEADLINE = FailureKind(
    code="deadline",
    title="The response began, but wasn't complete within `--timeout`",
    who="server",
    proof="The message says how much came, and whether more was coming. It is the same if the "
    "request couldn't be sent, or the pool had no free connection, in that time.",
    causes=causes.DEADLINES,
    provoked=Provoked("URL -n 2 --timeout 0.2", "--fault drip"),
)
TRUNCATED_BODY = FailureKind(
    code="truncated-body",
    title="The connection ended in the middle of the body",
    who="server",
    causes=causes.TRUNCATIONS,
    provoked=Provoked("URL -n 2", "--fault close-in-body"),
)
MALFORMED_RESPONSE = FailureKind(
    code="malformed-response",
    title="What came isn't an HTTP response",
    who="server",
    proof="A garbage status line, a head that breaks off, a line of the head that isn't a field or "
    "is too long, a Content-Length that isn't a number, two that differ, a chunk without a size.",
    advice="Does this port speak HTTP/1.1?",
    among_answers="",
    causes=causes.MALFORMATIONS,
    provoked=Provoked("URL -n 2", "--fault garbage-status"),
)
HTTP2_SPOKEN = FailureKind(
    code="http2-spoken",
    title="The server spoke HTTP/2 without being asked (h2c with prior knowledge)",
    who="server",
    proof="What came begins with a frame of HTTP/2 (SETTINGS or GOAWAY, RFC 9113).",
    advice="kab speaks HTTP/1.1: use a port, or a proxy in front, that does, too.",
    provoked=Provoked("URL -n 2", "--fault http2"),
)
TOO_MANY_HEADERS = FailureKind(
    code="too-many-headers",
    title="The head of the response was too long",
    who="server",
    proof="More than 100 header lines, which is `http.client`'s limit, or a head of more than "
    "1 MiB, which is kab's.",
    advice="Make the server send fewer header fields: other programs in Python can't read so many "
    "either.",
    provoked=Provoked("URL -n 2", "--fault many-headers"),
)
INFORMATIONAL_RESPONSE = FailureKind(
    code="informational-response",
    title="A 102 or 103 came, which urllib3 takes for the response",
    who="server",
    proof="The real response would be taken for that of the next request.",
    advice="Make the server send none to HTTP/1.1 clients: other programs that use urllib3 take it "
    "for the response, too.",
    provoked=Provoked("URL -n 2", "--fault interim"),
)
UNEXPECTED_STATUS = FailureKind(
    code="unexpected-status",
    title="The response has a status that `--expect-status` doesn't name",
    who="server",
    keeps_connection=True,
    advice="The server's log may say why. If the status is a good one, name it, too "
    "(--expect-status).",
    provoked=Provoked("URL -n 2 --expect-status 200", "--status 503"),
)
OTHER = FailureKind(
    code="other",
    title="Something unforeseen, or a defect of kab",
    who="kab",
    proof="None of the other kinds fits. The run goes on.",
    advice="Please report it, with the message.",
    provoked=Provoked(test="tests/net/test_unforeseen.py"),
)

FAILURE_KINDS = tuple(it for it in tuple(globals().values()) if isinstance(it, FailureKind))
"""All of them, in the order of an exchange's course."""


def failure_kind(code: str) -> FailureKind | None:
    """The kind of that code; `None`: a later kab's, or none."""
    return next((kind for kind in FAILURE_KINDS if kind.code == code), None)


def advice_on(failure: Failure, plan: Plan | None = None, *, among_answers: bool = False) -> str:
    """What a failure means and what to do, by its message or else by its kind; maybe nothing.

    `plan`: the requests'. `among_answers`: whether other requests were
    answered, so that the port speaks what was asked.
    """
    kind = failure_kind(failure.kind)
    if kind is None:
        return ""
    told = (it for it in kind.causes if it.fits(failure.message))
    cause = next(told, None)
    advice, other = (cause or kind).advice, (cause or kind).among_answers
    if among_answers and other is not None:
        advice = other
    if plan is not None:
        if cause and cause.limited and (plan.tls.minimum or plan.tls.maximum):
            advice = cause.limited
        if cause is None and kind.by_proxy and plan.network.proxy is not None and not among_answers:
            advice = kind.by_proxy
    return advice if cause is None else f"{cause.meaning}. {advice}"
