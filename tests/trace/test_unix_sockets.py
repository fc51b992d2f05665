"""Servers on Unix sockets: each is an origin of its own, by its path."""

from __future__ import annotations

import sys
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest
from support.analysed import analysed, reasons, told, troubles
from support.counting import on_a_unix_socket

if TYPE_CHECKING:
    from pathlib import Path

HTTP_CLIENT = """
    import socket, sys
    from http.client import HTTPConnection

    class UnixConnection(HTTPConnection):
        def connect(self):
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.connect(sys.argv[1])

    connection = UnixConnection("localhost")
    for _ in range(3):
        connection.request("GET", "/version")
        connection.getresponse().read()
"""
HTTPX = """
    import sys, httpx

    with httpx.Client(transport=httpx.HTTPTransport(uds=sys.argv[1])) as client:
        for _ in range(3):
            client.get("http://here/version")
"""
AIOHTTP = """
    import asyncio, sys, aiohttp

    async def main():
        connector = aiohttp.UnixConnector(sys.argv[1])
        async with aiohttp.ClientSession(connector=connector) as session:
            for _ in range(3):
                async with session.get("http://here/version") as response:
                    await response.read()

    asyncio.run(main())
"""


@pytest.mark.parametrize(
    "program", [HTTP_CLIENT, HTTPX, AIOHTTP], ids=["http.client", "httpx", "aiohttp"]
)
def test_a_unix_socket_is_an_origin_by_its_path(program: str, tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    file.write_text(dedent(program), encoding="utf-8")
    with on_a_unix_socket() as server:
        done = analysed([sys.executable, str(file), *server.words], tmp_path / "records")
        assert told(done.usage) == server.counts() == (1, 3), done.err
    assert [it.origin for it in done.usage.origins] == [f"unix://{server.words[0]}"]
    assert (reasons(done.usage), troubles(done.usage)) == ({}, [])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has sockets without a file")
def test_one_without_a_file_is_named_as_linux_names_it(tmp_path: Path) -> None:
    program = HTTP_CLIENT.replace("sys.argv[1]", '"\\0" + sys.argv[1][1:]')
    file = tmp_path / "app.py"
    file.write_text(dedent(program), encoding="utf-8")
    name = f"@{tmp_path.name}"
    with on_a_unix_socket(f"\0{name[1:]}") as server:
        usage = analysed([sys.executable, str(file), name], tmp_path / "records").usage
        assert told(usage) == server.counts() == (1, 3)
    assert [it.origin for it in usage.origins] == [f"unix://{name}"]
