"""What a response says of itself, of its connection, and of a cache that may have answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepalive_bench.model.exchange import Answer, Framing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from urllib3 import BaseHTTPResponse

FINAL = 200
"""Statuses below are not final (RFC 9110, section 15.2)."""
_BODILESS = {204, 304}
_FIELD_LIMIT = 300
"""Characters of a field's value that are kept: a server may send 60 KB, another one each time."""
_CACHE_LIMIT = 100
_AGE = "Age"
_CACHE_FIELDS = ("x-cache", "cf-cache-status", "x-cache-status")
"""What caches say in a field of their own: Squid, Varnish and CloudFront; Cloudflare; nginx."""
_VERSIONS = {9: "HTTP/0.9", 10: "HTTP/1.0", 11: "HTTP/1.1"}


def answer_of(response: BaseHTTPResponse) -> Answer:
    """What a response's head says."""
    headers = response.headers
    return Answer(
        _VERSIONS.get(response.version, "HTTP/?"),
        _field(headers, "content-type"),
        _field(headers, "connection"),
        _field(headers, "keep-alive"),
        _framing(response, headers),
        _cache(headers),
    )


def _framing(response: BaseHTTPResponse, headers: Mapping[str, str]) -> Framing:
    """RFC 9112, section 6.3."""
    if "transfer-encoding" in headers:
        return "chunked"
    if "content-length" in headers:
        return "length"
    return "none" if response.status in _BODILESS else "close"


def _cache(headers: Mapping[str, str]) -> str | None:
    """What says that a cache answered, or was asked; an age's own number says no more.

    `Age` is of a response that a cache had stored (RFC 9111, section 5.1); but Varnish sends an age
    of 0 with what it has just fetched, too.
    """
    if "age" in headers and headers["age"].strip() != "0":
        return _AGE
    for name in _CACHE_FIELDS:
        if name in headers:
            return headers[name][:_CACHE_LIMIT]
    return None


def _field(headers: Mapping[str, str], name: str) -> str | None:
    # A look-up that fails costs an exception in urllib3; asking first doesn't.
    return headers[name][:_FIELD_LIMIT] if name in headers else None
