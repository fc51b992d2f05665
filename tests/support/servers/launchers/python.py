"""How each server written for Python is started. Most take over a socket that listens already."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from support.servers.case import Launcher
    from support.servers.place import Place

_PROGRAMS = Path(__file__).parents[1] / "programs"
_APP = "support.servers.programs.app"


def uvicorn(*options: object) -> Launcher:
    return lambda at: at.python("-m", "uvicorn", f"{_APP}:asgi", "--fd", at.descriptor, *options)


def daphne(*options: object) -> Launcher:
    return lambda at: at.python("-m", "daphne", "--fd", at.descriptor, *options, f"{_APP}:asgi")


def gunicorn(*options: object, application: str = "wsgi") -> Launcher:
    def start(at: Place) -> AbstractContextManager[subprocess.Popen[bytes]]:
        where = [f"{_APP}:{application}", "-b", f"fd://{at.descriptor}"]
        return at.python("-m", "gunicorn", *where, *options)

    return start


def granian(*options: object) -> Launcher:
    """It inherits no socket."""

    def start(at: Place) -> AbstractContextManager[subprocess.Popen[bytes]]:
        where = ["--interface", "asgi", "--host", "127.0.0.1", "--port", at.port]
        return at.run_listener(sys.executable, "-m", "granian", *where, *options, f"{_APP}:asgi")

    return start


def hypercorn(**config: object) -> Launcher:
    @contextmanager
    def start(at: Place) -> Iterator[subprocess.Popen[bytes]]:
        file = at.folder / "hypercorn.toml"
        bound = {"bind": f"fd://{at.descriptor}", **config}
        file.write_text("".join(f"{name} = {json.dumps(bound[name])}\n" for name in bound))
        with at.python("-m", "hypercorn", "-c", file, f"{_APP}:asgi") as process:
            yield process

    return start


def script(name: str, **options: object) -> Launcher:
    """One of the programs in the folder, for servers that no command line starts so."""
    return lambda at: at.python(_PROGRAMS / name, at.descriptor, json.dumps(options))


def wsgiref(**attributes: object) -> Launcher:
    return script("serve_wsgiref.py", **attributes)


def closing(**limits: float) -> Launcher:
    """A server that meets a request with a close: one that comes too late, or is one too many."""
    return script("serve_closing.py", **limits)


def stdlib(**attributes: object) -> Launcher:
    return script("serve_http_server.py", **attributes)
