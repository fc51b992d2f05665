"""A probe that is stopped, or whose output goes away, keeps and writes what is known."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest
from server.wire import serving
from support.command import COMMAND, TIMEOUT_S, Finished, ended, environment, next_line, started
from support.misbehaving import ANSWER, Peer, misbehaving, never_connecting

if TYPE_CHECKING:
    from pathlib import Path

_SOON_S = 2.0
_FIRST, _ALL = 1, 13
"""Requests: the first one, and those of all connections with the first reuse, after a second."""


class Counting:
    """A script that tells when so many requests have come, which it answers, or doesn't."""

    def __init__(self, expected: int, answer: bytes) -> None:
        self._left, self._answer, self.reached = expected, answer, Event()

    def __call__(self, peer: Peer) -> None:
        while peer.read_request():
            peer.socket.sendall(self._answer)
            self._left -= 1
            if not self._left:
                self.reached.set()


def stopped(process: subprocess.Popen[str], seen: str = "") -> Finished:
    """Send Ctrl-C, and see that it ends soon."""
    process.send_signal(signal.SIGINT)
    before = monotonic()
    done = ended(process, seen)
    assert monotonic() - before < _SOON_S
    assert done.code == 130
    assert "Traceback" not in done.text
    return done


def read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return found


def test_ctrl_c_shows_and_writes_what_is_known(tmp_path: Path) -> None:
    file, page, script = tmp_path / "a.json", tmp_path / "a.html", Counting(_ALL, ANSWER)
    words = ("--max-idle", "60s", "--quiet", "--json", str(file), "--html", str(page))
    with misbehaving(script) as server, started("probe", server.url, *words) as process:
        assert script.reached.wait(TIMEOUT_S)
        done = stopped(process)
    assert not done.err
    assert ": the probe was stopped " in " ".join(done.out.split())
    found = read(file)
    assert found["info"]["interrupted"]
    assert found["idle_timeout"]["open"] == 5
    assert 0.9 < found["idle_timeout"]["looked_s"] < 60
    assert ": the probe was stopped " in page.read_text("utf-8")


def test_ctrl_c_ends_the_wait_for_the_first_response(tmp_path: Path) -> None:
    file, script = tmp_path / "probe.json", Counting(_FIRST, b"")
    words = ("--quiet", "--json", str(file))
    with misbehaving(script) as server, started("probe", server.url, *words) as process:
        assert script.reached.wait(TIMEOUT_S)
        done = stopped(process)
    assert not done.out
    assert (
        done.err == "Error: Nothing was measured: the probe was stopped before a response came.\n"
    )
    assert read(file)["info"]["interrupted"]


def test_ctrl_c_ends_the_wait_for_a_connection() -> None:
    with (
        never_connecting() as address,
        started("probe", f"http://{address}/", stderr=subprocess.STDOUT) as process,
    ):
        done = stopped(process, next_line(process))
    assert done.lines[-1].endswith("the probe was stopped before a response came.")


@pytest.mark.parametrize("writes", [True, False])
def test_a_reader_that_has_gone_takes_no_file_along(tmp_path: Path, *, writes: bool) -> None:
    file = tmp_path / "probe.json"
    words = ("--json", str(file)) if writes else ()
    ours, theirs = os.pipe()
    os.close(ours)
    try:
        with serving(idle_timeout_s=0.1) as server:
            done = subprocess.run(
                [*COMMAND, "probe", server.url, "--max-idle", "0.2s", "--quiet", *words],
                stdout=theirs,
                stderr=subprocess.PIPE,
                timeout=TIMEOUT_S,
                env=environment(),
                check=False,
            )
    finally:
        os.close(theirs)
    assert (done.returncode, done.stderr) == (1, b"")
    assert [*tmp_path.iterdir()] == ([file] if writes else [])
    if writes:
        assert read(file)["idle_timeout"]["connections"] >= 5
