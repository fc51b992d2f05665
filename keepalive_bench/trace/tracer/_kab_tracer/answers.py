"""What the heads of `http.client`'s responses say of their connections, and origins in URLs."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from .records import Records

    Fields: TypeAlias = list[tuple[str, str]]

_LONGEST = 60
"""Characters of a field that are kept."""
_OTHER, _CONNECTION, _KEEP_ALIVE, _CODING, _LENGTH, _SERVER, _VIA, _LOCATION = range(8)
_WANTED = {
    "connection": _CONNECTION,
    "keep-alive": _KEEP_ALIVE,
    "transfer-encoding": _CODING,
    "content-length": _LENGTH,
    "server": _SERVER,
    "via": _VIA,
    "location": _LOCATION,
}
_SPELLINGS: dict[str, int] = {}
_MOST_SPELLINGS, _MOST_ANSWERS = 500, 2_000
_VERSIONS = {9: "HTTP/0.9", 10: "HTTP/1.0", 11: "HTTP/1.1", 20: "HTTP/2"}
_PORTS = {"http": 80, "https": 443}
_FINAL, _BODILESS = 200, (204, 304)
_REDIRECTS = frozenset((300, 301, 302, 303, 305, 307, 308))


class LastAnswer:
    """What the last answer on a connection said, and what was made of it."""

    __slots__ = ("fields", "method", "number", "of", "own", "redirect", "status")

    def __init__(self) -> None:
        self.fields: Fields | None = None
        self.method: object = None
        self.status = self.number = 0
        self.of = self.own = self.redirect = ""


class Answers:
    """Reads what the heads of responses say; most say what the one before did."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._forget()

    def read(
        self,
        response: Any,  # noqa: ANN401  # an `http.client.HTTPResponse`, or what is as one
        last: LastAnswer,
        own: str,
    ) -> tuple[int, str]:
        """The number of what one says, and the origin that it leads to, if that is another one.

        Args:
            response: whose head is there.
            last: what the one before it said, on the same connection.
            own: the origin that answers.
        """
        fields: Fields = response.headers._headers  # noqa: SLF001  # `raw_items`, without its copy
        status, method = response.status, response._method  # noqa: SLF001  # no other way
        if (
            fields != last.fields
            or status != last.status
            or method != last.method
            or own != last.own
            or self._records.key is not last.of
        ):
            last.number, last.redirect = self._made(response.version, status, method, fields, own)
            last.fields, last.status, last.method = fields, status, method
            last.own, last.of = own, self._records.key
        return last.number, last.redirect

    def _made(
        self, version: int, status: int, method: object, fields: Fields, own: str
    ) -> tuple[int, str]:
        if self._of is not self._records.key or len(self._known) > _MOST_ANSWERS:
            self._forget()
        said: list[str | None] = [None] * 8
        for name, value in fields:
            # A name is known as it is spelled: to fold each costs more than all else here.
            key = _SPELLINGS.get(name)
            if key is None:
                key = _spelled(name)
            if key:
                before = said[key]
                said[key] = value if before is None else f"{before}, {value}"
        framing = _framing(status, method, said[_CODING], said[_LENGTH])
        text = version, said[_CONNECTION], said[_KEEP_ALIVE], framing, said[_SERVER], said[_VIA]
        number = self._known.get(text)
        if number is None:
            words = _VERSIONS.get(version, "HTTP/?"), *map(_short, text[1:])
            number = self._known[text] = self._records.text("\t".join(words))
        location = said[_LOCATION]
        if location is None or status not in _REDIRECTS:
            return number, ""
        leads_to = origin_in(location.strip(), own.partition(":")[0])
        return number, "" if leads_to == own else leads_to

    def _forget(self) -> None:
        self._of = self._records.key
        self._known: dict[object, int] = {}


def origin_of(scheme: str, host: str, port: object) -> str:
    """An origin, as records have it."""
    host = host.rstrip(".").lower()
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def unix_origin(path: str | bytes | os.PathLike[str] | object) -> str:
    """That of a Unix socket; one without a file begins with `@`."""
    try:
        name = os.fsdecode(path)  # type: ignore[arg-type]
    except TypeError:
        name = ""
    return f"unix://{name.replace(chr(0), '@', 1) or '@'}"


def origin_in(url: str, scheme: str = "") -> str:
    """The origin in a URL, or in a reference from a page of a scheme; empty: it has none."""
    before, mark, rest = url.partition("//")
    named, colon, more = before.partition(":")
    if not mark or more or (before and not colon):
        return ""
    scheme = named.lower() or scheme
    for end in "/?#\\":
        rest = rest.partition(end)[0]
    host, colon, port = rest.rpartition("@")[2].rpartition(":")
    if not colon or "]" in port:
        host, port = host + colon + port, ""
    if not host or not (port or "0").isdecimal():
        return ""
    return origin_of(scheme, host.strip("[]"), port or _PORTS.get(scheme, ""))


def _spelled(name: str) -> int:
    """Which field a name is of, however it is spelled."""
    key = _WANTED.get(name.lower(), _OTHER)
    if len(_SPELLINGS) < _MOST_SPELLINGS:
        _SPELLINGS[name] = key
    return key


def _framing(status: int, method: object, coding: str | None, length: str | None) -> str:
    """How a body's end is told (RFC 9112, section 6.3)."""
    if method == "HEAD" or status < _FINAL or status in _BODILESS:
        return "none"
    codings = (coding or "").rstrip(", \t")
    if codings:
        last = codings.rpartition(",")[2].partition(";")[0].strip().lower()
        return "chunked" if last == "chunked" else "close"
    return "close" if length is None else "length"


def _short(value: str | None) -> str:
    return (value and value.replace("\t", " ").strip()[:_LONGEST]) or "-"
