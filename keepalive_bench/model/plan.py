"""A plan: everything that is decided before the first request is sent."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass, field
from itertools import chain
from secrets import randbits
from typing import TYPE_CHECKING, Literal

from keepalive_bench.errors import UsageError
from keepalive_bench.model.target import Target
from keepalive_bench.model.variation import Variation
from keepalive_bench.units import printable

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Arm", "Experiment", "Network", "Plan", "Request", "Target", "Tls", "Variation"]

Header = tuple[str, str]
Order = Literal["paired", "sequential"]
KINDS = ("pooled", "unpooled")
ORDERS: tuple[Order, ...] = ("paired", "sequential")

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_FORM = "application/x-www-form-urlencoded"
_LABEL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,31}")
_SEED_BITS = 32
BLOCK_REQUESTS_PER_THREAD = 10
"""Each pause between blocks disturbs as many requests as there are threads: here one in ten."""
_MOST_REQUESTS, _MOST_THREADS, _MOST_ARMS = 1_000_000_000, 10_000, 255


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is sent each time: method, header fields, body.

    Raises:
        UsageError: a method or a header field that HTTP doesn't allow.
    """

    method: str = "GET"
    headers: tuple[Header, ...] = field(default=(), repr=False)
    body: bytes | None = field(default=None, repr=False)
    credentials: tuple[str, str] | None = field(default=None, repr=False)
    """User name and password for Basic authentication (RFC 7617); they go before the URL's."""
    user_agent: str | None = None
    """`None`: kab's own name and version."""
    variation: Variation = field(default_factory=Variation)

    def __post_init__(self) -> None:
        """Refuse what would make another request than the one meant."""
        if not _TOKEN.fullmatch(self.method):
            raise UsageError(f"{printable(self.method)!r} can't be the method of a request.")
        for name, value in self.headers:
            if not _TOKEN.fullmatch(name):
                word, blank, _ = name.partition(" ")  # what follows may be a secret
                shown = f"{printable(word)} …" if blank else printable(word)
                raise UsageError(f"A header field can't be called {shown!r}.")
            if _CONTROL.search(value):
                raise UsageError(f"The value of the header field {name!r} has a control character.")
        if self.user_agent is not None and _CONTROL.search(self.user_agent):
            raise UsageError("The user agent has a control character.")
        if self.credentials and ":" in self.credentials[0]:
            raise UsageError("A user name for Basic authentication can't have a colon in it.")

    @property
    def is_safe(self) -> bool:
        """Whether sending it changes nothing at the server, by RFC 9110, section 9.2.1."""
        return self.method in {"GET", "HEAD"}

    def wire_headers(self, target: Target, user_agent: str) -> tuple[Header, ...]:
        """The header fields as they are sent; text beyond ASCII goes as UTF-8."""
        given = {name.lower() for name, _ in self.headers}
        headers = list(self.headers)
        if "user-agent" not in given:
            headers.append(("User-Agent", self.user_agent or user_agent))
        credentials = self.credentials or target.credentials
        if credentials and "authorization" not in given:
            pair = b64encode(":".join(credentials).encode()).decode("ascii")
            headers.append(("Authorization", f"Basic {pair}"))
        if self.body is not None and "content-type" not in given:
            headers.append(("Content-Type", _FORM))
        return tuple((name, value.encode().decode("latin-1")) for name, value in headers)


@dataclass(frozen=True, kw_only=True)
class Tls:
    """How the server's certificate is checked."""

    verify: bool = True
    ca_file: Path | None = None
    """PEM certificates to trust in place of the system's."""


@dataclass(frozen=True, kw_only=True)
class Network:
    """How the server is reached, and how long kab waits for it.

    Raises:
        UsageError: a time that is not above 0.
    """

    ip_version: Literal[4, 6] | None = None
    timeout_s: float = 30.0
    """Deadline for a whole exchange, from asking for a connection to the last body byte."""
    connect_timeout_s: float | None = None
    """Deadline for DNS, TCP and TLS together; `None`: the exchange's own."""

    def __post_init__(self) -> None:
        """Check the times."""
        for name, seconds in (
            ("timeout", self.timeout_s),
            ("connect timeout", self.connect_timeout_s),
        ):
            if seconds is not None and not 0 < seconds < float("inf"):
                raise UsageError(f"A {name} of {seconds} s can't be: it must be above 0.")


@dataclass(frozen=True)
class Arm:
    """One way of treating connections, and what it is called in this run.

    Raises:
        UsageError: an unknown kind, or a label with other characters than letters, digits, - and _.
    """

    kind: str
    label: str = ""

    def __post_init__(self) -> None:
        """Call an arm by its kind where nothing else is said."""
        if self.kind not in KINDS:
            raise UsageError(
                f"There is no arm of kind {printable(self.kind)!r}: kinds are {', '.join(KINDS)}."
            )
        object.__setattr__(self, "label", self.label or self.kind)
        if not _LABEL.fullmatch(self.label):
            raise UsageError(
                f"An arm can't be called {printable(self.label)!r}: letters, digits, - and _ "
                "make a label, 32 of them at most."
            )


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """How many requests are sent, by how many threads, in which arms and in what order.

    Raises:
        UsageError: a number below what makes sense, or two arms of one label.
    """

    requests: int = 50
    """Measured requests of each arm."""
    concurrency: int = 1
    """Threads that share each arm's pool."""
    maxsize: int | None = None
    """Connections that a pool keeps; `None`: the concurrency."""
    block: bool = False
    """Whether a thread waits for a connection rather than open one more than `maxsize`."""
    arms: tuple[Arm, ...] = (Arm("pooled"), Arm("unpooled"))
    order: Order | None = None
    """`None`: paired, but sequential where the pool is smaller than the concurrency."""
    seed: int = field(default_factory=lambda: randbits(_SEED_BITS))
    warmup: int = 1
    """Requests of each arm before the measurement, on pools of their own."""
    keep_going: bool = False
    """Whether an arm goes on when its first exchanges all fail."""

    def __post_init__(self) -> None:
        """Check the numbers."""
        _within(1, _MOST_REQUESTS, "requests", self.requests)
        _within(1, _MOST_THREADS, "concurrency", self.concurrency)
        _within(1, _MOST_THREADS, "maxsize", self.pool_size)
        _within(0, _MOST_REQUESTS, "warmup", self.warmup)
        _within(0, 2**64, "seed", self.seed)
        _within(1, _MOST_ARMS, "The number of arms", len(self.arms))
        labels = [arm.label for arm in self.arms]
        twice = next((label for label in labels if labels.count(label) > 1), None)
        if twice is not None:
            raise UsageError(
                f"Two arms are called {twice!r}: give each a label of its own, as in "
                f"--arm a={twice} --arm b={twice}."
            )
        if self.order not in {None, *ORDERS}:
            raise UsageError(f"There is no order {self.order!r}: it is paired or sequential.")

    @property
    def pool_size(self) -> int:
        """The `maxsize` of the pools."""
        return self.concurrency if self.maxsize is None else self.maxsize

    @property
    def is_paired(self) -> bool:
        """Whether arms take turns, rather than run one after the other."""
        if self.order is None:
            return self.pool_size >= self.concurrency
        return self.order == "paired"

    @property
    def rounds(self) -> int:
        """How many rounds the arms' requests are divided into.

        One at a time, a round is a pair; several at a time, blocks have to be long enough that the
        threads' common start and end doesn't show. Arms that don't take turns have one round.
        """
        if not self.is_paired:
            return 1
        if self.concurrency == 1:
            return self.requests
        return max(1, self.requests // (BLOCK_REQUESTS_PER_THREAD * self.concurrency))

    @property
    def labels(self) -> tuple[str, ...]:
        """What the arms are called, in the order named."""
        return tuple(arm.label for arm in self.arms)

    @property
    def total_requests(self) -> int:
        """All requests that the run sends at most, warm-ups included."""
        return len(self.arms) * (self.requests + self.warmup)

    @property
    def token(self) -> str:
        """What unique parameters of this run begin with."""
        return f"{self.seed:08x}"


@dataclass(frozen=True)
class Plan:
    """Everything that is decided before the first request is sent."""

    target: Target
    request: Request = field(default_factory=Request)
    tls: Tls = field(default_factory=Tls)
    network: Network = field(default_factory=Network)
    experiment: Experiment = field(default_factory=Experiment)

    def path(self, index: int) -> str:
        """The path and query of the request with an index."""
        query = self.request.variation.query(index, self.experiment.token)
        return _joined(self.target.path, query)

    def shown_url(self, index: int) -> str:
        """The URL of the request with an index, for people: secrets starred."""
        query = self.request.variation.shown(index, self.experiment.token)
        return _joined(self.target.shown, query)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Texts that must not be seen in any output."""
        pairs = (self.request.credentials, self.target.credentials)
        return tuple(chain.from_iterable(pair for pair in pairs if pair))


def _joined(path: str, query: str) -> str:
    if not query:
        return path
    mark = "" if path.endswith(("?", "&")) else "&" if "?" in path else "?"
    return f"{path}{mark}{query}"


def _within(least: int, most: int, name: str, value: int) -> None:
    if not least <= value <= most:
        raise UsageError(f"{name} must be from {least:,} to {most:,}, not {value:,}.")
