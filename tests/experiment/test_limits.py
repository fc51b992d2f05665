"""No more processes, threads or open files: which limit it is, and nothing is left running."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from support.command import COMMAND, environment
from support.plans import plan
from support.processes import children, linux

from keepalive_bench import KabError, benchmark
from keepalive_bench.experiment.limits import limit_reached

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
    few_files = 'ulimit -n 40; exec "$@"'
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
