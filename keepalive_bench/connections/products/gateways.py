"""Proxies, balancers and networks in front of servers; and proxies of the client's own side."""

from __future__ import annotations

from keepalive_bench.connections.products.product import (
    Limit,
    Product,
    Setting,
    always,
    never,
    undocumented,
)

_HAPROXY = "https://docs.haproxy.org/3.2/configuration.html"
_ENVOY = (
    "https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/core/v3/protocol.proto"
    "#config-core-v3-httpprotocoloptions"
)
_ENVOY_HTTP_1 = (
    "https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/core/v3/protocol.proto"
    "#config-core-v3-http1protocoloptions"
)
_ENVOY_MANAGER = (
    "https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/filters/network/"
    "http_connection_manager/v3/http_connection_manager.proto"
)
_ENVOY_ROUTE = (
    "https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto"
    "#config-route-v3-routeaction"
)
_TRAEFIK = "https://doc.traefik.io/traefik/reference/install-configuration/entrypoints/"
_TRAEFIK_TRANSPORT = (
    "https://doc.traefik.io/traefik/reference/routing-configuration/http/load-balancing/"
    "serverstransport/"
)
_VARNISH = "https://varnish-cache.org/docs/trunk/reference/varnishd.html"
_AWS = "https://docs.aws.amazon.com/elasticloadbalancing/latest"
_ALB = f"{_AWS}/application/edit-load-balancer-attributes.html"
_CLOUDFRONT = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide"
_CLOUDFLARE = "https://developers.cloudflare.com/fundamentals/reference/connection-limits/"
_GOOGLE = "https://cloud.google.com/load-balancing/docs/https"
_SQUID = "https://www.squid-cache.org/Doc/config"

HAPROXY = Product(
    name="HAProxy",
    place="gateway",
    unreached_is_503=True,
    keep_alive=Setting(
        "option httpclose", "not set", f"{_HAPROXY}#4.2-option%20httpclose", is_announced=True
    ),
    request_limit=never(),
    idle_timeout=Setting(
        "timeout http-keep-alive",
        "timeout http-request, else timeout client",
        f"{_HAPROXY}#4.2-timeout%20http-keep-alive",
    ),
    lifetime=never(),
    errors=always("closes after its own 400 and 408"),
    limits=(
        Limit(
            (400,),
            Setting(
                "tune.bufsize",
                "16,384 B",
                f"{_HAPROXY}#3.2-tune.bufsize",
                note="less tune.maxrewrite",
            ),
        ),
    ),
    recycling=Setting(
        "option idle-close-on-response",
        page=f"{_HAPROXY}#4.2-option%20idle-close-on-response",
        note="without it, a reload closes idle connections",
    ),
    upstream=Setting(
        "option http-server-close",
        "not set",
        f"{_HAPROXY}#4.2-option%20http-server-close",
        note="keeps none, and so does pool-max-conn 0 of server; http-reuse and pool-purge-delay "
        "leave stale ones",
    ),
    tls_sessions=Setting(
        "tune.ssl.cachesize and no-tls-tickets", page=f"{_HAPROXY}#3.2-tune.ssl.cachesize"
    ),
    upstream_wait=Setting("timeout server", "none", f"{_HAPROXY}#4.2-timeout%20server"),
)
ENVOY = Product(
    name="Envoy",
    place="gateway",
    unreached_is_503=True,
    also=("istio",),
    server=("envoy", "istio-envoy"),
    keep_alive=Setting(
        "max_requests_per_connection", "no limit", _ENVOY, note="1 turns it off", is_announced=True
    ),
    request_limit=Setting("max_requests_per_connection", "no limit", _ENVOY, is_announced=True),
    idle_timeout=Setting(
        "idle_timeout",
        "1 h",
        _ENVOY,
        note="of common_http_protocol_options; drain_timeout comes on top",
    ),
    lifetime=Setting("max_connection_duration", "none", _ENVOY),
    errors=always("closes after its own 400, 408, 426, 431 and 501", _ENVOY_HTTP_1),
    limits=(Limit((431,), Setting("max_request_headers_kb", "60 KiB", _ENVOY_MANAGER)),),
    upstream=Setting(
        "idle_timeout and max_requests_per_connection of the cluster's HttpProtocolOptions",
        "1 h and no limit",
        _ENVOY,
    ),
    upstream_wait=Setting("timeout of the route", "15 s", _ENVOY_ROUTE),
)
TRAEFIK = Product(
    name="Traefik",
    place="gateway",
    unreached_is_503=True,
    request_limit=Setting("transport.keepAliveMaxRequests", "no limit", _TRAEFIK),
    idle_timeout=Setting("transport.respondingTimeouts.idleTimeout", "180 s", _TRAEFIK),
    lifetime=Setting("transport.keepAliveMaxTime", "none", _TRAEFIK),
    errors=always("closes after its own 400, 431, 501 and 505"),
    upstream=Setting(
        "forwardingTimeouts.idleConnTimeout of serversTransport", "90 s", _TRAEFIK_TRANSPORT
    ),
    upstream_wait=Setting(
        "forwardingTimeouts.responseHeaderTimeout of serversTransport", "none", _TRAEFIK_TRANSPORT
    ),
)
VARNISH = Product(
    name="Varnish",
    place="gateway",
    unreached_is_503=True,
    also=("vinyl", "fastly"),
    server=("varnish",),
    via=("varnish",),
    request_limit=never(),
    idle_timeout=Setting(
        "timeout_idle", "5 s", f"{_VARNISH}#timeout-idle", note="on Fastly it isn't settable"
    ),
    lifetime=never(),
    errors=always("closes after a 400, and keeps the connection after its own 503"),
    limits=(Limit((400,), Setting("http_req_hdr_len", "8 KiB", f"{_VARNISH}#http-req-hdr-len")),),
    upstream=Setting("backend_idle_timeout", "60 s", f"{_VARNISH}#backend-idle-timeout"),
    upstream_wait=Setting("first_byte_timeout", "60 s", f"{_VARNISH}#first-byte-timeout"),
)
ALB = Product(
    name="AWS ALB",
    place="edge",
    unreached_is_503=True,
    also=("alb", "elb"),
    server=("awselb",),
    request_limit=undocumented(_ALB),
    idle_timeout=Setting(
        "idle_timeout.timeout_seconds",
        "60 s",
        _ALB,
    ),
    lifetime=Setting("client_keep_alive.seconds", "3,600 s", _ALB),
    errors=undocumented(f"{_AWS}/application/load-balancer-troubleshooting.html"),
    upstream=Setting("idle_timeout.timeout_seconds", "60 s", _ALB),
    upstream_wait=Setting("idle_timeout.timeout_seconds", "60 s", _ALB),
)
NLB = Product(
    name="AWS NLB",
    place="edge",
    also=("nlb",),
    request_limit=never("forwards TCP and knows no requests"),
    idle_timeout=Setting(
        "tcp.idle_timeout.seconds",
        "350 s",
        f"{_AWS}/network/update-idle-timeout.html",
        note="it drops the connection silently; fixed for TLS listeners",
    ),
    lifetime=never("has no connections of its own to clients"),
    errors=never("forwards TCP and knows no responses"),
    upstream=never("passes each client's connection on, and keeps none"),
)
CLOUDFRONT = Product(
    name="CloudFront",
    place="edge",
    server=("cloudfront",),
    via=("cloudfront", ".cloudfront.net"),
    request_limit=always("has no setting for connections of viewers"),
    idle_timeout=always("has no setting for connections of viewers"),
    lifetime=always("has no setting for connections of viewers"),
    errors=undocumented(f"{_CLOUDFRONT}/troubleshooting-response-errors.html"),
    upstream=Setting(
        "OriginKeepaliveTimeout",
        "5 s",
        f"{_CLOUDFRONT}/DownloadDistValuesOrigin.html#DownloadDistValuesOriginKeepaliveTimeout",
    ),
    upstream_wait=Setting(
        "OriginReadTimeout",
        "30 s",
        f"{_CLOUDFRONT}/DownloadDistValuesOrigin.html#DownloadDistValuesOriginResponseTimeout",
    ),
)
CLOUDFLARE = Product(
    name="Cloudflare",
    place="edge",
    server=("cloudflare",),
    request_limit=undocumented(_CLOUDFLARE),
    idle_timeout=always(
        "closes a connection after 400 s without a request, and has no setting for that",
        _CLOUDFLARE,
    ),
    lifetime=undocumented(_CLOUDFLARE),
    errors=undocumented(_CLOUDFLARE),
    upstream=always(
        "keeps a connection to an origin for 900 s without a request, and has no setting for that",
        _CLOUDFLARE,
    ),
    upstream_wait=Setting(
        "Proxy Read Timeout", "120 s", _CLOUDFLARE, note="for Enterprise zones; it answers 524"
    ),
)
GOOGLE = Product(
    name="Google Cloud LB",
    place="edge",
    via=("google",),
    request_limit=undocumented(_GOOGLE),
    idle_timeout=Setting(
        "httpKeepAliveTimeoutSec",
        "610 s",
        f"{_GOOGLE}#timeout-keepalive-client",
        note="600 s for a regional one; a classic one has no setting",
    ),
    lifetime=always(
        "may end connections after any response, to spread them, and has no setting for that",
        f"{_GOOGLE}/request-distribution",
    ),
    errors=undocumented(f"{_GOOGLE}/request-distribution"),
    upstream=always(
        "keeps a connection to a backend for 600 s without a request, and has no setting for that",
        _GOOGLE,
    ),
)
SQUID = Product(
    name="Squid",
    place="proxy",
    server=("squid",),
    via=("squid",),
    keep_alive=Setting(
        "client_persistent_connections", "on", f"{_SQUID}/client_persistent_connections/"
    ),
    request_limit=never(),
    idle_timeout=Setting(
        "client_idle_pconn_timeout", "2 min", f"{_SQUID}/client_idle_pconn_timeout/"
    ),
    lifetime=Setting("pconn_lifetime", "none", f"{_SQUID}/pconn_lifetime/"),
    errors=Setting(
        "persistent_connection_after_error", "on", f"{_SQUID}/persistent_connection_after_error/"
    ),
    upstream=Setting("server_idle_pconn_timeout", "1 min", f"{_SQUID}/server_idle_pconn_timeout/"),
)
TINYPROXY = Product(
    name="tinyproxy",
    place="proxy",
    server=("tinyproxy",),
    via=("tinyproxy",),
    keep_alive=always("serves one request on each connection, and no setting changes that"),
    request_limit=always("serves one request on each connection, and no setting changes that"),
)
GATEWAYS = (HAPROXY, ENVOY, TRAEFIK, VARNISH, ALB, NLB, CLOUDFRONT, CLOUDFLARE, GOOGLE)
PROXIES = (SQUID, TINYPROXY)
