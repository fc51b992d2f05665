"""The servers of Node, Go, Java, PHP and Ruby."""

from __future__ import annotations

import signal

from support.servers.case import (
    EACH,
    EVERY_4,
    IDLE,
    MUCH_UNREAD,
    POSTED,
    RESTARTED,
    UNREAD,
    Case,
    Cure,
    Pause,
    Traffic,
    idle,
    restarted,
)
from support.servers.launchers.runtimes import go, java, jetty, node, php, puma, tomcat

from keepalive_bench.connections.products.runtimes import (
    GO,
    JAVA,
    JETTY,
    NODE,
    PHP,
    PUMA,
    TOMCAT,
)

_JAVA = "https://docs.oracle.com/en/java/javase/17/docs/api/jdk.httpserver/module-summary.html"

RUNTIMES = (
    Case(
        product=NODE,
        decides="idle_timeout",
        setting="`server.keepAliveTimeout = 400`, `server.keepAliveTimeoutBuffer = 0`",
        documented="destroys a socket on which nothing comes for that long, in milliseconds, "
        "after the last response; newer versions add a buffer (1 s if not set)",
        start=node(keepAliveTimeout=400, keepAliveTimeoutBuffer=0),
        code="idle-timeout",
        served=IDLE,
        traffic=idle(0.4, 1.4),
        cure=Cure("`server.keepAliveTimeout = 75000`", node(keepAliveTimeout=75_000)),
    ),
    Case(
        product=NODE,
        decides="request_limit",
        setting="`server.maxRequestsPerSocket = 4`",
        documented="at the limit (none if not set) the response says `Connection: close`",
        start=node(maxRequestsPerSocket=4),
        code="server-close",
        served=EVERY_4,
        cure=Cure("`server.maxRequestsPerSocket = 0`", node(maxRequestsPerSocket=0)),
    ),
    Case(
        product=NODE,
        decides="recycling",
        setting="`server.closeIdleConnections()`",
        documented="closes connections that have no request under way",
        start=node(keepAliveTimeout=75_000),
        code="recycled",
        served=RESTARTED,
        traffic=restarted(signal.SIGUSR2),
    ),
    Case(
        product=GO,
        decides="idle_timeout",
        setting="`Server.IdleTimeout = 400 * time.Millisecond`",
        documented="waits that long for the next request (`ReadTimeout` if not set, then for ever)",
        start=go(IdleMs=400),
        code="idle-timeout",
        served=IDLE,
        traffic=idle(0.4),
        cure=Cure("`Server.IdleTimeout = 75 * time.Second`", go(IdleMs=75_000)),
    ),
    Case(
        product=GO,
        decides="keep_alive",
        setting="`server.SetKeepAlivesEnabled(false)`",
        documented="keeps no connection",
        start=go(DisableKeepAlives=True),
        code="server-close",
        served=EACH,
        cure=Cure("`server.SetKeepAlivesEnabled(true)`", go()),
    ),
    Case(
        product=GO,
        decides="unread_body",
        page="https://pkg.go.dev/net/http#Request",
        setting="a handler that reads no bodies",
        documented="says only that the server closes the body; it reads 256 KiB of what the "
        "handler left, and closes the connection where there is more",
        start=go(),
        code="server-close",
        served=EACH,
        traffic=MUCH_UNREAD,
        cure=Cure("a handler that reads them", go(ReadsBody=True)),
    ),
    Case(
        product=GO,
        page="https://pkg.go.dev/net/http#MaxBytesReader",
        setting="`http.MaxBytesReader(…, 1000)`",
        documented="fails to read a larger body, and has the connection closed when the limit is "
        "met",
        start=go(MaxBytes=1000),
        code="error-response",
        served=EACH,
        traffic=POSTED,
        cure=Cure("`http.MaxBytesReader(…, 10_000)`", go(MaxBytes=10_000)),
    ),
    Case(
        product=JAVA,
        decides="idle_timeout",
        setting="`-Dsun.net.httpserver.idleInterval=1`",
        documented="keeps an idle connection for that long (30 s if not set), and longer as its "
        "timer is coarse (`clockTick`, 10 s if not set, 0.2 s here)",
        start=java(idleInterval=1, clockTick=200),
        code="idle-timeout",
        served=IDLE,
        traffic=idle(1, 2),
        cure=Cure("`-Dsun.net.httpserver.idleInterval=75`", java(idleInterval=75, clockTick=200)),
    ),
    Case(
        product=JAVA,
        page=_JAVA,
        setting="`-Dsun.net.httpserver.maxIdleConnections=0`",
        documented="keeps at most that many idle connections (200 if not set); with 0 it closes "
        "each after use",
        start=java(maxIdleConnections=0),
        code="request-limit",
        served=EACH,
        traffic=Traffic(halts={1: Pause(0.2), 2: Pause(0.2), 3: Pause(0.2)}),
        cure=Cure("`-Dsun.net.httpserver.maxIdleConnections=200`", java(maxIdleConnections=200)),
    ),
    Case(
        product=JAVA,
        decides="unread_body",
        setting="`-Dsun.net.httpserver.drainAmount=1000`",
        documented="reads that much of a body that the handler left unread (64 KiB if not set), "
        "and closes where there is more",
        start=java(drainAmount=1000),
        code="unread-request",
        served=EACH,
        traffic=UNREAD,
        cure=Cure("`-Dsun.net.httpserver.drainAmount=1000000`", java(drainAmount=1_000_000)),
    ),
    Case(
        product=TOMCAT,
        decides="idle_timeout",
        setting='`keepAliveTimeout="400"`',
        documented="waits that long, in milliseconds, for the next request (`connectionTimeout` if "
        "not set)",
        start=tomcat(keepAliveTimeout=400),
        code="idle-timeout",
        served=IDLE,
        traffic=idle(0.4, 1.4),
        cure=Cure('`keepAliveTimeout="75000"`', tomcat(keepAliveTimeout=75_000)),
    ),
    Case(
        product=TOMCAT,
        decides="request_limit",
        setting='`maxKeepAliveRequests="4"`',
        documented="closes a connection after that many requests (100 if not set)",
        start=tomcat(maxKeepAliveRequests=4),
        code="server-close",
        served=EVERY_4,
        cure=Cure('`maxKeepAliveRequests="-1"`', tomcat(maxKeepAliveRequests=-1)),
    ),
    Case(
        product=JETTY,
        decides="idle_timeout",
        setting="`jetty.http.idleTimeout=1500`",
        documented="closes a connection that is idle for that long, in milliseconds (30 s if not "
        "set)",
        start=jetty(http_idleTimeout=1500),  # less, and a slow first answer is cut off
        code="idle-timeout",
        served=IDLE,
        traffic=idle(1.5),
        cure=Cure("`jetty.http.idleTimeout=75000`", jetty(http_idleTimeout=75_000)),
    ),
    Case(
        product=JETTY,
        decides="keep_alive",
        setting="`jetty.httpConfig.persistentConnectionsEnabled=false`",
        documented="keeps no connection",
        start=jetty(httpConfig_persistentConnectionsEnabled="false"),
        code="server-close",
        served=EACH,
        cure=Cure(
            "`jetty.httpConfig.persistentConnectionsEnabled=true`",
            jetty(httpConfig_persistentConnectionsEnabled="true"),
        ),
    ),
    Case(
        product=PHP,
        decides="keep_alive",
        page="https://www.php.net/manual/en/features.commandline.webserver.php",
        setting="`php -S`",
        documented="a server for development; it says nothing of keep-alive, and keeps no "
        "connection",
        start=php(),
        code="server-close",
        served=EACH,
    ),
    Case(
        product=PUMA,
        decides="idle_timeout",
        setting="`persistent_timeout 1`",
        documented="waits that long for the next request (20 s if not set)",
        start=puma("persistent_timeout 1"),
        code="idle-timeout",
        served=IDLE,
        traffic=idle(1),
        cure=Cure("`persistent_timeout 75`", puma("persistent_timeout 75")),
    ),
)
