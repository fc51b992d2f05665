"""nginx, Apache, HAProxy, Caddy, Envoy and Varnish before a server that closes sooner."""

from __future__ import annotations

from support.servers.case import Cure
from support.servers.gateway import GatewayCase, Keeps
from support.servers.launchers.proxies import caddy, envoy, haproxy, varnish
from support.servers.launchers.python import closing
from support.servers.launchers.web_servers import apache_before, nginx_before

from keepalive_bench.connections.products.gateways import ENVOY, HAPROXY, VARNISH
from keepalive_bench.connections.products.web_servers import APACHE, CADDY, NGINX

SOON = Keeps("0.3 s", closing(idle_s=0.3), pause_s=0.45)
SLOW = Keeps("1.2 s", closing(idle_s=1.2), pause_s=1.4)
"""For gateways that count in whole seconds."""
THIRD = Keeps("3 requests", closing(requests=3))

GATEWAYS = (
    GatewayCase(
        product=NGINX,
        start=nginx_before(SOON.server, "keepalive 4;"),
        setting="`keepalive 4`",
        keeps=SOON,
        says="502",
        cure=Cure(
            "`keepalive_timeout 100ms` in `upstream`",
            nginx_before(SOON.server, "keepalive 4; keepalive_timeout 100ms;"),
        ),
    ),
    GatewayCase(
        product=NGINX,
        start=nginx_before(THIRD.server, "keepalive 4;"),
        setting="`keepalive 4`",
        keeps=THIRD,
        says="502",
        cure=Cure(
            "`keepalive_requests 3` in `upstream`",
            nginx_before(THIRD.server, "keepalive 4; keepalive_requests 3;"),
        ),
    ),
    GatewayCase(
        product=APACHE,
        start=apache_before(SLOW.server),
        setting="`ProxyPass`",
        keeps=SLOW,
        says="closed-before-response",
        cure=Cure("`ProxyPass … ttl=1`", apache_before(SLOW.server, "ttl=1")),
    ),
    GatewayCase(
        product=HAPROXY,
        start=haproxy(behind=SOON.server),
        keeps=SOON,
        says="closed-before-response",
        cure=Cure(
            "`pool-max-conn 0` of `server`", haproxy(behind=SOON.server, server="pool-max-conn 0")
        ),
    ),
    GatewayCase(
        product=HAPROXY,
        start=haproxy(behind=THIRD.server),
        keeps=THIRD,
        says="closed-before-response",
        cure=Cure(
            "`option http-server-close`", haproxy("option http-server-close", behind=THIRD.server)
        ),
    ),
    GatewayCase(
        product=CADDY,
        start=caddy(behind=SOON.server),
        keeps=SOON,
        says="502",
        cure=Cure(
            "`keepalive 100ms` of `reverse_proxy`",
            caddy(proxy="transport http {\n keepalive 100ms\n }", behind=SOON.server),
        ),
    ),
    GatewayCase(
        product=ENVOY,
        start=envoy(behind=SOON.server),
        keeps=SOON,
        says="503",
        cure=Cure(
            "`idle_timeout: 0.1s` of the cluster",
            envoy(behind=SOON.server, cluster={"idle_timeout": "0.1s"}),
        ),
        takes_long=True,
    ),
    GatewayCase(
        product=ENVOY,
        start=envoy(behind=THIRD.server),
        keeps=THIRD,
        says="503",
        cure=Cure(
            "`max_requests_per_connection: 3` of the cluster",
            envoy(behind=THIRD.server, cluster={"max_requests_per_connection": 3}),
        ),
    ),
    GatewayCase(
        product=VARNISH,
        start=varnish(behind=SLOW.server),
        keeps=SLOW,
        says="503",
        cure=Cure(
            "`-p backend_idle_timeout=1`", varnish("backend_idle_timeout=1", behind=SLOW.server)
        ),
        takes_long=True,
    ),
)
