"""Requests that a proxy forwards: each counts for the server that it names.

A connection counts for the first server that it was opened for; some libraries use it for others.
"""

from __future__ import annotations

import sys
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest
from support.analysed import analysed, reasons, told, troubles
from support.forwarding import forwarding
from support.misbehaving import ANSWER
from support.programs import ran

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from keepalive_bench.trace.usage import Usage

FIRST, SECOND = "http://first.example:8001", "http://second.example:8080"
URLS = """
import sys

urls = [f"http://{it}/" for it in ("first.example:8001", "second.example:8080")] * 3
proxy = sys.argv[1]
"""
URLLIB3 = """
import urllib3
manager = urllib3.ProxyManager(proxy)
for url in urls:
    manager.request("GET", url)
"""
REQUESTS = """
import requests
session = requests.Session()
for url in urls:
    session.get(url, proxies={"http": proxy})
"""
HTTP_CLIENT = """
from http.client import HTTPConnection
connection = HTTPConnection(proxy.partition("//")[2])
for url in urls:
    connection.request("GET", url)
    connection.getresponse().read()
"""
URLLIB = """
from urllib.request import ProxyHandler, build_opener
opener = build_opener(ProxyHandler({"http": proxy}))
for url in urls:
    opener.open(url).read()
"""
HTTPX = """
import inspect, httpx
name = "proxy" if "proxy" in inspect.signature(httpx.Client).parameters else "proxies"
with httpx.Client(**{name: proxy}) as client:
    for url in urls:
        client.get(url)
"""
AIOHTTP = """
import asyncio, aiohttp

async def main():
    async with aiohttp.ClientSession() as session:
        for url in urls:
            async with session.get(url, proxy=proxy) as response:
                await response.read()

asyncio.run(main())
"""
SHARED = {FIRST: (3, 1, 2), SECOND: (3, 0, 3)}
APART = {FIRST: (3, 1, 2), SECOND: (3, 1, 2)}
FOR_EACH = {FIRST: (3, 3, 0), SECOND: (3, 3, 0)}


def by_origin(usage: Usage) -> dict[str, tuple[int, int, int]]:
    """Requests, connections and how often one was reused."""
    return {it.origin: (it.requests, it.connections, it.reused) for it in usage.origins}


def check(
    python: str, program: str, expected: dict[str, tuple[int, int, int]], folder: Path
) -> None:
    file = folder / "app.py"
    file.write_text(f"{URLS}{program}", encoding="utf-8")
    with forwarding() as to:
        done = analysed([python, str(file), to.url], folder / "records", {"NO_PROXY": ""})
        assert done.code == 0, done.err
        assert told(done.usage) == (to.proxy.accepts, to.asked.total())
        assert {it.via for it in done.usage.origins} == {to.url}
        assert {name: it[0] for name, it in by_origin(done.usage).items()} == to.asked
    assert by_origin(done.usage) == expected
    assert set(reasons(done.usage)) <= {"keeps-none"}
    assert troubles(done.usage) == []


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        pytest.param(URLLIB3, SHARED, id="urllib3"),
        pytest.param(REQUESTS, SHARED, id="requests"),
        pytest.param(HTTP_CLIENT, SHARED, id="http.client"),
        pytest.param(URLLIB, FOR_EACH, id="urllib.request"),
        pytest.param(HTTPX, APART, id="httpx"),
        pytest.param(AIOHTTP, APART, id="aiohttp"),
    ],
)
def test_each_request_counts_for_the_server_it_names(
    program: str, expected: dict[str, tuple[int, int, int]], tmp_path: Path
) -> None:
    check(sys.executable, program, expected, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("program", "expected"),
    [
        pytest.param(URLLIB3, SHARED, id="urllib3"),
        pytest.param(REQUESTS, SHARED, id="requests"),
        pytest.param(HTTPX, SHARED, id="httpx"),
        pytest.param(AIOHTTP, FOR_EACH, id="aiohttp"),
    ],
)
def test_so_it_is_in_the_lowest_versions(
    program: str,
    expected: dict[str, tuple[int, int, int]],
    venvs: Callable[[str], str],
    tmp_path: Path,
) -> None:
    check(venvs("lowest"), program, expected, tmp_path)


def test_a_connection_takes_the_place_of_one_that_the_proxy_closed_for_another_server(
    tmp_path: Path,
) -> None:
    file = tmp_path / "app.py"
    file.write_text(f"{URLS}{URLLIB3}", encoding="utf-8")
    closing = ANSWER.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with forwarding(closing, served=1) as to:
        usage = analysed([sys.executable, str(file), to.url], tmp_path / "records").usage
        assert told(usage) == (to.proxy.accepts, to.asked.total()) == (6, 6)
    assert by_origin(usage) == FOR_EACH
    assert reasons(usage) == {"server-close": 5}
    openings = [it for origin in usage.origins for it in origin.openings if it.who == "proxy"]
    assert sum(it.connections for it in openings) == 5


def test_what_leads_to_the_server_that_answers_leads_nowhere_else(tmp_path: Path) -> None:
    program = dedent("""
        import sys, urllib3
        manager = urllib3.ProxyManager(sys.argv[1])
        for host in ("first.example", "second.example"):
            manager.request("GET", f"http://{host}/", redirect=False)
    """)
    leading = ANSWER.replace(b"200 OK", b"302 Found\r\nLocation: http://second.example/elsewhere")
    with forwarding(leading) as to:
        seen = ran(tmp_path, program, to.url)
    first, second = seen.exchanges
    assert first.redirect is not None
    assert first.redirect.name == "second.example:80"
    assert (second.origin and second.origin.name, second.redirect) == ("second.example:80", None)
