"""HAProxy, Varnish and Caddy."""

from __future__ import annotations

from support.servers.case import EACH, IDLE, Case, Cure, idle
from support.servers.launchers.proxies import caddy, haproxy, varnish

from keepalive_bench.connections.products.gateways import HAPROXY, VARNISH
from keepalive_bench.connections.products.web_servers import CADDY

PROXIES = (
    Case(
        product=HAPROXY,
        decides="idle_timeout",
        setting="`timeout http-keep-alive 400ms`",
        documented="waits that long for a new request to appear on a client's connection "
        "(`timeout http-request` if not set, then `timeout client`)",
        start=haproxy("timeout http-keep-alive 400ms"),
        code="idle-timeout",
        served=IDLE,
        traffic=idle(0.4),
        cure=Cure("`timeout http-keep-alive 75s`", haproxy("timeout http-keep-alive 75s")),
    ),
    Case(
        product=HAPROXY,
        decides="keep_alive",
        setting="`option httpclose`",
        documented="closes the client's connection after each response",
        start=haproxy("option httpclose"),
        code="server-close",
        served=EACH,
        cure=Cure("`option http-keep-alive`", haproxy("option http-keep-alive")),
    ),
    Case(
        product=VARNISH,
        decides="idle_timeout",
        setting="`-p timeout_idle=0.4`",
        documented="closes a client's connection that is idle for that long (5 s if not set)",
        start=varnish("timeout_idle=0.4"),
        code="idle-timeout",
        served=IDLE,
        traffic=idle(0.4),
        cure=Cure("`-p timeout_idle=75`", varnish("timeout_idle=75")),
    ),
    Case(
        product=CADDY,
        decides="idle_timeout",
        setting="`timeouts { idle 400ms }`",
        documented="waits that long for the next request (5 min if not set)",
        start=caddy("servers {\ntimeouts {\nidle 400ms\n}\n}"),
        code="idle-timeout",
        served=IDLE,
        traffic=idle(0.4),
        cure=Cure("`timeouts { idle 5m }`", caddy("servers {\ntimeouts {\nidle 5m\n}\n}")),
    ),
)
