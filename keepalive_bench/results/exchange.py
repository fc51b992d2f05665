"""One exchange, one connection, and how an exchange can fail."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

from keepalive_bench.typed_json import Word


class Phases(NamedTuple):
    """How long each phase of an exchange took, in seconds; a phase that did not happen is `None`.

    The names are HTTP Archive's, with `pool_wait` for its `blocked`. The phases and a small
    remainder (the client's own code between them) add up to the latency. `ExchangeColumns` says
    what each is.
    """

    pool_wait: float | None = None
    dns: float | None = None
    connect: float | None = None
    tunnel: float | None = None
    tls: float | None = None
    send: float | None = None
    wait: float | None = None
    receive: float | None = None


PHASES = Phases._fields
QUEUED = "queued"
"""What goes before the phases in an open load: waiting for a thread that is free to start."""
SETUP = ("dns", "connect", "tunnel", "tls")
"""The phases of opening a connection."""


INTERRUPTED = "interrupted"
"""The kind of what kab itself cut off because the run was stopped: nobody failed."""


class Failure(NamedTuple):
    """Why an exchange has no answer, or none that counts."""

    kind: Word
    """A word such as `connect-refused`: one of [these](findings.md#kinds-of-failures)."""
    message: str
    """What the cause itself said; text that may come from outside, so escape it to show it."""


Framing = Literal["length", "chunked", "close", "none"]
EndingKind = Literal[
    "announced", "cut", "data", "discarded", "failed", "fin", "leftover", "retired", "rst"
]
ENDINGS: tuple[EndingKind, ...] = get_args(EndingKind)


class Ending(NamedTuple):
    """How a connection ended, as kab saw it."""

    kind: EndingKind
    """`announced` by its last response, `cut` in the middle of a body, unasked-for `data` found,
    `discarded` by a full pool, after an exchange that `failed`, found closed by `fin` or `rst`,
    bytes `leftover` behind a response, `retired` by an arm that uses each connection once."""
    idle_s: float | None = None
    """How long it had been idle when it was found so."""
    after_s: float | None = None
    """How long after its last response the peer's last segment came; `None`: unknown."""
    data: str = ""
    """What came unasked, or why it can't be told; text from outside."""


ComplaintCode = Literal["https-expected", "certificate-expected"]


class Answer(NamedTuple):
    """What a response said of itself and of its connection, as it was sent (`None`: it didn't)."""

    http_version: str
    """HTTP version of the status line, such as `HTTP/1.1`."""
    content_type: str | None = None
    """This header field as the server sent it; `None`: not sent."""
    connection: str | None = None
    """This header field as the server sent it; `None`: not sent."""
    keep_alive: str | None = None
    """This header field as the server sent it; `None`: not sent."""
    framing: Framing = "length"
    """How the body's end was told: `length`, `chunked` (where that is the last coding), `close`
    (with the connection), `none` (it can't have one, whatever its length says)."""
    cache: str | None = None
    """What says that a cache answered, or was asked: `Age` where that field was sent and isn't 0,
    else the value of `X-Cache`, `CF-Cache-Status` or `X-Cache-Status`; `None`: none was sent."""
    location: str | None = None
    """Where a redirect leads, without user, query and fragment, secrets in its path starred. Of
    many different places, only the first are kept; others are `…`. `None`: it is none, or doesn't
    say."""
    asks_for: str | None = None
    """Names of the schemes of authentication that a 401 or 407 asks for; `None`: it names none."""
    new_session: str | None = None
    """Names of cookies with which a session seems to begin: they end with the browser or are called
    so, and their value isn't that of the answer before; `None`: there is none."""
    retry_after: bool = False
    """Whether a 503 says when to try again."""
    complaint: ComplaintCode | None = None
    """What a 400 complains of, by the words in its body: `https-expected` or
    `certificate-expected`; `None`: it is none, or has none of these."""
    server: str | None = None
    """Who answered, as `Server` names it: it travels end to end. Of many different ones, only the
    first are kept; others are `…`. `None`: not sent."""
    via: str | None = None
    """Who forwarded the answer, as `Via` names them, the nearest last. Of many different ones, only
    the first are kept; others are `…`. `None`: not sent."""


Counted = tuple[str | None, ...]
"""What an answer says in the fields that answers are counted by, in order; `None`: not sent."""


class Outcome(NamedTuple):
    """What a transport reports of one exchange. Times in seconds, the clock's zero is the run's."""

    began_s: float
    latency_s: float
    connection: int | None = None
    """The row of the connection it travelled on; `None` where there was none."""
    status: int | None = None
    body_bytes: int = 0
    """Bytes of body received, after dechunking and before decompression."""
    phases: Phases = Phases()
    answer: Answer | None = None
    failure: Failure | None = None
    counted: Counted | None = None
    """`None`: there is no answer, or answers aren't counted by anything."""
    queued_s: float | None = None
    """How late it started, of an open load: from when it was to start, which is `began_s` then.

    It is part of the latency. `None`: nothing said when it was to start."""

    def since(self, start_s: float) -> Outcome:
        """The same exchange, counted from when it was to start."""
        queued_s = max(0.0, self.began_s - start_s)
        return self._replace(
            began_s=start_s, latency_s=self.latency_s + queued_s, queued_s=queued_s
        )


class Exchange(NamedTuple):
    """One request and its response (RFC 9110, section 3.4), at its place in the experiment."""

    arm: str
    index: int  # type: ignore[assignment]  # a tuple's method, which nobody asks an exchange for
    """Which of the arm's requests, from 0; requests of one index carry the same parameters."""
    round: int
    outcome: Outcome


class Connection(NamedTuple):
    """One TCP connection that was really opened. Times in seconds.

    What its look-up and handshakes took are phases of the exchange that opened it
    (`Run.setups` joins them).
    """

    arm: str
    slot: int
    """Which of the places that the arm had connections open at, at once, from 0."""
    opened_s: float
    """When its TCP handshake was done, from the start of the run."""
    peer: str
    """The address and port it leads to."""
    tls_version: str | None = None
    cipher: str | None = None
    resumed: bool = False
    """Whether its TLS handshake took up the session of an earlier one."""
    failed: str | None = None
    """The addresses tried before in vain, with why."""
    lost: float | None = None
    """The part of the connect phase that those took."""
    min_rtt: float | None = None
    """The round trip of its TCP handshake, as the system measured it; `None`: nobody tells."""
    retransmissions: int | None = None
    """How often its SYN was sent again; `None`: nobody tells."""
    exchanges: int = 0
    """How many responses it carried."""
    ended_s: float | None = None
    """When it was closed, or found closed; `None`: it was open to the end."""
    ending: Ending | None = None
    """How it ended; `None`: it was open to the end."""
