"""Values of a plan as text: how each is read, how it is written, and within which bounds.

What reads or checks one raises a UsageError that says how to write it.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple

from keepalive_bench.errors import UsageError
from keepalive_bench.units import LONGEST_S, quoted, shortened

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST_BODY = 2**28
"""Bytes of a body: it is kept whole, and sent by every thread."""

LONGEST_PROBE_S = 32_767
"""Linux's MAX_TCP_KEEPIDLE and MAX_TCP_KEEPINTVL (include/net/tcp.h)."""
_MOST_PORT, _MOST_DIGITS = 65535, 9
_SECONDS = {"": 1.0, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_NUMBER = r"([0-9]+(?:\.[0-9]+)?)"
"""How large one may be is for whoever takes it to say."""
_HUNDRED = 100
_DECIMALS = 9
"""As many as kab writes of a number."""
_BETWEEN_COLONS = r"(\[[^\]]*\]|[^:\[\]]*)"
"""In brackets there may be colons, as in an IPv6 address."""


class Route(NamedTuple):
    """Connect to another host and port than the URL's; an empty host or port 0 is left as it is."""

    host: str
    port: int
    to_host: str
    to_port: int


class Resolution(NamedTuple):
    """The addresses to take for a name and port, in place of looking the name up."""

    host: str
    port: int
    addresses: tuple[str, ...]


class ProbeTimes(NamedTuple):
    """When the system probes an idle connection: after how long, and then how often, in seconds."""

    idle: int
    interval: int | None = None
    """`None`: as the system has it."""


def within_s(name: str, seconds: float) -> None:
    """Refuse a time that is none, or too long to wait for."""
    if not 0 < seconds <= LONGEST_S:
        raise UsageError(
            f"{name} must be above 0 s and at most {LONGEST_S:,.0f} s, not {seconds:,.12g} s."
        )


def within(least: int, most: int, name: str, value: int) -> None:
    """Refuse a number out of bounds."""
    if not least <= value <= most:
        shown = shortened(f"{value:,}")
        raise UsageError(f"{name} must be from {least:,} to {most:,}, not {shown}.")


def plain(value: float) -> str:
    """A number without an exponent, nor more digits than it needs."""
    return f"{value:.{_DECIMALS}f}".rstrip("0").rstrip(".")


def parse_duration(text: str, option: str = "--duration") -> float:
    """Seconds: `30s`, `1.5m`, `500ms`, `2h`; a number alone is of seconds."""
    found = re.fullmatch(rf"{_NUMBER} ?(ms|s|m|min|h|)", text)
    if found is None:
        raise UsageError(f"{quoted(text)} isn't a duration: write 30s, 2m, 1h or 500ms ({option}).")
    return float(found[1]) * _SECONDS[found[2]]


def parse_time(text: str) -> float:
    """Seconds: a number, however it is written, or a duration with a unit."""
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return parse_duration(text)
    except UsageError:
        raise UsageError(f"{quoted(text)} isn't a duration: write 30s, 2m or 500ms.") from None


def time_text(seconds: float | None) -> str:
    """Seconds as both parsers of a time read them."""
    return "" if seconds is None else f"{plain(seconds)}s"


def parse_pause(text: str) -> tuple[float, float]:
    """The shortest and the longest pause: `5s`, `1s-5s`."""
    least, dash, most = text.partition("-")
    shortest_s = parse_duration(least.strip(), "--think-time")
    return shortest_s, parse_duration(most.strip(), "--think-time") if dash else shortest_s


def pause_text(pause_s: tuple[float, float]) -> str:
    """A pause, or the shortest and the longest."""
    least, most = map(time_text, pause_s)
    return least if least == most else f"{least}-{most}"


def parse_probe_times(text: str) -> ProbeTimes:
    """`60` or `60,10`."""
    found = re.fullmatch(r"([0-9]{1,9})s?(?:,([0-9]{1,9})s?)?", text)
    if found is None:
        raise UsageError(
            f"{quoted(text)} isn't of the form IDLE or IDLE,INTERVAL, in whole seconds "
            "(--tcp-keepalive-time)."
        )
    return ProbeTimes(*(int(part) for part in found.groups() if part))


def probe_times_text(times: ProbeTimes | None) -> str:
    """Both times, or the one that is given."""
    return "" if times is None else ",".join(f"{each}" for each in times if each is not None)


def parse_rate(text: str) -> float:
    """Requests a second: `200/s`, `12000/min`, `3600/h`; a number alone is a second's."""
    found = re.fullmatch(rf"{_NUMBER}(?: ?/ ?(s|m|min|h))?", text)
    if found is None:
        raise UsageError(f"{quoted(text)} isn't a rate: write 200/s, 12000/min or 200 (--rate).")
    return float(found[1]) / _SECONDS[found[2] or "s"]


def rate_text(per_second: float | None) -> str:
    """In the unit that it was given in: 1/3 a second has no end, and 20 a minute has one."""
    per_second = per_second or 0.0
    texts = {unit: plain(per_second * _SECONDS[unit]) for unit in ("s", "min", "h")}
    exact = [unit for unit, text in texts.items() if float(text) / _SECONDS[unit] == per_second]
    unit = exact[0] if exact else "s"
    return f"{texts[unit]}/{unit}"


def share_parser(option: str) -> Callable[[str], float]:
    """What reads `2%` or `0.02` as an option's value."""

    def parse(text: str) -> float:
        found = re.fullmatch(r"([0-9]*\.?[0-9]+) ?(%?)", text)
        if found is None:
            raise UsageError(f"{quoted(text)} isn't a share: write 5% or 0.05 ({option}).")
        share, is_percent = float(found[1]), bool(found[2])
        if not is_percent and 1 < share <= _HUNDRED:
            raise UsageError(f"{option} {text} is {100 * share:g} %: did you mean {text}%?")
        return share / _HUNDRED if is_percent else share

    return parse


def share_text(share: float | None) -> str:
    """A share in per cent."""
    return f"{plain(100 * (share or 0.0))}%"


def parse_header(text: str) -> tuple[str, str]:
    """`Name: value`."""
    name, colon, value = text.partition(":")
    if not colon:
        # It isn't shown: whatever it is, it may be a secret.
        raise UsageError("A header has no colon: write -H 'Name: value'.")
    return name.strip(), value.strip()


def parse_parameter(text: str) -> tuple[str, str]:
    """`NAME=VALUE`."""
    name, mark, value = text.partition("=")
    if not mark or not name:
        # It isn't shown either.
        raise UsageError("A field is not of the form NAME=VALUE (-f).")
    return name, value


def parse_user(text: str) -> tuple[str, str | None]:
    """`USER:PASSWORD`; `None`: the password is left out."""
    user, colon, password = text.partition(":")
    return user, password if colon else None


def parse_route(text: str) -> Route:
    """`HOST1:PORT1:HOST2:PORT2`; an empty host or port stands for any, or for the same."""
    found = re.fullmatch(":".join([_BETWEEN_COLONS] * 4), text)
    parts = [part.strip("[]") for part in found.groups()] if found else []
    ports = [_port(part) for part in parts[1::2]]
    if not found or None in ports:
        raise UsageError(
            f"{quoted(text)} is not of the form HOST1:PORT1:HOST2:PORT2 (--connect-to)."
        )
    return Route(parts[0], ports[0] or 0, parts[2], ports[1] or 0)


def route_text(route: Route) -> str:
    """A route as it is read."""
    ports = [f"{port or ''}" for port in (route.port, route.to_port)]
    return f"{_host(route.host)}:{ports[0]}:{_host(route.to_host)}:{ports[1]}"


def parse_resolution(text: str) -> Resolution:
    """`HOST:PORT:ADDRESS[,ADDRESS]`; the host `*` stands for any."""
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


def resolution_text(resolution: Resolution) -> str:
    """A resolution as it is read."""
    addresses = ",".join(map(_host, resolution.addresses))
    return f"{_host(resolution.host)}:{resolution.port}:{addresses}"


def is_address(text: str) -> bool:
    """Whether a text is an IPv4 or IPv6 address; the latter may have a scope."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _port(text: str) -> int | None:
    """A port, 0 for an empty one, `None` for what is none."""
    if not text:
        return 0
    digits = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    if not digits or not 1 <= int(text) <= _MOST_PORT:
        return None
    return int(text)
