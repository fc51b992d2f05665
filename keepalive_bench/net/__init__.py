"""The only room with urllib3 and client sockets in it.

Another library may have taken urllib3's place, which has to be told before anything else here is
imported.
"""

from __future__ import annotations

import http.client
from pathlib import Path

import urllib3

from keepalive_bench.errors import UsageError
from keepalive_bench.units import shortened

_LOWEST = "2.0.2"
_WANTED = f"urllib3>={_LOWEST},<3"


def urllib3_version() -> str:
    """Which release it is."""
    return str(getattr(urllib3, "__version__", "unknown"))


def check_library() -> None:
    """Refuse a library whose connections kab can't trace.

    urllib3's are `http.client`'s; those of urllib3-future, which niquests installs in its place,
    aren't. Its version tells it, too, but others may have any.

    Raises:
        UsageError: it is another library, or too old.
    """
    version = urllib3_version()
    connection = getattr(getattr(urllib3, "HTTPConnectionPool", None), "ConnectionCls", object)
    if not issubclass(connection, http.client.HTTPConnection):
        name = _distribution(version)
        found = f"{name} {version}" if name else "another library"
        raise UsageError(
            f"The package urllib3 here is {found}, not the one that kab measures: install kab in a "
            f"virtual environment of its own, or put urllib3 back (pip uninstall "
            f"{name or 'the other'}, then pip install --force-reinstall '{_WANTED}')."
        )
    if _numbers(version) < _numbers(_LOWEST):
        raise UsageError(
            f"kab can't measure with urllib3 {shortened(version)}: pip install '{_WANTED}'."
        )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdecimal() else 0 for part in version.split(".")[:3])


def _distribution(version: str) -> str | None:
    """The distribution that the package is of: there may be that of the real one beside it."""
    from importlib.metadata import distributions  # noqa: PLC0415  # only now it's worth its time

    site = str(Path(str(urllib3.__file__)).parents[1])
    for found in distributions(path=[site]):
        files = {str(file) for file in found.files or ()}
        if found.version == version and "urllib3/__init__.py" in files:
            return shortened(found.metadata["Name"])
    return None


if not hasattr(urllib3, "HTTPHeaderDict"):  # before release 2, this room can't even be imported
    check_library()
