"""Which version of a server is installed here; `None`: it isn't."""

from __future__ import annotations

import platform
import re
import subprocess
from importlib import metadata

from support.daemon import program


def version_of(server: str) -> str | None:
    if server == "http.server":
        return f"Python {platform.python_version()}"
    if server in _PROGRAMS:
        return _of_program(*_PROGRAMS[server])
    try:
        return metadata.version(server)
    except metadata.PackageNotFoundError:
        return None


_PROGRAMS = {"nginx": ("nginx", "-v"), "HAProxy": ("haproxy", "-v"), "Node": ("node", "--version")}


def _of_program(name: str, option: str) -> str:
    said = subprocess.run([program(name), option], capture_output=True, text=True, check=True)
    found = re.search(r"\d+\.\d+\.\d+", said.stdout + said.stderr)
    assert found, f"{name} doesn't tell its version"
    return found.group()
