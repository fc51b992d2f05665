"""No more processes, threads or open files: which limit it is, and nothing is left running."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from support.command import COMMAND, environment
from support.fakes import stage
from support.plans import plan
from support.processes import children, linux

from keepalive_bench import Arm, Exchange, KabError, analyse, benchmark
from keepalive_bench.errors import limit_reached
from keepalive_bench.server import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

NOWHERE = "http://127.0.0.1:9/"


@pytest.fixture
def threadless() -> Iterator[None]:
    """No thread can be started, because no address space has room for its stack."""
    before = threading.stack_size(1 << 47)
    yield
    threading.stack_size(before)


@linux
@pytest.mark.usefixtures("threadless")
def test_where_a_process_can_t_have_its_thread_none_is_left() -> None:
    expected = "Process 1 of 2 can't be started, because no more processes or threads are allowed"
    with pytest.raises(KabError, match=expected):
        benchmark(plan(NOWHERE, processes=2))
    assert children(os.getpid()) == []


def test_where_only_some_processes_can_be_started_none_measures() -> None:
    few_files = 'ulimit -n 24; exec "$@"'
    options = ("--processes", "64", "--timeout", "1")
    done = subprocess.run(
        ["sh", "-c", few_files, "sh", *COMMAND, "run", NOWHERE, *options],
        capture_output=True,
        encoding="utf-8",
        env=environment(),
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "of 64 can't be started, because no more files may be open" in done.stderr
    assert "(ulimit -n): use fewer --processes, or raise the limit." in done.stderr


def test_a_process_that_can_t_be_started_is_told_with_the_system_s_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(KabError, match=r"Process 1 of 2 can't be started: .*'/nowhere/python'\.$"):
        benchmark(plan(NOWHERE, processes=2))


def limited(limit: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", f'ulimit {limit}; exec "$@"', "sh", *COMMAND, "run", NOWHERE, *arguments],
        capture_output=True,
        encoding="utf-8",
        env=environment(),
        check=False,
        timeout=60,
    )


@linux
@pytest.mark.parametrize(
    ("limit", "arguments", "says"),
    [
        (
            "-n 64",
            ("-c", "100"),
            r"up to 200 sockets at once, but ulimit -n 64 leaves room for \d+:",
        ),
        ("-v 600000", ("-c", "400"), r"needs as many threads, but only \d+ can be started"),
        ("-v 400000", ("-n", "9000000"), r"--requests 9000000 needs more than 1\.3 GiB"),
    ],
)
def test_what_no_limit_allows_is_refused_before_anything_is_sent(
    limit: str, arguments: tuple[str, ...], says: str
) -> None:
    done = limited(limit, *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert re.search(says, done.stderr)
    assert f"ulimit {limit.split(maxsplit=1)[0]}" in done.stderr
    assert "raise the limit." in done.stderr


@pytest.mark.slow
@linux
def test_a_process_s_share_of_the_threads_is_told_too() -> None:
    done = limited("-v 600000", "-c", "400", "--processes", "2")
    assert (done.returncode, done.stdout) == (1, "")
    assert "needs as many threads, but only" in done.stderr
    assert "Traceback" not in done.stderr


@linux
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_files_that_run_out_in_the_middle_fail_requests_and_end_nothing(host: str) -> None:
    import resource  # noqa: PLC0415  # Windows has none

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    few = (3, before[1])
    with ServerProcess() as server:
        wanted = plan(
            server.url.replace("127.0.0.1", host),
            arms=(Arm("unpooled"),),
            requests=3,
            warmup=0,
            ip_version=4,
        )

        def tighten(exchange: Exchange) -> None:
            limits = few if exchange.index < 2 else before
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)

        try:
            run = benchmark(wanted, tighten)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
    (arm,) = analyse(run).arms
    assert (arm.succeeded, arm.failure_kinds) == (1, {"limit-reached": 2})
    (message,) = {it.message for it in arm.failures}
    limit = "no more files may be open in one process (ulimit -n)"
    assert message == f"{limit}: lower --concurrency, or raise the limit"


@linux
@pytest.mark.usefixtures("threadless")
def test_a_run_without_a_thread_is_refused_in_a_sentence() -> None:
    with ServerProcess() as server, pytest.raises(KabError, match="no more processes or threads"):
        benchmark(plan(server.url, requests=1))


def test_memory_that_ends_ends_the_run_and_keeps_what_was_measured() -> None:
    stages = stage(requests=10)

    def run_out(_: Exchange) -> None:
        if len(stages.exchanges) == 4:
            del stages.exchanges[-1]  # as columns do it
            stages.on_record = lambda _: None
            raise MemoryError

    stages.on_record = run_out
    assert stages.run() is True
    *measured, last = stages.exchanges
    assert [it.outcome.failure for it in measured] == [None] * 3
    assert last.outcome.failure is not None
    assert last.outcome.failure.kind == "limit-reached"
    assert "no memory is left (ulimit -v" in last.outcome.failure.message


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (OSError(errno.EAGAIN, os.strerror(errno.EAGAIN)), "pids limit"),
        (OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)), "memory"),
        (MemoryError(), "memory"),
        (OSError(errno.ENFILE, os.strerror(errno.ENFILE)), "this machine"),
    ],
)
def test_an_error_names_its_limit(error: Exception, named: str) -> None:
    limit = limit_reached(error)
    assert limit is not None
    assert named in limit


@pytest.mark.parametrize("error", [OSError(), OSError(errno.EACCES, "no"), RuntimeError("other")])
def test_other_errors_are_about_no_limit(error: Exception) -> None:
    assert limit_reached(error) is None
