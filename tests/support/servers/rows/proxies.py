"""HAProxy, Varnish and Caddy."""

from __future__ import annotations

from support.servers.case import EACH, IDLE, Case, Cure, idle
from support.servers.launchers.proxies import caddy, haproxy, varnish

_HAPROXY = "https://docs.haproxy.org/2.6/configuration.html"

PROXIES = (
    Case(
        server="HAProxy",
        page=f"{_HAPROXY}#timeout%20http-keep-alive",
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
        server="HAProxy",
        page=f"{_HAPROXY}#option%20httpclose",
        setting="`option httpclose`",
        documented="closes the client's connection after each response",
        start=haproxy("option httpclose"),
        code="server-close",
        served=EACH,
        cure=Cure("`option http-keep-alive`", haproxy("option http-keep-alive")),
    ),
    Case(
        server="Varnish",
        page="https://varnish-cache.org/docs/7.1/reference/varnishd.html#timeout-idle",
        setting="`-p timeout_idle=0.4`",
        documented="closes a client's connection that is idle for that long (5 s if not set)",
        start=varnish("timeout_idle=0.4"),
        code="idle-timeout",
        served=IDLE,
        traffic=idle(0.4),
        cure=Cure("`-p timeout_idle=75`", varnish("timeout_idle=75")),
    ),
    Case(
        server="Caddy",
        page="https://caddyserver.com/docs/caddyfile/options#timeouts",
        setting="`timeouts { idle 400ms }`",
        documented="waits that long for the next request (5 min if not set)",
        start=caddy("servers {\ntimeouts {\nidle 400ms\n}\n}"),
        code="idle-timeout",
        served=IDLE,
        traffic=idle(0.4),
        cure=Cure("`timeouts { idle 5m }`", caddy("servers {\ntimeouts {\nidle 5m\n}\n}")),
    ),
)
