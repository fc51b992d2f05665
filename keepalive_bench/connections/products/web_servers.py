"""Web servers, which are put in front of applications, too."""

from __future__ import annotations

from keepalive_bench.connections.products.product import (
    Limit,
    Product,
    Setting,
    always,
    never,
    undocumented,
)

_NGINX = "https://nginx.org/en/docs/http/ngx_http_core_module.html"
_NGINX_UPSTREAM = "https://nginx.org/en/docs/http/ngx_http_upstream_module.html"
_NGINX_SSL = "https://nginx.org/en/docs/http/ngx_http_ssl_module.html"
_APACHE = "https://httpd.apache.org/docs/2.4/mod/core.html"
_LIGHTTPD = "https://redmine.lighttpd.net/projects/lighttpd/wiki/Docs_ConfigurationOptions"
_CADDY = "https://caddyserver.com/docs/caddyfile"
_IIS = "https://learn.microsoft.com/en-us/iis/configuration"
_HTTP_SYS = (
    "https://learn.microsoft.com/en-us/windows/win32/http/"
    "types-of-errors-logged-by-the-http-server-api"
)
_ARR = (
    "https://learn.microsoft.com/en-us/previous-versions/windows/it-pro/"
    "windows-server-2008-R2-and-2008/dd443533(v=ws.10)"
)

NGINX = Product(
    name="nginx",
    place="gateway",
    unavailable="a limit is reached (limit_req, limit_conn), its configuration says so (return), "
    "or the server behind it did; nginx gives 502 where it can't reach that",
    server=("nginx", "openresty", "tengine", "angie", "freenginx"),
    keep_alive=Setting(
        "keepalive_timeout",
        "75 s",
        f"{_NGINX}#keepalive_timeout",
        note="0 turns it off",
        is_announced=True,
    ),
    request_limit=Setting(
        "keepalive_requests",
        "1,000",
        f"{_NGINX}#keepalive_requests",
        older="100 before 1.19.10",
        is_announced=True,
    ),
    idle_timeout=Setting(
        "keepalive_timeout",
        "75 s",
        f"{_NGINX}#keepalive_timeout",
        note="a second value is what it announces",
    ),
    lifetime=Setting("keepalive_time", "1 h", f"{_NGINX}#keepalive_time", older="from 1.19.10"),
    errors=always("closes after its own 400, 413, 414, 495, 496, 497, 500 and 501"),
    limits=(
        Limit((413,), Setting("client_max_body_size", "1 MiB", f"{_NGINX}#client_max_body_size")),
        Limit(
            (400, 414),
            Setting(
                "large_client_header_buffers", "4 of 8 KiB", f"{_NGINX}#large_client_header_buffers"
            ),
        ),
        Limit(
            (503,),
            Setting(
                "limit_req and limit_conn",
                page="https://nginx.org/en/docs/http/ngx_http_limit_req_module.html",
                note="limit_req_status and limit_conn_status choose another status than 503",
            ),
        ),
    ),
    recycling=Setting(
        "keepalive_min_timeout",
        page=f"{_NGINX}#keepalive_min_timeout",
        older="from 1.27.4",
        note="without it, a reload closes idle connections",
    ),
    upstream=Setting(
        "keepalive_timeout and keepalive_requests in upstream",
        "60 s and 1,000",
        f"{_NGINX_UPSTREAM}#keepalive",
        note="off before 1.29.7, unless keepalive, proxy_http_version 1.1 and proxy_set_header "
        'Connection "" are set',
    ),
    tls_sessions=Setting(
        "ssl_session_tickets and ssl_session_cache", page=f"{_NGINX_SSL}#ssl_session_tickets"
    ),
    upstream_wait=Setting(
        "proxy_read_timeout",
        "60 s",
        "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout",
    ),
)
APACHE = Product(
    name="Apache",
    place="gateway",
    unreached_is_503=True,
    also=("httpd", "apache2"),
    server=("apache",),
    keep_alive=Setting("KeepAlive", "On", f"{_APACHE}#keepalive", is_announced=True),
    request_limit=Setting(
        "MaxKeepAliveRequests", "100", f"{_APACHE}#maxkeepaliverequests", is_announced=True
    ),
    idle_timeout=Setting("KeepAliveTimeout", "5 s", f"{_APACHE}#keepalivetimeout"),
    lifetime=never(),
    errors=always(
        "closes after each 400, 408, 411, 413, 414, 500, 501 and 503, of what is behind it, too"
    ),
    limits=(
        Limit(
            (413,),
            Setting(
                "LimitRequestBody",
                "1 GiB",
                f"{_APACHE}#limitrequestbody",
                older="no limit before 2.4.53",
            ),
        ),
        Limit((414,), Setting("LimitRequestLine", "8,190 B", f"{_APACHE}#limitrequestline")),
        Limit(
            (400,), Setting("LimitRequestFieldSize", "8,190 B", f"{_APACHE}#limitrequestfieldsize")
        ),
        Limit((400,), Setting("LimitRequestFields", "100", f"{_APACHE}#limitrequestfields")),
    ),
    recycling=Setting(
        "MaxConnectionsPerChild",
        "no limit",
        "https://httpd.apache.org/docs/2.4/mod/mpm_common.html#maxconnectionsperchild",
        note="a restart ends connections, too",
    ),
    upstream=Setting(
        "ttl of ProxyPass",
        "none",
        "https://httpd.apache.org/docs/2.4/mod/mod_proxy.html#proxypass",
        note="1 s at least; disablereuse=On and RewriteRule with [P] keep none",
    ),
    tls_sessions=Setting(
        "SSLSessionTickets and SSLSessionCache",
        page="https://httpd.apache.org/docs/2.4/mod/mod_ssl.html#sslsessiontickets",
    ),
    upstream_wait=Setting(
        "ProxyTimeout",
        "Timeout, 60 s",
        "https://httpd.apache.org/docs/2.4/mod/mod_proxy.html#proxytimeout",
    ),
)
LIGHTTPD = Product(
    name="lighttpd",
    place="gateway",
    server=("lighttpd",),
    keep_alive=Setting(
        "server.max-keep-alive-requests",
        "1,000",
        _LIGHTTPD,
        note="0 turns it off",
        is_announced=True,
    ),
    request_limit=Setting(
        "server.max-keep-alive-requests",
        "1,000",
        _LIGHTTPD,
        older="100 before 1.4.65",
        is_announced=True,
    ),
    idle_timeout=Setting(
        "server.max-keep-alive-idle",
        "5 s",
        _LIGHTTPD,
        late_s=2.0,  # it counts whole seconds, and looks when something happens, or a second later
    ),
    lifetime=never(),
    errors=always("closes after its own 400, 411, 413, 431, 501 and 505"),
    limits=(
        Limit((413,), Setting("server.max-request-size", "no limit", _LIGHTTPD)),
        Limit((431,), Setting("server.max-request-field-size", "8,192 B", _LIGHTTPD)),
    ),
    upstream=always("opens a connection for each request that it passes on (mod_proxy)"),
)
CADDY = Product(
    name="Caddy",
    place="gateway",
    server=("caddy",),
    via=("caddy",),
    request_limit=never(),
    idle_timeout=Setting("timeouts { idle }", "5 min", f"{_CADDY}/options#timeouts"),
    lifetime=never(),
    errors=always("closes after its own 400, 431, 501 and 505"),
    limits=(
        Limit(
            (413,),
            Setting("max_size of request_body", "no limit", f"{_CADDY}/directives/request_body"),
        ),
        Limit((431,), Setting("max_header_size", "1 MiB", f"{_CADDY}/options#max-header-size")),
    ),
    upstream=Setting(
        "keepalive of reverse_proxy", "2 min", f"{_CADDY}/directives/reverse_proxy#keepalive"
    ),
    upstream_wait=Setting(
        "response_header_timeout of reverse_proxy",
        "none",
        f"{_CADDY}/directives/reverse_proxy#response_header_timeout",
    ),
)
IIS = Product(
    name="IIS",
    place="gateway",
    server=("microsoft-iis", "microsoft-httpapi"),
    keep_alive=Setting("allowKeepAlive", "true", f"{_IIS}/system.webserver/httpprotocol/"),
    request_limit=never(),
    idle_timeout=Setting(
        "connectionTimeout", "2 min", f"{_IIS}/system.applicationhost/sites/sitedefaults/limits"
    ),
    lifetime=never(),
    errors=always("closes after each error that HTTP.sys answers itself", _HTTP_SYS),
    upstream=Setting("Keep alive of ARR's server proxy settings", page=_ARR),
)
_RECORDS = "https://docs.trafficserver.apache.org/en/latest/admin-guide/files/records.yaml.en.html"
TRAFFIC_SERVER = Product(
    name="Apache Traffic Server",
    place="gateway",
    server=("ats",),
    via=("apachetrafficserver", "trafficserver"),
    keep_alive=Setting(
        "proxy.config.http.keep_alive_enabled_in",
        "1",
        _RECORDS,
    ),
    request_limit=never(),
    idle_timeout=Setting(
        "proxy.config.http.keep_alive_no_activity_timeout_in",
        "120 s",
        _RECORDS,
    ),
    lifetime=never(),
    errors=undocumented(_RECORDS),
    upstream=Setting(
        "proxy.config.http.keep_alive_no_activity_timeout_out",
        "120 s",
        _RECORDS,
    ),
    upstream_wait=Setting(
        "proxy.config.http.transaction_no_activity_timeout_out", "30 s", _RECORDS
    ),
)
WEB_SERVERS = (NGINX, APACHE, LIGHTTPD, CADDY, IIS, TRAFFIC_SERVER)
