"""What is sent each time, and what is expected back."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from keepalive_bench.errors import UsageError
from keepalive_bench.plan.options import (
    Example,
    JsonForm,
    Option,
    option,
    options,
    part,
    ruled,
    set_by,
    spelled,
)
from keepalive_bench.plan.redaction import is_secret_name
from keepalive_bench.plan.target import Target
from keepalive_bench.plan.values import LARGEST_BODY, parse_header, parse_user, within
from keepalive_bench.plan.variation import Variation
from keepalive_bench.typed_json import Count, pattern
from keepalive_bench.units import quoted, shortened

if TYPE_CHECKING:
    from keepalive_bench.plan.options import Asked

Header = tuple[str, str]
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
SHOWN_HEADERS = (
    *("accept", "accept-charset", "accept-encoding", "accept-language", "cache-control"),
    *("connection", "content-encoding", "content-length", "content-type", "host"),
    *("if-modified-since", "if-none-match", "keep-alive", "pragma", "range", "te"),
    *("transfer-encoding", "user-agent", "via"),
)
"""Header fields that are known to carry no secret; of others only the name is written."""

_MOST_READ = 2**60
_LONGEST_METHOD = 80
_MOST_COUNTED = 16
_UNCOUNTABLE = {
    *("set-cookie", "set-cookie2", "cookie", "cookie2", "authorization", "www-authenticate"),
    *("authentication-info", "location", "content-location", "refresh", "link"),
}
"""Fields whose values may be secrets, or have them in a URL, besides those that are called so."""
_CACHE_TAGS = {"surrogate-key"}
"""Fields that are called so, and only say for a cache what an answer is about."""
_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_CONTROL = r"[\x00-\x08\x0a-\x1f\x7f]"
_NO_UTF_8 = r"[\ud800-\udfff]"  # so a command line's other bytes arrive
_SCOPE = r"%25[^\]]*"
_STATUS = "[1-5]([0-9][0-9]|xx)"


def _checked_json(body: bytes) -> bytes:
    try:
        json.loads(body)
    except RecursionError:
        raise UsageError("The body isn't JSON (--json-body): it is nested too deep.") from None
    except ValueError as error:
        raise UsageError(f"The body isn't JSON (--json-body): {error}.") from None
    except MemoryError:
        raise UsageError("The body needs more memory than there is (--json-body).") from None
    return body


METHOD = Option(
    parse=str,
    words=lambda method: [method],
    spelling="-X, --method METHOD",
    help="Method.  [default: GET, with a body POST]",
    example=Example("-X PATCH", "PATCH /", "sent"),
)
DATA = Option(
    form="repeatable",
    parse=bytes,
    spelling="-d, --data TEXT|@FILE|-",
    source="body",
    help="Body: text, a file, or standard input.",
    more="A file's bytes are sent as they are; several are joined by &.",
    example=Example("-d a=1 -d b=2", "\na=1&b=2", "sent"),
)
JSON_BODY = Option(
    parse=_checked_json,
    spelling="--json-body JSON|@FILE|-",
    source="body",
    help="The same, sent as JSON.",
    rivals=("data",),
    example=Example("--json-body [1]", "\n[1]", "sent"),
)
USER = Option(
    parse=parse_user,
    spelling="-u, --user USER:PASSWORD",
    help="Basic authentication.",
    more="The password is asked for where it is left out.",
    example=Example(
        "-u Aladdin:open_sesame", "Authorization: Basic QWxhZGRpbjpvcGVuX3Nlc2FtZQ==", "sent"
    ),
)
NETRC: Option[tuple[str, str] | None] = Option(
    form="switch",
    parse=lambda _: None,
    spelling="--netrc",
    source="asked",
    help="Take user and password from ~/.netrc.",
    rivals=("user",),
    example=Example("--netrc", "Authorization: Basic bmV0OnJj", "sent"),
)


BEARER = Option(
    parse=str,
    words=spelled(),
    spelling="--bearer TOKEN",
    help="Bearer token.",
    example=Example("--bearer abc", "Authorization: Bearer abc", "sent"),
    rivals=("user", "netrc"),
)
UPLOAD = Option(
    parse=Path,
    words=spelled(),
    spelling="-T, --upload-file FILE",
    source="readable",
    help="Stream a file as the body (PUT).",
    more="Its name isn't added to the URL.",
    example=Example("-T {csv}", "\nfrom\nfile", "sent"),
    rivals=("data", "json-body"),
)


def reads_netrc(asked: Asked, target: Target) -> bool:
    """Whether to look for credentials in `~/.netrc`: where nobody has said any."""
    named = target.credentials is not None or USER in asked or BEARER in asked
    return NETRC in asked and not named


def _credentials(asked: Asked) -> tuple[str, str] | None:
    if (user := asked[USER]) is None:
        return asked[NETRC]
    return user[0], user[1] or ""


def _body(asked: Asked) -> bytes | None:
    data, json_body = asked.each(DATA), asked[JSON_BODY]
    if data and json_body is not None:
        raise UsageError("--data and --json-body contradict each other: leave one out.")
    return b"&".join(data) if data else json_body


def _method(asked: Asked) -> str | None:
    if METHOD in asked:
        return asked[METHOD]
    if DATA in asked or JSON_BODY in asked:
        return "POST"
    return "PUT" if UPLOAD in asked else None


def _content_type(asked: Asked) -> str | None:
    return JSON if JSON_BODY in asked else None


def _usual_method(plan: Any) -> str | None:  # noqa: ANN401  # a Plan, whose file imports this one
    """The method that needs no option; `None`: any does, as no body says which."""
    has_body = plan.request.body is not None or plan.request.upload is not None
    return None if has_body or DATA.name in (plan.withheld or ()) else "GET"


def _shown_headers(headers: tuple[Header, ...]) -> tuple[tuple[str, str | None], ...]:
    return tuple(
        (name, value if name.lower() in SHOWN_HEADERS else None) for name, value in headers
    )


def _read_headers(headers: tuple[tuple[str, str | None], ...]) -> tuple[Header, ...]:
    return tuple((name, value or "") for name, value in headers)


@dataclass(frozen=True, kw_only=True)
class Request:
    """Method, header fields and body of every request, and what counts as an answer to it.

    Raises:
        UsageError: something that HTTP doesn't allow, or two things that contradict each other.
    """

    method: str = ruled("GET", _method, METHOD, shown=True, usual=_usual_method)
    """The request's method."""
    headers: tuple[Header, ...] = options(
        (),
        parse_header,
        spelling="-H, --header 'NAME: VALUE'",
        help="Header field.",
        example=Example("-H 'X-Kab: 1'", "X-Kab: 1", "sent"),
        shown=_shown_headers,
        json_form=JsonForm(tuple[tuple[str, str | None], ...], tuple, _read_headers),
        usual=lambda plan: plan.request.headers,  # what may be a secret isn't spelled out
    )
    """`[name, value]` for each header field asked for; in a file, the value is `null` where it
    might be a secret."""
    body: bytes | None = ruled(None, _body, DATA, JSON_BODY)
    content_type: str = ruled(FORM, _content_type, shown=True)
    """The body's type, unless a header field says otherwise."""
    upload: Path | None = set_by(None, UPLOAD, shown=True)
    """The file that is streamed as the body; `None`: none is."""
    credentials: tuple[str, str] | None = ruled(None, _credentials, USER, NETRC)
    """User name and password for Basic authentication (RFC 7617); they go before the URL's."""
    bearer: str | None = set_by(None, BEARER)
    cookies: tuple[str, ...] = options(
        (),
        str,
        spelling="-b, --cookie NAME=VALUE",
        help="Cookie.",
        example=Example("-b a=1 -b b=2", "Cookie: a=1; b=2", "sent"),
    )
    user_agent: str | None = option(
        None,
        str,
        spelling="-A, --user-agent TEXT",
        help="User agent.  [default: kab and its version]",
        example=Example("-A me", "User-Agent: me", "sent"),
        shown=True,
    )
    """The user agent asked for; `None`: kab's own."""
    variation: Variation = part(Variation)
    expect_status: tuple[Annotated[str, pattern(f"^{_STATUS}$")], ...] = options(
        (),
        str,
        spelling="--expect-status CODE",
        help="Count other responses as failed: 200, 2xx.",
        more="Without it, every response counts as answered.",
        example=Example("--expect-status 404", "1", "exit code"),
        shown=True,
    )
    """Status codes that count as success (`200`, `2xx`); empty: all do."""
    count_by: tuple[str, ...] = options(
        (),
        str,
        spelling="--count-by HEADER",
        help="Count responses by the value of this header.",
        more="A pod's name, a cache's, a backend's.",
        example=Example("-n 2 --count-by Server", "arms.pooled.counted[0].field == Server"),
        shown=True,
        matters=False,
    )
    """Response header fields by whose values answers are counted."""
    max_body: Count | None = option(
        None,
        int,
        spelling="--max-body BYTES",
        help="Stop reading a body there, and close.",
        more="What is left unread closes the connection.",
        example=Example("-n 5 --max-body 10", "arms.pooled.connections == 5"),
        shown=True,
    )
    """Bytes after which a body is no longer read; `None`: bodies are read to the end."""

    def __post_init__(self) -> None:
        """Refuse what would make another request than the one meant."""
        if not re.fullmatch(_WORD, self.method) or len(self.method) > _LONGEST_METHOD:
            raise UsageError(f"{quoted(self.method)} can't be the method of a request.")
        if any("=" not in cookie for cookie in self.cookies):
            raise UsageError("A cookie is of the form NAME=VALUE, and no file is read (-b).")
        _without_control("".join(self.credentials or ()), "The user name or the password")
        if self.credentials and ":" in self.credentials[0]:
            raise UsageError("A user name for Basic authentication can't have a colon in it.")
        if self.credentials and self.bearer:
            raise UsageError("A user and a bearer token contradict each other: leave one out.")
        if self.body is not None and self.upload is not None:
            raise UsageError("A request has one body: give data or a file to upload.")
        for status in self.expect_status:
            if not re.fullmatch(_STATUS, status):
                raise UsageError(f"{quoted(status)} isn't a status: write 200, or 2xx.")
        if self.max_body is not None:
            within(0, _MOST_READ, "max-body", self.max_body)
        if self.body is not None:
            within(0, LARGEST_BODY, "The bytes of a body", len(self.body))
        _check_counted(self.count_by)
        self.wire_headers(Target("http://localhost/"), "")

    @property
    def is_safe(self) -> bool:
        """Whether sending it is not meant to change anything at the server."""
        return self.method in {"GET", "HEAD"}

    @property
    def closing_header(self) -> str | None:
        """Which of its own header fields asks for the close, or is taken for that.

        nginx looks for the letters anywhere in `Connection`, others before a semicolon; Node and
        what else uses its parser read `Proxy-Connection`, too.
        """
        for name, value in self.headers:
            if name.lower() in {"connection", "proxy-connection"} and "close" in value.lower():
                is_option = "close" in {option.strip().lower() for option in value.split(",")}
                return f"{name.title()}{': close' if is_option else ' with `close` in its value'}"
        return None

    def expects(self, status: int) -> bool:
        """Whether an answer with a status counts as success."""
        return not self.expect_status or any(
            code in {str(status), f"{status // 100}xx"} for code in self.expect_status
        )

    def wire_headers(self, target: Target, user_agent: str) -> tuple[Header, ...]:
        """The header fields as they are sent; text beyond ASCII goes as UTF-8.

        Raises:
            UsageError: one has what would end it, or can't be called so; its value isn't told.
        """
        given = {name.lower() for name, _ in self.headers}
        added = [("User-Agent", user_agent if self.user_agent is None else self.user_agent)]
        if "%" in target.host:  # a scope means nothing to the server; Python 3.10 would send it
            added.append(("Host", re.sub(_SCOPE, "", target.origin).partition("://")[2]))
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
        for name, value in fields:
            _check_field(name, value)
        return tuple((name, value.encode().decode("latin-1")) for name, value in fields)


def basic(credentials: tuple[str, str]) -> str:
    """The value of an Authorization field for Basic authentication."""
    return "Basic " + b64encode(":".join(credentials).encode()).decode("ascii")


def _check_field(name: str, value: str) -> None:
    if not re.fullmatch(_WORD, name):
        word, blank, _ = name.partition(" ")  # what follows may be a secret
        shown = f"{shortened(word)} …" if blank else shortened(word)
        raise UsageError(f"A header field can't be called '{shown}'.")
    _without_control(value, f"The value of the header field {quoted(name)}")


def _check_counted(names: tuple[str, ...]) -> None:
    if len(names) > _MOST_COUNTED:
        raise UsageError(f"Answers can be counted by {_MOST_COUNTED} header fields at most.")
    for name in names:
        if not re.fullmatch(_WORD, name):
            raise UsageError(f"{quoted(name)} can't be the name of a header field (--count-by).")
        lower = name.lower()
        is_secret = is_secret_name(name) and lower not in _CACHE_TAGS
        if lower in _UNCOUNTABLE or lower.startswith("proxy-") or is_secret:
            raise UsageError(
                f"Answers aren't counted by {quoted(name)}: the values of such a field may be "
                "credentials, or name a session (--count-by)."
            )
        if [it.lower() for it in names].count(lower) > 1:
            raise UsageError(f"Answers are counted by {quoted(name)} once: leave one out.")


def _without_control(text: str, what: str) -> None:
    if re.search(_CONTROL, text):
        raise UsageError(f"{what} has a control character.")
    if re.search(_NO_UTF_8, text):
        raise UsageError(f"{what} has bytes that aren't UTF-8.")
