"""What reports call origins and places in the code, safe to show."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from keepalive_bench.units import clipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from keepalive_bench.trace.usage import OriginUsage, Site

_PORTS = {"http": "80", "https": "443"}
_PARTS = 3
"""Of a path elsewhere, so many parts tell which file it is."""
_PACKAGES = ("/site-packages/", "/dist-packages/")
_MODULE = "<module>"


def host_and_port(origin: str) -> str:
    """`api.example.com:443`, of `https://api.example.com:443`."""
    return origin.partition("://")[2] or origin


def origin_names(origins: Sequence[OriginUsage]) -> list[str]:
    """What tells origins apart, as short as can be: host and port; else the scheme, the proxy."""
    short = [host_and_port(it.origin) for it in origins]
    counts = Counter(short)
    by_scheme = Counter(it.origin for it in origins)
    names = []
    for it, name in zip(origins, short, strict=True):
        is_told_by_scheme = counts[name] > 1 and by_scheme[it.origin] < counts[name]
        told = it.origin if is_told_by_scheme else name
        via = "" if it.via is None else f" through {host_and_port(it.via)}"
        names.append(clipped(f"{told}{via}"))
    return names


def is_meant(selector: str, origin: str) -> bool:
    """Whether a selector is an origin's: host and port, the host alone, or the whole origin.

    A Unix socket's is its path.
    """
    scheme, _, rest = origin.lower().partition("://")
    host, _, port = rest.rpartition(":")
    spellings = {rest, host, host.strip("[]"), f"{scheme}://{rest}"}
    if scheme == "unix":
        spellings = {rest, origin.lower()}
    if _PORTS.get(scheme) == port:
        spellings.add(f"{scheme}://{host}")
    return selector.lower().removesuffix("/") in spellings


def file_within(file: str, folder: str) -> str | None:
    """A file's name from a folder; `None`: it isn't beneath it. Of no path, the name itself."""
    if not file.startswith("/"):
        return file.removeprefix("./")
    beneath = f"{folder.rstrip('/')}/"
    within = file.removeprefix(beneath)
    is_beneath = bool(folder) and within != file and not any(it in file for it in _PACKAGES)
    return within if is_beneath else None


def file_name(file: str, folder: str) -> str:
    """A file's name for people: from the folder, the package, or its last parts."""
    within = file_within(file, folder)
    if within is None:
        within = _last_parts(file)
    return clipped(within)


def _last_parts(file: str) -> str:
    for mark in _PACKAGES:
        before, _, within = file.rpartition(mark)
        if before:
            return within
    parts = file.strip("/").split("/")
    return file if len(parts) <= _PARTS else f"…/{'/'.join(parts[-_PARTS:])}"


def site_name(site: Site, folder: str) -> str:
    """A place in the code: `app.py:31 in sync`."""
    place = f"{file_name(site.file, folder)}:{site.line}"
    return place if site.function == _MODULE else f"{place} in {clipped(site.function)}"


def some_of(names: Iterable[str], most: int) -> str:
    """The first of some names: `a, b and 3 more`."""
    told = list(names)
    if len(told) <= most + 1:
        return " and ".join(filter(None, (", ".join(told[:-1]), *told[-1:])))
    return f"{', '.join(told[:most])} and {len(told) - most:,} more"
