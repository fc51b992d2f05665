"""What comes with other languages, or serves applications in them; and `kab serve`."""

from __future__ import annotations

from keepalive_bench.connections.products.product import Limit, Product, Setting, always, never

_NODE = "https://nodejs.org/api/http.html"
_GO = "https://pkg.go.dev/net/http"
_PUMA = "https://www.rubydoc.info/gems/puma/Puma/DSL"
_TOMCAT = "https://tomcat.apache.org/tomcat-11.0-doc/config/http.html"
_JETTY = "https://jetty.org/docs/jetty/12/operations-guide/modules/standard.html"
_JAVA = "https://docs.oracle.com/en/java/javase/22/docs/api/jdk.httpserver/module-summary.html"
_KAB = "cli.md#kab-serve"
_LIMITS = (
    "https://learn.microsoft.com/en-us/dotnet/api/"
    "microsoft.aspnetcore.server.kestrel.core.kestrelserverlimits"
)

NODE = Product(
    name="Node",
    place="origin",
    also=("nodejs", "node.js"),
    request_limit=Setting(
        "server.maxRequestsPerSocket",
        "no limit",
        f"{_NODE}#servermaxrequestspersocket",
        is_announced=True,
    ),
    idle_timeout=Setting(
        "server.keepAliveTimeout",
        "65,000 ms",
        f"{_NODE}#serverkeepalivetimeout",
        older="5,000 ms before 26",
        late_s=1.0,
        note="keepAliveTimeoutBuffer adds up to 1 s",
    ),
    lifetime=never(),
    errors=always("closes after its own 400, 408 and 431"),
    limits=(
        Limit(
            (431,),
            Setting(
                "--max-http-header-size",
                "16 KiB",
                "https://nodejs.org/api/cli.html#--max-http-header-sizesize",
            ),
        ),
    ),
    recycling=Setting(
        "server.closeIdleConnections()", "called by close()", f"{_NODE}#servercloseidleconnections"
    ),
)
GO = Product(
    name="Go",
    place="origin",
    also=("golang",),
    keep_alive=Setting(
        "SetKeepAlivesEnabled", "true", f"{_GO}#Server.SetKeepAlivesEnabled", is_announced=True
    ),
    request_limit=never(),
    idle_timeout=Setting("Server.IdleTimeout", "ReadTimeout, else none", f"{_GO}#Server"),
    lifetime=never(),
    errors=always(
        "closes after its own 400, 431, 501 and 505, and after the 413 of a MaxBytesReader"
    ),
    limits=(
        Limit((413,), Setting("MaxBytesReader", "not set", f"{_GO}#MaxBytesReader")),
        Limit((431,), Setting("Server.MaxHeaderBytes", "1 MiB", f"{_GO}#Server")),
    ),
    unread_body=always("reads 256 KiB of what the handler left, and closes where there is more"),
)
PUMA = Product(
    name="Puma",
    place="origin",
    keep_alive=Setting(
        "enable_keep_alives",
        "true",
        f"{_PUMA}#enable_keep_alives-instance_method",
        older="from 6.5",
    ),
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
        late_s=0.2,  # so long, a thread of its own waits for the next request
    ),
    lifetime=never(),
    errors=always("closes after its own 400 and 501"),
)
TOMCAT = Product(
    name="Tomcat",
    place="origin",
    server=("apache-coyote",),
    nameless_from="8.5",
    keep_alive=Setting(
        "maxKeepAliveRequests", "100", _TOMCAT, note="1 turns it off", is_announced=True
    ),
    request_limit=Setting("maxKeepAliveRequests", "100", _TOMCAT, is_announced=True),
    idle_timeout=Setting(
        "keepAliveTimeout",
        "connectionTimeout, 20,000 ms in its server.xml",
        _TOMCAT,
        late_s=1.0,  # it looks once a second
    ),
    lifetime=never(),
    errors=always("closes after each 400, 408, 411, 413, 414, 500, 501 and 503"),
    limits=(
        Limit((400,), Setting("maxHttpRequestHeaderSize", "maxHttpHeaderSize, 8,192 B", _TOMCAT)),
    ),
    unread_body=Setting("maxSwallowSize", "2 MiB", _TOMCAT),
)
JETTY = Product(
    name="Jetty",
    place="origin",
    server=("jetty",),
    keep_alive=Setting(
        "jetty.httpConfig.persistentConnectionsEnabled", "true", _JETTY, is_announced=True
    ),
    request_limit=never(),
    idle_timeout=Setting(
        "jetty.http.idleTimeout", "30,000 ms", _JETTY, note="jetty.ssl.idleTimeout with TLS"
    ),
    lifetime=never(),
    errors=always("closes after its own 400, 414 and 431"),
    limits=(Limit((414, 431), Setting("jetty.httpConfig.requestHeaderSize", "8,192 B", _JETTY)),),
    unread_body=Setting(
        "setMaxUnconsumedRequestContentReads of HttpConfiguration",
        "16",
        "https://javadoc.jetty.org/jetty-12/org/eclipse/jetty/server/HttpConfiguration.html",
        older="from 12",
    ),
)
JAVA = Product(
    name="Java HttpServer",
    place="origin",
    keep_alive=Setting("sun.net.httpserver.maxIdleConnections", "200", _JAVA, "0 turns it off"),
    request_limit=never(),
    idle_timeout=Setting("sun.net.httpserver.idleInterval", "30 s", _JAVA),
    lifetime=never(),
    errors=always("closes after its own 400 and 501"),
    unread_body=Setting("sun.net.httpserver.drainAmount", "64 KiB", _JAVA),
    recycling=Setting("sun.net.httpserver.maxIdleConnections", "200", _JAVA),
)
KESTREL = Product(
    name="Kestrel",
    place="origin",
    server=("kestrel",),
    request_limit=never(),
    idle_timeout=Setting("Limits.KeepAliveTimeout", "130 s", f"{_LIMITS}.keepalivetimeout"),
    lifetime=never(),
    errors=always("closes after each request that it refuses itself, as with 400, 408 or 431"),
    limits=(
        Limit(
            (413,),
            Setting("Limits.MaxRequestBodySize", "30,000,000 B", f"{_LIMITS}.maxrequestbodysize"),
        ),
        Limit(
            (414,), Setting("Limits.MaxRequestLineSize", "8,192 B", f"{_LIMITS}.maxrequestlinesize")
        ),
        Limit(
            (431,),
            Setting(
                "Limits.MaxRequestHeadersTotalSize",
                "32,768 B",
                f"{_LIMITS}.maxrequestheaderstotalsize",
            ),
        ),
    ),
)
PHP = Product(
    name="PHP",
    place="origin",
    keep_alive=always(
        "is a development server (php -S), and keeps no connection", is_announced=True
    ),
)
KAB = Product(
    name="kab serve",
    place="origin",
    server=("kab",),
    keep_alive=Setting("--connection-close", "", _KAB),
    request_limit=Setting("--close-after / --silent-close-after", "no limit", _KAB),
    idle_timeout=Setting("--idle-timeout", "none", _KAB),
    lifetime=Setting("--max-age", "none", _KAB),
    errors=Setting("--fault error-close", "", _KAB),
    http_1_1=Setting("--http-10", "", _KAB, note="leave it out"),
)
RUNTIMES = (*(NODE, GO, PUMA, TOMCAT, JETTY, JAVA, KESTREL, PHP, KAB),)
