"""What a response says of itself, of its connection, and of a cache that may have answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.net.response_details import (
    SessionCookies,
    complaint_of,
    destination,
    schemes,
    values,
)
from keepalive_bench.results.exchange import Answer, Framing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from email.message import Message

    from keepalive_bench.plan.request import Request
    from keepalive_bench.results.exchange import Counted

FINAL = 200
"""Statuses below are not final (RFC 9110, section 15.2)."""
BODILESS = {204, 304}
"""Responses with these statuses end with their heads (RFC 9112, section 6.3)."""
_NOT_MODIFIED, _UNAVAILABLE = 304, 503
_REDIRECTS = range(300, 400)
_CHALLENGES = {401: "www-authenticate", 407: "proxy-authenticate"}
_FIELD_LIMIT = 300
"""Characters of a field's value that are kept: a server may send 60 KB, another one each time."""
_CACHE_LIMIT = 100
_MOST_NAMES = 16
"""Different pairs of `Server` and `Via` that are kept as they are, as many of `Server` alone, and
places of redirects: CloudFront's `Via` names another machine in each answer, and `Keep-Alive` may
count beside it."""
_OTHERS = "…"
_AGE = "Age"
_CACHE_FIELDS = ("x-cache", "cf-cache-status", "x-cache-status")
"""What caches say in a field of their own: Squid, Varnish and CloudFront; Cloudflare; nginx."""
_VERSIONS = {9: "HTTP/0.9", 10: "HTTP/1.0", 11: "HTTP/1.1"}


class ResponseParser:
    """Reads what responses to a request say; most say what the one before said.

    Safe from any thread.
    """

    def __init__(self, request: Request) -> None:
        self._has_no_bodies = request.method == "HEAD"
        self._count_by = tuple(map(str.lower, request.count_by))
        self._last: tuple[int, int, list[tuple[str, str]], Answer] | None = None
        self._cookies = SessionCookies()
        self._places: set[str] = set()
        self._names: set[tuple[str | None, str | None]] = set()

    def parsed(self, status: int, version: int, head: Message, body: bytes = b"") -> Answer:
        """What one says: its status, its version as `http.client` numbers it, and its fields.

        Of a 400, the beginning of its body says something, too.
        """
        last, items = self._last, list(head.raw_items())
        if last is not None and last[0] == status and last[1] == version and last[2] == items:
            answer = last[3]
        else:
            answer = self._read(status, version, items)
            self._last = status, version, items, answer
        return answer._replace(complaint=complaint_of(body)) if body else answer

    def counted(self, head: Message) -> Counted | None:
        """What one says in the fields that answers are counted by; `None`: by none."""
        return values(head, self._count_by) if self._count_by else None

    def _read(self, status: int, version: int, items: Iterable[tuple[str, str]]) -> Answer:
        fields: dict[str, str] = {}
        # Each at once as it came: to ask for one by one costs more than all else that is kept here.
        for name, value in items:
            key = name.lower()
            fields[key] = f"{fields[key]}, {value}" if key in fields else value
        via = fields.get("via")  # the nearest hop is the last
        cookies = fields.get("set-cookie")
        server, via = self._named(_cut(fields.get("server")), via and via[-_FIELD_LIMIT:])
        return Answer(
            http_version=_VERSIONS.get(version, "HTTP/?"),
            content_type=_cut(fields.get("content-type")),
            connection=_cut(fields.get("connection")),
            keep_alive=_cut(fields.get("keep-alive")),
            framing="none" if self._has_no_bodies else _framing(status, fields),
            cache=_cache(fields),
            server=server,
            via=via,
            location=self._placed(_location(status, fields)),
            asks_for=schemes(fields.get(_CHALLENGES[status], ""))
            if status in _CHALLENGES
            else None,
            new_session=None if cookies is None else self._cookies.begun(cookies),
            retry_after=status == _UNAVAILABLE and "retry-after" in fields,
        )

    def _placed(self, place: str | None) -> str | None:
        """Where a redirect leads; of many different places, only the first."""
        if place is None or place in self._places:
            return place
        if len(self._places) == _MOST_NAMES:
            return _OTHERS
        self._places.add(place)
        return place

    def _named(self, server: str | None, via: str | None) -> tuple[str | None, str | None]:
        """Who answered and who forwarded it: as few different ones as tell who they are."""
        known = self._names
        for names, most in (
            ((server, via), _MOST_NAMES),
            ((server, via and _OTHERS), 2 * _MOST_NAMES),
        ):
            if names in known:
                return names
            if len(known) < most:
                known.add(names)
                return names
        return server and _OTHERS, via and _OTHERS


def _framing(status: int, fields: Mapping[str, str]) -> Framing:
    """How a body's end is told (RFC 9112, section 6.3); a coding may have parameters."""
    if status < FINAL or status in BODILESS:
        return "none"
    if codings := fields.get("transfer-encoding", "").rstrip(", \t"):
        coding = codings.rpartition(",")[2].partition(";")[0].strip().lower()
        return "chunked" if coding == "chunked" else "close"
    return "length" if "content-length" in fields else "close"


def _location(status: int, fields: Mapping[str, str]) -> str | None:
    if status not in _REDIRECTS or status == _NOT_MODIFIED or "location" not in fields:
        return None
    return destination(fields["location"])


def _cache(fields: Mapping[str, str]) -> str | None:
    """What says that a cache answered, or was asked; an age's own number says no more.

    `Age` is of a response that a cache had stored (RFC 9111, section 5.1); but Varnish sends an age
    of 0 with what it has just fetched, too.
    """
    if fields.get("age", "0").strip() != "0":
        return _AGE
    for name in _CACHE_FIELDS:
        if name in fields:
            return fields[name][:_CACHE_LIMIT]
    return None


def _cut(value: str | None) -> str | None:
    return None if value is None else value[:_FIELD_LIMIT]
