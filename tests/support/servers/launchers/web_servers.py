"""How nginx, Apache and lighttpd are started, each with some directives of its own."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from support.daemon import program
from support.servers.place import place

from keepalive_bench.server import CERTIFICATE

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from support.servers.case import Launcher
    from support.servers.place import Place

_NGINX = """\
pid nginx.pid;
daemon off;
events {{ }}
http {{
    log_format seen $remote_port;
    access_log {log} seen;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    {upstream}
    server {{
        listen 127.0.0.1:{port} {tls};
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        {directives}
        location / {{ {answers} }}
    }}
}}
"""
_UPSTREAM = "upstream behind {{ server 127.0.0.1:{port}; {directives} }}"
_FIXED = r'return 200 "keep-alive\n";'
_PROXIED = 'proxy_pass http://behind; proxy_http_version 1.1; proxy_set_header Connection "";'
_APACHE = """\
ServerRoot {folder}
ServerName localhost
Listen 127.0.0.1:{port}
User www-data
Group www-data
PidFile apache2.pid
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule dir_module {modules}/mod_dir.so
LoadModule alias_module {modules}/mod_alias.so
StartServers 1
DocumentRoot {folder}
LogFormat "%{{remote}}p" seen
CustomLog {log} seen
ErrorLog error.log
{directives}
"""
_APACHE_MODULES = "/usr/lib/apache2/modules"
_LIGHTTPD = """\
server.document-root = "{folder}"
server.bind = "127.0.0.1"
server.port = {port}
server.errorlog = "{folder}/error.log"
server.modules = ("mod_accesslog")
accesslog.filename = "{log}"
accesslog.format = "%{{remote}}p"
index-file.names = ("index.html")
{directives}
"""


def nginx(
    directives: str, *, tls: bool = False, upstream: str = "", answers: str = _FIXED
) -> Launcher:
    @contextmanager
    def start(at: Place) -> Iterator[subprocess.Popen[bytes]]:
        config = _NGINX.format(
            upstream=upstream,
            answers=answers,
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


def nginx_before(behind: Launcher, upstream: str) -> Launcher:
    """With directives of its upstream."""

    @contextmanager
    def start(at: Place) -> Iterator[subprocess.Popen[bytes]]:
        with place() as back, behind(back):
            group = _UPSTREAM.format(port=back.port, directives=upstream)
            with nginx("", upstream=group, answers=_PROXIED)(at) as process:
                yield process

    return start


def apache_before(behind: Launcher, parameters: str = "") -> Launcher:
    """With parameters of its `ProxyPass`."""

    @contextmanager
    def start(at: Place) -> Iterator[subprocess.Popen[bytes]]:
        with place() as back, behind(back):
            names = ("proxy", "proxy_http")
            load = [f"LoadModule {it}_module {_APACHE_MODULES}/mod_{it}.so" for it in names]
            passes = f"ProxyPass / http://127.0.0.1:{back.port}/ {parameters}"
            with apache("\n".join([*load, passes]))(at) as process:
                yield process

    return start


def apache(directives: str) -> Launcher:
    @contextmanager
    def start(at: Place) -> Iterator[subprocess.Popen[bytes]]:
        (at.folder / "index.html").write_text("keep-alive\n")
        config = _APACHE.format(
            folder=at.folder,
            port=at.port,
            modules=_APACHE_MODULES,
            log=at.log,
            directives=directives,
        )
        file = at.folder / "apache2.conf"
        file.write_text(config)
        with at.run_listener(program("apache2"), "-DFOREGROUND", "-f", file) as process:
            yield process

    return start


def lighttpd(directives: str) -> Launcher:
    @contextmanager
    def start(at: Place) -> Iterator[subprocess.Popen[bytes]]:
        (at.folder / "index.html").write_text("keep-alive\n")
        config = _LIGHTTPD.format(folder=at.folder, port=at.port, log=at.log, directives=directives)
        file = at.folder / "lighttpd.conf"
        file.write_text(config)
        with at.run_listener(program("lighttpd"), "-D", "-f", file) as process:
            yield process

    return start
