"""What an exchange raises that nobody foresaw is a failure of that exchange, not the run's end."""

from __future__ import annotations

import http.client
import ssl
from typing import TYPE_CHECKING, Any

import pytest
import urllib3.connection
import urllib3.response
from server.wire import settings
from support.misbehaving import forever, misbehaving
from support.plans import exchange, run

from keepalive_bench import Arm, Target
from keepalive_bench.net import pools, response_parser, tcp, tracer
from keepalive_bench.server import CERTIFICATE, ServerProcess

if TYPE_CHECKING:
    from collections.abc import Callable

PHASES: dict[str, tuple[object, str]] = {
    "taking a connection": (pools.OnePool, "take"),
    "resolving the name": (tcp.Dialer, "resolve"),
    "connecting": (tcp.Dialer, "connect"),
    "noting the connection": (tracer.Tracer, "opened"),
    "sending": (http.client.HTTPConnection, "putheader"),
    "waiting": (http.client.HTTPResponse, "begin"),
    "receiving": (urllib3.response.HTTPResponse, "stream"),
    "giving it back": (pools.OnePool, "give_back"),
    "reading the fields": (response_parser.ResponseParser, "parsed"),
    "noting the response": (tracer.Tracer, "answered"),
}


def failing_once(function: Callable[..., Any], error: Exception) -> Callable[..., Any]:
    """The same function, but for its first call."""
    errors = [error]

    def wrapped(*given: Any, **named: Any) -> Any:  # noqa: ANN401  # any function's
        if errors:
            raise errors.pop()
        return function(*given, **named)

    return wrapped


@pytest.mark.parametrize(
    ("phase", "kind"),
    [*((phase, "pooled") for phase in PHASES), ("receiving", "unpooled"), ("sending", "unpooled")],
)
def test_the_run_goes_on(phase: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, name = PHASES[phase]
    error = TypeError("no such thing")
    monkeypatch.setattr(owner, name, failing_once(getattr(owner, name), error))
    with misbehaving(forever()) as server:
        measured = run(server.url, arms=(Arm(kind),), requests=3, warmup=0)
        assert server.accepts == len(measured.connections) + (name == "opened")
    first, *others = [it.outcome.failure for it in measured.exchanges]
    assert first is not None
    assert first.kind == "other"
    assert first.message.startswith(f"{type(error).__name__}: {error}")
    assert others == [None, None]


def test_in_a_tls_handshake(monkeypatch: pytest.MonkeyPatch) -> None:
    wrap = failing_once(ssl.SSLContext.wrap_socket, TypeError("no such thing"))
    monkeypatch.setattr(ssl.SSLContext, "wrap_socket", wrap)
    with ServerProcess(settings(tls=True)) as server:  # which has no part in it
        measured = run(server.url, arms=(Arm("pooled"),), requests=2, warmup=0, ca_file=CERTIFICATE)
    first, second = [it.outcome.failure for it in measured.exchanges]
    assert first == ("other", "TypeError: no such thing")
    assert second is None


def test_while_asking_for_a_tunnel(monkeypatch: pytest.MonkeyPatch) -> None:
    owner: Any = urllib3.connection.HTTPConnection
    monkeypatch.setattr(owner, "_tunnel", failing_once(owner._tunnel, TypeError("no such thing")))
    with misbehaving(forever()) as proxy:
        failed = exchange("https://kab.invalid/", proxy=Target(proxy.url)).outcome
    assert failed.failure == ("other", "TypeError: no such thing")
