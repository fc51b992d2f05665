"""What heads of requests and responses say of their connection."""

from __future__ import annotations

from .origins import origin_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any, TypeAlias, Union

    from .records import Records

    Fields: TypeAlias = list[tuple[str, str]]
    Said: TypeAlias = list[Union[str, None]]
    """What the wanted fields say, by number; `None`: it isn't there."""

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
_WANTED_BYTES = {name.encode(): number for name, number in _WANTED.items()}
_SPELLINGS: dict[str, int] = {}
_MOST_SPELLINGS, _MOST_ANSWERS = 500, 2_000
_VERSIONS = {9: "HTTP/0.9", 10: "HTTP/1.0", 11: "HTTP/1.1", 20: "HTTP/2"}
_FINAL, _BODILESS = 200, (204, 304)
_REDIRECTS = frozenset((300, 301, 302, 303, 305, 307, 308))


class Answer:
    """What an answer of `http.client`'s said, and what was made of it."""

    __slots__ = ("fields", "method", "number", "of", "own", "redirect", "status", "version")

    def __init__(
        self, version: int, status: int, fields: Fields, method: object, own: str, of: str
    ) -> None:
        self.version, self.status, self.fields = version, status, fields
        self.method, self.own = method, own
        self.of = of
        """Whose records its number is of."""
        self.number, self.redirect = 0, ""
        """Its text's, and the origin that it leads to, if that isn't its own."""


NO_ANSWER = Answer(0, 0, [], None, "", "")
"""Before the first one."""


class Answers:
    """Reads what the heads of `http.client`'s responses say; most say what the one before did."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._latest = NO_ANSWER
        self._forget()

    def read(self, response: Any, last: Answer, own: str) -> Answer:  # noqa: ANN401  # `http.client`'s
        """What one says: mostly what the one before did.

        Args:
            response: whose head is there.
            last: the one before it, on the same connection.
            own: the origin that answers.
        """
        fields: Fields = response.headers._headers  # noqa: SLF001  # `raw_items`, without its copy
        if (
            fields != last.fields
            or response.status != last.status
            or response.version != last.version
            or response._method != last.method  # noqa: SLF001  # no other way
            or own != last.own
            or self._records.key is not last.of
        ):
            if last is not self._latest:  # a new connection's
                return self.read(response, self._latest, own)
            version, status, method = response.version, response.status, response._method  # noqa: SLF001
            last = Answer(version, status, fields, method, own, self._records.key)
            last.number, last.redirect = self._made(version, status, method, fields, own)
            if not last.number:  # there is no room for it now, and may be soon
                last.of = ""
            self._latest = last
        return last

    def _made(
        self, version: int, status: int, method: object, fields: Fields, own: str
    ) -> tuple[int, str]:
        if self._of is not self._records.key or len(self._known) > _MOST_ANSWERS:
            self._forget()
        said: Said = [None] * 8
        for name, value in fields:
            # A name is known as it is spelled: to fold each costs more than all else here.
            key = _SPELLINGS.get(name)
            if key is None:
                key = _spelled(name)
            if key:
                before = said[key]
                said[key] = value if before is None else f"{before}, {value}"
        framing = _framing(status, said, is_bodiless=method == "HEAD")
        text = version, said[_CONNECTION], said[_KEEP_ALIVE], framing, said[_SERVER], said[_VIA]
        number = self._known.get(text)
        if number is None:
            number = self._records.text(_text(_VERSIONS.get(version, "HTTP/?"), said, framing))
            if number:
                self._known[text] = number
        return number, _redirect(status, said, own)

    def _forget(self) -> None:
        self._of = self._records.key
        self._known: dict[object, int] = {}


class Head:
    """What the head of a response says, where fields are bytes."""

    __slots__ = ("_of", "_said", "_status", "closes", "text")

    def __init__(
        self,
        version: str,
        status: int,
        fields: Sequence[tuple[bytes, bytes]],
        *,
        is_bodiless: bool = False,
    ) -> None:
        """Read it.

        Args:
            version: such as `HTTP/1.1`.
            status: its code.
            fields: its header, as it came.
            is_bodiless: its request is a HEAD or a CONNECT.
        """
        self._of = version, status, fields, is_bodiless
        said: Said = [None] * 8
        for raw, value in fields:
            key = _WANTED_BYTES.get(raw.lower())
            if key is not None:
                text, before = value.decode("latin-1"), said[key]
                said[key] = text if before is None else f"{before}, {text}"
        framing = _framing(status, said, is_bodiless=is_bodiless)
        if version == "HTTP/2" and framing == "close":
            framing = "length"  # its frames have one
        connection = _options(said[_CONNECTION] or "")
        self.closes = (
            framing == "close"
            or "close" in connection
            or (version == "HTTP/1.0" and "keep-alive" not in connection)
        )
        """Whether its connection ends with it."""
        self.text = _text(version, said, framing)
        """That of `ANSWER_FIELDS`."""
        self._status, self._said = status, said

    def next(
        self,
        version: str,
        status: int,
        fields: Sequence[tuple[bytes, bytes]],
        *,
        is_bodiless: bool = False,
    ) -> Head:
        """What the next head on the same connection says: mostly the same."""
        if (version, status, fields, is_bodiless) == self._of:
            return self
        return Head(version, status, fields, is_bodiless=is_bodiless)

    def redirect(self, own: str) -> str:
        """The origin that it leads to, where that isn't the one that it comes from."""
        return _redirect(self._status, self._said, own)


def asks(fields: Iterable[tuple[bytes, bytes]]) -> tuple[bool, bool]:
    """Whether a request asks for its connection to be closed, and whether it has a body."""
    closes = has_body = False
    for name, value in fields:
        key = name.lower()
        if key == b"connection":
            closes = closes or "close" in _options(value.decode("latin-1"))
        elif key == b"transfer-encoding" or (key == b"content-length" and value != b"0"):
            has_body = True
    return closes, has_body


def _options(connection: str) -> set[str]:
    """What a field `Connection` names (RFC 9110, section 7.6.1)."""
    return {it.strip() for it in connection.lower().split(",")}


def _spelled(name: str) -> int:
    """Which field a name is of, however it is spelled."""
    key = _WANTED.get(name.lower(), _OTHER)
    if len(_SPELLINGS) < _MOST_SPELLINGS:
        _SPELLINGS[name] = key
    return key


def _framing(status: int, said: Said, *, is_bodiless: bool) -> str:
    """How a body's end is told (RFC 9112, section 6.3)."""
    if is_bodiless or status < _FINAL or status in _BODILESS:
        return "none"
    codings = (said[_CODING] or "").rstrip(", \t")
    if codings:
        last = codings.rpartition(",")[2].partition(";")[0].strip().lower()
        return "chunked" if last == "chunked" else "close"
    return "close" if said[_LENGTH] is None else "length"


def _text(version: str, said: Said, framing: str) -> str:
    """That of `ANSWER_FIELDS`."""
    kept = said[_CONNECTION], said[_KEEP_ALIVE], framing, said[_SERVER], said[_VIA]
    return "\t".join((version, *map(_short, kept)))


def _redirect(status: int, said: Said, own: str) -> str:
    """The origin that an answer leads to, where that isn't the one that it comes from."""
    location = said[_LOCATION]
    if location is None or status not in _REDIRECTS:
        return ""
    leads_to = origin_in(location.strip(), own.partition(":")[0])
    return "" if leads_to == own else leads_to


def _short(value: str | None) -> str:
    return (value and value.replace("\t", " ").strip()[:_LONGEST]) or "-"


NONE_YET = Head("HTTP/?", 0, ())
"""Before the first response."""
