"""`kab demo`: two results in a few seconds, and nothing left behind."""

from __future__ import annotations

import errno
import os
import re
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.command import ended, kab, next_line, started
from support.patience import PATIENCE_S

from keepalive_bench.cli import kab as main_command
from keepalive_bench.errors import KabError

if TYPE_CHECKING:
    import subprocess

_CHILDREN = Path("/proc/self/task")
_LINUX = pytest.mark.skipif(not _CHILDREN.exists(), reason="reads /proc")


def test_it_shows_both_results_and_leaves_no_file(tmp_path: Path) -> None:
    done = kab("demo", cwd=tmp_path, env={"TMPDIR": str(tmp_path)})
    assert done.code == 0
    for told in (done.out, done.err):
        assert "GET http://127.0.0.1:" in told
        assert "GET https://127.0.0.1:" in told
    assert len(re.findall("^connections +1 +50 ", done.out, re.MULTILINE)) == 2
    assert done.lines[-1].endswith(" run URL --requests 50 --maxsize 1")
    assert not list(tmp_path.iterdir())


@_LINUX
@pytest.mark.parametrize("lines_first", [0, 1])
def test_interrupted_it_leaves_no_process_and_no_file(lines_first: int, tmp_path: Path) -> None:
    """Interrupted while it measures HTTP (no line was shown), and while HTTPS."""
    with started("demo", env={"TMPDIR": str(tmp_path)}) as process:
        for _ in range(lines_first):
            next_line(process)
        child = _first_child(process)
        process.send_signal(signal.SIGINT)
        done = ended(process)
    assert done.code == 130
    assert "Traceback" not in done.err
    _assert_gone(child)
    assert not list(tmp_path.iterdir())


@_LINUX
def test_even_killed_it_leaves_no_process() -> None:
    with started("demo") as process:
        child = _first_child(process)
        process.kill()
        ended(process)
    _assert_gone(child)


def _first_child(process: subprocess.Popen[str]) -> int:
    listing = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        children = listing.read_text().split()
        if children:
            return int(children[0])
        time.sleep(0.001)
    pytest.fail("the server was not started")


def _assert_gone(pid: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return  # ended; whoever adopted it has not looked yet
        except OSError:
            return
        time.sleep(0.01)
    pytest.fail("the server is still there")


def test_a_server_that_no_process_is_left_for_is_refused_with_the_limits_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_process(*_: object, **__: object) -> None:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr("keepalive_bench.server.child.subprocess.Popen", no_process)
    with pytest.raises(KabError, match=r"^The demo's server can't be started, .*\(ulimit -u, "):
        main_command.main(["demo"], standalone_mode=False)  # alone, it has no -h
