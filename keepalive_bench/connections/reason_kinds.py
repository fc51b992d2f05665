"""Why a connection can have been opened: every reason, and what anybody needs to know of it.

`rules.py` gives them. Requirement names, the schema, the finding that each causes, docs/findings.md
and the tests that run its commands come from this table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.results.failure_kinds import Actor, Provoked

if TYPE_CHECKING:
    from keepalive_bench.connections.products import Concern


class ReasonKind(NamedTuple):
    """One reason for which connections are opened.

    The finding that it causes has its code and title, and a text in which these words may stand:
    `{arm}` (whose they are), `{connections}` and `{times}` (how many were opened for it), `{after}`
    (how many requests each connection before had carried), `{seen}`, and its `numbers`.
    """

    code: str
    title: str
    who: Actor
    proof: str
    provoked: Provoked
    evidence: str = ""
    """What of that is told for each connection."""
    takes_a_place: bool = True
    """Whether there was a connection before it, that could have been used in its place."""
    is_by_nature: bool = False
    """Whether every arm has connections for it; they cost nothing that could be saved."""
    text: str = ""
    """What its finding says; where it causes none, nothing."""
    advice: str = ""
    advice_in_sweeps: str = ""
    """What to do where the usual advice names an option that a sweep doesn't have."""
    settings: tuple[Concern, ...] = ()
    """Which settings of the server's, or the proxy's, cure it; the advice ends with them."""
    settings_after_one: tuple[Concern, ...] = ()
    """Those of connections that carried one request each, where these are others."""
    is_by_pool_size: bool = False
    """Whether a larger pool would have kept the connection."""
    numbers: tuple[str, ...] = ()
    """What its finding's evidence tells beside their owner and the number of connections."""


_IDLE = "those of `idle-timeout`"

FIRST_USE = ReasonKind(
    code="first-use",
    title="The first connection of its slot",
    who="client",
    proof="Its slot had no connection before, and is one of those that the pool keeps (`maxsize`).",
    evidence="`slot`",
    takes_a_place=False,
    is_by_nature=True,
    provoked=Provoked("URL -n 3", ""),
)
BY_DESIGN = ReasonKind(
    code="by-design",
    title="Each connection is used once",
    who="kab",
    proof="The arm is of a kind that doesn't reuse them: kab closes it itself.",
    is_by_nature=True,
    provoked=Provoked("URL -n 3", ""),
)
AFTER_ERROR = ReasonKind(
    code="after-error",
    title="The request before it failed",
    who="server",
    proof="The last exchange on the one before failed: it timed out, or its answer was cut, "
    "malformed, or a 1xx.",
    evidence="`failure`: its kind",
    provoked=Provoked("URL -n 6", "--fault close-in-body --fault-requests 2"),
    text="After a failed request its connection was given up ({times})",
    advice="The failures are named above; a connection that failed can't be used again.",
)
STALE_RACE = ReasonKind(
    code="stale-race",
    title="The connection before it died under a request",
    who="server",
    proof="The same, but as `reset` or `closed-before-response`, without a byte of an answer, on a "
    "connection that had carried responses before: it died under a request already sent.",
    evidence="`failure`",
    provoked=Provoked("URL -n 6", "--fault close-on-request --fault-requests 2"),
    text="A reused connection died under a request that was already sent ({times})",
    advice="The server closed it at just that moment: a shorter idle time at the client than at "
    "the server avoids that, and requests that may be repeated can be retried.",
    settings=("idle_timeout",),
)
SERVER_CLOSE = ReasonKind(
    code="server-close",
    title="The server announced the close",
    who="server",
    proof="Its last response said `Connection: close`.",
    evidence="`connection`: the field's value",
    provoked=Provoked("URL -n 6", "--close-after 2"),
    text="The server said Connection: close{after} ({times})",
    advice="A limit of requests or of age does that; after each request, keep-alive that is off.",
    settings=("request_limit", "lifetime"),
    settings_after_one=("keep_alive",),
    numbers=("requests",),
)
HTTP_1_0 = ReasonKind(
    code="http-1.0",
    title="The server speaks HTTP/1.0",
    who="server",
    proof="Its last response was of HTTP/1.0, and didn't say `Connection: keep-alive`.",
    evidence="`http_version`",
    provoked=Provoked("URL -n 6", "--http-10"),
    text="The server answered as HTTP/1.0, which ends the connection ({times})",
    advice="Let it speak HTTP/1.1.",
    settings=("http_1_1",),
)
CLOSE_DELIMITED = ReasonKind(
    code="close-delimited",
    title="The body ended with the connection",
    who="server",
    proof="Its last response had neither a Content-Length nor chunks, so that only the end of the "
    "connection could end it.",
    evidence="`http_version`",
    provoked=Provoked("URL -n 6", "--fault close-delimited"),
    text="The response didn't tell its length, so that it ended with the connection ({times})",
    advice="A Content-Length, or chunks, would keep the connection open.",
)
KEEP_ALIVE_MAX = ReasonKind(
    code="keep-alive-max",
    title="An announced maximum was reached",
    who="server",
    proof="It was found closed, and the `Keep-Alive` field of its last response had `max=0`, or a "
    "`max` of just the number of responses that it had carried.",
    evidence=_IDLE,
    provoked=Provoked(
        "URL -n 6 --seed 0", "--delay 0.05 --silent-close-after 2 --keep-alive-header max=2"
    ),
    text="The server closed when the maximum that it announces was reached ({times})",
    advice="Raise that maximum, or expect to reconnect.",
    settings=("request_limit",),
    numbers=("requests",),
)
REQUEST_LIMIT = ReasonKind(
    code="request-limit",
    title="The server closes after a constant number of requests, unannounced",
    who="server",
    proof="It was found closed, within 50 ms of its last response or of what other connections "
    "were idle for and survived; and all connections of the arm that were found closed, or died "
    "under a request, two at least, had carried the same number of responses, which no connection "
    "of the run exceeded.",
    evidence=f"{_IDLE}; `requests` is the number",
    provoked=Provoked("URL -n 6 --seed 0", "--delay 0.05 --silent-close-after 2"),
    text="The server closed the connection{after}, unannounced ({times})",
    advice="Look for a limit of requests per connection.",
    settings=("request_limit",),
    numbers=("requests",),
)
IDLE_TIMEOUT = ReasonKind(
    code="idle-timeout",
    title="The server closed it while it was idle",
    who="server",
    proof="It was found closed, by a FIN that came 50 ms or more after its last response, and "
    "later than any idle time that a connection of the arm survived; or 20 ms or more after it, "
    "where several were found closed, each of them idle for longer than any that survived, and not "
    "all of them after the same number of responses, or another connection carried more.",
    evidence="`found`: `fin` or `rst`; `requests`: responses that it had carried; `idle_s`: idle "
    "time in all; `idle_by_kab_s`: the part of it in which kab ran other arms; `closed_after_s`: "
    "when the FIN came, after the last response; `interleaved`: without that part it would not "
    "have been closed",
    provoked=Provoked("URL -n 4 --think-time 0.5", "--idle-timeout 0.2"),
    text="The server closed connections that had been idle for {idle_s} or so ({times})",
    advice="Its idle timeout is shorter than the pauses of this traffic: raise it there, or expect "
    "to reconnect.",
    settings=("idle_timeout",),
    numbers=("idle_s",),
)
UNSOLICITED_DATA = ReasonKind(
    code="unsolicited-data",
    title="The server sent unsolicited data",
    who="server",
    proof="Bytes that no request had asked for were there when the connection was idle (a 408, "
    "garbage, TLS records without data), or with the last response, in `http.client`'s buffer (a "
    "second answer, a longer body, a 204 with one).",
    evidence="`seen`: the first of them; for those that came while idle: `idle_s`, "
    "`idle_by_kab_s`, `came_after_s`, `interleaved`",
    provoked=Provoked("URL -n 6", "--fault answer-twice"),
    text="The server sent unsolicited data ({times}): {seen}",
    advice="A connection with such bytes can't be used again; a 408 is an idle timeout's message.",
)
UNREAD_BODY = ReasonKind(
    code="unread-body",
    title="kab left a body unread",
    who="client",
    proof="kab itself closed it, because `--max-body` left a body unread.",
    evidence="`seen`",
    provoked=Provoked("URL -n 6 --max-body 10", ""),
)
POOL_FULL = ReasonKind(
    code="pool-full",
    title="The pool had no place for it",
    who="client",
    proof="The pool threw it away, because it kept `maxsize` others already.",
    evidence="`seen`",
    provoked=Provoked("URL -n 160 -c 8 --maxsize 1 --order paired", "--delay 0.02"),
    text="maxsize {maxsize!s} is too small for {concurrency!s} threads: {connections:connection} "
    "of {arm} had to be opened again",
    advice="A --maxsize of the concurrency keeps them all; --block makes threads wait instead.",
    is_by_pool_size=True,
    numbers=("maxsize", "concurrency"),
)
POOL_EXHAUSTED = ReasonKind(
    code="pool-exhausted",
    title="All connections of the pool were busy",
    who="client",
    proof="Its slot had no connection before, but lies beyond `maxsize`: all were busy, and the "
    "pool doesn't block.",
    evidence="`slot`",
    takes_a_place=False,
    provoked=Provoked("URL -n 160 -c 8 --maxsize 1 --order paired", "--delay 0.02"),
    text="More connections than maxsize were opened, as all were busy ({times})",
    advice="A --maxsize of the concurrency gives each thread a place; --block makes threads wait.",
    is_by_pool_size=True,
    numbers=("maxsize", "concurrency"),
)
UNKNOWN = ReasonKind(
    code="unknown",
    title="Nothing proves why",
    who="server",
    proof="None of these is proven.",
    evidence="`seen`, and what is known of the idle time",
    provoked=Provoked("URL -n 2 --seed 1", "--delay 0.2 --fault idle-reset=0.15"),
    text="Connections ended in a way that kab can't name ({times})",
    advice="--verbose shows what was seen of each.",
    advice_in_sweeps="kab report --verbose shows what was seen of each, from the file of --json.",
)

REASON_KINDS = tuple(it for it in tuple(globals().values()) if isinstance(it, ReasonKind))
"""All of them, in the order of precedence: where several are true, the first is named."""
BESIDE_OTHERS = {it.code for it in REASON_KINDS if not (it.takes_a_place or it.is_by_nature)}
"""Reasons for one more connection at a time: it takes no other's place, and none is reopened."""
BY_NATURE = {it.code for it in REASON_KINDS if it.is_by_nature}
"""Reasons that every arm has connections for."""
