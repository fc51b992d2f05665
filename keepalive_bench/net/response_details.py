"""What is kept of fields and bodies that may hold secrets: names, places and causes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

from keepalive_bench.plan.redaction import redacted_path
from keepalive_bench.units import without_userinfo

if TYPE_CHECKING:
    from collections.abc import Iterable
    from email.message import Message

    from keepalive_bench.results.exchange import ComplaintCode, Counted

BAD_REQUEST = 400
COMPLAINTS: tuple[tuple[bytes, ComplaintCode], ...] = (
    (b"plain HTTP request was sent to HTTPS port", "https-expected"),  # nginx, so ALB
    (b"speaking plain HTTP to an SSL-enabled server port", "https-expected"),  # Apache httpd
    (b"Client sent an HTTP request to an HTTPS server", "https-expected"),  # Go, so Caddy, Traefik
    (b"combination of host and port requires TLS", "https-expected"),  # Tomcat
    (b"plain HTTP request, but this server only speaks HTTPS", "https-expected"),  # Cheroot
    (b"No required SSL certificate was sent", "certificate-expected"),  # nginx
    (b"The SSL certificate error", "certificate-expected"),  # nginx
)
"""What products say in the body of a 400, and what it means; the body itself is not kept."""
_LOOKED_AT = 4096
_LIMIT = 300
_COUNTED_LIMIT = 100
_SAFE = "/%:@+=,;*~"
_HOST = r"[A-Za-z0-9._~%:\[\]-]*"
_QUOTED = r'"(?:[^"\\]|\\.)*"?'
_SCHEME = r"\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s+(?![\s=])|\s*$)"
"""A challenge begins with a word alone, or with one before a parameter (RFC 9110, 11.6.1)."""
_NEXT_COOKIE = r",\s*(?=[^\s,;=]+=)"
"""Where the next one begins, of several that were joined: a date has a comma, too."""
_MOST_COOKIES, _MOST_VALUES = 20, 64
_RANDOM = r"(?![0-9.]*$).{16}"
"""What a session's value begins with: OWASP asks for 64 bits, and a counter or a time is none."""
_NO_SESSION = r"csrf|xsrf"
"""Parts of the names of tokens that are new in each answer, and kept nowhere."""


def complaint_of(body: bytes) -> ComplaintCode | None:
    """What a 400 complains of, by the first bytes of its body; `None`: nothing known."""
    start = body[:_LOOKED_AT]
    return next((code for words, code in COMPLAINTS if words in start), None)


def values(head: Message, names: Iterable[str]) -> Counted:
    """What a head says in fields of such names, in lower case: cut, and several as one list."""
    found: dict[str, str] = {}
    for name, value in head.raw_items():
        key = name.lower()
        found[key] = f"{found[key]}, {value}" if key in found else value
    return tuple(found[name][:_COUNTED_LIMIT] if name in found else None for name in names)


def destination(location: str) -> str:
    """Where a redirect leads: without user, query and fragment, and with secrets starred."""
    bare = location.strip().partition("#")[0].partition("?")[0]
    try:
        parts = urlsplit(bare)
        host = parts.netloc.rpartition("@")[2] if parts.port != 0 else " "
    except ValueError:
        host = " "
    if re.fullmatch(_HOST, host) is None:  # nothing says where the secret would end
        return without_userinfo(bare)[:_LIMIT]
    path = quote(redacted_path(parts.path), safe=_SAFE, encoding="latin-1")
    return urlunsplit((parts.scheme, host, path, "", ""))[:_LIMIT]


def schemes(challenges: str) -> str | None:
    """The names of the schemes in a field that asks for authentication, each once."""
    parts = re.sub(_QUOTED, "Q", challenges).split(",")
    found = (re.match(_SCHEME, part) for part in parts)
    return ", ".join(dict.fromkeys(it[1] for it in found if it))[:_LIMIT] or None


class SessionCookies:
    """Tells cookies with which a session begins, of answers in their order. Safe from any thread.

    They are called a session's; or they have no end of their own, and look like one. What names one
    of several servers comes again.

    No value leaves it, and none is kept but as a hash.
    """

    def __init__(self) -> None:
        self._seen: dict[str, set[int]] = {}

    def begun(self, field: str) -> str | None:
        """Names of those that have a value which no answer gave them before; not the first one."""
        names = []
        for cookie in re.split(_NEXT_COOKIE, field) if "," in field else (field,):
            name, mark, rest = cookie.partition("=")
            value, _, attributes = rest.partition(";")
            name, attributes = name.strip(), attributes.lower()
            is_one = name and mark and _is_session(name.lower(), value.strip(' "'), attributes)
            if is_one and self._is_new(name, value):
                names.append(name)
        return ", ".join(names)[:_LIMIT] or None

    def _is_new(self, name: str, value: str) -> bool:
        if name not in self._seen:
            if len(self._seen) < _MOST_COOKIES:
                self._seen[name] = {hash(value)}
            return False
        seen, key = self._seen[name], hash(value)
        if key in seen:
            return False
        if len(seen) == _MOST_VALUES:
            seen.clear()
        seen.add(key)
        return True


def _is_session(name: str, value: str, attributes: str) -> bool:
    if "sess" in name or name == "sid" or name.endswith((".sid", "_sid", "-sid")):
        return True
    has_end = "max-age=" in attributes or "expires=" in attributes
    is_token = re.search(_NO_SESSION, name) is not None
    return not (has_end or is_token) and re.match(_RANDOM, value) is not None
