"""A real nginx in a namespace: HTTP, and HTTPS with one version of TLS on each port."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING

from keepalive_bench.server.certificate import CERTIFICATE, KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wan import Namespace

_SERVER = """
    server {{
        listen {port}{tls};
        location / {{ return 200 '{body}'; }}
    }}"""
_TLS = """ ssl;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        ssl_protocols TLSv{version}"""
_CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    keepalive_requests 1000000;
    keepalive_timeout 1h;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;{servers}
}}
"""
_BODY = "x" * 1000
_START_S = 10.0


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One of nginx's ports, and what its protocol costs."""

    name: str
    port: int
    tls: str | None
    """The version of TLS that it speaks."""
    handshake_trips: int
    """Round trips of TLS's full handshake."""

    @property
    def fresh_trips(self) -> int:
        """Round trips of a request on a connection of its own: TCP, TLS, and the request."""
        return 2 + self.handshake_trips

    def url(self, host: str) -> str:
        """Its URL."""
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}/"


ENDPOINTS = (
    Endpoint(name="HTTP", port=8080, tls=None, handshake_trips=0),
    # RFC 8446, section 2; RFC 5246, section 7.3, whose abbreviated handshake takes one less.
    Endpoint(name="TLS 1.3", port=8443, tls="1.3", handshake_trips=1),
    Endpoint(name="TLS 1.2", port=8442, tls="1.2", handshake_trips=2),
)


def nginx_program() -> str | None:
    """Where nginx is; Debian puts it where only root's path leads."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@contextmanager
def nginx_in(namespace: Namespace) -> Iterator[None]:
    """Run nginx there, at all `ENDPOINTS`, on every address of the namespace."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # nginx's worker is another user
        (folder / "nginx.conf").write_text(_configuration(folder))
        command = [nginx_program() or "nginx", "-p", name, "-c", f"{name}/nginx.conf"]
        server = subprocess.Popen(namespace.command(*command), stderr=sys.stderr)
        try:
            _wait_until_open(folder / "pid", server)
            yield
        finally:
            server.terminate()
            server.wait()


def _configuration(folder: Path) -> str:
    servers = [
        _SERVER.format(
            port=endpoint.port,
            tls=_TLS.format(certificate=CERTIFICATE, key=KEY, version=endpoint.tls)
            if endpoint.tls
            else "",
            body=_BODY,
        )
        for endpoint in ENDPOINTS
    ]
    return _CONFIGURATION.format(folder=folder, servers="".join(servers))


def _wait_until_open(pid: Path, server: subprocess.Popen[bytes]) -> None:
    """Wait for the file that nginx writes when it listens."""
    deadline = monotonic() + _START_S
    while not pid.exists():
        if server.poll() is not None or monotonic() > deadline:
            sys.exit("nginx did not start.")
        sleep(0.02)
