"""The URL that is measured: taken apart once, checked once, shown without its secrets."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from urllib.parse import SplitResult, quote, unquote, urlsplit

from keepalive_bench.errors import UsageError
from keepalive_bench.plan.redaction import redacted_path
from keepalive_bench.units import quoted, shortened, without_userinfo

_DEFAULT_PORTS = {"http": 80, "https": 443}
_UNSENDABLE = r"[\x00-\x20\x7f-\x9f\s\ud800-\udfff]"
_HOST = r"(?!.*[^.]{64})(?!.{255})[A-Za-z0-9._~-]+"
"""With labels of 63 characters at most, and 253 in all, but for a dot at the end (RFC 1035)."""
_BRACKETS = r"\w+://(?:[^/?#]*@)?\[([^\]/?#]*)\]([^/?#]*)"
_FUTURE = r"(?i)v[0-9a-f]+\..*"
"""IPvFuture of RFC 3986."""
_USER_AS_HOST = (
    r"(?i)\w+://("
    r"[^/?#]*#.*@"  # there is no path, and something behind it that is never sent
    r"|[^/?#@]*:[/?].*@"  # the port is there, and empty
    r"|[^/?#@]*\?[^=]*@"  # there is no path, and what should be a query names nothing
    r"|[^/?#]*@[^/?#]*[/?].*[^/]@"  # there are two users
    r")"
)
"""A password with a reserved character, where what is meant for a user would become the host.

`http://web:80/a@b` can be meant as it stands, and so can `http://joe:x@h/@a`.
"""
_ENCODED = "!#$%&'()*+,/:;=?@[]~"


@dataclass(frozen=True)
class Target:
    """An absolute http or https URL.

    Raises:
        UsageError: it isn't one, with what is wrong with it.
    """

    url: str = field(repr=False)
    scheme: str = field(init=False)
    host: str = field(init=False)
    """The host as it is looked up: ASCII (IDNA where needed), IPv6 addresses without brackets."""
    port: int = field(init=False)
    path: str = field(init=False, repr=False)
    """The path with its query, percent-encoded, without the fragment."""
    credentials: tuple[str, str] | None = field(init=False, repr=False)
    """User name and password from the URL, decoded."""

    def __post_init__(self) -> None:
        """Take the URL apart."""
        parts, port = _split(self.url)
        scheme = parts.scheme.lower()
        object.__setattr__(self, "scheme", scheme)
        object.__setattr__(self, "host", _host(parts, self.url))
        object.__setattr__(self, "port", _DEFAULT_PORTS[scheme] if port is None else port)
        path = quote(parts.path or "/", safe=_ENCODED)
        query = quote(parts.query, safe=_ENCODED)
        object.__setattr__(self, "path", f"{path}?{query}" if query else path)
        user = parts.username
        object.__setattr__(
            self,
            "credentials",
            None if user is None else (unquote(user), unquote(parts.password or "")),
        )

    @property
    def origin(self) -> str:
        """Scheme, host, and the port where it isn't the scheme's own: `https://[::1]:8443`."""
        host = f"[{self.host.replace('%', '%25')}]" if ":" in self.host else self.host
        port = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    @property
    def shown(self) -> str:
        """The URL for people and exports: no credentials, no fragment, secrets in it starred."""
        return f"{self.origin}{redacted_path(self.path)}"


def _shown_at_fault(url: str) -> str:
    """A URL that can't be taken apart, without what may be a secret: rather a word too few."""
    return shortened(redacted_path(without_userinfo(url).partition("#")[0]))


def _split(url: str) -> tuple[SplitResult, int | None]:
    shown = _shown_at_fault(url)
    unsendable = re.search(_UNSENDABLE, url)
    if unsendable:
        raise UsageError(
            f"The URL '{shown}' has a blank or control character at position "
            f"{unsendable.start() + 1}: write it percent-encoded (a blank is %20)."
        )
    _check_brackets(url, shown)
    try:
        parts = urlsplit(url)
    except ValueError:  # what it says may have half a password in it
        raise UsageError(
            f"The URL '{shown}' can't be read: an IPv6 address goes in brackets, as in "
            "http://[::1]:8080/, and a user's name or password is percent-encoded."
        ) from None
    if parts.scheme.lower() not in _DEFAULT_PORTS or "://" not in url:
        raise UsageError(_scheme_sentence(url, parts, shown))
    if re.match(_USER_AS_HOST, url):
        raise UsageError(_late_sentence(shown))
    _, _, authority = parts.netloc.rpartition("@")
    if authority.count(":") > 1 and not authority.startswith("["):
        raise UsageError(
            f"The host of '{shown}' looks like an IPv6 address without brackets: "
            "write it as in http://[::1]:8080/."
        )
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        if "@" in url and "@" not in parts.netloc:
            raise UsageError(_late_sentence(shown))
        raise UsageError(f"The port in '{shown}' is not a number from 1 to 65535.")
    return parts, port


def _late_sentence(shown: str) -> str:
    return (
        f"The URL '{shown}' seems to have a /, ? or # in its user name or password: "
        "percent-encode it (%2F, %3F, %23). If the @ belongs to the path, write %40."
    )


def _check_brackets(url: str, shown: str) -> None:
    """Refuse brackets without an IPv6 address, which Pythons see differently."""
    found = re.match(_BRACKETS, url)
    if found is None:
        return
    content, behind = found.groups()
    if behind and not behind.startswith(":"):
        raise UsageError(f"The host of '{shown}' goes on behind its closing bracket.")
    if re.fullmatch(_FUTURE, content):
        raise UsageError(
            f"The host of '{shown}' is an IPvFuture address (RFC 3986), of which there are none: "
            "write a name, an IPv4 address, or an IPv6 address in brackets."
        )
    try:
        IPv6Address(_unscoped(content))
    except ValueError:
        raise UsageError(f"The host of '{shown}' is in brackets, and no IPv6 address.") from None


def _unscoped(address: str) -> str:
    return address.replace("%25", "%")  # RFC 6874: a zone's per cent sign is encoded


def _scheme_sentence(url: str, parts: SplitResult, shown: str) -> str:
    if parts.scheme and url[len(parts.scheme) :].startswith("://"):
        return f"kab speaks http and https, not {quoted(parts.scheme)} ('{shown}')."
    if parts.scheme.lower() in _DEFAULT_PORTS:
        return f"The URL '{shown}' needs two slashes behind its scheme, as in http://example.com/."
    whole = f"http://{shown.lstrip('/') or 'example.com/'}"
    return f"The URL '{shown}' has no scheme: write it out, as in {whole}."


def _host(parts: SplitResult, url: str) -> str:
    host = parts.hostname or ""
    if not host:
        raise UsageError(f"The URL '{_shown_at_fault(url)}' names no host.")
    if ":" in host:
        return _unscoped(host)
    try:
        ascii_host = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        ascii_host = ""
    if not re.fullmatch(_HOST, ascii_host) or ".." in ascii_host:
        raise UsageError(f"The host in '{_shown_at_fault(url)}' can't be the name of a host.")
    return ascii_host
