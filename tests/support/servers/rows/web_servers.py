"""nginx, Apache and lighttpd."""

from __future__ import annotations

from support.servers.case import (
    EACH,
    EVERY_4,
    IDLE,
    Case,
    Cure,
    idle,
)
from support.servers.launchers.web_servers import apache, lighttpd, nginx

from keepalive_bench.connections.products.web_servers import APACHE, LIGHTTPD, NGINX

_NGINX = "https://nginx.org/en/docs/http/ngx_http_core_module.html"
_APACHE = "https://httpd.apache.org/docs/2.4/mod/core.html"
_LIGHTTPD = "https://redmine.lighttpd.net/projects/lighttpd/wiki"

WEB_SERVERS = (
    Case(
        product=NGINX,
        decides="idle_timeout",
        setting="`keepalive_timeout 400ms`",
        documented="keeps a connection open for that long (75 s if not set)",
        start=nginx("keepalive_timeout 400ms;"),
        code="idle-timeout",
        served=IDLE,
        traffic=idle(0.4),
        cure=Cure("`keepalive_timeout 75s`", nginx("keepalive_timeout 75s;")),
    ),
    Case(
        product=NGINX,
        decides="idle_timeout",
        setting="`keepalive_timeout 400ms`, over TLS",
        documented="the same",
        start=nginx("keepalive_timeout 400ms;", tls=True),
        code="idle-timeout",
        served=IDLE,
        traffic=idle(0.4),
        tls=True,
        cure=Cure("`keepalive_timeout 75s`", nginx("keepalive_timeout 75s;", tls=True)),
    ),
    Case(
        product=NGINX,
        decides="keep_alive",
        setting="`keepalive_timeout 0`",
        documented="keeps no connection",
        start=nginx("keepalive_timeout 0;"),
        code="server-close",
        served=EACH,
        cure=Cure("`keepalive_timeout 75s`", nginx("keepalive_timeout 75s;")),
    ),
    Case(
        product=NGINX,
        decides="request_limit",
        setting="`keepalive_requests 4`",
        documented="closes a connection after that many requests (1,000 if not set)",
        start=nginx("keepalive_requests 4;"),
        code="server-close",
        served=EVERY_4,
        cure=Cure("`keepalive_requests 1000`", nginx("keepalive_requests 1000;")),
    ),
    Case(
        product=APACHE,
        decides="idle_timeout",
        setting="`KeepAliveTimeout 400ms`",
        documented="waits that long for the next request (5 s if not set)",
        start=apache("KeepAliveTimeout 400ms"),
        code="idle-timeout",
        served=IDLE,
        traffic=idle(0.4),
        cure=Cure("`KeepAliveTimeout 75`", apache("KeepAliveTimeout 75")),
    ),
    Case(
        product=APACHE,
        decides="request_limit",
        setting="`MaxKeepAliveRequests 4`",
        documented="allows that many requests on a connection (100 if not set, 0 is no limit); "
        "it carries one more",
        start=apache("MaxKeepAliveRequests 4"),
        code="server-close",
        served=(5, 5),
        cure=Cure("`MaxKeepAliveRequests 0`", apache("MaxKeepAliveRequests 0")),
    ),
    Case(
        product=APACHE,
        decides="keep_alive",
        setting="`KeepAlive Off`",
        documented="keeps no connection",
        start=apache("KeepAlive Off"),
        code="server-close",
        served=EACH,
        cure=Cure("`KeepAlive On`", apache("KeepAlive On")),
    ),
    Case(
        product=LIGHTTPD,
        decides="idle_timeout",
        setting="`server.max-keep-alive-idle = 1`",
        documented="closes a connection that is idle for that long (5 s if not set); its clock "
        "ticks once a second",
        start=lighttpd("server.max-keep-alive-idle = 1"),
        code="idle-timeout",
        served=IDLE,
        traffic=idle(1, 2),
        cure=Cure("`server.max-keep-alive-idle = 75`", lighttpd("server.max-keep-alive-idle = 75")),
    ),
    Case(
        product=LIGHTTPD,
        decides="request_limit",
        setting="`server.max-keep-alive-requests = 4`",
        documented="allows that many requests on a connection (1,000 if not set); it carries one "
        "more",
        start=lighttpd("server.max-keep-alive-requests = 4"),
        code="server-close",
        served=(5, 5),
        cure=Cure(
            "`server.max-keep-alive-requests = 1000`",
            lighttpd("server.max-keep-alive-requests = 1000"),
        ),
    ),
)
