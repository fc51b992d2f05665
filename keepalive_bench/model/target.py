"""The URL that is measured: taken apart once, checked once, shown without its secrets."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from urllib.parse import SplitResult, quote, unquote, urlsplit

from keepalive_bench.errors import UsageError
from keepalive_bench.units import printable

_DEFAULT_PORTS = {"http": 80, "https": 443}
_UNSENDABLE = re.compile(r"[\x00-\x20\x7f-\x9f\s\ud800-\udfff]")
_HOST = re.compile(r"[A-Za-z0-9._~-]+")
_BETWEEN_WORDS = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SECRET_PART = re.compile(
    r"passw(or)?d|passphrase|passcode|pwd|secret|token|apikey|auth|signature|credential|sess(ion|id)"
)
_SECRET_WORD = re.compile(
    r"(^|-)(jwt|t?otp|hmac|pw)(-|$)"
    r"|((^|-|access|private)key|(^|-)sig|(?<!com)(?<!by)(?<!sur)(?<!over)pass)(-[0-9]+)*$"
)
"""In the name's words with a `-` between them; a number at the end is a place in a list."""
_NAME = re.compile(r"(?:^|[;?])([^;?=]*)=(?!\Z)")
_BEFORE_AT = re.compile(r"(?s)^(\w*:?/+)?.*@")
_ENCODED = "!#$%&'()*+,/:;=?@[]~"
REDACTED = "***"


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
        return f"{self.origin}{_redacted_path(self.path)}"


def is_secret_name(name: str) -> bool:
    """Whether a parameter's name says that its value is a secret (`token`, `user[apiKey]`, …)."""
    words = _BETWEEN_WORDS.sub("-", name).strip("-").lower()
    is_part = _SECRET_PART.search(words.replace("-", "")) is not None
    return is_part or _SECRET_WORD.search(words) is not None


def redacted_query(query: str) -> str:
    """A query with the values of parameters starred whose names say that they are secret."""
    return "&".join(map(_starred, query.split("&")))


def _redacted_path(path: str) -> str:
    """A path, and its query: `/a;jsessionid=***?token=***`."""
    head, mark, query = path.partition("?")
    return f"{'/'.join(map(_starred, head.split('/')))}{mark}{redacted_query(query)}"


def _starred(text: str) -> str:
    """Of `a=1;token=x`, `a=1;token=***`: all that follows may be part of the secret."""
    for found in _NAME.finditer(text):
        if is_secret_name(unquote(found[1])):
            return f"{text[: found.end()]}{REDACTED}"
    return text


def _shown_at_fault(url: str) -> str:
    """A URL that can't be taken apart, without what may be a secret: rather a word too few."""
    return printable(_redacted_path(_BEFORE_AT.sub(rf"\1{REDACTED}@", url.partition("#")[0])))


def _split(url: str) -> tuple[SplitResult, int | None]:
    shown = _shown_at_fault(url)
    unsendable = _UNSENDABLE.search(url)
    if unsendable:
        raise UsageError(
            f"The URL '{shown}' has a blank or control character at position "
            f"{unsendable.start() + 1}: write it percent-encoded (a blank is %20)."
        )
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise UsageError(
            f"The URL '{shown}' can't be read: {error}. An IPv6 address stands in brackets, "
            "as in http://[::1]:8080/."
        ) from None
    if parts.scheme.lower() not in _DEFAULT_PORTS or "://" not in url:
        raise UsageError(_scheme_sentence(url, parts, shown))
    _, _, authority = parts.netloc.rpartition("@")
    if authority.startswith("[") and not re.search(r"\](:|$)", authority):
        raise UsageError(f"The host of '{shown}' goes on behind its closing bracket.")
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
        raise UsageError(f"The port in '{shown}' is not a number from 1 to 65535.")
    return parts, port


def _scheme_sentence(url: str, parts: SplitResult, shown: str) -> str:
    if "://" in url and parts.scheme:
        return f"kab speaks http and https, not {parts.scheme!r} ('{shown}')."
    if parts.scheme.lower() in _DEFAULT_PORTS:
        return f"The URL '{shown}' needs two slashes behind its scheme, as in http://example.com/."
    whole = f"http://{shown.lstrip('/') or 'example.com/'}"
    return f"The URL '{shown}' has no scheme: write it out, as in {whole}."


def _host(parts: SplitResult, url: str) -> str:
    host = parts.hostname or ""
    shown = printable(host)
    if not host:
        raise UsageError(f"The URL {_shown_at_fault(url)!r} names no host.")
    if ":" in host:
        address = host.replace("%25", "%")  # RFC 6874: a zone's per cent sign is encoded
        try:
            IPv6Address(address)
        except ValueError:
            raise UsageError(f"'{shown}' is no IPv6 address.") from None
        return address
    try:
        ascii_host = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        raise UsageError(f"'{shown}' can't be the name of a host.") from None
    if not _HOST.fullmatch(ascii_host) or ".." in ascii_host:
        raise UsageError(f"'{shown}' can't be the name of a host.")
    return ascii_host
