"""Hosts, ports and addresses as curl writes them: `HOST:PORT:…`, IPv6 addresses in brackets."""

from __future__ import annotations

import re

from keepalive_bench.errors import UsageError
from keepalive_bench.plan.network import Resolution, Route, is_address
from keepalive_bench.units import quoted

_PART = re.compile(r"\[[^\]]*\]|[^:\[\]]*")
_MOST_PORT = 65535


def parse_route(text: str) -> Route:
    """`HOST1:PORT1:HOST2:PORT2`; an empty host or port stands for any, or for the same.

    Raises:
        UsageError: it isn't of that form.
    """
    parts = _parts(text)
    ports = [_port(part) for part in parts[1::2]]
    if len(parts) != len(Route._fields) or None in ports:
        raise UsageError(
            f"{quoted(text)} is not of the form HOST1:PORT1:HOST2:PORT2 (--connect-to)."
        )
    return Route(parts[0], ports[0] or 0, parts[2], ports[1] or 0)


def parse_resolution(text: str) -> Resolution:
    """`HOST:PORT:ADDRESS[,ADDRESS]`; the host `*` stands for any.

    Raises:
        UsageError: it isn't of that form.
    """
    host, _, rest = text.partition(":")
    if text.startswith("["):
        host, _, rest = text[1:].partition("]:")
    port, _, addresses = rest.partition(":")
    number = _port(port)
    found = tuple(address.strip("[]") for address in addresses.split(","))
    if not host or not number or not all(is_address(address) for address in found):
        raise UsageError(
            f"{quoted(text)} is not of the form HOST:PORT:ADDRESS[,ADDRESS] (--resolve)."
        )
    return Resolution(host, number, found)


def _parts(text: str) -> list[str]:
    """The text between colons, those within brackets left alone."""
    parts, position = [], 0
    while True:
        found = _PART.match(text, position)
        part = found.group() if found else ""
        parts.append(part.strip("[]"))
        position += len(part)
        if position >= len(text) or text[position] != ":":
            return parts if position >= len(text) else []
        position += 1


def _port(text: str) -> int | None:
    """A port, 0 for an empty one, `None` for what is none."""
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= _MOST_PORT:
        return None
    return int(text)
