"""What `watch` counts, held against what the server saw, and that it leaves nothing behind."""

from __future__ import annotations

import asyncio
import errno
import gc
import http.client
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path
from textwrap import dedent
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import aiohttp
import pytest
import requests
import requests_mock
import responses
import urllib3
import urllib3.connection
import urllib3.connectionpool
import urllib3.poolmanager
import urllib3.response
from support.patience import PATIENCE_S

import keepalive_bench.trace
from keepalive_bench import KabError, RequirementError, UsageError, watch
from keepalive_bench.server import Behaviour, Server, ServerSettings
from keepalive_bench.trace.reading import read
from keepalive_bench.trace.tracer._kab_tracer import layout, lives
from keepalive_bench.trace.tracer._kab_tracer.tracing import Tracing
from keepalive_bench.trace.watch import Seen, usage_in

if TYPE_CHECKING:
    from collections.abc import Iterator

PATCHED = (
    http.client,
    urllib3.connection,
    urllib3.connectionpool,
    urllib3.poolmanager,
    urllib3.response,
    aiohttp.connector,
    aiohttp.client_reqrep,
    aiohttp.client_proto,
    multiprocessing.process,
    os,
)
"""Modules in which a tracer may put functions of its own."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(ServerSettings()) as server:
        yield server


def memory() -> str:
    """What is mapped into it; empty: nobody tells."""
    maps = Path("/proc/self/maps")
    return maps.read_text() if maps.exists() else ""


def functions() -> dict[tuple[str, str], object]:
    """The functions of those modules and of their classes."""
    found: dict[tuple[str, str], object] = {}
    for module in PATCHED:
        owners: list[type | ModuleType] = [module]
        owners += [it for it in vars(module).values() if isinstance(it, type)]
        for owner in owners:
            found.update(
                ((f"{module.__name__}.{owner.__name__}", name), it)
                for name, it in vars(owner).items()
                if isinstance(it, FunctionType)
            )
    return found


def test_the_counts_are_the_servers(server: Server) -> None:
    with watch() as seen:
        for _ in range(3):
            requests.get(server.url, timeout=9)
    assert (seen.connections(), seen.requests()) == (3, 3)
    assert (server.stats.accepts, server.stats.requests) == (3, 3)


def test_a_session_opens_one_connection(server: Server) -> None:
    with watch() as seen, requests.Session() as session:
        for _ in range(3):
            session.get(server.url)
    assert (seen.connections(), seen.requests()) == (1, 3)


def test_why_a_connection_was_opened_and_by_which_line_is_told(server: Server) -> None:
    with watch() as seen:
        for _ in range(3):
            requests.get(server.url, timeout=9)
    (origin,) = seen.usage.origins
    sites = {opening.site for opening in origin.openings}
    assert {(Path(it.file).name, it.function) for it in sites if it} == {
        ("test_watch.py", "test_why_a_connection_was_opened_and_by_which_line_is_told")
    }
    assert "test_watch.py" in seen.report()
    assert "requests.get" in seen.report()


def reasons(seen: Seen) -> dict[str, int]:
    """How many connections were opened for which reason."""
    found: Counter[str] = Counter()
    for opening in (it for origin in seen.usage.origins for it in origin.openings):
        found[opening.reason] += opening.connections
    return found


def test_clients_that_were_made_before_arent_taken_for_new_ones(server: Server) -> None:
    with requests.Session() as first, requests.Session() as second:
        second.get(f"http://localhost:{server.port}")
        with watch() as seen:
            for session in (first, second):
                session.get(server.url)
                session.get(server.url)
    assert reasons(seen) == {"first-use": 2}


@pytest.mark.parametrize(
    ("step", "told"), [(1, {"first-use": 1, "pool-full": 1}), (-1, {"first-use": 2})]
)
def test_a_pool_that_was_made_before_may_be_too_small(
    server: Server, step: int, told: dict[str, int]
) -> None:
    """It keeps what comes back first: the connection that nobody saw open, or the new one."""
    pools = urllib3.PoolManager(maxsize=1)
    pools.request("GET", server.url)
    with watch() as seen:
        for _ in range(2):
            at_once(2, pools, server.url, step)
    assert reasons(seen) == told


@pytest.mark.parametrize(
    ("was_there", "cure"),
    [
        (False, "Let the pool keep 4 connections"),
        (True, "Let the pool keep as many connections as there are requests at once"),
    ],
)
def test_how_many_places_a_pool_needs_is_known_where_all_its_connections_were_seen(
    server: Server, was_there: object, cure: str
) -> None:
    before = urllib3.PoolManager(maxsize=2)
    at_once(4, before, server.url)
    with watch() as seen:
        pools = before if was_there else urllib3.PoolManager(maxsize=2)
        for _ in range(2):
            at_once(4, pools, server.url)
    (origin,) = seen.usage.origins
    assert [it.cure for it in origin.openings if it.reason == "pool-full"] == [cure]


def at_once(count: int, pools: urllib3.PoolManager, url: str, step: int = 1) -> None:
    """Have requests under way at the same time; `step` −1: the last one ends first."""
    sent = [pools.request("GET", url, preload_content=False) for _ in range(count)]
    for it in sent[::step]:
        it.drain_conn()
        it.release_conn()


def test_in_the_block_it_tells_what_has_happened_so_far(server: Server) -> None:
    with watch() as seen:
        requests.get(server.url, timeout=9)
        first = seen.requests()
        requests.get(server.url, timeout=9)
        second = seen.requests()
    assert (first, second, seen.requests()) == (1, 2, 2)


def test_what_happens_after_the_block_isnt_counted(server: Server) -> None:
    with requests.Session() as session:
        with watch() as seen:
            session.get(server.url)
        session.get(server.url)
        requests.get(server.url, timeout=9)
    assert (seen.connections(), seen.requests()) == (1, 1)


def test_a_connection_that_was_open_before_is_reused(server: Server) -> None:
    with requests.Session() as session:
        session.get(server.url)
        with watch() as seen:
            session.get(server.url)
            session.get(server.url)
    (origin,) = seen.usage.origins
    assert (seen.connections(), seen.requests()) == (0, 2)
    assert (origin.reused, origin.openings) == (2, ())


def test_a_connection_that_was_open_before_and_is_opened_again_is_counted() -> None:
    with Server(ServerSettings(behaviour=Behaviour(close_after=2))) as server:
        with requests.Session() as session:
            session.get(server.url)
            with watch() as seen:
                session.get(server.url)
                session.get(server.url)
        (origin,) = seen.usage.origins
        assert (seen.connections(), seen.requests(), origin.reused) == (1, 2, 1)
        assert server.stats.accepts == 2


def test_so_it_is_with_aiohttp(server: Server) -> None:
    async def run() -> None:
        async with aiohttp.ClientSession() as session:
            await (await session.get(server.url)).read()
            with watch() as seen:
                for _ in range(2):
                    await (await session.get(server.url)).read()
            await (await session.get(server.url)).read()
        assert (seen.connections(), seen.requests()) == (0, 2)

    asyncio.run(run())


@pytest.mark.parametrize("form", ["127.0.0.1", "127.0.0.1:{port}", "http://127.0.0.1:{port}"])
def test_an_origin_is_a_host_with_a_port_and_a_scheme_or_without(server: Server, form: str) -> None:
    with Server(ServerSettings(host="localhost")) as other, watch() as seen:
        requests.get(server.url, timeout=9)
        requests.get(f"http://localhost:{other.port}/", timeout=9)
    assert seen.requests(form.format(port=server.port)) == 1
    assert len(seen.origins) == 2


def test_an_origin_without_requests_fails_and_names_those_seen(server: Server) -> None:
    with watch() as seen:
        requests.get(server.url, timeout=9)
    for count in (seen.connections, seen.requests):
        with pytest.raises(RequirementError, match=rf"127.0.0.2.* 127\.0\.0\.1:{server.port}"):
            count("127.0.0.2")


def test_no_request_at_all_is_none_to_any_origin_and_fails_for_one() -> None:
    with watch() as seen:
        pass
    assert (seen.connections(), seen.requests(), seen.origins) == (0, 0, ())
    with pytest.raises(RequirementError, match="No request was seen"):
        seen.connections("api.example.com")


def test_nested_watches_count_each_for_themselves(server: Server) -> None:
    with watch() as outer, requests.Session() as session:
        session.get(server.url)
        with watch() as inner:
            session.get(server.url)
            requests.get(server.url, timeout=9)
        session.get(server.url)
    assert (outer.connections(), outer.requests()) == (2, 4)
    assert (inner.connections(), inner.requests()) == (1, 2)


def test_threads_that_the_block_didnt_start_are_counted_unless_only_the_own_is(
    server: Server,
) -> None:
    begun, done = threading.Event(), threading.Event()

    def run() -> None:
        begun.wait()
        requests.get(server.url, timeout=9)
        done.set()

    thread = threading.Thread(target=run)
    thread.start()
    with watch() as every, watch(threads="own") as own:
        begun.set()
        done.wait()
        requests.get(server.url, timeout=9)
    thread.join()
    assert (every.connections(), every.requests()) == (2, 2)
    assert (own.connections(), own.requests()) == (1, 1)


def test_tasks_of_the_own_thread_are_its_own(server: Server) -> None:
    async def run() -> None:
        async with aiohttp.ClientSession() as session:
            for _ in range(3):
                async with session.get(server.url) as answer:
                    await answer.read()

    with watch() as every, watch(threads="own") as own:
        asyncio.run(run())
    assert (every.connections(), every.requests()) == (1, 3)
    assert (own.connections(), own.requests()) == (1, 3)


def test_threads_are_all_or_the_own() -> None:
    with pytest.raises(UsageError, match="threads"), watch(threads="mine"):  # type: ignore[arg-type]
        pass


def test_the_functions_are_afterwards_what_they_were_before(server: Server) -> None:
    before, finders = functions(), list(sys.meta_path)
    with watch():
        requests.get(server.url, timeout=9)
        assert functions() != before
    assert functions() == before
    assert sys.meta_path == finders


def test_so_they_are_where_watches_overlap(server: Server) -> None:
    before = functions()
    first, second = watch(), watch()
    first.__enter__()
    seen = second.__enter__()
    first.__exit__(None, None, None)
    requests.get(server.url, timeout=9)
    second.__exit__(None, None, None)
    assert seen.requests() == 1
    assert functions() == before


def test_an_error_in_the_block_passes_and_ends_the_watch() -> None:
    before = functions()
    with pytest.raises(requests.exceptions.InvalidURL), watch():
        requests.get("http://not a host/", timeout=9)
    assert functions() == before


def test_nothing_is_left_behind(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with requests.Session() as session:
        session.get(server.url)
        with watch():
            session.get(server.url)
        files = len(list(Path("/dev/fd").iterdir()))
        for _ in range(5):
            with watch():
                assert not memory() or str(tmp_path) in memory()
                session.get(server.url)
        assert len(list(Path("/dev/fd").iterdir())) == files
    assert not list(tmp_path.iterdir())
    assert str(tmp_path) not in memory()


def test_what_was_made_in_the_block_may_go_away_after_it(server: Server) -> None:
    with watch():
        session = requests.Session()
        session.get(server.url)
        loop: list[Any] = [session]
        loop.append(loop)
    session.get(server.url)
    session.close()
    del session, loop
    gc.collect()  # an error in a destructor would be a warning, which is an error


def test_a_forked_child_is_counted(server: Server) -> None:
    fork = multiprocessing.get_context("fork")
    with watch() as seen:
        requests.get(server.url, timeout=9)
        child = fork.Process(target=requests.get, args=(server.url,), kwargs={"timeout": 9})
        child.start()
        child.join()
    assert child.exitcode == 0
    assert (seen.connections(), seen.requests()) == (2, 2)
    assert len(seen.usage.processes) == 2


def test_a_fork_that_runs_out_of_the_block_takes_nothing_away(server: Server) -> None:
    code = """
        import os, sys
        import requests
        from keepalive_bench import watch

        with watch() as seen:
            child = os.fork()
            if child:
                os.waitpid(child, 0)
            requests.get(sys.argv[1])
        if not child:
            os._exit(0)
        print(seen.connections(), seen.requests())
    """
    assert run(code, server.url) == "2 2\n"


@responses.activate
def test_what_responses_answers_opens_nothing_and_sends_nothing() -> None:
    responses.get("http://api.example.com/", body="")
    with watch() as seen:
        requests.get("http://api.example.com/", timeout=9)
    assert (seen.connections(), seen.requests()) == (0, 0)


def test_what_requests_mock_answers_opens_nothing_and_sends_nothing() -> None:
    with requests_mock.Mocker() as mock, watch() as seen:
        mock.get("http://api.example.com/")
        requests.get("http://api.example.com/", timeout=9)
    assert (seen.connections(), seen.requests()) == (0, 0)


def run(code: str, *arguments: str, **variables: str) -> str:
    """What a program prints, in a process of its own, with all warnings as errors."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", dedent(code), *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert not done.stderr
    assert done.returncode == 0
    return done.stdout


def test_a_library_that_the_block_imports_is_watched_and_left_as_it_came(server: Server) -> None:
    code = """
        import sys
        from keepalive_bench import watch

        with watch() as seen:
            assert not {"urllib3", "http.client", "ssl"} & set(sys.modules)
            import urllib3
            urllib3.PoolManager().request("GET", sys.argv[1])
        print(seen.connections(), seen.requests())
        print(hasattr(urllib3.connection.HTTPConnection._new_conn, "__wrapped__"))
        with watch() as seen:
            urllib3.PoolManager().request("GET", sys.argv[1])
        print(seen.connections(), seen.requests())
    """
    assert run(code, server.url).splitlines() == ["1 1", "False", "1 1"]


def test_a_watch_and_kab_trace_count_alike_in_one_process(server: Server, tmp_path: Path) -> None:
    code = """
        import sys
        import requests
        from keepalive_bench import watch

        requests.get(sys.argv[1])
        with requests.Session() as session:
            session.get(sys.argv[1])
            with watch() as seen:
                session.get(sys.argv[1])
                requests.get(sys.argv[1])
            print(seen.connections(), seen.requests(), *seen.usage.origins[0].openings[0].site[1:])
    """
    tracer = Path(keepalive_bench.trace.__file__).with_name("tracer")
    out = run(code, server.url, PYTHONPATH=str(tracer), _KAB_TRACE=str(tmp_path))
    traced = usage_in(tmp_path)
    assert out.splitlines() == ["1 2 11 <module>"]
    assert sum(it.connections for it in traced.origins) == server.stats.accepts == 3
    assert sum(it.requests for it in traced.origins) == server.stats.requests == 4
    assert {it.site.line for it in traced.origins[0].openings if it.site} == {6, 8, 11}
    assert not any(it.troubles for it in traced.processes)


def test_what_cant_be_recorded_isnt_taken_for_nothing(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "posix_fallocate", Mock(side_effect=OSError(errno.ENOSPC, "full")))
    with watch() as seen:
        requests.get(server.url, timeout=9)
    with pytest.raises(KabError, match="Nothing could be recorded"):
        seen.connections()


def test_what_is_lost_isnt_taken_for_nothing(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "FIRST_SLOTS_OF_ROOT", layout.FIRST_SLOTS)
    with watch() as seen, requests.Session() as session:
        session.get(server.url)
        monkeypatch.setattr(os, "posix_fallocate", Mock(side_effect=OSError(errno.ENOSPC, "full")))
        for _ in range(layout.FIRST_SLOTS):
            session.get(server.url)
    with pytest.raises(KabError, match=r"Lost: [0-9,]+ records"):
        seen.connections()


def test_a_library_that_is_patched_while_the_tracer_is_made_gets_the_same_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracing = Tracing(str(tmp_path), 0)
    tracing._tracer = None
    seen: list[object] = []

    class Asking:
        """Asks for the tracer when the module is sought that has its class."""

        def find_spec(self, name: str, *_: object) -> None:
            if name == lives.__name__ and not seen:
                seen.append(None)
                seen[0] = tracing.tracer

    monkeypatch.delitem(sys.modules, lives.__name__)
    monkeypatch.setattr(sys, "meta_path", [Asking(), *sys.meta_path])
    try:
        assert [tracing.tracer] == seen
    finally:
        tracing.end()


def test_what_patches_a_library_that_was_there_before_is_loaded_once(
    server: Server, tmp_path: Path
) -> None:
    code = """
        import sys
        import urllib3
        from keepalive_bench.trace.tracer._kab_tracer.tracing import Tracing

        tracing = Tracing(sys.argv[1], 0)
        urllib3.PoolManager().request("GET", sys.argv[2])
        tracing.end()
    """
    run(code, str(tmp_path), server.url)
    (process,) = read(tmp_path).processes
    (manager, pool) = process.clients.values()
    assert pool.of == manager.number
