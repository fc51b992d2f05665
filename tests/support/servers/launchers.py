"""How each server is started. Every one takes over a socket that listens already."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from support.daemon import program
from support.servers.place import Place, place

from keepalive_bench.server import CERTIFICATE

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROGRAMS = Path(__file__).parent / "programs"
_APP = "support.servers.programs.app"

Launcher = Callable[[Place], AbstractContextManager[object]]

_NGINX = """\
pid nginx.pid;
events {{ }}
http {{
    log_format seen $remote_port;
    access_log {log} seen;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    server {{
        listen 127.0.0.1:{port} {tls};
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        {directives}
        location / {{ return 200 "keep-alive\\n"; }}
    }}
}}
"""
_HAPROXY = """\
defaults
    mode http
    timeout connect 10s
    timeout client 60s
    timeout server 60s
    {options}
listen front
    bind fd@{descriptor}
    http-request set-header X-Client-Port %[src_port]
    server behind 127.0.0.1:{behind}
"""


def uvicorn(*options: object) -> Launcher:
    return lambda at: at.python("-m", "uvicorn", f"{_APP}:asgi", "--fd", at.descriptor, *options)


def gunicorn(*options: object) -> Launcher:
    def start(at: Place) -> AbstractContextManager[object]:
        return at.python("-m", "gunicorn", f"{_APP}:wsgi", "-b", f"fd://{at.descriptor}", *options)

    return start


def hypercorn(**config: object) -> Launcher:
    @contextmanager
    def start(at: Place) -> Iterator[object]:
        file = at.folder / "hypercorn.toml"
        bound = {"bind": f"fd://{at.descriptor}", **config}
        file.write_text("".join(f"{name} = {json.dumps(bound[name])}\n" for name in bound))
        with at.python("-m", "hypercorn", "-c", file, f"{_APP}:asgi") as process:
            yield process

    return start


def script(name: str, **options: object) -> Launcher:
    """One of the programs in the folder, for servers that no command line starts so."""
    return lambda at: at.python(_PROGRAMS / name, at.descriptor, json.dumps(options))


def node(**options: object) -> Launcher:
    def start(at: Place) -> AbstractContextManager[object]:
        file = _PROGRAMS / "serve_node.js"
        return at.run(program("node"), file, at.descriptor, json.dumps(options))

    return start


def nginx(directives: str, *, tls: bool = False) -> Launcher:
    @contextmanager
    def start(at: Place) -> Iterator[object]:
        config = _NGINX.format(
            log=at.log,
            port=at.port,
            tls="ssl" if tls else "",
            certificate=CERTIFICATE,
            key=CERTIFICATE.with_suffix(".key"),
            directives=directives,
        )
        (at.folder / "nginx.conf").write_text(config)
        command = [program("nginx"), "-p", at.folder, "-c", "nginx.conf", "-e", "error.log"]
        inherited = {"NGINX": f"{at.descriptor};"}
        with at.run(*command, env=inherited) as process:
            yield process

    return start


def haproxy(options: str, behind: Launcher) -> Launcher:
    """HAProxy in front of another server, which notes the ports that HAProxy tells it."""

    @contextmanager
    def start(at: Place) -> Iterator[object]:
        with place() as back, behind(Place(back.listener, at.folder)):
            config = _HAPROXY.format(options=options, descriptor=at.descriptor, behind=back.port)
            file = at.folder / "haproxy.cfg"
            file.write_text(config)
            with at.run(program("haproxy"), "-q", "-db", "-f", file) as process:
                yield process

    return start
