"""nginx, Apache and lighttpd."""

from __future__ import annotations

import signal

from support.servers.case import (
    AGED,
    AGEING,
    EACH,
    EVERY_4,
    IDLE,
    POSTED,
    RESTARTED,
    Case,
    Cure,
    Traffic,
    idle,
    restarted,
)
from support.servers.launchers.python import stdlib
from support.servers.launchers.web_servers import apache, apache_before, lighttpd, nginx

from keepalive_bench import Variation
from keepalive_bench.connections.products.web_servers import APACHE, LIGHTTPD, NGINX

_BROKEN = Variation(fields=(("broken", ("no", "no", "yes", "no", "yes")),))
"""The third and the fifth of five requests are answered by an error."""
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
        product=NGINX,
        decides="lifetime",
        setting="`keepalive_time 600ms`",
        documented="closes a connection after the first request that it serves when that old "
        "(1 h if not set)",
        start=nginx("keepalive_time 600ms;"),
        code="max-age",
        served=AGED,
        traffic=AGEING,
        cure=Cure("`keepalive_time 1h`", nginx("keepalive_time 1h;")),
    ),
    Case(
        product=NGINX,
        decides="errors",
        page=f"{_NGINX}#client_max_body_size",
        setting="`client_max_body_size 1k`",
        documented="answers 413 to a larger body (than 1 MiB if not set); it closes after that",
        start=nginx("client_max_body_size 1k;"),
        code="error-response",
        served=EACH,
        traffic=POSTED,
        cure=Cure("`client_max_body_size 1m`", nginx("client_max_body_size 1m;")),
    ),
    Case(
        product=NGINX,
        decides="errors",
        page=_NGINX,
        setting="`return 500`",
        documented="says nothing of it, but closes after its own 400, 413, 414, 495, 496, 497, 500 "
        "and 501",
        start=nginx("if ($arg_broken = yes) { return 500; }"),
        code="error-response",
        served=(3, 2, 3, 2),
        traffic=Traffic(options={"variation": _BROKEN}),
    ),
    Case(
        product=NGINX,
        page="https://nginx.org/en/docs/control.html",
        setting="`nginx -s reload`",
        documented="starts new workers, and has the old ones end gracefully",
        start=nginx(""),
        code="recycled",
        served=RESTARTED,
        traffic=restarted(signal.SIGHUP),
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
        product=APACHE,
        page="https://httpd.apache.org/docs/2.4/stopping.html#graceful",
        setting="`apachectl graceful`",
        documented="children end when they have served their request, and new ones take their "
        "places",
        start=apache("KeepAliveTimeout 75"),
        code="recycled",
        served=RESTARTED,
        traffic=restarted(signal.SIGUSR1),
    ),
    Case(
        product=APACHE,
        page="https://httpd.apache.org/docs/2.4/stopping.html#hup",
        setting="`apachectl restart`",
        documented="ends the children at once, and starts new ones",
        start=apache("KeepAliveTimeout 75"),
        code="recycled",
        served=RESTARTED,
        traffic=restarted(signal.SIGHUP),
    ),
    Case(
        product=APACHE,
        decides="errors",
        page=f"{_APACHE}#limitrequestbody",
        setting="`LimitRequestBody 1000`",
        documented="answers 413 to a larger body (than 1 GiB if not set); it closes after that",
        start=apache("LimitRequestBody 1000"),
        code="error-response",
        served=EACH,
        traffic=POSTED,
        cure=Cure("`LimitRequestBody 0`", apache("LimitRequestBody 0")),
    ),
    Case(
        product=APACHE,
        is_hidden=True,
        decides="errors",
        page="https://httpd.apache.org/docs/2.4/mod/mod_proxy.html#proxypass",
        setting="`ProxyPass`, to a server that answers 500",
        documented="says nothing of it, but closes after each 400, 408, 411, 413, 414, 500, 501 "
        "and 503, whoever answers so",
        start=apache_before(
            stdlib(protocol_version="HTTP/1.1", wbufsize=10_000, broken_status=500)
        ),
        code="error-response",
        served=(3, 2, 3, 2),
        traffic=Traffic(options={"variation": _BROKEN}),
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
    Case(
        product=LIGHTTPD,
        decides="errors",
        page=f"{_LIGHTTPD}/Server_max-request-field-sizeDetails",
        setting="`server.max-request-field-size = 100`",
        documented="answers 431 to a longer header (than 8 KiB if not set); it closes after that",
        start=lighttpd("server.max-request-field-size = 100"),
        code="error-response",
        served=EACH,
        traffic=Traffic(options={"headers": (("X-Long", 200 * "x"),)}),
        cure=Cure(
            "`server.max-request-field-size = 8192`",
            lighttpd("server.max-request-field-size = 8192"),
        ),
    ),
    Case(
        product=LIGHTTPD,
        page=f"{_LIGHTTPD}/Docs_InitScript",
        setting="`kill -USR1`",
        documented="restarts gracefully: it finishes the requests under way, and reads its "
        "configuration anew",
        start=lighttpd("server.max-keep-alive-idle = 75"),
        code="recycled",
        served=RESTARTED,
        traffic=restarted(signal.SIGUSR1),
    ),
)
