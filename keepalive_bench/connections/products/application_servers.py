"""Servers of applications, and what comes with languages."""

from __future__ import annotations

from keepalive_bench.connections.products.product import Product, Setting, always, never

_GUNICORN = "https://docs.gunicorn.org/en/stable/settings.html"
_UVICORN = "https://www.uvicorn.org/settings/"
_HYPERCORN = "https://hypercorn.readthedocs.io/en/latest/how_to_guides/configuring.html"
_WAITRESS = "https://docs.pylonsproject.org/projects/waitress/en/stable/arguments.html"
_TORNADO = "https://www.tornadoweb.org/en/stable/httpserver.html"
_SANIC = "https://sanic.dev/en/guide/running/configuration.html"
_DAPHNE = "https://github.com/django/daphne#running"
_GRANIAN = "https://github.com/emmett-framework/granian#options"
_AIOHTTP = "https://docs.aiohttp.org/en/stable/web_reference.html"
_CHEROOT = "https://cheroot.cherrypy.dev/en/latest/pkg/cheroot.server/"
_WERKZEUG = "https://werkzeug.palletsprojects.com/en/stable/changes/#version-2-1-2"
_TWISTED = "https://docs.twisted.org/en/stable/api/twisted.web.http.HTTPFactory.html"
_HTTP_SERVER = "https://docs.python.org/3/library/http.server.html"
_NODE = "https://nodejs.org/api/http.html"
_GO = "https://pkg.go.dev/net/http"
_PUMA = "https://www.rubydoc.info/gems/puma/Puma/DSL"
_TOMCAT = "https://tomcat.apache.org/tomcat-11.0-doc/config/http.html"
_JETTY = "https://jetty.org/docs/jetty/12/operations-guide/modules/standard.html"
_JAVA = "https://docs.oracle.com/en/java/javase/22/docs/api/jdk.httpserver/module-summary.html"
_KAB = "cli.md#kab-serve"
_KESTREL = (
    "https://learn.microsoft.com/en-us/dotnet/api/"
    "microsoft.aspnetcore.server.kestrel.core.kestrelserverlimits.keepalivetimeout"
)

GUNICORN = Product(
    name="gunicorn",
    place="origin",
    server=("gunicorn",),
    keep_alive=Setting(
        "--worker-class", "sync", f"{_GUNICORN}#worker-class", note="sync keeps no connection"
    ),
    request_limit=Setting(
        "--max-requests",
        "no limit",
        f"{_GUNICORN}#max-requests",
        note="of a worker, on any connection",
    ),
    idle_timeout=Setting("--keep-alive", "2 s", f"{_GUNICORN}#keepalive"),
    lifetime=never(),
    recycling=Setting("--max-requests", "no limit", f"{_GUNICORN}#max-requests"),
)
UVICORN = Product(
    name="uvicorn",
    place="origin",
    server=("uvicorn",),
    request_limit=never(
        "limits the requests of a process (--limit-max-requests), and of no connection"
    ),
    idle_timeout=Setting("--timeout-keep-alive", "5 s", f"{_UVICORN}#timeouts"),
    lifetime=never(),
    recycling=Setting("--limit-max-requests", "no limit", f"{_UVICORN}#resource-limits"),
)
HYPERCORN = Product(
    name="hypercorn",
    place="origin",
    server=("hypercorn-h11", "hypercorn-h2", "hypercorn-h3"),
    request_limit=Setting("keep_alive_max_requests", "1,000", _HYPERCORN),
    idle_timeout=Setting("keep_alive_timeout", "5 s", _HYPERCORN),
    lifetime=never(),
    recycling=Setting("max_requests", "no limit", _HYPERCORN),
)
WAITRESS = Product(
    name="waitress",
    place="origin",
    server=("waitress",),
    request_limit=never(),
    idle_timeout=Setting(
        "channel_timeout", "120 s", _WAITRESS, note="looked at every cleanup_interval, 30 s"
    ),
    lifetime=never(),
    unread_body=never("reads each body before the application sees the request"),
)
TORNADO = Product(
    name="Tornado",
    place="origin",
    server=("tornadoserver",),
    keep_alive=Setting("no_keep_alive", "False", _TORNADO),
    request_limit=never(),
    idle_timeout=Setting("idle_connection_timeout", "3,600 s", _TORNADO),
    lifetime=never(),
)
SANIC = Product(
    name="Sanic",
    place="origin",
    keep_alive=Setting("KEEP_ALIVE", "True", _SANIC),
    request_limit=never(),
    idle_timeout=Setting("KEEP_ALIVE_TIMEOUT", "120 s", _SANIC, older="5 s in older versions"),
    lifetime=never(),
)
DAPHNE = Product(name="Daphne", place="origin", server=("daphne",), request_limit=never())
GRANIAN = Product(
    name="Granian",
    place="origin",
    server=("granian",),
    keep_alive=Setting("--http1-keep-alive", "on", _GRANIAN),
    request_limit=never(),
    idle_timeout=Setting("--http1-header-read-timeout", "30 s", _GRANIAN),
    recycling=Setting("--workers-lifetime", "none", _GRANIAN),
)
AIOHTTP = Product(
    name="aiohttp",
    place="origin",
    server=("aiohttp",),
    request_limit=never(),
    idle_timeout=Setting(
        "keepalive_timeout",
        "75 s",
        f"{_AIOHTTP}#aiohttp.web.run_app",
        note="of run_app or AppRunner",
    ),
    lifetime=never(),
    unread_body=Setting("lingering_time", "10 s", f"{_AIOHTTP}#aiohttp.web.AppRunner"),
)
CHEROOT = Product(
    name="cheroot",
    place="origin",
    server=("cheroot",),
    keep_alive=Setting("keep_alive_conn_limit", "10", _CHEROOT, "0 turns it off"),
    request_limit=never(),
    idle_timeout=Setting("timeout", "10 s", _CHEROOT),
    lifetime=never(),
    recycling=Setting(
        "keep_alive_conn_limit", "10", _CHEROOT, note="how many waiting connections it keeps"
    ),
)
WERKZEUG = Product(
    name="Werkzeug",
    place="origin",
    server=("werkzeug",),
    keep_alive=always("is a development server, and keeps no connection", _WERKZEUG),
)
TWISTED = Product(
    name="Twisted",
    place="origin",
    server=("twistedweb",),
    request_limit=never(),
    idle_timeout=Setting("timeout of Site", "60 s", _TWISTED),
    lifetime=never(),
)
HTTP_SERVER = Product(
    name="http.server",
    place="origin",
    server=("basehttp", "simplehttp", "wsgiserver"),
    keep_alive=Setting(
        "protocol_version", '"HTTP/1.0"', _HTTP_SERVER, note="HTTP/1.0 keeps no connection"
    ),
    request_limit=never(),
    idle_timeout=Setting("timeout of the handler", "none", _HTTP_SERVER),
    lifetime=never(),
    unread_body=always("takes what is left of a body for the next request"),
    http_1_1=Setting("protocol_version", '"HTTP/1.0"', _HTTP_SERVER),
)
NODE = Product(
    name="Node",
    place="origin",
    request_limit=Setting(
        "server.maxRequestsPerSocket", "no limit", f"{_NODE}#servermaxrequestspersocket"
    ),
    idle_timeout=Setting("server.keepAliveTimeout", "5 s", f"{_NODE}#serverkeepalivetimeout"),
    lifetime=never(),
    recycling=Setting(
        "server.closeIdleConnections()", "called by close()", f"{_NODE}#servercloseidleconnections"
    ),
)
GO = Product(
    name="Go",
    place="origin",
    keep_alive=Setting("SetKeepAlivesEnabled", "true", f"{_GO}#Server.SetKeepAlivesEnabled"),
    request_limit=never(),
    idle_timeout=Setting("Server.IdleTimeout", "ReadTimeout, else none", f"{_GO}#Server"),
    lifetime=never(),
    unread_body=always("reads 256 KiB of what the handler left, and closes where there is more"),
)
PUMA = Product(
    name="Puma",
    place="origin",
    keep_alive=Setting("enable_keep_alives", "true", f"{_PUMA}#enable_keep_alives-instance_method"),
    request_limit=Setting(
        "max_keep_alive",
        "999",
        f"{_PUMA}#max_keep_alive-instance_method",
        older="max_fast_inline, 10, before 7",
    ),
    idle_timeout=Setting(
        "persistent_timeout",
        "65 s",
        f"{_PUMA}#persistent_timeout-instance_method",
        older="20 s before 7",
    ),
    lifetime=never(),
)
TOMCAT = Product(
    name="Tomcat",
    place="origin",
    server=("apache-coyote",),
    keep_alive=Setting("maxKeepAliveRequests", "100", _TOMCAT, note="1 turns it off"),
    request_limit=Setting("maxKeepAliveRequests", "100", _TOMCAT),
    idle_timeout=Setting("keepAliveTimeout", "connectionTimeout, 20 s in its server.xml", _TOMCAT),
    lifetime=never(),
    errors=always("closes after each 400, 408, 411, 413, 414, 500, 501 and 503"),
    unread_body=Setting("maxSwallowSize", "2 MiB", _TOMCAT),
)
JETTY = Product(
    name="Jetty",
    place="origin",
    server=("jetty",),
    keep_alive=Setting("jetty.httpConfig.persistentConnectionsEnabled", "true", _JETTY),
    request_limit=never(),
    idle_timeout=Setting("jetty.http.idleTimeout", "30 s", _JETTY),
    lifetime=never(),
)
JAVA = Product(
    name="Java HttpServer",
    place="origin",
    keep_alive=Setting("sun.net.httpserver.maxIdleConnections", "200", _JAVA, "0 turns it off"),
    request_limit=never(),
    idle_timeout=Setting("sun.net.httpserver.idleInterval", "30 s", _JAVA),
    lifetime=never(),
    unread_body=Setting("sun.net.httpserver.drainAmount", "64 KiB", _JAVA),
    recycling=Setting("sun.net.httpserver.maxIdleConnections", "200", _JAVA),
)
KESTREL = Product(
    name="Kestrel",
    place="origin",
    server=("kestrel",),
    request_limit=never(),
    idle_timeout=Setting("Limits.KeepAliveTimeout", "130 s", _KESTREL),
    lifetime=never(),
)
PHP = Product(
    name="PHP",
    place="origin",
    keep_alive=always("is a development server (php -S), and keeps no connection"),
)
KAB = Product(
    name="kab serve",
    place="origin",
    server=("kab",),
    keep_alive=Setting("--connection-close", "not set", _KAB),
    request_limit=Setting("--close-after", "no limit", _KAB, note="or --silent-close-after"),
    idle_timeout=Setting("--idle-timeout", "none", _KAB),
    lifetime=Setting("--max-age", "none", _KAB),
    http_1_1=Setting("--http-10", "not set", _KAB, note="HTTP/1.1 without it"),
)
APPLICATION_SERVERS = (
    *(GUNICORN, UVICORN, HYPERCORN, WAITRESS, TORNADO, SANIC, DAPHNE, GRANIAN, AIOHTTP, CHEROOT),
    *(WERKZEUG, TWISTED, HTTP_SERVER, NODE, GO, PUMA, TOMCAT, JETTY, JAVA, KESTREL, PHP, KAB),
)
