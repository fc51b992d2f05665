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
    `{arm}` (whose they are), `{closer}` (who was at the other end), `{connections}` (how many were
    opened for it), `{times}` (how often one ended so), `{after}` (how many requests each connection
    before had carried), `{also}` (which other causes fit), and what else `findings/reuse.py` knows.
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
    settings: tuple[Concern, ...] = ()
    """Which settings of the server's, or the proxy's, cure it; the advice ends with them."""
    settings_after_one: tuple[Concern, ...] = ()
    """Those of connections that carried one request each, where these are others."""
    advice_after_one: str = ""
    """What to do about these, where that is another thing."""
    settings_after_several: tuple[Concern, ...] = ()
    """Those of connections that carried different numbers of requests, where these are others."""
    advice_after_several: str = ""
    """What to do about these, where that is another thing."""
    is_by_pool_size: bool = False
    """Whether a larger pool would have kept the connection."""
    numbers: tuple[str, ...] = ()
    """What its finding's evidence tells beside their owner and the number of connections."""
    recurs_after: int | None = None
    """How many separate incidents show that a setting is at work, which ends connections again and
    again, and not a restart that does as it happens; `None`: however many there are, they may be
    chance."""


_IDLE = "as for `idle-timeout`"
_FITS = "`fits`: all causes that fit, if others fit equally well"

FIRST_USE = ReasonKind(
    code="first-use",
    title="The first connection of its slot",
    who="client",
    proof="Its slot had no connection before, and is one of those that the pool keeps (`maxsize`).",
    evidence="`slot`",
    takes_a_place=False,
    is_by_nature=True,
    advice="Nothing. Every connection of a pool is opened once.",
    provoked=Provoked("URL -n 3", ""),
)
BY_DESIGN = ReasonKind(
    code="by-design",
    title="Each connection is used once",
    who="kab",
    proof="The arm is of a kind that doesn't reuse connections: kab closes each one itself.",
    is_by_nature=True,
    advice="Nothing. That is what other arms are compared with.",
    provoked=Provoked("URL -n 3", ""),
)
UNREAD_REQUEST = ReasonKind(
    code="unread-request",
    title="The server answered a request without reading its body",
    who="server",
    proof="Its requests have bodies, and one of these was seen: the connection was reset right "
    "after a response, which is how a system closes one with bytes unread (RFC 1122, section "
    "4.2.2.13); connections died under a later request but never under their first; or the rest of "
    "a body was taken for the next request, so that most later requests got a 400 or 501, which "
    "first ones never did, or an error came that no request had asked for.",
    evidence="`status` of the last answer, `seen`: an answer that followed it, or `failure`",
    provoked=Provoked("URL -n 6 -X POST -d name=value", "--fault unread-body"),
    text="{closer} responded without reading the request's body, so the connection couldn't be "
    "used again ({times})",
    advice="Read or drain the body before responding, even with an early error (401, 403, 413).",
    settings=("unread_body",),
)
IDLE_DROP = ReasonKind(
    code="idle-drop",
    title="Something on the path dropped an idle connection",
    who="path",
    proof="Two connections or more died under a request (reset, closed, or no response in time). "
    "All of them had been idle for 1 s or more, and for longer than any connection that could be "
    "used again. They weren't all open at the same time, no connection was found closed after so "
    "long, and first requests on connections don't die like this.",
    evidence="`idle_s`: how long it had been idle; `survived_s`: the longest idle time that others "
    "survived; `died_s`: the shortest that none survived",
    provoked=Provoked(test="tests/net/test_forgetful_paths.py"),
    text="Connections that had been idle for {died_s} or more died at their next request{survived} "
    "({times}): something on the path drops idle connections",
    advice="Likely causes are a NAT, a firewall (conntrack), or a balancer (AWS NLB after 350 s, "
    "Azure after 4 min). Close idle connections in the client before that (kab probe finds out "
    "when), or let TCP keep-alive probe sooner (--tcp-keepalive-time).",
    numbers=("survived_s", "died_s"),
    recurs_after=4,
)
LATE_CLOSE = ReasonKind(
    code="late-close",
    title="The server closed an idle connection only at its next request",
    who="server",
    proof="As `idle-drop`, but all of them were closed in order (FIN): a path that has forgotten a "
    "connection doesn't do that.",
    evidence=f"those of `idle-drop`; {_FITS}",
    provoked=Provoked(test="tests/hostile/test_reasons.py"),
    text="{closer} closed connections that had been idle for {died_s} or more, but only when their "
    "next request came{survived} ({times}){also}",
    advice="A gateway does that when its own connection to the server behind it has died (HAProxy, "
    "Apache): compare how long the two keep idle connections. Requests that are safe to repeat can "
    "be retried.",
    settings=("upstream",),
    numbers=("survived_s", "died_s"),
    recurs_after=4,
)
STALE_RACE = ReasonKind(
    code="stale-race",
    title="A request crossed the server's close",
    who="server",
    proof="It died under a request before any byte of the response came. It had been idle for "
    "about the server's idle timeout, which other connections show or `Keep-Alive` announces, and "
    "first requests on connections don't die like this.",
    evidence="`failure`; `idle_s`: how long it had been idle",
    provoked=Provoked(test="tests/net/test_stale_races.py"),
    text="{closer} closed connections that had been idle for {idle} just as the next request was "
    "on its way ({times})",
    advice="Let the client close idle connections sooner (kab probe says after how long); requests "
    "that are safe to repeat can be retried.",
    settings=("idle_timeout",),
    numbers=("idle_s",),
)
AFTER_ERROR = ReasonKind(
    code="after-error",
    title="The request before it failed",
    who="server",
    proof="The last request on the connection before failed: it timed out, its response was cut, "
    "malformed or a 1xx, or the connection died and no other reason for that is proven.",
    evidence="`failure`: its kind",
    advice="Find out why requests fail (kab explain failures): what failed can't be used again.",
    provoked=Provoked("URL -n 6", "--fault close-in-body --fault-requests 2"),
)
ASKED_TO_CLOSE = ReasonKind(
    code="asked-to-close",
    title="The request itself asked for the close",
    who="client",
    proof="You gave a header field that asks for it: `Connection: close`, or what some servers "
    "take for it (nginx: any `close` within `Connection`; Node: `Proxy-Connection`, too). And no "
    "connection of the run carried a second response.",
    provoked=Provoked("URL -n 6 -H 'Connection: close'", ""),
    text="Your own header, {own_header}, ends the connection after each request ({times})",
    advice="Leave that header out.",
)
ERROR_RESPONSE = ReasonKind(
    code="error-response",
    title="The server closes after an error response",
    who="server",
    proof="Its last response was a 4xx or 5xx, and announced the close or was followed by it at "
    "once. Most responses with that status end connections, and hardly any others do. If the run "
    "has no others, the status is one that rejects the request as such (400, 413, 414, 431, 501, "
    "505).",
    evidence="`status`",
    provoked=Provoked("URL -n 12", "--fault error-close --fault-requests 3"),
    text="{closer} closed the connection after error responses: {statuses} ({times})",
    advice="Fewer errors mean fewer closes.",
    settings=("errors",),
    numbers=("statuses",),
)
MAX_AGE = ReasonKind(
    code="max-age",
    title="The server closes connections at a maximum age",
    who="server",
    proof="Two connections or more ended at the same age, closer together than by chance, and no "
    "connection was used beyond it; numbers of requests and idle times don't explain it. Or their "
    "last responses announced the close, each at the first request after that age, and they had "
    "carried different numbers of responses.",
    evidence="`age_s`: from opening to the close",
    provoked=Provoked("URL -n 12 --think-time 0.1s-0.3s --seed 0", "--max-age 0.6"),
    text="{closer} closed connections at an age of {age}, however many requests they had carried "
    "({times})",
    advice="Raise the maximum age there, or expect to reconnect that often.",
    settings=("lifetime",),
    numbers=("age_s",),
    recurs_after=2,
)
SERVER_CLOSE = ReasonKind(
    code="server-close",
    title="The server announced the close",
    who="server",
    proof="Its last response said `Connection: close`, in its first `Connection` field or another.",
    evidence="`connection`: the field's value; `unread`: `http.client` reads only the first field, "
    f"and went on; {_FITS}",
    provoked=Provoked("URL -n 6", "--close-after 2"),
    text="{closer} sent Connection: close{after}{unread} ({times}){also}",
    advice="A limit of requests or of age does that, or a restart.",
    advice_after_one="Keep-alive is {perhaps}off there, or limited to one request.",
    advice_after_several="As these numbers differ, the cause is a maximum age, a restart, or a "
    "worker that is recycled.",
    settings=("request_limit", "lifetime"),
    settings_after_one=("keep_alive",),
    settings_after_several=("lifetime", "recycling"),
    numbers=("requests", "fits"),
    recurs_after=4,
)
HTTP_1_0 = ReasonKind(
    code="http-1.0",
    title="The server speaks HTTP/1.0",
    who="server",
    proof="Its last response was HTTP/1.0 and didn't say `Connection: keep-alive`, or only in a "
    "second such field.",
    evidence="`http_version`; `unread`: `http.client` reads only the first field",
    provoked=Provoked("URL -n 6", "--http-10"),
    text="{closer} responded with HTTP/1.0, which closes the connection{unread} ({times})",
    advice="Make it use HTTP/1.1.",
    settings=("http_1_1",),
    recurs_after=4,
)
CLOSE_MISREAD = ReasonKind(
    code="close-misread",
    title="http.client mistook another connection option for `close`",
    who="client",
    proof="The `Connection` field of its last response doesn't have the option `close`, but "
    "another one that contains these letters. `http.client` looks for the letters, and closed the "
    "connection.",
    evidence="`option`: the one that contains them",
    provoked=Provoked("URL -n 6", "-H 'Connection: close;q=1'"),
    text="{closer} sent the connection option {option}, but http.client looks for these letters "
    "anywhere and closed the connection ({times})",
    advice="Send `Connection: close` to close connections, and no other option that contains these "
    "letters.",
    recurs_after=4,
)
CHUNKS_MISREAD = ReasonKind(
    code="chunks-misread",
    title="http.client didn't recognize a chunked response",
    who="client",
    proof="Its last response came in chunks, but `http.client` didn't see that: it recognizes "
    "`Transfer-Encoding: chunked` alone, not within a list of codings or in a second field.",
    provoked=Provoked(test="tests/hostile/test_announced.py"),
    text="{closer} sent chunks under more than one transfer coding, which http.client doesn't "
    "recognize, so it closed the connection after the body ({times})",
    advice="Make the server send `Transfer-Encoding: chunked` alone, and use `Content-Encoding` "
    "for compressed bodies.",
    recurs_after=4,
)
CLOSE_DELIMITED = ReasonKind(
    code="close-delimited",
    title="The body ended with the connection",
    who="server",
    proof="Its last response had neither a Content-Length nor chunks, so only the close could mark "
    "its end.",
    evidence="`http_version`",
    provoked=Provoked("URL -n 6", "--fault close-delimited"),
    text="Responses had neither a Content-Length nor chunks, so they ended with the connection "
    "({times})",
    advice="Make the server send a Content-Length, or chunks.",
    recurs_after=4,
)
KEEP_ALIVE_MAX = ReasonKind(
    code="keep-alive-max",
    title="An announced maximum was reached",
    who="server",
    proof="It was found closed, and the `Keep-Alive` field of its last response had `max=0`, or a "
    "`max` equal to the number of responses that it had carried.",
    evidence=_IDLE,
    provoked=Provoked(
        "URL -n 6 --seed 0", "--delay 0.05 --silent-close-after 2 --keep-alive-header max=2"
    ),
    text="{closer} closed connections at the maximum of requests that it announces ({times})",
    advice="Raise that maximum, or expect to reconnect.",
    settings=("request_limit",),
    numbers=("requests",),
    recurs_after=1,
)
REQUEST_LIMIT = ReasonKind(
    code="request-limit",
    title="The server closes after a fixed number of requests, unannounced",
    who="server",
    proof="It was found closed within 50 ms of its last response, or after an idle time that other "
    "connections survived, give or take 50 ms; or it died under its next request. All connections "
    "of the arm that ended this way, at least two, had carried the same number of responses, and "
    "no connection of the run carried more.",
    evidence=f"{_IDLE}, or `failure`; `requests` is the number; {_FITS}",
    provoked=Provoked("URL -n 6 --seed 0", "--delay 0.05 --silent-close-after 2"),
    text="{closer} closed the connection{after}, unannounced ({times}){also}",
    advice="Look for a limit of requests per connection.",
    advice_after_one="Keep-alive is {perhaps}off there, or limited to one request.",
    settings=("request_limit",),
    settings_after_one=("keep_alive", "request_limit"),
    numbers=("requests", "fits"),
    recurs_after=2,
)
IDLE_TIMEOUT = ReasonKind(
    code="idle-timeout",
    title="The server closed it while it was idle",
    who="server",
    proof="It was found closed. The close came 50 ms or more after its last response (13 ms is "
    "enough if several connections show it), and later than any idle time that a connection "
    "survived. A server that checks its timer rarely lets some connections survive for longer: "
    "then the closes have to lie closer together than by chance, and no more connections may "
    "survive than such a timer spares.",
    evidence="`found`: `fin` or `rst`; `requests`: responses that it had carried; `idle_s`: idle "
    "time in all; `idle_by_kab_s`: the part of it in which kab ran other arms; `closed_after_s`: "
    "when the FIN came, after the last response; `interleaved`: without kab's part it wouldn't "
    f"have been closed; {_FITS}",
    provoked=Provoked("URL -n 4 --think-time 0.5", "--idle-timeout 0.2"),
    text="{closer} closed connections that had been idle for {idle} ({times}){also}",
    advice="Its idle timeout is shorter than the pauses of this traffic: raise it there, or expect "
    "to reconnect.",
    settings=("idle_timeout",),
    numbers=("idle_s", "shortest_s", "longest_s"),
    recurs_after=4,
)
UNDECIDED = ReasonKind(
    code="undecided",
    title="Several causes fit equally well",
    who="server",
    proof="It was found closed, or died under its next request, and the connections that ended "
    "this way have more than one of these in common: the number of responses, the age, and the "
    "idle time.",
    evidence=f"{_IDLE}; `age_s`; `fits`: the causes that fit",
    provoked=Provoked("URL -n 10 --think-time 0.3 --seed 0", "--silent-close-after 3"),
    text="{closer} closed connections, unannounced ({times}): {fitting}",
    advice="Varying pauses tell them apart: {apart}.",
    numbers=("fits",),
    recurs_after=4,
)
RECYCLED = ReasonKind(
    code="recycled",
    title="The server closed idle connections before their time",
    who="server",
    proof="It was found closed, but many other connections survived a longer idle time, more than "
    "any idle timeout would have spared; and no limit of requests or age fits.",
    evidence=_IDLE,
    provoked=Provoked(test="tests/hostile/test_reasons.py"),
    text="{closer} closed connections, unannounced, that had been idle for less time than others "
    "survived ({times}){also}",
    advice="A restart or reload, recycled workers, or a limit on idle connections does that: look "
    "at those times in its log.",
    settings=("recycling",),
)
UNSOLICITED_DATA = ReasonKind(
    code="unsolicited-data",
    title="The server sent unsolicited data",
    who="server",
    proof="Bytes that no request had asked for came while the connection was idle (a 408, garbage, "
    "TLS records without data), or together with the last response (a second response, a body "
    "longer than announced, a 204 with a body).",
    evidence="`seen`: the first of them; `bodiless`: they came right after a response that has no "
    "body (HEAD, 204, 304); for those that came while idle: `idle_s`, `idle_by_kab_s`, "
    "`came_after_s`, `interleaved`",
    provoked=Provoked("URL -n 6", "--fault answer-twice"),
    text="{closer} sent unsolicited data ({times}): {seen}{bodiless}",
    advice="A client can't use such a connection again.{timed_out}",
)
UNREAD_BODY = ReasonKind(
    code="unread-body",
    title="kab left a body unread",
    who="client",
    proof="kab itself closed it, because `--max-body` left a body unread.",
    evidence="`seen`",
    advice="Leave --max-body out, or let it be larger than the bodies are.",
    provoked=Provoked("URL -n 6 --max-body 10", ""),
)
POOL_FULL = ReasonKind(
    code="pool-full",
    title="The pool was full",
    who="client",
    proof="The pool discarded it, because it kept `maxsize` others already.",
    evidence="`seen`",
    provoked=Provoked("URL -n 160 -c 8 --maxsize 1 --order paired", "--delay 0.02"),
    text="maxsize {maxsize!s} is too small for {concurrency!s} threads: {connections:connection} "
    "of {arm} had to be opened again",
    advice="Use --maxsize {concurrency!s} to keep them all, or --block to make threads wait.",
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
    text="More connections than maxsize {maxsize!s} were opened, because all were busy ({times})",
    advice="Use --maxsize {concurrency!s} to give each thread a connection, or --block to make "
    "threads wait.",
    is_by_pool_size=True,
    numbers=("maxsize", "concurrency"),
)
UNKNOWN = ReasonKind(
    code="unknown",
    title="Nothing proves why",
    who="server",
    proof="None of the other reasons is proven.",
    evidence="`seen`, and what is known of the idle time",
    provoked=Provoked("URL -n 2 --seed 1", "--delay 0.2 --fault idle-reset=0.15"),
    text="Connections ended, and kab can't tell why ({times}): {all_seen}",
    advice="More requests may show what they have in common; --verbose shows each one.",
)

REASON_KINDS = tuple(it for it in tuple(globals().values()) if isinstance(it, ReasonKind))
"""All of them, in the order of precedence: where several are true, the first is named."""
BESIDE_OTHERS = {it.code for it in REASON_KINDS if not (it.takes_a_place or it.is_by_nature)}
"""Reasons for one more connection at a time: it takes no other's place, and none is reopened."""
BY_NATURE = {it.code for it in REASON_KINDS if it.is_by_nature}
"""Reasons that every arm has connections for."""
