"""What heads of requests and responses say of their connection, where fields are bytes."""

from __future__ import annotations

from .answers import origin_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_WANTED = {
    name.encode(): name
    for name in (
        "connection",
        "content-length",
        "keep-alive",
        "location",
        "server",
        "transfer-encoding",
        "via",
    )
}
_LONGEST = 60
"""Characters of a field that are kept."""
_FINAL, _BODILESS = 200, (204, 304)
_REDIRECTS = frozenset((300, 301, 302, 303, 305, 307, 308))


class Head:
    """What the head of a response says."""

    __slots__ = ("_location", "_of", "closes", "text")

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
        said: dict[str, str] = {}
        for raw, value in fields:
            name = _WANTED.get(raw.lower())
            if name is not None:
                text = value.decode("latin-1")
                said[name] = f"{said[name]}, {text}" if name in said else text
        get, connection = said.get, said.get("connection", "").lower()
        framing = "none" if is_bodiless else _framing(status, said)
        if version == "HTTP/2" and framing == "close":
            framing = "length"  # its frames have one
        self.closes = (
            framing == "close"
            or "close" in connection
            or (version == "HTTP/1.0" and "keep-alive" not in connection)
        )
        """Whether its connection ends with it."""
        kept = get("connection"), get("keep-alive"), framing, get("server"), get("via")
        self.text = "\t".join((version, *map(_short, kept)))
        """That of `ANSWER_FIELDS`."""
        self._location = get("location", "").strip() if status in _REDIRECTS else ""

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

    def redirect(self, origin: str) -> str:
        """The origin that it leads to, where that isn't the one that it comes from."""
        if not self._location:
            return ""
        leads_to = origin_in(self._location, origin.partition(":")[0])
        return "" if leads_to == origin else leads_to


def _framing(status: int, said: dict[str, str]) -> str:
    """How a body's end is told (RFC 9112, section 6.3)."""
    if status < _FINAL or status in _BODILESS:
        return "none"
    codings = said.get("transfer-encoding", "").rstrip(", \t")
    if codings:
        last = codings.rpartition(",")[2].partition(";")[0].strip().lower()
        return "chunked" if last == "chunked" else "close"
    return "length" if "content-length" in said else "close"


def _short(value: str | None) -> str:
    return (value and value.replace("\t", " ").strip()[:_LONGEST]) or "-"


def asks(fields: Iterable[tuple[bytes, bytes]]) -> tuple[bool, bool]:
    """Whether a request asks for its connection to be closed, and whether it has a body."""
    closes = has_body = False
    for name, value in fields:
        key = name.lower()
        if key == b"connection":
            closes = b"close" in value.lower()
        elif key == b"transfer-encoding":
            has_body = True
        elif key == b"content-length":
            has_body = value != b"0"
    return closes, has_body


NONE_YET = Head("HTTP/?", 0, ())
"""Before the first response."""
