"""What products do with HTTP/1.0, HEAD and unread bodies, each as it comes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

import pytest
from support.behaving import behaved
from support.servers.launchers.proxies import haproxy
from support.servers.launchers.python import gunicorn, hypercorn, uvicorn
from support.servers.launchers.runtimes import node
from support.servers.launchers.web_servers import apache, lighttpd
from support.servers.place import place

from keepalive_bench import Target

if TYPE_CHECKING:
    from support.servers.case import Launcher

    from keepalive_bench.probe.probed import Behaviour

pytestmark = pytest.mark.slow


class Expected(NamedTuple):
    """Whether each keeps the connection after something."""

    start: Launcher
    old: bool
    """HTTP/1.0 that asks for it."""
    posted: bool = True
    """A POST to what reads no body."""


SERVERS = {
    "Node": Expected(node(), old=False),
    "uvicorn": Expected(uvicorn(), old=False),
    "hypercorn": Expected(hypercorn(), old=False),
    "gunicorn": Expected(gunicorn("-k", "gthread"), old=True),
    "Apache": Expected(apache(""), old=True),
    "lighttpd": Expected(lighttpd(""), old=True, posted=False),
    "HAProxy": Expected(haproxy(), old=True),
}
each = pytest.mark.parametrize("name", SERVERS)


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, Behaviour]]:
    with ExitStack() as stack:
        urls = {}
        for name, it in SERVERS.items():
            at = stack.enter_context(place())
            stack.enter_context(it.start(at))
            urls[name] = f"http://127.0.0.1:{at.port}/"
        with ThreadPoolExecutor(len(urls)) as pool:
            tried = {name: pool.submit(_tried, url) for name, url in urls.items()}
            return {name: it.result() for name, it in tried.items()}


def _tried(url: str) -> dict[str, Behaviour]:
    return behaved(url, "head", "http1.0", "pipelining", "post", post_url=Target(url))


Found = dict[str, dict[str, "Behaviour"]]


@each
def test_http_1_0_is_kept_where_the_product_does(found: Found, name: str) -> None:
    assert found[name]["with keep-alive"].keeps is SERVERS[name].old


@each
def test_http_1_0_is_not_kept_where_it_isnt_asked_to(found: Found, name: str) -> None:
    assert found[name]["without keep-alive"].keeps is False


@each
def test_a_connection_is_kept_after_head(found: Found, name: str) -> None:
    assert found[name]["HEAD"].keeps


@each
def test_a_connection_is_kept_after_a_post_where_the_product_does(found: Found, name: str) -> None:
    assert found[name]["a POST"].keeps is SERVERS[name].posted


@each
def test_both_of_two_requests_at_once_are_answered(found: Found, name: str) -> None:
    """RFC 9112, section 9.3.2: a server has to take them, and to answer them in order."""
    assert found[name]["two requests at once"].text.startswith("Answers both of two requests")
