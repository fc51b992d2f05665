"""The table: real servers, and what each one's documentation says about keep-alive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from support.servers.launchers import gunicorn, haproxy, hypercorn, nginx, node, script, uvicorn

if TYPE_CHECKING:
    from support.servers.launchers import Launcher


@dataclass(frozen=True, kw_only=True)
class Case:
    """A server, how it is set up, and what follows from its documentation."""

    server: str
    page: str
    """Where its documentation says so."""
    setting: str
    """In the words of the server's own users; empty: as it comes."""
    documented: str
    start: Launcher
    code: str
    """The reason for each connection after the first."""
    served: tuple[int, ...]
    """How many requests each connection carries."""
    idle_s: float | None = None
    """After how long the server closes an idle connection; the first one is left idle so."""
    tls: bool = False

    @property
    def name(self) -> str:
        return " ".join(filter(None, [self.server, self.setting])).replace("`", "")

    @property
    def reasons(self) -> dict[str, int]:
        return {"first-use": 1, self.code: len(self.served) - 1}


IDLE, EACH, EVERY_4 = (3, 2), (1, 1, 1, 1), (4, 4, 2)
"""Left idle after the third request; a connection for each request; one for every four."""

GUNICORN = "https://docs.gunicorn.org/en/stable/settings.html#keepalive"
HYPERCORN = "https://hypercorn.readthedocs.io/en/latest/how_to_guides/configuring.html"
CHEROOT = "https://cheroot.cherrypy.dev/en/latest/pkg/cheroot.server/"
WERKZEUG = "https://werkzeug.palletsprojects.com/en/stable/changes/#version-2-1-2"
STDLIB = "https://docs.python.org/3/library/http.server.html"
NGINX = "https://nginx.org/en/docs/http/ngx_http_core_module.html"
HAPROXY = "https://docs.haproxy.org/2.6/configuration.html"
NODE = "https://nodejs.org/api/http.html"


def stdlib(**attributes: object) -> Launcher:
    return script("serve_http_server.py", **attributes)


BEHIND = stdlib(protocol_version="HTTP/1.1")

CASES = (
    Case(
        server="uvicorn",
        page="https://www.uvicorn.org/settings/#timeouts",
        setting="`--timeout-keep-alive 1`",
        documented="closes a kept connection on which nothing comes for that long (5 s if not set)",
        start=uvicorn("--timeout-keep-alive", 1),
        code="idle-timeout",
        served=IDLE,
        idle_s=1,
    ),
    Case(
        server="gunicorn",
        page=GUNICORN,
        setting="`--worker-class sync --keep-alive 5`",
        documented="sync workers, the default, keep no connection and ignore `--keep-alive`",
        start=gunicorn("--worker-class", "sync", "--keep-alive", 5),
        code="server-close",
        served=EACH,
    ),
    Case(
        server="gunicorn",
        page=GUNICORN,
        setting="`--worker-class gthread --keep-alive 1`",
        documented="waits that long for the next request (2 s if not set)",
        start=gunicorn("--worker-class", "gthread", "--keep-alive", 1),
        code="idle-timeout",
        served=IDLE,
        idle_s=1,
    ),
    Case(
        server="waitress",
        page="https://docs.pylonsproject.org/projects/waitress/en/stable/arguments.html",
        setting="`channel_timeout=1, cleanup_interval=1`",
        documented="looks every `cleanup_interval` (30 s if not set) for connections on which "
        "nothing happened for `channel_timeout` (120 s if not set), and closes them",
        start=script("serve_waitress.py", channel_timeout=1, cleanup_interval=1),
        code="idle-timeout",
        served=IDLE,
        idle_s=1,
    ),
    Case(
        server="hypercorn",
        page=HYPERCORN,
        setting="`keep_alive_timeout = 0.4`",
        documented="keeps an inactive connection for that long (5 s if not set)",
        start=hypercorn(keep_alive_timeout=0.4),
        code="idle-timeout",
        served=IDLE,
        idle_s=0.4,
    ),
    Case(
        server="hypercorn",
        page=HYPERCORN,
        setting="`keep_alive_max_requests = 4`",
        documented="closes a connection after that many requests (1,000 if not set)",
        start=hypercorn(keep_alive_max_requests=4),
        code="server-close",
        served=EVERY_4,
    ),
    Case(
        server="cheroot",
        page=CHEROOT,
        setting="`timeout=1`",
        documented="the timeout of accepted connections (10 s if not set)",
        start=script("serve_cheroot.py", timeout=1),
        code="idle-timeout",
        served=IDLE,
        idle_s=1,
    ),
    Case(
        server="cheroot",
        page=CHEROOT,
        setting="`keep_alive_conn_limit=0`",
        documented="keeps at most that many waiting connections open (10 if not set)",
        start=script("serve_cheroot.py", keep_alive_conn_limit=0),
        code="server-close",
        served=EACH,
    ),
    Case(
        server="werkzeug",
        page=WERKZEUG,
        setting="`threaded=True`",
        documented="the development server keeps no connection since 2.1.2",
        start=script("serve_werkzeug.py", threaded=True),
        code="server-close",
        served=EACH,
    ),
    Case(
        server="aiohttp",
        page="https://docs.aiohttp.org/en/stable/web_reference.html#aiohttp.web.AppRunner",
        setting="`keepalive_timeout=0.4`",
        documented="closes a connection that is idle for that long",
        start=script("serve_aiohttp.py", keepalive_timeout=0.4),
        code="idle-timeout",
        served=IDLE,
        idle_s=0.4,
    ),
    Case(
        server="http.server",
        page=STDLIB,
        setting="",
        documented="speaks HTTP/1.0 and keeps no connection, unless `protocol_version` is set",
        start=stdlib(),
        code="http-1.0",
        served=EACH,
    ),
    Case(
        server="http.server",
        page=STDLIB,
        setting='`protocol_version = "HTTP/1.1"`, `timeout = 0.4`',
        documented="keeps connections; a read that takes longer than the handler's `timeout` "
        "(none if not set) ends one",
        start=stdlib(protocol_version="HTTP/1.1", timeout=0.4),
        code="idle-timeout",
        served=IDLE,
        idle_s=0.4,
    ),
    Case(
        server="nginx",
        page=f"{NGINX}#keepalive_timeout",
        setting="`keepalive_timeout 400ms`",
        documented="keeps a connection open for that long (75 s if not set)",
        start=nginx("keepalive_timeout 400ms;"),
        code="idle-timeout",
        served=IDLE,
        idle_s=0.4,
    ),
    Case(
        server="nginx",
        page=f"{NGINX}#keepalive_timeout",
        setting="`keepalive_timeout 400ms`, over TLS",
        documented="the same",
        start=nginx("keepalive_timeout 400ms;", tls=True),
        code="idle-timeout",
        served=IDLE,
        idle_s=0.4,
        tls=True,
    ),
    Case(
        server="nginx",
        page=f"{NGINX}#keepalive_timeout",
        setting="`keepalive_timeout 0`",
        documented="keeps no connection",
        start=nginx("keepalive_timeout 0;"),
        code="server-close",
        served=EACH,
    ),
    Case(
        server="nginx",
        page=f"{NGINX}#keepalive_requests",
        setting="`keepalive_requests 4`",
        documented="closes a connection after that many requests (1,000 if not set)",
        start=nginx("keepalive_requests 4;"),
        code="server-close",
        served=EVERY_4,
    ),
    Case(
        server="HAProxy",
        page=f"{HAPROXY}#timeout%20http-keep-alive",
        setting="`timeout http-keep-alive 400ms`",
        documented="waits that long for a new request to appear on a client's connection "
        "(`timeout http-request` if not set, then `timeout client`)",
        start=haproxy("timeout http-keep-alive 400ms", BEHIND),
        code="idle-timeout",
        served=IDLE,
        idle_s=0.4,
    ),
    Case(
        server="HAProxy",
        page=f"{HAPROXY}#option%20httpclose",
        setting="`option httpclose`",
        documented="closes the client's connection after each response",
        start=haproxy("option httpclose", BEHIND),
        code="server-close",
        served=EACH,
    ),
    Case(
        server="Node",
        page=f"{NODE}#serverkeepalivetimeout",
        setting="`server.keepAliveTimeout = 400`, `server.keepAliveTimeoutBuffer = 0`",
        documented="destroys a socket on which nothing comes for that long, in milliseconds, "
        "after the last response; newer versions add a buffer (1 s if not set)",
        start=node(keepAliveTimeout=400, keepAliveTimeoutBuffer=0),
        code="idle-timeout",
        served=IDLE,
        idle_s=0.4,
    ),
    Case(
        server="Node",
        page=f"{NODE}#servermaxrequestspersocket",
        setting="`server.maxRequestsPerSocket = 4`",
        documented="at the limit (none if not set) the response says `Connection: close`",
        start=node(maxRequestsPerSocket=4),
        code="server-close",
        served=EVERY_4,
    ),
)
