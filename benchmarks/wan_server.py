"""A real nginx in a namespace: HTTP, and HTTPS with one version of TLS on each port."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nginx import nginx_folder, nginx_program, running

from keepalive_bench.server.settings import CERTIFICATE, KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wan import Namespace

_TLS = """ ssl;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        ssl_protocols TLSv{version}"""


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


@contextmanager
def nginx_in(namespace: Namespace) -> Iterator[None]:
    """Run nginx there, at all `ENDPOINTS`, on every address of the namespace."""
    with nginx_folder(_listen(endpoint) for endpoint in ENDPOINTS) as folder:
        command = [nginx_program() or "nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]
        server = subprocess.Popen(namespace.command(*command), stderr=sys.stderr)
        with running(server, (folder / "pid").exists):  # written when it listens
            yield


def _listen(endpoint: Endpoint) -> str:
    if endpoint.tls is None:
        return str(endpoint.port)
    tls = _TLS.format(certificate=CERTIFICATE, key=KEY, version=endpoint.tls)
    return f"{endpoint.port}{tls}"
