"""A real nginx, whose `stub_status` is the truth that kab's counts are held against."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING

from support.daemon import TIMEOUT_S, daemon, listening, program

from keepalive_bench.server import CERTIFICATE

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from subprocess import Popen

_KEY = CERTIFICATE.with_suffix(".key")
_CONFIG = """\
worker_processes 1;
pid nginx.pid;
error_log error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    default_type text/plain;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    {of_all}
    server {{
        listen {http};
        listen {https} ssl;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        {directives}
        location / {{ return 200 "keep-alive\\n"; }}
    }}
    server {{
        listen {status};
        location / {{ stub_status; }}
    }}
}}
"""


class Nginx:
    """A running nginx.

    Attributes:
        http: Its URL, without TLS.
        https: Its URL with TLS; `certificate` is to be trusted.
    """

    certificate = CERTIFICATE

    def __init__(self, addresses: Sequence[str]) -> None:
        http, https, self._status = addresses
        self.http, self.https = f"http://{http}/", f"https://{https}/"
        self._probes = 0

    def accepts(self) -> int:
        """Connections accepted so far, those that asked for this number left out."""
        return self._counts()[0] - self._probes

    def requests(self) -> int:
        """Requests so far, likewise."""
        return self._counts()[2] - self._probes

    def _counts(self) -> list[int]:
        self._probes += 1
        client = HTTPConnection(self._status, timeout=TIMEOUT_S)
        try:
            client.request("GET", "/")
            text = client.getresponse().read().decode()
        finally:
            client.close()
        # The third line, below "server accepts handled requests".
        return [int(word) for word in text.splitlines()[2].split()]


@contextmanager
def nginx(directives: str = "", *, host: str = "127.0.0.1", of_all: str = "") -> Iterator[Nginx]:
    """Run nginx with further directives of its `server` block, such as `keepalive_requests 10;`.

    `of_all` are of its `http` block.

    It inherits its listening sockets from us, as it does from itself when it is upgraded while it
    runs: so its ports are free for sure, and connections wait in the queue until it takes them.
    """
    with ExitStack() as stack:
        # Its workers are another user, who must be able to look into the folder.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)
        sockets = [stack.enter_context(listening(host)) for _ in range(3)]
        addresses = [_shown(listener) for listener in sockets]
        (folder / "nginx.conf").write_text(_config(addresses, directives, of_all))
        inherited = [listener.fileno() for listener in sockets]
        stack.enter_context(_running(folder, inherited))
        yield Nginx(addresses)


def _config(addresses: Sequence[str], directives: str, of_all: str) -> str:
    http, https, status = addresses
    return _CONFIG.format(
        http=http,
        https=https,
        status=status,
        certificate=CERTIFICATE,
        key=_KEY,
        directives=directives,
        of_all=of_all,
    )


def _running(folder: Path, inherited: Sequence[int]) -> AbstractContextManager[Popen[bytes]]:
    command = [program("nginx"), "-p", str(folder), "-c", "nginx.conf", "-e", "error.log"]
    env = {"NGINX": "".join(f"{number};" for number in inherited)}
    return daemon(command, env=env, inherited=inherited)


def _shown(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
