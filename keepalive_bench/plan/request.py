"""What is sent each time, and what is expected back."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.errors import UsageError
from keepalive_bench.plan.limits import LARGEST_BODY, within
from keepalive_bench.plan.variation import Variation
from keepalive_bench.units import quoted, shortened

if TYPE_CHECKING:
    from pathlib import Path

    from keepalive_bench.plan.target import Target

Header = tuple[str, str]
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"

_MOST_READ = 2**60
_LONGEST_METHOD = 80
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_NO_UTF_8 = re.compile(r"[\ud800-\udfff]")  # so a command line's other bytes arrive
_SCOPE = re.compile(r"%25[^\]]*")
_STATUS = re.compile(r"[1-5](\d\d|xx)")


class Withheld(NamedTuple):
    """What a stored plan says in place of what it leaves out."""

    body_bytes: int | None
    """`None`: no body."""
    authenticated: bool
    cookies: int


@dataclass(frozen=True, kw_only=True)
class Request:
    """Method, header fields and body of every request, and what counts as an answer to it.

    Raises:
        UsageError: something that HTTP doesn't allow, or two things that contradict each other.
    """

    method: str = "GET"
    headers: tuple[Header, ...] = field(default=(), repr=False)
    body: bytes | None = field(default=None, repr=False)
    content_type: str = FORM
    """Of the body, unless a header field says otherwise."""
    upload: Path | None = None
    """A file to stream as the body, with its length known, in place of `body`."""
    credentials: tuple[str, str] | None = field(default=None, repr=False)
    """User name and password for Basic authentication (RFC 7617); they go before the URL's."""
    bearer: str | None = field(default=None, repr=False)
    """A bearer token (RFC 6750)."""
    cookies: tuple[str, ...] = field(default=(), repr=False)
    """`name=value` pairs for the Cookie field."""
    user_agent: str | None = None
    """`None`: kab's own name and version."""
    variation: Variation = field(default_factory=Variation)
    expect_status: tuple[str, ...] = ()
    """Status codes (`200`, `2xx`) that count as success; empty: all do."""
    max_body: int | None = None
    """Stop reading a body after so many bytes, which closes the connection."""
    withheld: Withheld | None = field(default=None, compare=False)
    """Of a plan that was read back, in place of body, credentials and cookies."""

    def __post_init__(self) -> None:
        """Refuse what would make another request than the one meant."""
        self._check_fields()
        _without_control("".join(self.credentials or ()), "The user name or the password")
        if self.credentials and ":" in self.credentials[0]:
            raise UsageError("A user name for Basic authentication can't have a colon in it.")
        if self.credentials and self.bearer:
            raise UsageError("A user and a bearer token contradict each other: leave one out.")
        if self.body is not None and self.upload is not None:
            raise UsageError("A request has one body: give data or a file to upload.")
        for status in self.expect_status:
            if not _STATUS.fullmatch(status):
                raise UsageError(f"{quoted(status)} is no status: write 200, or 2xx.")
        if self.max_body is not None:
            within(0, _MOST_READ, "max-body", self.max_body)
        if self.body is not None:
            within(0, LARGEST_BODY, "The bytes of a body", len(self.body))

    def _check_fields(self) -> None:
        if not _TOKEN.fullmatch(self.method) or len(self.method) > _LONGEST_METHOD:
            raise UsageError(f"{quoted(self.method)} can't be the method of a request.")
        for name, value in self.headers:
            if not _TOKEN.fullmatch(name):
                word, blank, _ = name.partition(" ")  # what follows may be a secret
                shown = f"{shortened(word)} …" if blank else shortened(word)
                raise UsageError(f"A header field can't be called '{shown}'.")
            _without_control(value, f"The value of the header field {quoted(name)}")
        _without_control(self.user_agent or "", "The user agent")
        _without_control(self.bearer or "", "The bearer token")
        _without_control(self.content_type, "The content type")
        for cookie in self.cookies:
            _without_control(cookie, "A cookie")
            if "=" not in cookie:
                raise UsageError("A cookie is of the form NAME=VALUE, and no file is read (-b).")

    @property
    def is_safe(self) -> bool:
        """Whether sending it is not meant to change anything at the server."""
        return self.method in {"GET", "HEAD"}

    def expects(self, status: int) -> bool:
        """Whether an answer with a status counts as success."""
        return not self.expect_status or any(
            code in {str(status), f"{status // 100}xx"} for code in self.expect_status
        )

    def withhold(self, target: Target) -> Withheld:
        """What to say of the request where neither its secrets nor its body belong."""
        return self.withheld or Withheld(
            body_bytes=None if self.body is None else len(self.body),
            authenticated=bool(self.credentials or self.bearer or target.credentials),
            cookies=len(self.cookies),
        )

    def wire_headers(self, target: Target, user_agent: str) -> tuple[Header, ...]:
        """The header fields as they are sent; text beyond ASCII goes as UTF-8."""
        given = {name.lower() for name, _ in self.headers}
        added = [("User-Agent", user_agent if self.user_agent is None else self.user_agent)]
        if "%" in target.host:  # a scope means nothing to the server; Python 3.10 would send it
            added.append(("Host", _SCOPE.sub("", target.origin).partition("://")[2]))
        credentials = self.credentials or target.credentials
        if self.bearer:
            added.append(("Authorization", f"Bearer {self.bearer}"))
        elif credentials:
            added.append(("Authorization", basic(credentials)))
        if self.cookies:
            added.append(("Cookie", "; ".join(self.cookies)))
        if self.body is not None:
            added.append(("Content-Type", self.content_type))
            if self.content_type == JSON:
                added.append(("Accept", JSON))
        fields = [*self.headers, *(pair for pair in added if pair[0].lower() not in given)]
        return tuple((name, value.encode().decode("latin-1")) for name, value in fields)


def basic(credentials: tuple[str, str]) -> str:
    """The value of an Authorization field for Basic authentication."""
    return "Basic " + b64encode(":".join(credentials).encode()).decode("ascii")


def _without_control(text: str, what: str) -> None:
    if _CONTROL.search(text):
        raise UsageError(f"{what} has a control character.")
    if _NO_UTF_8.search(text):
        raise UsageError(f"{what} has bytes that are no UTF-8.")
