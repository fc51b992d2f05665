"""Connections of behaviours alone, tried at a real server, without the rest of a probe."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from support.patience import PATIENCE_S

from keepalive_bench import Network, Target, Tls
from keepalive_bench.plan.probing import ProbePlan, Probing
from keepalive_bench.probe.behaviours import behaviours_of, lives_of
from keepalive_bench.probe.transport import LiveTransport
from keepalive_bench.server import CERTIFICATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keepalive_bench.probe.lives import Life
    from keepalive_bench.probe.probed import Behaviour
    from keepalive_bench.probe.record import Seen

TRUSTING = Tls(ca_file=CERTIFICATE)


def probe_plan(
    url: str,
    *groups: str,
    tls: Tls = TRUSTING,
    network: Network | None = None,
    **probing: Any,  # noqa: ANN401  # of any part of it
) -> ProbePlan:
    """A plan that tries groups of behaviours."""
    asked = Probing(behaviours=groups, **probing)
    return ProbePlan(Target(url), tls=tls, network=network or Network(), probing=asked)


def behaved(
    url: str,
    *groups: str,
    only: str = "",
    **options: Any,  # noqa: ANN401  # as above
) -> dict[str, Behaviour]:
    """What comes of them, by name; or of those connections whose name ends so."""
    plan = probe_plan(url, *groups, **options)
    lives = [it for each in lives_of(plan).values() for it in each if it.name.endswith(only)]
    found = behaviours_of(plan.probing.behaviours, lived(plan, lives))
    named = {it.name: it for it in found}
    assert len(named) == len(found), found
    return named


def lived(plan: ProbePlan, lives: list[Life]) -> tuple[Seen, ...]:
    """What is seen of connections that live one after the other."""
    woken = threading.Event()
    transport = LiveTransport(plan, woken.set, lambda _: woken.wait(0.05))
    try:
        return tuple(_lived(transport, number, life) for number, life in enumerate(lives))
    finally:
        transport.close()


def _lived(transport: LiveTransport, number: int, life: Life) -> Seen:
    transport.begin(number, life)
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        noted = transport.wait(transport.now_s() + 1)
        if noted is not None and noted.is_over:
            return noted.seen
    raise AssertionError(f"{life} isn't over")


@contextmanager
def http_server(*, reads: bool = True) -> Iterator[str]:
    """Python's own server with HTTP/1.1; its URL. It may leave a body unread."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:  # the name that http.server calls
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def do_POST(self) -> None:  # the same
            if reads:
                self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join(PATIENCE_S)
