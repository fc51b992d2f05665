"""What is asked of a probe: how long an endpoint keeps its connections, and what ends them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.errors import UsageError
from keepalive_bench.plan.fields import options_of
from keepalive_bench.plan.network import Network, Tls
from keepalive_bench.plan.options import Example, option, options, part
from keepalive_bench.plan.plan import Known
from keepalive_bench.plan.request import Request
from keepalive_bench.plan.target import Target
from keepalive_bench.plan.values import parse_time, time_text, within, within_s
from keepalive_bench.units import quoted, shortened

if TYPE_CHECKING:
    from keepalive_bench.plan.options import Option

_LEAST_IDLE_S = 0.1
_LONGEST_IDLE_S = 24 * 3600.0
_LEAST_AGE_S = 1.0
_MOST_SCANNED = 100_000
_MOST_PATHS = 10
_TIME = r"[0-9][0-9.]* ?(?:ms|s|m|min|h)?"
_NAMELESS = "the balancer"
_BALANCER = r"(?P<name>[A-Za-z0-9][A-Za-z0-9 ._/-]{0,40}?)(?:[ =](?P<time>[0-9][0-9.]* ?[a-z]*))?"


class BehaviourGroup(NamedTuple):
    """What may keep a connection or end it, and is tried only where it is asked for."""

    name: str
    help: str
    """What is tried, as the end of a line."""


BEHAVIOUR_GROUPS = (
    BehaviourGroup("head", "HEAD in place of GET"),
    BehaviourGroup("paths", "each path of --also: an error page, another backend"),
    BehaviourGroup("http1.0", "HTTP/1.0, with and without Connection: keep-alive"),
    BehaviourGroup("pipelining", "two requests at once"),
    BehaviourGroup("addresses", "each address of the name"),
    BehaviourGroup("tls", "each version of TLS that this machine's OpenSSL has"),
    BehaviourGroup("resumption", "TLS sessions by ticket and by id"),
    BehaviourGroup("alpn", "HTTP/2 and HTTP/1.1 by ALPN"),
    BehaviourGroup("post", "a POST to --post-url, an unread one, and one with Expect"),
)
"""Everything that `--behaviours` knows, in the order in which it is tried."""
_NAMES = tuple(it.name for it in BEHAVIOUR_GROUPS)


class Balancer(NamedTuple):
    """Who stands in front of a backend, as the user says."""

    name: str
    idle_s: float | None = None
    """How long it keeps connections to backends; `None`: as is known of a product so called."""


def parse_groups(text: str) -> tuple[str, ...]:
    """`head,tls`: in the order of the table, each once."""
    named = [it.strip() for it in text.split(",") if it.strip()]
    unknown = next((it for it in named if it not in _NAMES), None)
    if unknown is not None or not named:
        what = f"no group of behaviours is called {quoted(unknown)}" if unknown else "none is named"
        raise UsageError(f"{what[0].upper()}{what[1:]} (--behaviours): there are {_listed()}.")
    return tuple(it for it in _NAMES if it in named)


def _listed() -> str:
    return ", ".join(_NAMES)


def parse_balancer(text: str) -> Balancer:
    """`ALB 60s`, `nginx`; `60s` of one without a name."""
    said = text.strip()
    if re.fullmatch(_TIME, said):
        said = f"{_NAMELESS} {said}"
    found = re.fullmatch(_BALANCER, said)
    if found is None:
        raise UsageError(f"{quoted(text)} names no balancer (--behind): write ALB, or 'ALB 60s'.")
    time = found["time"]
    idle_s = None if time is None else parse_time(time)
    if idle_s is not None:
        within_s("The balancer's timeout (--behind)", idle_s)
    return Balancer(found["name"], idle_s)


def balancer_text(balancer: Balancer | None) -> str:
    """A balancer as it is read."""
    if balancer is None:
        return ""
    return " ".join(filter(None, (balancer.name, time_text(balancer.idle_s))))


def _post_target(text: str) -> Target:
    if text.startswith("/"):
        raise UsageError(f"Write the whole URL: --post-url http://HOST{shortened(text)}.")
    return Target(text)


def _url(target: Target | None) -> str:
    return target.url if target else ""


def _spelled_groups(groups: tuple[str, ...]) -> str:
    return ",".join(groups)


@dataclass(frozen=True, kw_only=True)
class Probing:
    """What is looked for, and up to where.

    Raises:
        UsageError: a time or a number that is out of bounds.
    """

    max_idle_s: float = option(
        130.0,
        parse_time,
        spell=time_text,
        spelling="--max-idle TIME",
        help="Watch idle connections for so long at most.",
        more="A balancer's 60 s and nginx's 75 s are below that; 350 s and more are allowed.",
        example=Example("--max-idle 150ms", "asked.max_idle_s == 0.15"),
        shown=True,
    )
    """How long idle connections are watched at most."""
    max_age_s: float | None = option(
        None,
        parse_time,
        spell=time_text,
        spelling="--max-age TIME",
        help="Keep 3 connections in use for so long: is there a lifetime?",
        more="Each sends a request every 20th, 16th and 13th part of it, at most.",
        example=Example("--max-age 20s --dry-run", "in use for 20.0 s", "said"),
        shown=True,
    )
    """How long connections are kept in use, to find a limit of their age; `None`: none is."""
    scan_requests: int | None = option(
        None,
        int,
        spelling="--scan-requests N",
        help="Send up to N requests on one connection: is there a limit?",
        more="Where one is found, a second connection confirms it, within the same N.",
        example=Example("--scan-requests 77 --dry-run", "77 requests", "said"),
        shown=True,
    )
    """How many requests are sent at most, to find a limit of them; `None`: it isn't looked for."""
    behaviours: tuple[str, ...] = option(
        (),
        parse_groups,
        spell=_spelled_groups,
        spelling="--behaviours GROUP,...",
        help=f"Try what keeps or ends a connection: {_listed()}.",
        more="Each group is tried only where it is named; --dry-run says what each sends.",
        example=Example("--behaviours http1.0 --dry-run", "HTTP/1.0", "said"),
        shown=True,
    )
    """The groups of behaviours that are tried."""
    also: tuple[str, ...] = options(
        (),
        str,
        spelling="--also PATH",
        help="A path to try, too (--behaviours paths): /missing.",
        example=Example("--behaviours paths --also /missing --dry-run", "GET /missing", "said"),
        shown=True,
    )
    """Other paths of the same server."""
    post_url: Target | None = option(
        None,
        _post_target,
        spell=_url,
        spelling="--post-url URL",
        help="Where --behaviours post may POST to.",
        more="On the same server. Nothing is posted without.",
        example=Example("--behaviours post --post-url {url}/api --dry-run", "POST /api", "said"),
        shown=True,
    )
    """Where something may be posted to; `None`: nowhere."""
    behind: Balancer | None = option(
        None,
        parse_balancer,
        spell=balancer_text,
        spelling="--behind BALANCER",
        help="Who forwards to this backend: ALB, nginx, 'ALB 60s'.",
        more="With the backend's own URL, reached directly: does the balancer's idle timeout make "
        "502s with this backend?",
        example=Example("--behind 'ALB 0' --dry-run", "must be above 0 s", "said"),
        shown=True,
    )
    """The balancer that stands in front of it, as the user says; `None`: not said."""

    def __post_init__(self) -> None:
        """Check the numbers."""
        if not _LEAST_IDLE_S <= self.max_idle_s <= _LONGEST_IDLE_S:
            raise UsageError(f"--max-idle must be from {_LEAST_IDLE_S:g}s to 24h.")
        if self.max_age_s is not None and not _LEAST_AGE_S <= self.max_age_s <= _LONGEST_IDLE_S:
            raise UsageError(f"--max-age must be from {_LEAST_AGE_S:g}s to 24h.")
        if self.scan_requests is not None:
            within(2, _MOST_SCANNED, "--scan-requests", self.scan_requests)
        for path in self.also:
            if not path.startswith("/"):
                raise UsageError(f"{quoted(path)} is no path (--also): it begins with a slash.")
        if len(self.also) > _MOST_PATHS:
            raise UsageError(f"There may be {_MOST_PATHS} paths at most (--also).")
        if self.also and "paths" not in self.behaviours:
            raise UsageError("--also goes with --behaviours paths.")
        if "paths" in self.behaviours and not self.also:
            raise UsageError("--behaviours paths needs a path to try: --also /missing.")
        if ("post" in self.behaviours) != (self.post_url is not None):
            raise UsageError("--behaviours post and --post-url URL go together.")


@dataclass(frozen=True)
class ProbePlan:
    """Everything that is decided before a probe begins.

    Raises:
        UsageError: the request asks for the connection's end, or something is asked of TLS where
            there is none, or something is to be posted elsewhere.
    """

    target: Target
    request: Request = part(Request, "Request")
    tls: Tls = part(Tls, "TLS")
    network: Network = part(Network, "Connection")
    probing: Probing = part(Probing, "Probe")
    known: Known = part(Known, "Connection")

    def __post_init__(self) -> None:
        """Check what the parts need of each other."""
        closing = self.request.closing_header
        if closing is not None:
            raise UsageError(
                f"{closing} asks the server to close: leave that header out, as kab probe finds "
                "out how long connections are kept."
            )
        of_tls = next((it for it in self.probing.behaviours if it in _OF_TLS), None)
        if of_tls is not None and self.target.scheme != "https":
            raise UsageError(f"--behaviours {of_tls} is about TLS, and an http:// URL has none.")
        if "addresses" in self.probing.behaviours and self.network.proxy is not None:
            raise UsageError("--behaviours addresses and a proxy exclude each other.")
        if self.probing.post_url is not None and self.probing.post_url.origin != self.target.origin:
            raise UsageError("--post-url must be on the server that is probed.")
        for path in self.probing.also:
            Target(f"{self.target.origin}{path}")


_OF_TLS = {"tls", "resumption", "alpn"}
_OF_REQUESTS = {"header", "user", "netrc", "bearer", "cookie", "user-agent"}
"""Options of a request that a probe has: it sends GET of one URL."""
_OTHERS = {"place"}
_EXAMPLES = {
    "timeout": Example("-t 1e-6", "1", "exit code"),
    "connect-timeout": Example("--connect-timeout 1e-6", "1", "exit code"),
    "server": Example("--server haproxy", "asked.server == haproxy"),
    "ciphers": Example(
        "-k --tls-max 1.2 --ciphers ECDHE+AES128+AESGCM", "connections[0].cipher =~ AES128"
    ),
    "tls-max": Example("-k --tls-max 1.2", "connections[0].tls_version == TLSv1.2"),
}
"""Of options whose effect a run shows elsewhere."""


def probe_options() -> tuple[Option[object], ...]:
    """The options of a probe: of the request, only those that say who asks."""
    return tuple(
        replace(it, example=_EXAMPLES.get(it.name, it.example))
        for it in options_of(ProbePlan)
        if it.name not in _OTHERS
        and (it.group not in {"Request", "Response"} or it.name in _OF_REQUESTS)
    )
