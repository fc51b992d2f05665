"""Who sends a request is told apart, whatever runs many at once; and all are counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.traced_clients import installed, running, traced

from keepalive_bench.server import Behaviour, Server, ServerSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.traced_clients import Traced

THREADS = """
import sys, threading
import requests

def fetch():
    for _ in range(2):
        session.get(sys.argv[1]).raise_for_status()

session = requests.Session()
threads = [threading.Thread(target=fetch) for _ in range(20)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""
GREENLETS = """
import sys
{before}
from gevent import joinall, spawn
{after}

def fetch():
    for _ in range(2):
        session.get(sys.argv[1]).raise_for_status()

session = requests.Session()
joinall([spawn(fetch) for _ in range(20)], raise_error=True)
"""
MONKEY = """
import warnings
warnings.simplefilter("ignore")
from gevent import monkey
monkey.patch_all()
"""
TRIO = """
import sys
import httpx, trio

async def fetch(client):
    for _ in range(2):
        (await client.get(sys.argv[1])).raise_for_status()

async def main():
    limits = httpx.Limits(max_keepalive_connections=10)
    async with httpx.AsyncClient(limits=limits) as client, trio.open_nursery() as nursery:
        for _ in range(20):
            nursery.start_soon(fetch, client)

trio.run(main)
"""


def seen(program: str) -> Traced:
    """Run 20 of something, each with 2 requests, on a pool of 10."""
    with Server(ServerSettings(behaviour=Behaviour(delay_s=0.02))) as server:
        found = traced(program, server.url)
        stats = server.stop()
    assert (found.opened, found.sent) == (stats.accepts, stats.requests)
    assert stats.requests == 40
    assert {it.most for it in found.clients if it.origin} <= {10}
    return found


def test_threads_are_told_apart() -> None:
    found = seen(THREADS)
    assert len({it.who for it in found.exchanges}) > 1
    assert set(found.endings) <= {"pool-full", "open"}


@pytest.fixture
def gevent(venvs: Callable[[str], str]) -> Iterator[None]:
    with running(venvs("newest")):
        yield


@pytest.mark.slow
@pytest.mark.timeout(400)  # the venv may have to be made
@pytest.mark.parametrize("order", ["patched-first", "patched-later"])
@pytest.mark.usefixtures("gevent")
def test_greenlets_are_told_apart(order: str) -> None:
    parts = (MONKEY, "import requests")
    before, after = parts if order == "patched-first" else reversed(parts)
    found = seen(GREENLETS.format(before=before, after=after))
    assert len({it.who for it in found.exchanges}) == 20
    assert sorted(set(found.endings)) == ["open", "pool-full"]


@pytest.mark.slow
def test_tasks_of_trio_are_told_apart(tmp_path_factory: pytest.TempPathFactory) -> None:
    with installed(tmp_path_factory, "httpx", "trio"):
        found = seen(TRIO)
    assert len({it.who for it in found.exchanges}) == 20
    assert set(found.endings) == {"client-closed", "pool-full"}
