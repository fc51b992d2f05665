"""What the head of a response says of its connection, and where a redirect leads."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST = 60
_CONNECTION, _KEEP_ALIVE, _SERVER, _VIA = b"connection", b"keep-alive", b"server", b"via"
_LENGTH, _CODING, _LOCATION = b"content-length", b"transfer-encoding", b"location"
_WANTED = frozenset((_CONNECTION, _KEEP_ALIVE, _SERVER, _VIA, _LENGTH, _CODING, _LOCATION))
_BODILESS = frozenset((204, 304))
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_FINAL = 200
_PORTS = {"http": "80", "https": "443", "ws": "80", "wss": "443"}


class Head:
    """What the head of a response says."""

    __slots__ = ("closes", "location", "text")

    def __init__(
        self,
        version: str,
        status: int,
        fields: Iterable[tuple[bytes, bytes]],
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
        said: dict[bytes, bytes] = {}
        for name, value in fields:
            key = name.lower()
            if key in _WANTED:
                said[key] = said[key] + b", " + value if key in said else value
        framing = "none" if is_bodiless or status in _BODILESS else _framing(status, said)
        if framing == "close" and version[:6] == "HTTP/2":
            framing = "length"  # its frames have one
        connection = said.get(_CONNECTION, b"").lower()
        self.closes = (
            framing == "close"
            or b"close" in connection
            or (version == "HTTP/1.0" and b"keep-alive" not in connection)
        )
        """Whether its connection ends with it."""
        self.location = said.get(_LOCATION, b"") if status in _REDIRECTS else b""
        words = (_text(said.get(name)) for name in (_CONNECTION, _KEEP_ALIVE))
        others = (_text(said.get(name)) for name in (_SERVER, _VIA))
        self.text = "\t".join((version, *words, framing, *others))
        """That of `ANSWER_FIELDS`."""

    def redirect(self, origin: str) -> str:
        """The origin that it leads to, where that isn't the one that it comes from."""
        if not self.location:
            return ""
        leads_to = origin_in(self.location.decode("latin-1"), origin.partition(":")[0])
        return "" if leads_to == origin else leads_to


def _framing(status: int, said: dict[bytes, bytes]) -> str:
    """How the body's end is told (RFC 9112, section 6.3)."""
    if status < _FINAL:
        return "none"
    codings = said.get(_CODING, b"").rstrip(b", \t").lower()
    if codings:
        last = codings.rpartition(b",")[2].partition(b";")[0].strip()
        return "chunked" if last == b"chunked" else "close"
    return "length" if _LENGTH in said else "close"


def _text(value: bytes | None) -> str:
    """A value as it goes into a text with tabs."""
    if value is None:
        return "-"
    return value.decode("latin-1").replace("\t", " ").strip()[:_LONGEST]


def asks(fields: Iterable[tuple[bytes, bytes]]) -> tuple[bool, bool]:
    """Whether a request asks for its connection to be closed, and whether it has a body."""
    closes = has_body = False
    for name, value in fields:
        key = name.lower()
        if key == _CONNECTION:
            closes = b"close" in value.lower()
        elif key == _CODING:
            has_body = True
        elif key == _LENGTH:
            has_body = value != b"0"
    return closes, has_body


def origin_of(scheme: str, host: str, port: object) -> str:
    """An origin, as records have it."""
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}:{port or _PORTS.get(scheme, '')}".lower()


def origin_in(url: str, scheme: str) -> str:
    """The origin in a URL, or in a reference from a page of a scheme; empty: it has none."""
    before, mark, rest = url.partition("//")
    if not mark or (before and not (before[-1] == ":" and before[:-1].isalnum())):
        return ""
    scheme = before[:-1].lower() or scheme
    authority = rest
    for mark in "/?#\\":
        authority = authority.partition(mark)[0]
    host, colon, port = authority.rpartition("@")[2].rpartition(":")
    if not colon or "]" in port:
        host, port = host + colon + port, ""
    return f"{scheme}://{host}:{port or _PORTS.get(scheme, '')}".lower()
