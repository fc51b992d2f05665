"""Servers written for Python."""

from __future__ import annotations

from keepalive_bench.connections.products.product import Limit, Product, Setting, always, never

_GUNICORN = "https://docs.gunicorn.org/en/stable/settings.html"
_UVICORN = "https://www.uvicorn.org/settings/"
_UWSGI = "https://uwsgi-docs.readthedocs.io/en/latest/Options.html"
_HYPERCORN = "https://hypercorn.readthedocs.io/en/latest/how_to_guides/configuring.html"
_WAITRESS = "https://docs.pylonsproject.org/projects/waitress/en/stable/arguments.html"
_TORNADO = "https://www.tornadoweb.org/en/stable/httpserver.html"
_SANIC = "https://sanic.dev/en/guide/running/configuration.html"
_GRANIAN = "https://github.com/emmett-framework/granian#options"
_AIOHTTP = "https://docs.aiohttp.org/en/stable/web_reference.html"
_CHEROOT = "https://cheroot.cherrypy.dev/en/latest/pkg/cheroot.server/"
_WERKZEUG = "https://werkzeug.palletsprojects.com/en/stable/changes/#version-2-1-2"
_TWISTED = "https://docs.twisted.org/en/stable/api/twisted.web.http.HTTPFactory.html"
_HTTP_SERVER = "https://docs.python.org/3/library/http.server.html"
_WSGIREF = "https://docs.python.org/3/library/wsgiref.html#module-wsgiref.simple_server"
_ONE_REQUEST = (
    "is for development: it answers one request on each connection, as HTTP/1.0, and no setting "
    "changes that; Django's runserver, which has its name, keeps connections, unless --nothreading"
)

GUNICORN = Product(
    name="gunicorn",
    place="origin",
    server=("gunicorn",),
    keep_alive=Setting(
        "--worker-class",
        "sync",
        f"{_GUNICORN}#worker-class",
        note="sync keeps no connection, gthread does",
        is_announced=True,
    ),
    request_limit=Setting(
        "--max-requests",
        "no limit",
        f"{_GUNICORN}#max-requests",
        note="of a worker, on any connection",
        is_announced=True,
    ),
    idle_timeout=Setting(
        "--keep-alive",
        "2 s",
        f"{_GUNICORN}#keepalive",
        late_s=1.0,  # gthread looks when something happens, or a second later
    ),
    lifetime=never(),
    errors=always("closes after its own 400, 414, 431 and 501, and after a 500 for an exception"),
    limits=(
        Limit(
            (414,), Setting("--limit-request-line", "4,094 B", f"{_GUNICORN}#limit-request-line")
        ),
        Limit(
            (431,),
            Setting(
                "--limit-request-field_size", "8,190 B", f"{_GUNICORN}#limit-request-field-size"
            ),
        ),
    ),
    unread_body=always("closes where the application leaves much of a body unread"),
    recycling=Setting("--max-requests", "no limit", f"{_GUNICORN}#max-requests"),
)
UVICORN = Product(
    name="uvicorn",
    place="origin",
    unavailable="--limit-concurrency is reached, or the application says so",
    server=("uvicorn",),
    request_limit=never(
        "limits the requests of a process (--limit-max-requests), not of a connection"
    ),
    idle_timeout=Setting("--timeout-keep-alive", "5 s", f"{_UVICORN}#timeouts"),
    lifetime=never(),
    errors=always("closes after its own 400 and 503, and after a 500 for an exception"),
    limits=(
        Limit((503,), Setting("--limit-concurrency", "no limit", f"{_UVICORN}#resource-limits")),
        Limit(
            (400,),
            Setting(
                "--h11-max-incomplete-event-size",
                "64 KiB",
                f"{_UVICORN}#implementation",
                note="of h11, not of httptools",
            ),
        ),
    ),
    recycling=Setting("--limit-max-requests", "no limit", f"{_UVICORN}#resource-limits"),
)
UWSGI = Product(
    name="uWSGI",
    place="origin",
    keep_alive=Setting(
        "--http-keepalive",
        "not set",
        f"{_UWSGI}#http-keepalive",
        note="with --http; --http-socket keeps no connection, --http11-socket does",
    ),
    request_limit=never("limits the requests of a worker (--max-requests), not of a connection"),
    idle_timeout=Setting(
        "--http-timeout",
        "60 s",
        f"{_UWSGI}#http-timeout",
        note="or the seconds that --http-keepalive is given; with --http11-socket it is "
        "--socket-timeout, 4 s",
    ),
    lifetime=never(),
    errors=always("closes without an answer after an exception, and after what it can't read"),
    unread_body=always("closes where the application leaves a body unread"),
    recycling=Setting("--max-requests", "no limit", f"{_UWSGI}#max-requests"),
)
HYPERCORN = Product(
    name="hypercorn",
    place="origin",
    server=("hypercorn-h11", "hypercorn-h2", "hypercorn-h3"),
    request_limit=Setting("keep_alive_max_requests", "1,000", _HYPERCORN, is_announced=True),
    idle_timeout=Setting("keep_alive_timeout", "5 s", _HYPERCORN),
    lifetime=never(),
    errors=always("closes after its own 400, 431 and 501, and after a 500 for an exception"),
    limits=(Limit((431,), Setting("h11_max_incomplete_size", "16,384 B", _HYPERCORN)),),
    recycling=Setting("max_requests", "no limit", _HYPERCORN),
)
WAITRESS = Product(
    name="waitress",
    place="origin",
    server=("waitress",),
    request_limit=never(),
    idle_timeout=Setting(
        "channel_timeout",
        "120 s",
        _WAITRESS,
        note="checked every cleanup_interval, 30 s",
        late_s=30.0,
    ),
    lifetime=never(),
    errors=always("closes after its own 400, 413, 431 and 501, and after a 500 for an exception"),
    limits=(
        Limit((413,), Setting("max_request_body_size", "1 GiB", _WAITRESS)),
        Limit((431,), Setting("max_request_header_size", "256 KiB", _WAITRESS)),
    ),
    unread_body=never("reads each body before the application sees the request"),
)
TORNADO = Product(
    name="Tornado",
    place="origin",
    server=("tornadoserver",),
    keep_alive=Setting("no_keep_alive", "False", _TORNADO, is_announced=True),
    request_limit=never(),
    idle_timeout=Setting("idle_connection_timeout", "3,600 s", _TORNADO),
    lifetime=never(),
    errors=always("closes after its own 400"),
)
SANIC = Product(
    name="Sanic",
    place="origin",
    keep_alive=Setting("KEEP_ALIVE", "True", _SANIC, is_announced=True),
    request_limit=never(),
    idle_timeout=Setting(
        "KEEP_ALIVE_TIMEOUT",
        "120 s",
        _SANIC,
        older="5 s in older versions",
        late_s=1.0,  # it looks once a second
    ),
    lifetime=never(),
    errors=always("closes after its own 400 and 413"),
    limits=(Limit((413,), Setting("REQUEST_MAX_SIZE", "100,000,000 B", _SANIC)),),
)
DAPHNE = Product(
    name="Daphne",
    place="origin",
    server=("daphne",),
    request_limit=never(),
    idle_timeout=always(
        "closes a connection after 60 s without a request, and has no setting for it"
    ),
    lifetime=never(),
    errors=always("closes after its own 400"),
)
GRANIAN = Product(
    name="Granian",
    place="origin",
    server=("granian",),
    keep_alive=Setting("--http1-keep-alive", "on", _GRANIAN, is_announced=True),
    request_limit=never(),
    idle_timeout=Setting(
        "--http1-header-read-timeout", "30,000 ms", _GRANIAN, note="60,000 at most"
    ),
    lifetime=never(),
    errors=always("closes after its own 400 and 414"),
    unread_body=always("closes where the application leaves much of a body unread"),
    recycling=Setting("--workers-lifetime", "none", _GRANIAN),
)
AIOHTTP = Product(
    name="aiohttp",
    place="origin",
    server=("aiohttp",),
    request_limit=never(),
    idle_timeout=Setting(
        "keepalive_timeout",
        "75 s",
        f"{_AIOHTTP}#aiohttp.web.run_app",
        note="of run_app or AppRunner",
    ),
    lifetime=never(),
    errors=always("closes after its own 400, and after a 500 for an exception"),
    limits=(
        Limit(
            (413,),
            Setting(
                "client_max_size of Application", "1 MiB", f"{_AIOHTTP}#aiohttp.web.Application"
            ),
        ),
    ),
    unread_body=Setting("lingering_time", "10 s", f"{_AIOHTTP}#aiohttp.web.AppRunner"),
)
CHEROOT = Product(
    name="cheroot",
    place="origin",
    server=("cheroot",),
    keep_alive=Setting(
        "keep_alive_conn_limit", "10", _CHEROOT, "0 turns it off", is_announced=True
    ),
    request_limit=never(),
    idle_timeout=Setting("timeout", "10 s", _CHEROOT, late_s=1.0),
    lifetime=never(),
    errors=always(
        "closes after each 413, its own 400, 501 and 505, and after a 500 for an exception"
    ),
    limits=(
        Limit((413,), Setting("max_request_body_size", "no limit", _CHEROOT)),
        Limit((413,), Setting("max_request_header_size", "no limit", _CHEROOT)),
    ),
    recycling=Setting(
        "keep_alive_conn_limit", "10", _CHEROOT, note="how many waiting connections it keeps"
    ),
)
WERKZEUG = Product(
    name="Werkzeug",
    place="origin",
    server=("werkzeug",),
    keep_alive=always(
        "is a development server, and keeps no connection", _WERKZEUG, is_announced=True
    ),
)
TWISTED = Product(
    name="Twisted",
    place="origin",
    server=("twistedweb",),
    request_limit=never(),
    idle_timeout=Setting("timeout of Site", "60 s", _TWISTED),
    lifetime=never(),
    errors=always("closes after its own 400"),
)
HTTP_SERVER = Product(
    name="http.server",
    place="origin",
    server=("basehttp", "simplehttp"),
    keep_alive=Setting(
        "protocol_version", '"HTTP/1.0"', _HTTP_SERVER, note="HTTP/1.0 keeps no connection"
    ),
    request_limit=never(),
    idle_timeout=Setting("timeout of the handler", "none", _HTTP_SERVER),
    lifetime=never(),
    errors=always("closes after each error that send_error answers"),
    unread_body=always("takes what is left of a body for the next request"),
    http_1_1=Setting("protocol_version", '"HTTP/1.0"', _HTTP_SERVER),
)
WSGIREF = Product(
    name="wsgiref",
    place="origin",
    also=("runserver",),
    server=("wsgiserver",),
    keep_alive=always(_ONE_REQUEST, _WSGIREF),
    http_1_1=always(_ONE_REQUEST, _WSGIREF),
)
PYTHON_SERVERS = (
    *(GUNICORN, UVICORN, UWSGI, HYPERCORN, WAITRESS, TORNADO, SANIC, DAPHNE, GRANIAN, AIOHTTP),
    *(CHEROOT, WERKZEUG, TWISTED, HTTP_SERVER, WSGIREF),
)
