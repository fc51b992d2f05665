"""A real squid, and a real HAProxy before it: that ends TLS, and its count of accepts is true."""

from __future__ import annotations

import csv
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from support.daemon import TIMEOUT_S, daemon, listening, program, until_listening

from keepalive_bench.server import CERTIFICATE

if TYPE_CHECKING:
    from collections.abc import Iterator

USER, PASSWORD = "someone", "s3kr1t"
_SQUID = """\
http_port {address}
pid_filename none
visible_hostname squid
cache deny all
cache_log /dev/null
access_log none
shutdown_lifetime 0 seconds
pinger_enable off
coredump_dir {folder}
{access}
"""
_GUARDED = """\
auth_param basic program {program} {folder}/users
auth_param basic children 1
acl known proxy_auth REQUIRED
http_access allow known
"""
_HAPROXY = """\
global
    stats socket {folder}/stats level user
defaults
    timeout connect 10s
    timeout client 60s
    timeout server 60s
listen front
    mode tcp
    bind fd@{http}
    bind fd@{https} ssl crt {folder}/all.pem
    server squid {address}
"""


class Proxies:
    """A running squid behind HAProxy.

    Attributes:
        http: The URL of the proxy.
        https: The same with TLS; `CERTIFICATE` is to be trusted.
    """

    def __init__(self, http: int, https: int, stats: Path) -> None:
        self.http, self.https = f"http://127.0.0.1:{http}", f"https://127.0.0.1:{https}"
        self._stats = stats

    def accepts(self) -> int:
        """Connections that HAProxy has accepted so far."""
        with closing(socket.socket(socket.AF_UNIX)) as client:
            client.settimeout(TIMEOUT_S)
            client.connect(str(self._stats))
            client.sendall(b"show stat\n")
            with client.makefile() as answer:
                rows = list(csv.DictReader(line for line in answer if line.strip()))
        return next(int(row["stot"]) for row in rows if row["svname"] == "FRONTEND")


@contextmanager
def proxies(*, password: bool = False) -> Iterator[Proxies]:
    """Run both; with a password, only `USER` is let through."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)  # squid becomes another user
        squid = stack.enter_context(_squid(folder, password=password))
        http, https = (stack.enter_context(listening()) for _ in range(2))
        (folder / "all.pem").write_bytes(
            CERTIFICATE.read_bytes() + CERTIFICATE.with_suffix(".key").read_bytes()
        )
        config = folder / "haproxy.cfg"
        config.write_text(
            _HAPROXY.format(folder=folder, http=http.fileno(), https=https.fileno(), address=squid)
        )
        command = [program("haproxy"), "-q", "-db", "-f", str(config)]
        inherited = [http.fileno(), https.fileno()]
        process = stack.enter_context(daemon(command, inherited=inherited))
        until_listening(folder / "stats", process)
        yield Proxies(http.getsockname()[1], https.getsockname()[1], folder / "stats")


@contextmanager
def _squid(folder: Path, *, password: bool) -> Iterator[str]:
    """Run squid on a port that is held for it: bound, but not listened at."""
    access = "http_access allow all"
    if password:
        hashed = subprocess.check_output(["openssl", "passwd", "-apr1", PASSWORD], text=True)
        (folder / "users").write_text(f"{USER}:{hashed}")
        access = _GUARDED.format(program="/usr/lib/squid/basic_ncsa_auth", folder=folder)
    with closing(socket.socket()) as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{held.getsockname()[1]}"
        config = folder / "squid.conf"
        config.write_text(_SQUID.format(address=address, folder=folder, access=access))
        # Its shared memory is called by that name, and there is one of each.
        name = f"kab{held.getsockname()[1]}"
        command = [program("squid"), "-N", "-n", name, "-f", str(config)]
        with daemon(command) as process:
            _until_answering(held.getsockname(), process)
            yield address


def _until_answering(address: tuple[str, int], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        assert process.poll() is None, f"squid has ended with {process.returncode}"
        try:
            socket.create_connection(address, TIMEOUT_S).close()
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "squid doesn't listen"
            time.sleep(0.02)
        else:
            return
