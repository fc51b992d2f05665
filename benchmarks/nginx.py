"""A real nginx for the benchmarks, on a core of its own where there are two."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING

from cores import move_to, move_to_last_core

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

# The default would close each connection after 1,000 requests, in the middle of the loops compared.
_CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    default_type application/json;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;{servers}
}}
"""
_SERVER = """
    server {{
        listen {listen};{more}
        location / {{ return 200 '{body}'; }}
    }}"""
STATUS = "/status"
_STATUS = f"\n        location = {STATUS} {{ stub_status; }}"
_BODY = '{"answer": "' + "x" * 1000 + '"}'
_START_S = 10.0


def nginx_program() -> str | None:
    """Where nginx is; Debian puts it where only root's path leads."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@contextmanager
def nginx_folder(listens: Iterable[str], more: str = "") -> Iterator[Path]:
    """A folder with a configuration, of a server for each thing to listen on, and more in each."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # nginx's worker is another user when this one is root
        servers = "".join(
            _SERVER.format(listen=listen, body=_BODY, more=more) for listen in listens
        )
        (folder / "nginx.conf").write_text(_CONFIGURATION.format(folder=folder, servers=servers))
        yield folder


@contextmanager
def running(server: subprocess.Popen[bytes], is_open: Callable[[], bool]) -> Iterator[None]:
    """Wait until nginx listens, and stop it afterwards."""
    try:
        deadline = monotonic() + _START_S
        while not is_open():
            if server.poll() is not None or monotonic() > deadline:
                sys.exit("nginx did not start.")
            sleep(0.02)
        yield
    finally:
        server.terminate()
        server.wait()


@contextmanager
def nginx_on_a_core_of_its_own() -> Iterator[str]:
    """Start nginx, yield its URL, and keep this process and its children off nginx's core."""
    (port,) = free_ports(1)
    with nginx_at([port]):
        yield f"http://127.0.0.1:{port}/"


@contextmanager
def nginx_at(ports: Sequence[int], *, status: bool = False) -> Iterator[subprocess.Popen[bytes]]:
    """Start it on a core of its own; its own counts are at `STATUS` of each port, if asked for."""
    program = nginx_program()
    if program is None:
        sys.exit("nginx is not installed: the benchmarks measure against a real server (apt).")
    listens = [f"127.0.0.1:{port}" for port in ports]
    with nginx_folder(listens, _STATUS if status else "") as folder:
        own_cores = move_to_last_core()
        command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf")]
        server = subprocess.Popen(command, stderr=sys.stderr)
        move_to(own_cores)
        with running(server, lambda: _is_open(ports[0])):
            yield server


def free_ports(count: int) -> list[int]:
    """So many different ones that nothing listens at."""
    with ExitStack() as stack:
        listeners = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)
        ]
        return [listener.getsockname()[1] for listener in listeners]


def _is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True
