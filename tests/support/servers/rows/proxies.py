"""HAProxy, Envoy, Varnish and Caddy."""

from __future__ import annotations

import signal

from support.servers.case import (
    AGED,
    AGEING,
    EACH,
    EVERY_4,
    IDLE,
    LONG_HEADER,
    RESTARTED,
    Case,
    Cure,
    idle,
    restarted,
)
from support.servers.launchers.proxies import caddy, envoy, haproxy, varnish

from keepalive_bench.connections.products.gateways import ENVOY, HAPROXY, VARNISH
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
        product=HAPROXY,
        page="https://docs.haproxy.org/2.6/management.html#4",
        setting="`-W`, `kill -USR2`",
        documented="starts a new worker, and has the old one close idle connections and end",
        start=haproxy(mode="-W"),
        code="recycled",
        served=RESTARTED,
        traffic=restarted(signal.SIGUSR2, rest_s=1.2),
    ),
    Case(
        product=HAPROXY,
        decides="errors",
        page="https://docs.haproxy.org/3.2/configuration.html#3.2-tune.bufsize",
        setting="`tune.bufsize 8192`",
        documented="answers 400 to a header that doesn't fit (into 16 KiB, less `tune.maxrewrite`, "
        "if not set); it closes after that",
        start=haproxy(global_options="tune.bufsize 8192"),
        code="error-response",
        served=EACH,
        traffic=LONG_HEADER,
        cure=Cure("`tune.bufsize 16384`", haproxy(global_options="tune.bufsize 16384")),
    ),
    Case(
        product=ENVOY,
        decides="idle_timeout",
        setting="`idle_timeout: 0.4s`, `drain_timeout: 0.1s`",
        documented="drains a connection that has no request for that long (1 h if not set), which "
        "takes `drain_timeout` (5 s if not set) and `delayed_close_timeout` (1 s if not set)",
        start=envoy(drain_timeout="0.1s", idle_timeout="0.4s"),
        code="idle-timeout",
        served=IDLE,
        traffic=idle(0.5, 1.5),
        cure=Cure("`idle_timeout: 75s`", envoy(idle_timeout="75s")),
    ),
    Case(
        product=ENVOY,
        decides="request_limit",
        setting="`max_requests_per_connection: 4`",
        documented="closes a connection after that many requests (no limit if not set)",
        start=envoy(max_requests_per_connection=4),
        code="server-close",
        served=EVERY_4,
        cure=Cure("`max_requests_per_connection: 1000`", envoy(max_requests_per_connection=1000)),
    ),
    Case(
        product=ENVOY,
        decides="lifetime",
        setting="`max_connection_duration: 0.6s`",
        documented="drains a connection that is that old (no limit if not set): its next response "
        "says `Connection: close`",
        start=envoy(max_connection_duration="0.6s"),
        code="max-age",
        served=AGED,
        traffic=AGEING,
        cure=Cure("`max_connection_duration: 3600s`", envoy(max_connection_duration="3600s")),
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
