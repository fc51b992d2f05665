"""Where requests go, as records have it: `https://api.example.com:443`."""

from __future__ import annotations

import os

PORTS = {"http": 80, "https": 443}


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
    return origin_of(scheme, host.strip("[]"), port or PORTS.get(scheme, ""))
